"""What places of some layers depend on, in the mean over pictures: a row of small pictures a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .colours import colourise
from .matrix import INK

SIDE = 96  # pixels of a picture


def some_of_layers(layers: Sequence[str], most: int = 6) -> list[str]:
    """The first, the last and some between, as far apart from each other as can be.

    >>> some_of_layers(["a", "b", "c", "d", "e"], 3)
    ['a', 'c', 'e']
    """
    count = min(most, len(layers))
    places = [round(k * (len(layers) - 1) / max(count - 1, 1)) for k in range(count)]
    return [layers[k] for k in dict.fromkeys(places)]


def field_picture(cells: np.ndarray) -> np.ndarray:
    """The fourth root of the energy on cells (h, w), from 0 to its largest, in viridis: (h, w, 3) uint8.

    A place's own cell often has a thousand times the energy of any other, which would be all that is seen.
    """
    roots = np.nan_to_num(np.asarray(cells, np.float32)) ** 0.25
    return colourise(roots / max(float(roots.max()), 1e-30))


def fields_sheet(rows: Mapping[str, Mapping[str, np.ndarray]], layers: Sequence[str]) -> np.ndarray:
    """Fields, below each other by what they are of and beside each other by layer: (H, W, 3) uint8.

    Args:
        rows: by title, then by layer, the energy on cells (h, w). layers: those that are shown.
    """
    font, gap = ImageFont.load_default(12), 6
    left = 12 + int(max(font.getlength(title) for title in rows))
    wide = max(SIDE, *(int(font.getlength(layer)) for layer in layers)) + gap
    page = Image.new("RGB", (left + wide * len(layers), 24 + len(rows) * (SIDE + gap)), "white")
    pen = ImageDraw.Draw(page)
    for k, layer in enumerate(layers):
        pen.text((left + wide * k + SIDE / 2, 12), layer, INK, font, anchor="mm")
    for line, (title, cells) in enumerate(rows.items()):
        top = 24 + line * (SIDE + gap)
        pen.text((left - 6, top + SIDE / 2), title, INK, font, anchor="rm")
        for k, layer in enumerate(layers):
            small = Image.fromarray(field_picture(cells[layer]))
            page.paste(small.resize((SIDE, SIDE), Image.Resampling.NEAREST), (left + wide * k, top))
    return np.asarray(page)
