"""Deletion and insertion: how a class's probability falls, or rises, in a map's order of pixels.

A heatmap is (h, w), larger where it claims more, over what the network gets, (1, 3, H, W).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..baselines import COVERS
from ..batch_size import batch_size
from ..modes import in_any_mode
from ..objectives import Objective, probability
from ..shapes import one_picture
from .covering import ranked

KINDS = ("deletion", "insertion")


class Curve(NamedTuple):
    """The class's probability against the share of pixels taken away (deletion) or put back (insertion)."""

    shares: list[float]  # 0 to 1, rising
    probabilities: list[float]

    @property
    def area(self) -> float:
        """The mean probability on the way: trapezoids over the share, 0 to 1."""
        return float(np.trapezoid(self.probabilities, self.shares))


class Curves(NamedTuple):
    """What is measured so far."""

    done: int
    total: int
    curves: dict[tuple[str, str], Curve]  # by (kind, heatmap's name)


@in_any_mode
def curves(
    net: nn.Module,
    images: Tensor,
    heatmaps: Mapping[str, Tensor],
    target: Objective | int,
    *,
    baseline: str = "blur",
    kinds: tuple[str, ...] = KINDS,
    steps: int = 16,
    chunk: int | None = None,
) -> Iterator[Curves]:
    """Deletion and insertion (RISE, Petsiuk et al., BMVC 2018) of several heatmaps at once.

    Deletion replaces pixels by the baseline, those that the heatmap ranks first at first; a true map makes
    the probability fall early. Insertion starts from the baseline and puts them back; it should rise early.

    Args:
        heatmaps: by name, (h, w) each over ``images``.
        target: a class by its index, or any ``Objective``: its probability, or its value where it has none.
        baseline: one of ``COVERS``.
        steps: equal shares of pixels between the ends.
        chunk: pictures in one pass; ``batch_size`` if None.

    Yields:
        After each pass, the curves through the points that are known; coarse first, then finer.
    """
    if baseline not in COVERS:
        raise ValueError(f"unknown baseline {baseline!r}; there are {', '.join(COVERS)}")
    one_picture(images)
    shape = images.shape[-2], images.shape[-1]
    ranks = {name: ranked(heat, shape).view(shape).to(images.device) for name, heat in heatmaps.items()}
    blank = COVERS[baseline](images)
    ends = {"deletion": (images, blank), "insertion": (blank, images)}
    jobs = [(kinds[0], "", k) for k in (0, steps)]  # the ends are the same for all maps and both kinds
    jobs += [(kind, name, k) for k in _coarse_first(steps) for name in ranks for kind in kinds]
    known: dict[tuple, float] = {}
    chunk = max(2, chunk or batch_size(images.device))  # both ends come first
    for start in range(0, len(jobs), chunk):
        some = jobs[start : start + chunk]
        pictures = [_covered(ends[kind], ranks.get(name), k / steps) for kind, name, k in some]
        with torch.no_grad():
            probabilities = probability(net, torch.cat(pictures), target).tolist()
        known.update(zip(some, probabilities, strict=True))
        measured = {(kind, name): _curve(known, kinds, kind, name, steps) for kind in kinds for name in ranks}
        yield Curves(min(start + chunk, len(jobs)), len(jobs), measured)


def _covered(ends: tuple[Tensor, Tensor], ranks: Tensor | None, share: float) -> Tensor:
    """The picture on its way from one end to the other, (1, C, H, W); an end itself without ranks."""
    if ranks is None:
        return ends[round(share)]
    return torch.where(ranks < round(share * ranks.numel()), ends[1], ends[0])


def _curve(known: dict[tuple, float], kinds: tuple[str, ...], kind: str, name: str, steps: int) -> Curve:
    """The curve of one heatmap through the points that are known; both kinds share their ends."""
    forward = kind == kinds[0]
    ends = [known[kinds[0], "", k] for k in ((0, steps) if forward else (steps, 0))]
    inner = {k: known[kind, name, k] for k in range(1, steps) if (kind, name, k) in known}
    points = [(0, ends[0]), *inner.items(), (steps, ends[1])]
    return Curve([k / steps for k, _ in points], [p for _, p in points])


def _coarse_first(steps: int) -> list[int]:
    """1 to steps - 1, the middle first, then the quarters, ..."""
    order, stride = [], 1 << max(0, (steps - 1).bit_length() - 1)
    while stride:
        order += [k for k in range(stride, steps, stride) if k not in order]
        stride //= 2
    return order
