"""Signed numbers as a table of coloured cells, for a download or a page of text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .matrix import INK, UNDEFINED, thinned
from .render import diverging

CELL = 40  # pixels of a cell, and fewer where there are many
NUMBERED = 28  # pixels of a cell from which on it shows its number


def signed_table(
    values: np.ndarray, rows: Sequence[str], columns: Sequence[str], title: str, sides: tuple[str, str]
) -> np.ndarray:
    """Numbers about 0 as colours, blue to white to orange, each cell with its number if there is room.

    Args:
        values: (rows, columns), nan where there is none, which is grey.
        rows, columns: names, the first row above. title: a line above. sides: what rows and columns are.

    Returns:
        (H, W, 3) uint8.
    """
    cell = min(CELL, max(6, 900 // max(values.shape)))
    small, large = ImageFont.load_default(12), ImageFont.load_default(16)
    high, wide = (cell * count for count in values.shape)
    left, top = 34 + int(max(small.getlength(name) for name in rows)), 76
    width = int(max(left + wide + 14, large.getlength(title) + 28))
    page = Image.new("RGB", (width, top + high + 14), "white")
    pen = ImageDraw.Draw(page)
    pen.text((14, 10), title, INK, large)
    end = max(float(np.nanmax(np.abs(values), initial=0.0)), 1e-9)
    colours = diverging(np.nan_to_num(values) / end)
    colours[np.isnan(values)] = UNDEFINED
    cells = Image.fromarray(np.ascontiguousarray(colours))
    page.paste(cells.resize((wide, high), Image.Resampling.NEAREST), (left, top))
    pen.text((left + wide / 2, top - 28), sides[1], INK, small, anchor="mm")
    pen.text((14, top - 10), sides[0], INK, small, anchor="lm")
    for names, across in ((rows, False), (columns, True)):
        for k, name in enumerate(names):
            if name in thinned(names):
                middle = (k + 0.5) * cell
                place = (left + middle, top - 10) if across else (left - 6, top + middle)
                pen.text(place, name, INK, small, anchor="mm" if across else "rm")
    digits = max(0, -int(np.floor(np.log10(max(end, 1e-6)))))  # as many as the largest asks for
    if cell >= NUMBERED:
        for (row, column), value in np.ndenumerate(values):
            if not np.isnan(value):
                place = left + (column + 0.5) * cell, top + (row + 0.5) * cell
                pen.text(place, f"{value:+.{digits}f}".replace("-", "−"), INK, small, anchor="mm")
    return np.asarray(page)
