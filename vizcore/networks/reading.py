"""Where a network's answer is read from: one pass back, from the largest score to the places of blocks."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ..capture import Captured, capture, way_back
from ..model import Layout
from .rollable import OUT_OF_ORDER, SIDE_BY_SIDE

LAST = 4  # blocks among which the answer is usually read


def read_from(
    copy: nn.Module,
    images: Tensor,
    layouts: Mapping[str, Layout],
    blocks: list[str],
    classes: bool,
    last: str = "",
    ran: Sequence[str] = (),
) -> tuple[str, Tensor | None]:
    """The deepest block whose places the answer is read from, and how much it hears of the last tokens.

    Behind the last attention of a ViT only the class token reaches the score: the gradients of the patches
    are exactly zero there, and the norm before that attention is the deepest place to ask.

    Args:
        last: the module of the last attention, if any. ran: all modules, in the order in which they ran.
    """
    names, read = blocks or list(layouts), None
    if not classes:
        return _last_numbered(names), None
    for some in (names[-LAST:], names):  # the way back is short where the answer is read at the end
        layer, read, where = _reached(copy, images, layouts, some)
        if layer and where and last in ran and ran.index(where) < ran.index(last):  # the blocks behind it
            read = _heard(*_open(copy, images, [last]))  # are no maps: what it hears of them isn't known
        if layer:
            return layer, read
    _check_way_back(copy, images)
    return names[-1], read


def _check_way_back(copy: nn.Module, images: Tensor) -> None:
    """Raise what torch raises where gradients can't be asked for, as through reentrant checkpoints."""
    images = images.detach().requires_grad_()
    _slope(copy(images.clone())[0].amax(), images)


def _reached(
    copy: nn.Module, images: Tensor, layouts: Mapping[str, Layout], names: list[str]
) -> tuple[str, Tensor | None, str]:
    """Of some blocks the deepest layer whose places have a gradient, or ""; and each token's share, where."""
    kinds = {name: type(module).__name__ for name, module in copy.named_modules()}
    norms = {  # of each block the norms inside, in the order in which they run
        block: [layer for layer in layouts if layer.startswith(f"{block}.") and "Norm" in kinds[layer]]
        for block in names
    }
    asked = {*names, *itertools.chain(*norms.values())}
    output, seen = capture(copy, images, [name for name in layouts if name in asked], grad=True)
    try:
        slopes = torch.autograd.grad(
            output[0, output[0].argmax()], list(seen.values()), allow_unused=True, materialize_grads=True
        )
    except RuntimeError:  # nothing behind these layers can be differentiated
        return "", None, ""
    slope = dict(zip(seen, slopes, strict=True))
    reaches = {name: bool(layouts[name].maps(value).any()) for name, value in slope.items()}
    tokens = [name for name in names if layouts[name].kind == "tokens"]
    where = _last_numbered(tokens) if tokens else ""
    read = slope[where][0].abs().float().sum(-1).cpu() if where else None  # (N,)
    for place in range(len(names) - 1, -1, -1):
        if not reaches[names[place]]:
            continue
        behind = itertools.chain(*(norms[name] for name in names[place + 1 :]))
        found = [names[place], *(name for name in behind if reaches[name])][-1]
        before = [name for name in names[:place] if reaches[name] and "Norm" in kinds[name]]
        return (before[-1] if before and kinds[found] == "Linear" else found), read, where
    return "", read, where


def in_line(copy: nn.Module, images: Tensor, attention: list[str]) -> tuple[str, Tensor | None]:
    """Why attentions that are computed in the open can't be multiplied; "" where they follow one upon the
    other, and are each picture's own.

    Args:
        images: two different ones, (2, 3, H, W). attention: as of ``VisionModel``.

    Returns:
        Also how much the answer hears of each token behind the last of them, (N,), or None.
    """
    names = [f"{name}.attn_drop" for name in attention]
    both = capture(copy, images, names).layers
    output, alone = _open(copy, images[:1], attention)
    near = max(1e-4, 8 * torch.finfo(images.dtype).eps)
    for name in names:  # heads of both pictures may lie in another order than is believed
        if not torch.allclose(both[name][:1].float(), alone[name].float(), atol=near):
            return OUT_OF_ORDER, None
    for before, behind in itertools.pairwise(names):
        if _slope(alone[behind].float().square().sum(), alone[before]) is None:
            return SIDE_BY_SIDE, None
    return "", _heard(output, alone)


def _open(copy: nn.Module, images: Tensor, attention: list[str]) -> Captured:
    """A pass with the matrices of some attentions, and the graph from each to the next and to the output."""
    return capture(copy, images, [f"{name}.attn_drop" for name in attention], grad=True)


def _heard(output: Tensor, matrices: dict[str, Tensor]) -> Tensor | None:
    """How much the answer hears of each token behind the last of some attentions, (N,), or None."""
    if not isinstance(output, Tensor) or output.ndim != 2:
        return None
    heard = _slope(output[0, output[0].argmax()], list(matrices.values())[-1])
    return None if heard is None else heard[0].float().abs().sum((0, 2)).cpu()


def _slope(score: Tensor, values: Tensor) -> Tensor | None:
    """The gradient of a score; None where it doesn't depend on the values."""
    if not score.requires_grad:
        return None
    return way_back(score, [values], retain_graph=True, allow_unused=True)[0]


def _last_numbered(names: list[str]) -> str:
    return ([name for name in names if name.split(".")[-1].isdigit()] or names)[-1]
