"""Do the tokens of attention lie as patches row by row? Their matrix is asked where the picture changed.

A map of attention takes token ``prefix + k`` for the patch at row ``k // columns``. Nothing but a network's
own forward knows whether that is so: patches may be put column by column, or a class token behind them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..model import Layout
from . import geometry

ROWS = 48  # of a matrix that are looked at, from all over it
OUT_OF_PLACE = (
    "The tokens of its attention don't lie as the picture's patches do, row by row behind the first tokens, "
    "so nothing says to which place a row of its matrices belongs."
)


class Seen(NamedTuple):
    """The first attention matrix of a width in a pass over pictures that differ in a square each."""

    change: Tensor  # (squares, N), how much each token's key changed
    before: tuple[str, ...]  # modules that were done by then


def key_change(matrix: Tensor) -> Tensor:
    """How much each key changed from the first picture to the others: (1 + squares, heads, N, N) ->
    (squares, N).

    A row's logarithms, less their median, hang on its query and on the keys alone. Where neither changed they
    are as they were, so the median over the queries, most of which didn't change, is 0 at every old key.
    """
    count = matrix.shape[-2]
    rows = torch.arange(0, count, max(1, count // ROWS), device=matrix.device)
    values = matrix[:, :, rows].float().clamp(min=torch.finfo(torch.float32).tiny).log()
    change = values[1:] - values[:1]  # (squares, heads, rows, N)
    change = change - change.median(-1, keepdim=True).values
    return change.abs().median(-2).values.square().sum(1).cpu()  # of a lower median: 0 if half are 0


def out_of_place(
    seen: Mapping[int, Seen],
    shapes: Mapping[str, Sequence[int]],
    on_offer: Mapping[str, Layout],
    grid: tuple[int, int],
    prefix: int,
) -> bool:
    """Whether the tokens of attention are others than is believed, or nothing says that they aren't.

    Their keys have to follow the picture. Behind layers that see all of it none does; then the last layer
    before the attention that puts out these tokens has to.
    """
    patches = math.prod(grid)
    for extra in (prefix, 0):
        first = seen.get(patches + extra)
        if first is None:
            continue
        change = first.change[:, extra:].unflatten(1, grid)
        begins = geometry.start(first.change, grid, extra)
        if begins != extra or geometry.follow(change).reason(geometry.QUICK):
            tokens = [
                name for name in first.before if len(shapes.get(name, ())) == 3
                and shapes[name][1] == patches + extra
            ]  # fmt: skip
            layout = on_offer.get(tokens[-1]) if tokens else None
            if layout is None or layout[2:] != (grid, extra, None):
                return True
    return False
