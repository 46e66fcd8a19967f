"""Several pictures on one sheet, with and without words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .colours import CNN_COLOUR, colourise, normalise, to_array

if TYPE_CHECKING:
    from torch import Tensor


def mosaic(pictures: Sequence[np.ndarray], columns: int, gap: int = 0, background: int = 255) -> np.ndarray:
    """Pictures of one size, (h, w, 3) each, row by row, with a gap of some pixels around each of them."""
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    size = rows * (height + gap) + gap, columns * (width + gap) + gap
    page = np.full((*size, 3), background, np.uint8)
    for i, picture in enumerate(pictures):
        top, left = gap + i // columns * (height + gap), gap + i % columns * (width + gap)
        page[top : top + height, left : left + width] = picture
    return page


def tiles(
    maps: Tensor | np.ndarray,
    labels: Sequence[str],
    columns: int,
    side: int = 96,
    marked: Collection[int] = (),
    colour_map: str = "viridis",
) -> np.ndarray:
    """Small maps as one picture, each stretched over its own range, with its label.

    Args:
        maps: (n, h, w). labels: n short texts. marked: indices to frame. side: a tile's width in pixels.

    Returns:
        (H, W, 3), tiles of ``side`` pixels in ``ceil(n / columns)`` rows; the tile under a point is at
        (row, column) = (int(y / H * rows), int(x / W * columns)).
    """
    values = to_array(maps)
    height = max(1, round(side * values.shape[1] / values.shape[2]))
    made = []
    for i, (value, label) in enumerate(zip(values, labels, strict=True)):
        tile = cv2.resize(normalise(value), (side - 4, height - 4), interpolation=cv2.INTER_NEAREST)
        tile = np.ascontiguousarray(colourise(tile, colour_map))
        if label:
            cv2.putText(tile, label, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.putText(tile, label, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255,) * 3, 1, cv2.LINE_AA)
        frame = CNN_COLOUR if i in marked else (128,) * 3
        made.append(cv2.copyMakeBorder(tile, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=frame))
    return mosaic(made, columns, background=128)


def sheet(rows: Sequence[tuple[str, Sequence[np.ndarray]]], heads: Sequence[str], caption: str) -> np.ndarray:
    """Pictures of one size in rows, each row under its title; a head over each column, a caption below."""
    height, width = rows[0][1][0].shape[:2]
    gap, line = 8, 28
    size = (len(heads) * (width + gap) + gap, 2 * line + len(rows) * (line + height) + gap)
    page = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(16)

    def write(text: str, x: int, y: int, wide: int) -> None:
        while text and draw.textlength(text, font) > wide:
            text = text.removesuffix("…")[:-1] + "…" if len(text) > 1 else ""
        draw.text((x, y + line // 2), text, "black", font, anchor="lm")

    for column, head in enumerate(heads):
        write(head, gap + column * (width + gap), 0, width)
    for row, (title, pictures) in enumerate(rows):
        top = line + row * (line + height)
        write(title, gap, top, size[0] - 2 * gap)
        for column, picture in enumerate(pictures):
            page.paste(Image.fromarray(picture), (gap + column * (width + gap), top + line))
    write(caption, gap, size[1] - line, size[0] - 2 * gap)
    return np.asarray(page)


def captioned(picture: np.ndarray, caption: str) -> np.ndarray:
    """A picture (H, W, 3) with its caption on white below, in as many lines as it takes."""
    width, margin, line = picture.shape[1], 8, 20
    font = ImageFont.load_default(14)
    lines = [""]
    for word in caption.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width - 2 * margin:
            lines[-1] = longer
        else:
            lines.append(word)
    strip = Image.new("RGB", (width, 2 * margin + line * len(lines)), "white")
    for number, text in enumerate(lines):
        ImageDraw.Draw(strip).text((margin, margin + number * line), text, "black", font)
    return np.concatenate([picture, np.asarray(strip)])
