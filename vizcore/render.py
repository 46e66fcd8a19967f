"""Heatmaps become pictures: colour, blend, grid, legend. Arrays are (H, W, 3) uint8, red first."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
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
