"""A map is laid over a picture: on the pages, in what is saved, and in the code that they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import ArrayLike

from .colours import blend, colourise, diverging, normalise, to_array

if TYPE_CHECKING:
    from torch import Tensor

Painted = tuple[np.ndarray, float | np.ndarray]  # colours (H, W, 3), and how much of the opacity they get


def _heat(values: np.ndarray, low: float, high: float, colour_map: str) -> Painted:
    return colourise(normalise(values, low, high), colour_map), 1.0


def _signed(values: np.ndarray, low: float, high: float, colour_map: str) -> Painted:
    return diverging(values), np.abs(values).clip(0, 1)  # where it is zero, the picture is seen


def _colours(values: np.ndarray, low: float, high: float, colour_map: str) -> Painted:
    return (255 * values.transpose(1, 2, 0)).round().astype(np.uint8), 1.0


KINDS: dict[str, Callable[[np.ndarray, float, float, str], Painted]] = {
    "heat": _heat,
    "signed": _signed,
    "colours": _colours,
}


def lay(
    picture: ArrayLike,
    heatmap: Tensor | np.ndarray,
    seen: ArrayLike,
    opacity: float,
    colour_map: str = "viridis",
    kind: str = "heat",
    low: float | None = None,
    high: float | None = None,
) -> np.ndarray:
    """Lay a map over the picture, transparent where the model saw nothing, with a line around what it saw.

    Args:
        picture: (H, W, 3). heatmap: in the frame, as ``kind`` says. seen: (H, W) bool.
        opacity: 0 to 1.
        kind: "heat", (H, W) from ``low`` to ``high``, by default its own range inside ``seen``; "signed",
            (H, W) from -1 to 1; or "colours", (3, H, W) from 0 to 1.

    Returns:
        (H, W, 3).
    """
    picture, values, seen = np.asarray(picture), to_array(heatmap), np.asarray(seen)
    inside = values[..., seen]
    if not inside.size:
        return picture
    ends = inside.min() if low is None else low, inside.max() if high is None else high
    colours, share = KINDS[kind](values, *ends, colour_map)
    return outline(blend(picture, colours, seen * (opacity * share)), seen)


overlay = lay  # the former name


def tint(picture: ArrayLike, layers: Sequence[tuple[np.ndarray, tuple[int, int, int], float]]) -> np.ndarray:
    """Lay several heatmaps over one picture, each in a colour of its own.

    The picture turns grey so that colour means evidence and nothing else.

    Args:
        picture: (H, W, 3). layers: (heatmap 0 to 1 (H, W), colour, opacity 0 to 1), laid on in order.
    """
    grey = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2GRAY)
    result = np.repeat(grey[..., None], 3, axis=-1)
    for heatmap, colour, opacity in layers:
        result = blend(result, np.array(colour, np.uint8), heatmap * opacity)
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
