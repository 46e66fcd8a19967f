"""A second look at networks that follow the picture only just: all squares of two pictures, one by one.

Four squares of one picture tell most networks apart from those that don't keep places. Where a block follows
them less clearly than ordinary networks do, a network that spreads every change over the whole picture may
have passed by luck.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from ..capture import capture
from ..model import Layout
from . import geometry
from .layouts import judge
from .one_pass import Traced

TOGETHER = 4  # pictures in one pass


def doubtful(found: Traced, on_offer: Mapping[str, Layout], own: Iterable[str]) -> bool:
    """Whether one of some layers on offer follows the few squares, but not clearly."""
    return any(judge(found.changes[name], on_offer[name]).reason(geometry.CLEAR) for name in own)


def told_apart(copy: nn.Module, images: Tensor, left_out: Mapping[str, str]) -> dict[str, str]:
    """Layers that are left out, and why: those that no square changed may still change with the picture."""
    names = [name for name, reason in left_out.items() if reason == geometry.SAME]
    if not names:
        return dict(left_out)
    pictures = torch.cat([geometry.poked(images.shape[1:], (), seed) for seed in range(2)]).to(images)
    with torch.no_grad():
        seen = capture(copy, pictures, names).layers
    differ = [name for name, value in seen.items() if not torch.equal(value[0], value[1])]
    return {**left_out, **dict.fromkeys(differ, geometry.IN_PART)}


def settled(
    copy: nn.Module, images: Tensor, on_offer: dict[str, Layout], left_out: Mapping[str, str]
) -> tuple[dict[str, Layout], dict[str, str]]:
    """The layers that follow every square, and those that don't, and why.

    Args:
        copy: a private copy of the network. images: (1, 3, H, W), of the size that it gets.
    """
    changes: dict[str, list[Tensor]] = {name: [] for name in on_offer}
    for seed in range(2):
        pictures = geometry.poked(images.shape[1:], geometry.EVERY, seed).to(images)
        first = _maps(copy, pictures[:1], on_offer)
        for some in pictures[1:].split(TOGETHER):
            for name, values in _maps(copy, some, on_offer).items():
                changes[name].append((values - first[name]).square().sum(1).cpu())  # (squares, h, w)
    squares = geometry.EVERY * 2
    why = {
        name: geometry.follow(torch.cat(change), squares).reason(geometry.SURE)
        for name, change in changes.items()
    }
    kept = {name: layout for name, layout in on_offer.items() if not why[name]}
    return kept, {**left_out, **{name: reason for name, reason in why.items() if reason}}


def _maps(copy: nn.Module, pictures: Tensor, on_offer: Mapping[str, Layout]) -> dict[str, Tensor]:
    """Every layer's maps, (B, C, h, w)."""
    with torch.no_grad():
        seen = capture(copy, pictures, on_offer).layers
    return {name: on_offer[name].maps(value.float()) for name, value in seen.items()}
