"""A similarity matrix as a picture of its own, for a download or a page of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .colours import colourise, legend

LABELS = 40  # at most, on each side; more would run into each other
NUMBERED = 14  # layers up to which each cell shows its value
INK, UNDEFINED = (20, 20, 20), (214, 214, 214)


def thinned(names: Sequence[str], most: int = LABELS) -> list[str]:
    """Every k-th name, so that no more than ``most`` are left."""
    return list(names[:: -(-len(names) // most)])


def matrix_picture(
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    sides: tuple[str, str],
    note: str = "",
    what: str = "CKA",
) -> np.ndarray:
    """CKA, or another share, as colours (viridis), the first row at the bottom; undefined cells are grey.

    Args:
        values: (rows, columns), NaN where undefined. rows, columns: the layers' names.
        title, note: a line above and one below. sides: what the rows and the columns belong to.
        what: is said at the colours' end.

    Returns:
        (H, W, 3) uint8.
    """
    cell = min(44, max(4, 600 // max(values.shape)))
    small, normal, large = (ImageFont.load_default(size) for size in (13, 15, 19))
    high, wide = (cell * count for count in values.shape)
    left, below = (44 + int(max(small.getlength(name) for name in names)) for names in (rows, columns))
    lines = large.getlength(title) + 28, normal.getlength(note) + 28, left + wide + 20, left + 260
    top, width = 48, int(max(lines))
    page = Image.new("RGB", (width, top + high + below + 62), "white")
    pen = ImageDraw.Draw(page)
    pen.text((14, 12), title, INK, large)

    colours = colourise(np.nan_to_num(values).clip(0, 1))
    colours[np.isnan(values)] = UNDEFINED
    cells = Image.fromarray(np.ascontiguousarray(colours[::-1]))
    page.paste(cells.resize((wide, high), Image.Resampling.NEAREST), (left, top))
    if max(values.shape) <= NUMBERED:
        for (row, column), value in np.ndenumerate(values):
            words = "" if np.isnan(value) else f"{value:.2f}".replace("-", "−").replace("−0.00", "0.00")
            place = left + (column + 0.5) * cell, top + high - (row + 0.5) * cell
            pen.text(place, words, INK if value > 0.6 else "white", small, anchor="mm")

    page.paste(_side(rows[::-1], thinned(rows), cell, left, sides[0], 90), (0, top))
    across = _side(columns, thinned(columns), cell, below, sides[1], -90).rotate(90, expand=True)
    page.paste(across, (left, top + high))

    foot = top + high + below
    pen.text((14, foot + 2), note, INK, normal)
    page.paste(Image.fromarray(legend(width=180, height=12)), (left, foot + 30))
    pen.text((left - 6, foot + 36), "0", INK, small, anchor="rm")
    pen.text((left + 186, foot + 36), f"1 {what}", INK, small, anchor="lm")
    return np.asarray(page)


def _side(
    names: Sequence[str], shown: Sequence[str], cell: int, width: int, title: str, turn: int
) -> Image.Image:
    """One side's title and, from top to bottom, those names that are shown: (width, cell * names)."""
    small, normal = (ImageFont.load_default(size) for size in (13, 15))
    side = Image.new("RGB", (width, cell * len(names)), "white")
    pen = ImageDraw.Draw(side)
    for i, name in enumerate(names):
        if name in shown:
            pen.text((width - 6, (i + 0.5) * cell), name, INK, small, anchor="rm")
    line = Image.new("RGB", (side.height, 24), "white")
    ImageDraw.Draw(line).text((side.height / 2, 12), title, INK, normal, anchor="mm")
    side.paste(line.rotate(turn, expand=True), (4, 0))
    return side
