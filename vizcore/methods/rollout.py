"""Attention through all blocks: from where the answer is read back to the patches.

Each function goes from the last block down, multiplies only the rows of a *start* (Q, N; see ``tokens``), and
returns the build-up (blocks, B, Q, N): entry k is the result of blocks 1 to k + 1, so the last is the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..capture import capture, slopes
from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Objective
from ..shapes import full
from .attention import FUSIONS, attention, fuse, widened
from .method import Method, at_once
from .tokens import on_patches, readout


@in_any_mode
def rollout(
    attentions: Sequence[Tensor],
    start: Tensor,
    *,
    residual: float = 0.5,
    fusion: str = "mean",
    discard: float = 0.0,
    prefix: int = 1,
    through_prefix: bool = True,
) -> Tensor:
    """Attention rollout (Abnar & Zuidema, ACL 2020): how much of each token reaches the start's tokens.

    In each block a token keeps ``residual`` of itself and takes the rest as its attention says. Knows nothing
    of any class.

    Args:
        attentions: by block, (B, heads, N, N).
        start: (Q, N).
        residual: 0 to 1; 0.5 counts the skip connection as much as the attention.
        fusion: of the heads, one of ``FUSIONS``.
        discard: share of the patches, 0 to below 1, whose attention is dropped from each row: the smallest.
        prefix: tokens before the first patch, never discarded.
        through_prefix: False drops attention to prefix tokens, as if there were none to pass through.

    Returns:
        (blocks, B, Q, N), each row sums to 1.

    >>> everywhere = torch.full((1, 2, 5, 5), 1 / 5)  # the attention of two heads on five tokens
    >>> rollout([everywhere] * 3, start=torch.eye(5)[:1])[-1, 0, 0]
    tensor([0.3000, 0.1750, 0.1750, 0.1750, 0.1750])
    """
    if fusion not in FUSIONS:
        raise ValueError(f"unknown fusion {fusion!r}; heads are fused by {', '.join(FUSIONS)}")
    if not (0 <= residual <= 1 and 0 <= discard < 1):
        raise ValueError(f"residual is 0 to 1 and discard 0 to below 1, not {residual} and {discard}")

    def transition(block: Tensor) -> Tensor:
        matrix = _precise(fuse(block.float(), fusion))  # (B, N, N)
        dropped = int(discard * (matrix.shape[-1] - prefix))
        if dropped:
            smallest = matrix[..., prefix:].topk(dropped, largest=False).indices + prefix
            matrix = matrix.scatter(-1, smallest, 0)
        if not through_prefix and prefix:
            matrix = nn.functional.pad(matrix[..., prefix:], (prefix, 0))
        total = matrix.sum(-1, keepdim=True)
        shares = matrix / total.where(total > 0, torch.ones_like(total))
        nothing = (total == 0).squeeze(-1)  # a row with nothing left keeps itself
        return shares + torch.diag_embed(nothing.to(matrix)) if nothing.any() else shares

    return _trace_back(attentions, start, transition, residual, 1 - residual)


@in_any_mode
def class_attention(
    net: nn.Module, images: Tensor, modules: list[str], targets: Sequence[Objective | int]
) -> tuple[Tensor, list[Tensor]]:
    """Attention that raises a score, from one forward pass and one backward pass for each target.

    Args:
        targets: K classes by index, or ``Objective``s.

    Returns:
        The network's scores, (B, classes), and by block E_h[(∇A ⊙ A)⁺], (K, B, N, N): the attention times the
        gradient of what is asked, positive part, mean over heads.

    Raises:
        ValueError: the network has no such class.
    """
    names = [f"{module}.attn_drop" for module in modules]
    asked = [name for one in targets if isinstance(one, Objective) for name in one.layers]
    scores, captured = capture(net, images, dict.fromkeys(names + asked), grad=True)
    wanted = [_score(one, scores, captured).sum() for one in targets]
    matrices = [captured[name] for name in names]
    weighted = []  # by target, by block
    for i, score in enumerate(wanted):
        gradients = slopes(score, matrices, keep=i + 1 < len(wanted))
        products = zip(matrices, gradients, strict=True)
        blocks = [(a.detach().float() * g.float()).relu().mean(1) for a, g in products]  # (B, N, N)
        tokens = max(block.shape[-1] for block in blocks)
        weighted.append([widened(block, tokens, 0.0) for block in blocks])
    return scores.detach(), [torch.stack(block) for block in zip(*weighted, strict=True)]


def _score(target: Objective | int, scores: Tensor, layers: dict[str, Tensor]) -> Tensor:
    """What is asked, of each picture, (B,)."""
    if isinstance(target, Objective):
        return target.values(scores, layers)
    if scores.ndim != 2:
        raise ValueError("the network has no classes, so no map can be asked for one")
    if not 0 <= target < scores.shape[1]:
        raise ValueError(f"class {target} is not one of the network's, 0 to {scores.shape[1] - 1}")
    return scores[:, target]


@in_any_mode
def relevance(weighted: Sequence[Tensor], start: Tensor) -> Tensor:
    """Class-specific relevance: R ← R + E_h[(∇A ⊙ A)⁺] R (Chefer, Gur & Wolf, ICCV 2021), without the
    identity.

    R begins as the identity, which says only that a token is itself. In a network that averages its patches
    it would give each of them 1/N and drown what the attention adds, so that alone is returned.

    Args:
        weighted: by block, (..., N, N) from ``class_attention``.
        start: (Q, N); ``readout``, since gradients belong to the tokens that the score is read from.

    Returns:
        (blocks, ..., Q, N), at least 0.
    """
    return _trace_back(weighted, start, _precise, 1, 1, apart=True)


@in_any_mode
def weighted_rollout(weighted: Sequence[Tensor], start: Tensor, **settings) -> Tensor:
    """Rollout (its ``settings``, without the fusion) of attention that raises a class's score.

    The gradient-weighted variant of rollout: ``rollout`` over E_h[(∇A ⊙ A)⁺], rows rescaled to sum to 1. A
    row without any positive product keeps itself.
    """
    return rollout([block.unsqueeze(-3) for block in weighted], start, **settings)


def _trace_back(
    blocks: Sequence[Tensor],
    start: Tensor,
    transition: Callable[[Tensor], Tensor],
    keep: float,
    take: float,
    apart: bool = False,
) -> Tensor:
    """Rows of (keep + take M_k) ... (keep + take M_1) for every k at once, from the last block down.

    At block l the rows for k ≥ l are there to be multiplied; those for k = l begin as the start. So M_l is
    made and read once, and all k together cost a small part of one full product. ``apart`` leaves the start
    out of the sum, which else would drown what is much smaller.
    """
    rows = beside = torch.empty(0)  # (..., k, Q, N): ``beside`` is what is added to rows at each block
    for depth, block in enumerate(reversed(blocks)):
        matrix = transition(block)  # (..., N, N)
        fresh = start.to(matrix).expand(*matrix.shape[:-2], 1, *start.shape)
        rows = torch.cat([fresh, rows], dim=-3) if depth else fresh
        beside = torch.cat([torch.zeros_like(fresh), beside], dim=-3) if depth else torch.zeros_like(fresh)
        moved = (rows.flatten(-3, -2) @ matrix).view_as(rows)
        rows, beside = keep * rows + take * moved, keep * beside + take * moved
    return (beside if apart else rows).movedim(-3, 0).float()


def _precise(values: Tensor) -> Tensor:
    """float64, where the device has it: products over many blocks then agree in whatever order."""
    return values.float() if values.device.type == "mps" else values.double()


# ---------------------------------------------------------------- as methods that say where


def _attending(model: VisionModel) -> str:
    """That there is attention over the whole picture."""
    return "" if model.attention else model.no_rollout


def _start(model: VisionModel) -> Tensor:
    return readout(model.net, _grid(model), model.num_prefix_tokens)


def _map(model: VisionModel, row: Tensor) -> Tensor:
    return on_patches(row, _grid(model), model.num_prefix_tokens)


def _grid(model: VisionModel) -> tuple[int, int]:
    if model.grid is None:
        raise ValueError(f"{model.title} has no patches")
    return model.grid


@in_any_mode
def _relevance(model: VisionModel, images: Tensor, wanted: Objective) -> Tensor:
    _, blocks = class_attention(model.net, images, model.attention, [wanted])
    return _map(model, relevance(blocks, _start(model))[-1, 0, 0, 0])  # of (blocks, 1, 1, 1, N)


@in_any_mode
def _rollout(model: VisionModel, images: Tensor, _wanted: Any) -> Tensor:
    blocks = attention(model.net, images, model.attention)
    return _map(model, rollout(blocks, _start(model), prefix=model.num_prefix_tokens)[-1, 0, 0])


@in_any_mode
def _last_attention(model: VisionModel, images: Tensor, _wanted: Any) -> Tensor:
    """Where the token that the answer is read from looks in the last block, mean over heads."""
    (block,) = attention(model.net, images, model.attention[-1:])
    return _map(model, (_start(model).to(full(block)) @ fuse(full(block[0]), "mean"))[0])


ROWS: dict[str, Method] = {
    "relevance": Method(
        at_once(_relevance),
        "Can't show what the MLPs do: only attention that raises the score is counted.",
        page="grad_cam",
        fits=_attending,
    ),
    "rollout": Method(
        at_once(_rollout),
        "Can't show a class: it is the same map whatever you ask for.",
        page="grad_cam",
        knows_class=False,
        fits=_attending,
    ),
    "attention": Method(
        at_once(_last_attention),
        "Can't show a class, nor whether what is looked at in the last block is used.",
        page="grad_cam",
        knows_class=False,
        fits=_attending,
    ),
}
