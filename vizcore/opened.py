"""Attention that a network computes by torch's functions, wherever it is written, in the open.

Within one pass and one thread: a softmax can be seen and replaced, and torch's fused attention is computed
as the product that it stands for, so that its matrix is there and gradients reach it.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

Put = Callable[[Tensor], Tensor]  # a matrix (..., queries, keys) -> what is multiplied with the values


class Opened(TorchFunctionMode):
    """Every attention matrix of a pass goes through ``put``.

    A matrix is called by the innermost module that runs: "blocks.0.attn"; further ones of the same module
    are "blocks.0.attn#1", and those of the network itself "#0", "#1".

    Args:
        copy: a private copy of the network, which gets hooks. put: (name, matrix) -> what is handed on.
        names: fused attention under other names stays fused; None opens all.
    """

    def __init__(
        self, copy: nn.Module, put: Callable[[str, Tensor], Tensor], names: Iterable[str] | None = None
    ):
        super().__init__()
        self._put, self._names = put, None if names is None else set(names)
        self._running, self._counts = [""], Counter()
        for name, module in copy.named_modules():
            if name:
                module.register_forward_pre_hook(self._begin(name), prepend=True)
                module.register_forward_hook(self._end)

    def _begin(self, name: str) -> Callable[..., None]:
        return lambda *_: self._running.append(name)

    def _end(self, *_: Any) -> None:
        self._running.pop()

    def _next(self) -> str:
        owner = self._running[-1]
        self._counts[owner] += 1
        return owner if owner and self._counts[owner] == 1 else f"{owner}#{self._counts[owner] - 1}"

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs, kind = kwargs or {}, getattr(func, "__name__", "")
        explicit = FUSED.get(kind)
        if explicit:
            name = self._next()
            if self._names is None or name in self._names:
                whole = explicit(lambda matrix: self._put(name, matrix), *args, **kwargs)
                if whole is not None:
                    return whole
            return func(*args, **kwargs)
        result = func(*args, **kwargs)
        if kind == "softmax" and isinstance(result, Tensor) and result.ndim >= 3:
            name = self._next()
            if self._names is None or name in self._names:
                return self._put(name, result)
        return result


def scaled_dot_product(
    put: Put,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor | None:
    """``F.scaled_dot_product_attention`` with its matrix passing ``put``; None where it is drawn by lot."""
    if dropout_p:
        return None
    if enable_gqa:  # several queries' heads share a key's
        shared = query.shape[-3] // key.shape[-3]
        key, value = (one.repeat_interleave(shared, -3) for one in (key, value))
    scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if is_causal:
        attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
    if attn_mask is not None:
        hidden = attn_mask.dtype == torch.bool
        scores = scores.masked_fill(~attn_mask, -math.inf) if hidden else scores + attn_mask
    matrix = scores.softmax(-1)
    if attn_mask is not None:  # a query that may look nowhere gets nothing, not NaN
        matrix = matrix.masked_fill((scores == -math.inf).all(-1, keepdim=True), 0)
    return put(matrix) @ value


def multi_head(put: Put, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor | None] | None:
    """``F.multi_head_attention_forward`` with its matrix passing ``put``; None where keys are made up.

    Tokens come first there: (N, B, C), or (N, C).
    """
    bound = _MULTI_HEAD.bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    made_up = ("bias_k", "bias_v", "static_k", "static_v")
    if any(given[name] is not None for name in made_up) or given["add_zero_attn"]:
        return None
    if given["training"] and given["dropout_p"]:
        return None
    weights = [given[f"{one}_proj_weight"] for one in "qkv"]
    if not given["use_separate_proj_weight"]:
        weights = given["in_proj_weight"].chunk(3)
    biases = (None,) * 3 if given["in_proj_bias"] is None else given["in_proj_bias"].chunk(3)
    alone, heads = given["query"].ndim == 2, given["num_heads"]
    inputs = [given[one].unsqueeze(1) if alone else given[one] for one in ("query", "key", "value")]
    query, key, value = (
        F.linear(one, weight, bias).unflatten(-1, (heads, -1)).permute(1, 2, 0, 3)
        for one, weight, bias in zip(inputs, weights, biases, strict=True)
    )  # (B, heads, N, C / heads) each
    kept: list[Tensor] = []

    def keep(matrix: Tensor) -> Tensor:
        kept.append(put(matrix))
        return kept[0]

    mixed = scaled_dot_product(keep, query, key, value, _mask(given, query))
    assert mixed is not None
    mixed = F.linear(mixed.permute(2, 0, 1, 3).flatten(2), given["out_proj_weight"], given["out_proj_bias"])
    weights = kept[0].mean(1) if given["average_attn_weights"] else kept[0]  # (B, N, N) or with heads
    mixed, weights = (mixed[:, 0], weights[0]) if alone else (mixed, weights)
    return mixed, weights if given["need_weights"] else None


def _mask(given: dict[str, Any], query: Tensor) -> Tensor | None:
    """What is added to the scores, (B or 1, heads or 1, N, N): -inf where a mask of bools says so."""
    masks = []
    if (mask := given["attn_mask"]) is not None:
        masks.append(mask.unflatten(0, (-1, given["num_heads"])) if mask.ndim == 3 else mask[None, None])
    if (mask := given["key_padding_mask"]) is not None:
        masks.append((mask if mask.ndim == 2 else mask[None])[:, None, None])
    added = [
        torch.zeros_like(one, dtype=query.dtype).masked_fill(one, -math.inf)
        if one.dtype == torch.bool
        else one.to(query.dtype)
        for one in masks
    ]
    return sum(added[1:], added[0]) if added else None


_MULTI_HEAD = inspect.signature(F.multi_head_attention_forward)
FUSED: dict[str, Callable[..., Any]] = {
    "scaled_dot_product_attention": scaled_dot_product,
    "multi_head_attention_forward": multi_head,
}


def by_heads(matrix: Tensor, batch: int) -> Tensor:
    """A matrix (batch * heads, N, N), or with its heads in groups, as (batch, heads, N, N)."""
    if matrix.ndim == 3 and len(matrix) % batch == 0:
        return matrix.unflatten(0, (batch, -1))
    return matrix.flatten(1, -3) if matrix.ndim > 4 and len(matrix) == batch else matrix
