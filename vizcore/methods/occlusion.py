"""Occlusion: what the score loses when a square is covered."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..baselines import blank
from ..model import VisionModel
from ..modes import in_any_mode
from ..networks.folded import folded
from ..objectives import Target, objective, values
from ..shapes import full, one_picture
from .integrated import BASELINE
from .method import Method, Partial, Setting, of_pixels, summed
from .passes import spread, there


@in_any_mode
def occlusion(
    model: VisionModel,
    images: Tensor,
    target: Target,
    *,
    baseline: str = "black",
    window: int | None = None,
    stride: int | None = None,
) -> Iterator[Partial]:
    """How much the score falls when a square is covered (Zeiler & Fergus, ECCV 2014).

    Args:
        images: (1, 3, H, W).
        target: a class's index or name, or any ``Objective``.
        baseline: what covers, one of ``BASELINES``.
        window: the square's side in the network's pixels; an eighth of the shorter side if None.
        stride: from one square to the next; half a window if None.

    Yields:
        After each chunk of squares, taken from all over the picture, (1, 1, H, W): the mean fall over the
        squares that covered a pixel, 0 where none has yet.
    """
    wanted = objective(model, target)
    one_picture(images)
    height, width = images.shape[-2:]
    window = window or max(1, min(height, width) // 8)
    stride = stride or max(1, window // 2)
    cover = blank(baseline, model, images)
    places = [*itertools.product(_starts(height, window, stride), _starts(width, window, stride))]
    falls, counts = torch.zeros_like(full(images)[0, :1]).repeat(2, 1, 1)
    net = folded(model.net, images, wanted.layers)
    with torch.no_grad():
        whole = full(values(net, images, wanted)[0])
    done = 0
    for some in spread(len(places), there(model, images)):
        squares = [
            (..., slice(top, top + window), slice(left, left + window))
            for top, left in (places[i] for i in some)
        ]
        covered = images.repeat(len(squares), 1, 1, 1)
        for picture, square in zip(covered, squares, strict=True):
            picture[square] = cover[0][square]
        with torch.no_grad():
            fall = whole - full(values(net, covered, wanted))
        for value, square in zip(fall, squares, strict=True):
            falls[square] += value
            counts[square] += 1
        done += len(squares)
        yield Partial(done, len(places), (falls / counts.clamp(min=1))[None, None])


def _starts(side: int, window: int, stride: int) -> range:
    """Where the squares begin; the last one may reach over the edge."""
    return range(0, max(0, side - window) + stride, stride)


def _by_share(model: VisionModel, images: Tensor, wanted: Any, window: float = 0.12, **settings) -> Iterator:
    """``occlusion`` by squares whose side, ``window``, is a share of the picture's shorter side."""
    if not 0 < window <= 1:
        raise ValueError(
            f"the square's side is a share of the shorter side, above 0 and at most 1, not {window}"
        )
    side = max(1, round(min(images.shape[-2:]) * window))
    return occlusion(model, images, wanted, window=side, **settings)


ROWS: dict[str, Method] = {
    "occlusion": Method(
        of_pixels(_by_share, summed),
        "Asks about covered pictures, unlike those that networks learn from, one square at a time; two "
        "things that can stand in for each other both seem unimportant.",
        page="saliency",
        passes=250,
        settings={
            "baseline": BASELINE,
            "window": Setting("Square of occlusion, % of the shorter side", 12, range(4, 51), unit=0.01),
        },
        shares_out=True,
    ),
}
