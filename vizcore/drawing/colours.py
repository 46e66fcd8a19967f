"""Values become colours, red first: (H, W, 3) uint8. A new colour map is a line in ``COLOUR_MAPS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
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
CLIPPED = 0.005  # the share of values beyond the end of the scale: a few pixels would leave the others dark


def to_array(heatmap: Tensor | np.ndarray) -> np.ndarray:
    """A tensor on any device as a float32 array."""
    return heatmap if isinstance(heatmap, np.ndarray) else heatmap.detach().float().cpu().numpy()


def normalise(
    heatmap: Tensor | np.ndarray, low: float | None = None, high: float | None = None
) -> np.ndarray:
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
    orange, blue = (np.array(colour, np.float32) for colour in (CNN_COLOUR, VIT_COLOUR))
    ends = np.where(values[..., None] > 0, orange, blue)
    return (255 * (1 - share) + ends * share).round().astype(np.uint8)


def end_of_scale(values: np.ndarray) -> float:
    """What all but the ``CLIPPED`` largest absolute values stay below; 0 only where all are 0."""
    values = np.abs(values)
    return float(np.quantile(values, 1 - CLIPPED)) or float(values.max())


def blend(picture: np.ndarray, colours: np.ndarray, opacity: float | np.ndarray) -> np.ndarray:
    """Mix ``colours`` into ``picture``; ``opacity`` is one number or an (H, W) array, 0 to 1."""
    alpha = np.asarray(opacity, np.float32)
    alpha = alpha[..., None] if alpha.ndim == 2 else alpha
    return (picture * (1 - alpha) + colours * alpha).round().astype(np.uint8)


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


def legend(colour_map: str = "viridis", width: int = 256, height: int = 10) -> np.ndarray:
    """A colour map from its lowest to its highest value, left to right."""
    return colourise(np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1)), colour_map)
