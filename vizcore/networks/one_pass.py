"""One pass over pictures that differ in a square each: what each module put out, and how that changed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..capture import expose_attention, first_tensor, private_copy
from ..model import Layout
from .geometry import plausible
from .watch import Watched, is_attention

MOST_PREFIX = 16  # tokens before the first patch


class Traced(NamedTuple):
    """What a pass found of each module, in the order in which they ran."""

    output: Any  # what the network returned for the pictures
    shapes: dict[str, tuple[int, ...]]
    changes: dict[str, dict[str, Tensor]]  # squared change by kind: "NCHW", "NHWC", "tokens"
    known: dict[str, Layout]  # of outputs that are one of the network's own intermediates
    attention: Watched
    again: set[str]  # modules that ran several times, and whose last output alone is known


def awake(net: nn.Module) -> nn.Module:
    """A private copy whose all-zero weights are small random numbers: zeros would hide what comes behind."""
    copy, generator = private_copy(net), torch.Generator().manual_seed(0)
    for module in copy.modules():
        for name, value in module._parameters.items():
            if value is not None and value.is_floating_point() and name != "bias" and not value.any():
                scale = 0.02 if value.ndim > 1 else 0.5
                noise = scale * torch.randn(value.shape, generator=generator)
                module._parameters[name] = nn.Parameter(noise.to(value), requires_grad=False)
    return copy


def watched_pass(copy: nn.Module, pictures: Tensor) -> Traced:
    """All that one pass over pictures shows of the modules of a private copy."""
    with torch.no_grad():
        inner = [value[0].float() for value in _intermediates(copy, pictures[:1])]  # (C, h, w) each
    copy = private_copy(copy)
    found = Traced(None, {}, {}, {}, Watched(copy, len(pictures)), set())
    for name, module in list(copy.named_modules()):
        if is_attention(module):
            expose_attention(copy, f"{name}.attn_drop")
    for name, module in copy.named_modules():
        if name:
            module.register_forward_hook(_note(name, found, pictures, inner))
    with torch.no_grad(), found.attention:
        output = copy(pictures)
    return found._replace(output=output)


def _note(name: str, found: Traced, pictures: Tensor, inner: list[Tensor]) -> Callable[..., None]:
    """A hook that writes down in ``found`` what a module puts out."""
    near = max(1e-3, 4 * torch.finfo(pictures.dtype).eps)

    def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
        value = first_tensor(output)
        watched = found.attention
        watched.started[name] = next((x.data_ptr() for x in inputs if isinstance(x, Tensor)), 0)
        if value is None:
            return
        if found.shapes.pop(name, None) is not None:
            found.again.add(name)
        found.shapes[name] = tuple(value.shape)
        if name.endswith("attn_drop"):
            watched.note(watched.put_out, name.rpartition(".")[0], value)
        elif len(value) == len(pictures) and value.is_floating_point():
            found.changes[name] = _change(value, pictures.shape[2:])
            layout = next(filter(None, (_same(value[0].float(), one, near) for one in inner)), None)
            if layout:
                found.known[name] = layout

    return hook


def _intermediates(net: nn.Module, pictures: Tensor) -> list[Tensor]:
    """What timm says that stages and blocks put out, (B, C, h, w) each; empty where it doesn't."""
    forward: Any = getattr(net, "forward_intermediates", None)
    if forward is None:
        return []
    try:
        found = forward(pictures, output_fmt="NCHW", intermediates_only=True)
    except Exception:  # of dozens of files some don't take these words, or none at this size
        return []
    return [value for value in found if isinstance(value, Tensor) and value.ndim == 4]


def _change(value: Tensor, image: torch.Size) -> dict[str, Tensor]:
    """The squared change from the first picture to each other one, in every way that the output may lie."""
    axes = {"tokens": 2} if value.ndim == 3 else {}
    if value.ndim == 4:
        grids = {"NCHW": (value.shape[2:], 1), "NHWC": (value.shape[1:3], 3)}
        axes = {kind: axis for kind, (grid, axis) in grids.items() if plausible(grid, image)}
    if not axes:
        return {}
    squares = (value[1:].float() - value[:1].float()).square_()
    # (squares, h, w) or (squares, N); along most axes a norm would take thrice as long as a sum
    return {kind: squares.sum(axis).cpu() for kind, axis in axes.items()}


def _same(value: Tensor, inner: Tensor, near: float) -> Layout | None:
    """How one picture's output has to lie to be an intermediate (C, h, w); None where it is another."""
    channels, rows, columns = inner.shape
    grid = rows, columns
    places = math.prod(grid)
    tokens = value.ndim == 2 and value.shape[1] == channels and 0 <= len(value) - places <= MOST_PREFIX
    if not tokens and value.numel() != inner.numel():
        return None
    kept = value[len(value) - places :] if tokens else value
    if not math.isclose(kept.norm().item(), inner.norm().item(), rel_tol=near):  # cheap, in whatever order
        return None

    def alike(a: Tensor) -> bool:
        return bool((a - inner).abs().max() <= near * inner.abs().max())

    if value.ndim == 3 and value.numel() == inner.numel():
        if value.shape == inner.shape and alike(value):
            return Layout("NCHW", channels, grid)
        if tuple(value.shape) == (*grid, channels) and alike(value.permute(2, 0, 1)):
            return Layout("NHWC", channels, grid)
    if not tokens:
        return None
    prefix = len(value) - places
    layout = Layout("tokens", channels, grid, prefix)
    if alike(layout.maps(value[None])[0]):
        return layout
    distances = torch.cdist(inner.flatten(1).T, value[prefix:])  # (places, tokens)
    order = distances.argmin(1)
    if len(order.unique()) < places:
        return None
    layout = layout._replace(order=tuple(order.tolist()))
    return layout if alike(layout.maps(value[None])[0]) else None
