"""Mosaics: several photographs in a square, each asked for in turn (Böhle et al., CVPR 2021).

The cells partition the frame, so a map that doesn't depend on the class points right in exactly 1 / cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from ..images import to_rgb
from ..textures.scenes import Scene

if TYPE_CHECKING:  # with it comes torch, and a page is there before
    from ..frame import Box

MARGIN = 1 / 16  # of the side: what a network that keeps the middle 87.5 % doesn't see
SIDE = 384


def square(image: Image.Image, side: int) -> Image.Image:
    """The picture's middle as a square, (side, side) RGB: what a cell shows."""
    image = to_rgb(image)
    shorter = min(image.size)
    left, top = (image.width - shorter) // 2, (image.height - shorter) // 2
    box = (left, top, left + shorter, top + shorter)
    return image.resize((side, side), Image.Resampling.BICUBIC, box, reducing_gap=3)


def mosaic(pictures: Mapping[str, Image.Image], side: int = SIDE, seed: int | None = None) -> Scene:
    """Four or nine pictures as the cells of a square, row by row, or as a seed shuffles them.

    Around the cells lies a margin (``MARGIN``) in which the outer ones go on, mirrored: a network that keeps
    only the middle of a picture still sees each cell whole. It belongs to the cell beside it.

    Args:
        pictures: by name; 4, 9, 16, ...

    Returns:
        (side, side), and the cell of each name; together the cells are the whole frame.

    Raises:
        ValueError: their number is no square of 2 or more, or the cells would be under 16 pixels.

    >>> photographs = {name: Image.new("RGB", (80, 60), name) for name in ("red", "lime", "blue", "black")}
    >>> scene = mosaic(photographs)
    >>> [float(mask.mean()) for mask in scene.masks.values()]
    [0.25, 0.25, 0.25, 0.25]
    >>> scene.picture[scene.masks["lime"]].mean(0)
    array([  0., 255.,   0.])
    """
    columns = math.isqrt(len(pictures))
    if columns < 2 or columns**2 != len(pictures):
        raise ValueError(f"A mosaic takes 4 or 9 pictures, not {len(pictures)}.")
    cell = int(side * (1 - 2 * MARGIN)) // columns
    if cell < 16:
        raise ValueError(f"Cells of {cell} pixels are too small; a mosaic needs a longer side than {side}.")
    names = list(pictures)
    if seed is not None:
        names = [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
    rows = [
        np.concatenate(
            [np.asarray(square(pictures[name], cell)) for name in names[start : start + columns]], 1
        )
        for start in range(0, len(names), columns)
    ]
    before = (side - cell * columns) // 2
    margin = (before, side - cell * columns - before)
    picture = np.pad(np.concatenate(rows), (margin, margin, (0, 0)), "symmetric")
    numbers = np.arange(len(names)).reshape(columns, columns).repeat(cell, 0).repeat(cell, 1)
    numbers = np.pad(numbers, (margin, margin), "edge")
    return Scene(picture, {name: numbers == k for k, name in enumerate(names)})


def mosaics(
    pictures: Mapping[str, Image.Image],
    count: int,
    cells: int = 4,
    side: int = SIDE,
    seed: int = 0,
    mirrored: bool = False,
) -> Iterator[Scene]:
    """Mosaics of pictures drawn by lot: each as often as any other but for one, none twice in a mosaic.

    Each mosaic is a function of the pictures, the seed and its number, made when it is asked for.

    Args:
        mirrored: whether each picture is turned left to right by lot, so that a few make many mosaics.

    Raises:
        ValueError: fewer pictures than cells.
    """
    if len(pictures) < cells:
        raise ValueError(f"A mosaic of {cells} takes at least {cells} pictures; there are {len(pictures)}.")
    draw = np.random.default_rng(seed)
    waiting: list[str] = []
    for number in range(count):
        chosen: list[str] = []
        while len(chosen) < cells:
            waiting = waiting or [list(pictures)[k] for k in draw.permutation(len(pictures))]
            at = next((k for k, name in enumerate(waiting) if name not in chosen), None)
            if at is None:  # all that wait are in this one: they wait on, before those that come next
                fresh = [list(pictures)[k] for k in draw.permutation(len(pictures))]
                waiting += fresh
                continue
            chosen.append(waiting.pop(at))
        turned = draw.integers(0, 2, cells) if mirrored else [0] * cells
        parts = {
            name: ImageOps.mirror(pictures[name]) if turn else pictures[name]
            for name, turn in zip(chosen, turned, strict=True)
        }
        yield mosaic(parts, side, seed=seed * 1_000_003 + number)


def cells_whole(box: Box, side: int = SIDE) -> bool:
    """Whether a network that sees ``box`` of a mosaic (``Preprocess.box``) sees all of its cells whole."""
    slack = 1.0  # of a pixel: crops are rounded
    low, high = side * MARGIN + slack, side * (1 - MARGIN) - slack
    return box[0] <= low and box[1] <= low and box[2] >= high and box[3] >= high
