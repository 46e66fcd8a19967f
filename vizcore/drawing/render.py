"""Heatmaps become pictures: colour, blend, grid, legend. Arrays are (H, W, 3) uint8, red first."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

# perceptually uniform, readable with any kind of colour vision
COLOUR_MAPS = {
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "inferno": cv2.COLORMAP_INFERNO,
    "grey": None,
}
CNN_COLOUR = (230, 120, 0)  # orange and blue of Okabe and Ito: apart for every kind of colour vision
VIT_COLOUR = (0, 114, 178)


def to_array(heatmap: Tensor | np.ndarray) -> np.ndarray:
    """A tensor on any device as a float32 array."""
    return heatmap if isinstance(heatmap, np.ndarray) else heatmap.detach().float().cpu().numpy()


def normalise(heatmap, low: float | None = None, high: float | None = None) -> np.ndarray:
    """Stretch a heatmap over 0 to 1, between its own extremes or given ones; a flat one becomes 0."""
    values = to_array(heatmap)
    low = float(values.min()) if low is None else low
    high = float(values.max()) if high is None else high
    if not high > low:
        return np.zeros_like(values)
    return ((values - low) / (high - low)).clip(0, 1)


def colourise(values: np.ndarray, colour_map: str = "viridis") -> np.ndarray:
    """0 to 1 in, (H, W) of any shape; colours out, (H, W, 3)."""
    grey = (values * 255).round().astype(np.uint8)
    code = COLOUR_MAPS[colour_map]
    if code is None:
        return np.repeat(grey[..., None], 3, axis=-1)
    return cv2.cvtColor(cv2.applyColorMap(grey, code), cv2.COLOR_BGR2RGB)


def diverging(values: np.ndarray) -> np.ndarray:
    """-1 to 1 in; blue over white to orange out. White is zero."""
    share = np.abs(values).clip(0, 1)[..., None]
    ends = np.where(values[..., None] > 0, np.float32(CNN_COLOUR), np.float32(VIT_COLOUR))
    return (255 * (1 - share) + ends * share).round().astype(np.uint8)


CLIPPED = 0.005  # the share of values beyond the end of the scale: a few pixels would leave the others dark


def end_of_scale(values: np.ndarray) -> float:
    """What all but the ``CLIPPED`` largest absolute values stay below; 0 only where all are 0."""
    values = np.abs(values)
    return float(np.quantile(values, 1 - CLIPPED)) or float(values.max())


def centred(values: np.ndarray, end: float) -> np.ndarray:
    """Signed colours about mid-grey, which is 0: (3, H, W) -> (H, W, 3). One channel: blue to orange."""
    shares = (values / (end or 1)).clip(-1, 1)
    if len(shares) == 1:
        return blend(np.full((*shares.shape[1:], 3), 128), diverging(np.sign(shares[0])), np.abs(shares[0]))
    return (127.5 + 127.5 * shares.transpose(1, 2, 0)).round().astype(np.uint8)


def from_black(values: np.ndarray, end: float) -> np.ndarray:
    """Colours, or greys of one channel, from black, which is 0 and less: (C, H, W) -> (H, W, 3)."""
    shares = (values / (end or 1)).clip(0, 1)
    return (255 * np.broadcast_to(shares, (3, *shares.shape[1:])).transpose(1, 2, 0)).round().astype(np.uint8)


def blend(picture: np.ndarray, colours: np.ndarray, opacity: float | np.ndarray) -> np.ndarray:
    """Lay ``colours`` over ``picture``; ``opacity`` is one number or an (H, W) array, 0 to 1."""
    alpha = np.asarray(opacity, np.float32)
    alpha = alpha[..., None] if alpha.ndim == 2 else alpha
    return (picture * (1 - alpha) + colours * alpha).round().astype(np.uint8)


def overlay(picture, heatmap, seen, opacity: float, colour_map: str = "viridis") -> np.ndarray:
    """A heatmap over the picture, transparent where the model saw nothing.

    Args:
        picture: (H, W, 3). heatmap: (H, W) in the frame, stretched over its own range inside ``seen``.
        seen: (H, W) bool. opacity: 0 to 1.
    """
    heatmap, seen = to_array(heatmap), np.asarray(seen)
    inside = heatmap[seen]
    if not inside.size:
        return np.asarray(picture)
    colours = colourise(normalise(heatmap, inside.min(), inside.max()), colour_map)
    return outline(blend(picture, colours, seen * opacity), seen)


def tint(picture, layers: Sequence[tuple[np.ndarray, tuple[int, int, int], float]]) -> np.ndarray:
    """Several heatmaps over one picture, each in a colour of its own.

    The picture turns grey so that colour means evidence and nothing else.

    Args:
        picture: (H, W, 3). layers: (heatmap 0 to 1 (H, W), colour, opacity 0 to 1), laid on in order.
    """
    grey = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2GRAY)
    result = np.repeat(grey[..., None], 3, axis=-1)
    for heatmap, colour, opacity in layers:
        result = blend(result, np.uint8(colour), heatmap * opacity)
    return result


def outline(picture: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Draw a thin line around what a model saw, where that is less than the picture."""
    if seen.all():
        return picture
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    corners = (int(columns[0]), int(rows[0])), (int(columns[-1]), int(rows[-1]))
    return cv2.rectangle(np.ascontiguousarray(picture), *corners, (255, 255, 255), 1)


def contour(picture: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Draw the edge of a region, white on black so that it shows on anything. mask: (H, W) bool."""
    edges, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    result = np.ascontiguousarray(picture)
    for colour, width in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        result = cv2.drawContours(result, edges, -1, colour, width)
    return result


def tiles(maps, labels: Sequence[str], columns: int, side: int = 96, marked=(), colour_map="viridis"):
    """Small maps as one picture, each stretched over its own range, with its label.

    Args:
        maps: (n, h, w). labels: n short texts. marked: indices to frame. side: a tile's width in pixels.

    Returns:
        (H, W, 3), tiles of ``side`` pixels in ``ceil(n / columns)`` rows; the tile under a point is at
        (row, column) = (int(y / H * rows), int(x / W * columns)).
    """
    values = to_array(maps)
    rows = -(-len(values) // columns)
    height = max(1, round(side * values.shape[1] / values.shape[2]))
    sheet = np.full((rows * height, columns * side, 3), 128, np.uint8)
    for i, (value, label) in enumerate(zip(values, labels, strict=True)):
        top, left = i // columns * height, i % columns * side
        tile = cv2.resize(normalise(value), (side - 4, height - 4), interpolation=cv2.INTER_NEAREST)
        tile = np.ascontiguousarray(colourise(tile, colour_map))
        if label:
            cv2.putText(tile, label, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 0), 3, cv2.LINE_AA)
            cv2.putText(tile, label, (3, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255,) * 3, 1, cv2.LINE_AA)
        if i in marked:
            sheet[top : top + height, left : left + side] = CNN_COLOUR
        sheet[top + 2 : top + height - 2, left + 2 : left + side - 2] = tile
    return sheet


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


def legend(colour_map: str = "viridis", width: int = 256, height: int = 10) -> np.ndarray:
    """A colour map from its lowest to its highest value, left to right."""
    return colourise(np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1)), colour_map)


def png(picture: np.ndarray) -> bytes:
    """Lossless, and fast rather than small."""
    ok, data = cv2.imencode(
        ".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 1]
    )
    assert ok
    return data.tobytes()
