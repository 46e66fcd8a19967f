"""What a person marks on a picture, cell by cell, beside what a map ranks first.

A grid (rows, columns) of cells covers the whole picture; a mark is (rows, columns) bool.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..pictures.frame import Box, seen, to_frame
from ..shapes import one_map
from ..truth.covering import ranked

DRAWS = 200  # random maps that a guess is laid beside


def _scaled(box: Box, size: tuple[int, int], grid: tuple[int, int]) -> Box:
    """A box in pixels of a picture of ``size`` (width, height), in cells."""
    across, down = grid[1] / size[0], grid[0] / size[1]
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down


def on_cells(maps: Tensor, box: Box, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """Maps of what a network sees, at the middle of each cell: (..., h, w) -> (..., rows, columns).

    Args:
        box: what it sees of the picture, in pixels. size: the picture's (width, height).
    """
    return to_frame(maps, _scaled(box, size, grid), (grid[1], grid[0]))


def seen_cells(box: Box, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """The cells whose middle a network sees, (rows, columns) bool."""
    return seen(_scaled(box, size, grid), (grid[1], grid[0]))


def first(values: Tensor, where: Tensor, count: int, seed: int = 0) -> Tensor:
    """The cells that a map ranks first, (rows, columns) bool; equal values come in a random order.

    Args:
        values: (rows, columns), as of ``on_cells``. where: (rows, columns) bool, the cells to choose from.
        count: how many; all of ``where`` if there are fewer.
    """
    one_map(values, where, kind="(rows, columns)")
    shape = values.shape[0], values.shape[1]
    below = torch.where(where, values.float(), values.float().min() - 1)
    return (ranked(below, shape, seed).view(shape) < min(count, int(where.sum()))) & where


def overlap(mark: Tensor, values: Tensor, where: Tensor) -> float:
    """The share of a mark that is among as many cells of a map's first, 0 to 1.

    A map's own first cells give 1. A map that knows nothing gives the mark's share of ``where``, on average.

    Args:
        mark: (rows, columns) bool. values, where: as of ``first``.

    Raises:
        ValueError: nothing of ``where`` is marked.
    """
    inside = mark & where
    count = int(inside.sum())
    if not count:
        raise ValueError("Nothing is marked of what the network sees.")
    return float((first(values, where, count) & inside).sum()) / count


def by_chance(
    mark: Tensor, box: Box, size: tuple[int, int], shape: tuple[int, int], draws: int = DRAWS, seed: int = 0
) -> list[float]:
    """The ``overlap`` of a mark with random maps that are as coarse as a map is, (h, w) over ``box``.

    Each lies a random part of its cell aside and reaches beyond the box: where a map ends, or its cells have
    their middles, its extremes gather, and marks there would not share by chance what others do.
    """
    (rows, columns), (left, top, right, bottom) = shape, box
    down, across = (bottom - top) / rows, (right - left) / columns
    generator, grid = torch.Generator().manual_seed(seed), (mark.shape[0], mark.shape[1])
    where, found = seen_cells(box, size, grid), []
    for _ in range(draws):
        y, x = (torch.rand(2, generator=generator) + 0.5).tolist()
        around = left - x * across, top - y * down, right + (2 - x) * across, bottom + (2 - y) * down
        noise = torch.rand(rows + 2, columns + 2, generator=generator)
        found.append(overlap(mark, on_cells(noise, around, size, grid), where))
    return found
