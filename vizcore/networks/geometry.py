"""Does a layer's map lie in the picture as it is said to? Squares of the picture are changed, and it must
follow.

A layer that is a map of the picture changes where the picture changed. So squares of a picture are replaced
one by one, and the centroid of a layer's squared change must go where the square was: along its own axis
and not along the other, and on the whole not beside it. (The largest change doesn't follow even in deep
layers of an ordinary CNN; the centroid does.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

SIDE = 4  # squares in a row of the picture
EVERY = [(row, column) for row in range(SIDE) for column in range(SIDE)]
FEW = [(0, 1), (1, 3), (2, 0), (3, 2)]  # each row and column once, and rows tell nothing of columns
COARSE = 2  # cells of an axis, up to which no centroid says anything
VALID = 4  # cells that padding, or its absence, may add to a side or take from it
UNEVEN = 16  # times a stride may be that of the other side
SCALES = 8, 32, 64, 128  # patches across: deep layers don't see fine ones, nor early layers coarse ones

SAME = "it is the same for every picture"
BEHIND = "it puts out pictures behind places"
IN_PART = "it does not hear of all of the picture"


class Bounds(NamedTuple):
    """What a map of the picture keeps to."""

    along: float = 0.8  # at least
    across: float = 0.3  # at most
    offset: float = 1.0  # cells at most
    scatter: float = 0.0  # or that share of the side: of few squares the centroid is not quite the middle


STRICT = Bounds()  # for ``EVERY`` square of two pictures
QUICK = Bounds(0.7, 0.5, 1.0, 0.015)  # for ``FEW`` of one
CLEAR = Bounds(0.8, 0.25, 1.0, 0.015)  # what ordinary networks keep to there
SURE = Bounds(scatter=0.015)  # for ``EVERY`` square of two pictures, of whatever shape


class Followed(NamedTuple):
    """How a layer's change follows a square, for rows and for columns."""

    along: tuple[float, float]  # correlation of the centroid with the square, along its own axis
    across: tuple[float, float]  # and along the other one
    offset: tuple[float, float]  # mean distance from the square to the centroid, in cells; > 0 is down, right
    cells: tuple[int, int]
    moved: float = 1.0  # the share of the squares that changed anything; NaN where something isn't finite

    def reason(self, bounds: Bounds) -> str:
        """Why it is no map of the picture, in words; empty where it is one.

        An axis with one or two cells can't be judged: each of them sees most of the picture.
        """
        if math.isnan(self.moved):
            return "it is not finite"
        if not self.moved:
            return SAME
        if self.moved < 1:
            return IN_PART
        if any(value < bounds.along for value in self.along):
            return "it does not change where the picture changes"
        if any(abs(value) > bounds.across for value in self.across):
            return "its rows and columns are not those of the picture"
        if any(
            abs(value) > max(bounds.offset, bounds.scatter * cells)
            for value, cells in zip(self.offset, self.cells, strict=True)
        ):
            return "it is shifted against the picture"
        return ""


def poked(shape: Sequence[int], squares: Sequence[tuple[int, int]] = FEW, seed: int = 0) -> Tensor:
    """A random picture, and for each square the same with that square from another one.

    Args:
        shape: (3, H, W). squares: (row, column) each, of ``SIDE`` × ``SIDE``.

    Returns:
        (1 + squares, 3, H, W), about as large as normalised pixels are: coarse to fine.
    """
    generator = torch.Generator().manual_seed(seed)

    def signs(cells: int) -> Tensor:
        """+1 and -1 in about ``cells`` × ``cells`` patches: as much everywhere, so centroids are middles."""
        drawn = torch.randint(2, (1, shape[0], cells, cells), generator=generator) * 2.0 - 1
        return F.interpolate(drawn, tuple(shape[1:]), mode="nearest")

    first, second = (sum(signs(cells) for cells in SCALES) / len(SCALES) ** 0.5 for _ in range(2))
    pictures = first.repeat(1 + len(squares), 1, 1, 1)
    rows, columns = ([round(k * side / SIDE) for k in range(SIDE + 1)] for side in shape[1:])
    for picture, (row, column) in zip(pictures[1:], squares, strict=True):
        place = ..., slice(rows[row], rows[row + 1]), slice(columns[column], columns[column + 1])
        picture[place] = second[0][place]
    return pictures


def plausible(grid: Sequence[int], image: Sequence[int], uneven: float = UNEVEN) -> bool:
    """Whether a grid can come of the picture by strides, of which one may be ``uneven`` times the other,
    whatever is rounded and padded on the way.
    """
    if max(grid) < 2 or any(cells > side + VALID for cells, side in zip(grid, image, strict=True)):
        return False
    strides = []  # of each side the least and the most
    for cells, side in zip(grid, image, strict=True):
        give = min(VALID, 1 + cells / 2)
        strides.append((side / (cells + give), side / (cells - give) if cells > give else math.inf))
    (low, high), (least, most) = strides
    return low <= uneven * most and least <= uneven * high


def follow(change: Tensor, squares: Sequence[tuple[int, int]] = FEW) -> Followed:
    """How a layer's squared change follows the squares.

    Args:
        change: (squares, h, w), at least 0: summed over channels, over pictures too where there are several.
    """
    change = change.double()
    sides = change.shape[1], change.shape[2]
    total = change.sum((1, 2))
    moved = (total > 0).double().mean().item() if bool(total.isfinite().all()) else math.nan
    if moved != 1:
        return Followed((0.0, 0.0), (0.0, 0.0), (0.0, 0.0), sides, moved)
    wanted = (torch.tensor(squares, dtype=torch.float64) + 0.5) / SIDE  # (squares, 2), 0 to 1
    found = []
    for axis, cells in enumerate(sides):
        share = change.sum(2 - axis) / total[:, None]  # (squares, cells)
        found.append(share @ ((torch.arange(cells, dtype=torch.float64).to(share) + 0.5) / cells))
    along, across, offset = [], [], []
    for axis, cells in enumerate(sides):
        mine, other = (wanted[:, which].to(change) for which in (axis, 1 - axis))
        along.append(_correlation(found[axis], mine) if cells > COARSE else 1.0)
        across.append(_correlation(found[axis], other) if cells > COARSE else 0.0)
        offset.append(((found[axis] - mine).mean() * cells).item())
    return Followed(tuple(along), tuple(across), tuple(offset), sides)


def start(change: Tensor, grid: tuple[int, int], extra: int, squares: Sequence[tuple[int, int]] = FEW) -> int:
    """At which token the patches begin, 0 to ``extra``: where most of the change lies within the squares.

    Args:
        change: (squares, patches + extra), as of ``follow``. extra: as many others; of equals the last.
    """
    patches = grid[0] * grid[1]
    rows, columns = (((torch.arange(side) + 0.5) / side * SIDE).floor() for side in grid)
    wanted = torch.tensor(squares)
    inside = (rows == wanted[:, :1])[:, :, None] & (columns == wanted[:, 1:])[:, None]  # (squares, h, w)
    whole = change.double() / change.double().sum(1, keepdim=True).clamp(min=1e-300)
    found = [(whole[:, at : at + patches][inside.flatten(1)]).sum().item() for at in range(extra + 1)]
    return max(range(extra + 1), key=lambda at: (round(found[at], 6), at))


def _correlation(a: Tensor, b: Tensor) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = (a.square().sum() * b.square().sum()).sqrt().item()
    return (a * b).sum().item() / scale if scale > 1e-12 and math.isfinite(scale) else 0.0
