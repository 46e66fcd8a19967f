"""Several pictures on one sheet, with and without words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
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
    rows = -(-len(values) // columns)
    shares = np.zeros((rows * height, columns * side), np.float32)

    def tile(of: np.ndarray, i: int) -> np.ndarray:
        return of[i // columns * height :, i % columns * side :][:height, :side]

    for i, value in enumerate(values):
        size = side - 4, height - 4
        tile(shares, i)[2:-2, 2:-2] = cv2.resize(normalise(value), size, interpolation=cv2.INTER_NEAREST)
    page = np.ascontiguousarray(colourise(shares, colour_map))  # all at once: a single one takes as long
    for i in range(rows * columns):
        own, frame = tile(page, i), CNN_COLOUR if i in marked else (128,) * 3
        if i < len(values):
            own[:2], own[-2:], own[:, :2], own[:, -2:] = (frame,) * 4
            _write(own[2:-2, 2:-2], labels[i])
        else:
            own[:] = 128
    return page


def _write(tile: np.ndarray, label: str) -> None:
    """A short text at the top left, white within black."""
    black, white = _letters(label)
    corner = tile[: len(black), : black.shape[1]]
    black, white = (letters[: corner.shape[0], : corner.shape[1], None] for letters in (black, white))
    corner[:] = (corner * (1 - black) * (1 - white) + 255 * white).round()


@lru_cache(maxsize=4096)
def _letters(label: str) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel a text covers, with an edge around it and without, 0 to 1."""
    width = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)[0][0] + 8
    covers = np.zeros((2, 20, width), np.uint8)
    for cover, thickness in zip(covers, (3, 1), strict=True):
        place = {"org": (3, 13), "fontFace": cv2.FONT_HERSHEY_SIMPLEX, "fontScale": 0.4}
        cv2.putText(cover, label, **place, color=255, thickness=thickness, lineType=cv2.LINE_AA)
    edged, plain = covers.astype(np.float32) / 255
    return edged, plain


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
