"""Colours laid out, mixed and shaded pixel by pixel."""

from __future__ import annotations

import numpy as np

Value = float | np.ndarray


def edge(value: np.ndarray, low: Value, high: Value) -> np.ndarray:
    """0 below low, 1 above high, smooth between."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def mix(amount: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a where amount is 0, b where it is 1; amount is (H, W)."""
    amount = amount[..., None]
    return a * (1 - amount) + b * amount


def times(picture: np.ndarray, factor: Value) -> np.ndarray:
    """A picture (H, W, 3) or colour (3,) made lighter or darker pixel by pixel by factor (H, W)."""
    return picture * np.asarray(factor)[..., None]


def gradient(colours: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Colours (k, 3) laid out along t from 0 to 1: t.shape + (3,)."""
    place = np.clip(t, 0, 1) * (len(colours) - 1)
    index = np.minimum(place.astype(np.int32), len(colours) - 2)
    return mix(place - index, colours[index], colours[index + 1])
