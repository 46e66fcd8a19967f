"""All textures on one sheet."""

from __future__ import annotations

import cv2
import numpy as np

from ...drawing.sheets import mosaic
from .names import LABELS
from .scenes import single


def contact_sheet(size: int = 96, columns: int = 10, seed: int = 0) -> np.ndarray:
    """One row a class: its name, then pictures of it. (20 * size, 150 + columns * size, 3) uint8."""
    names = np.full((len(LABELS), size, 150, 3), 255, np.uint8)
    for name, label in zip(names, LABELS, strict=True):
        cv2.putText(
            name, label, (8, size // 2 + 5), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 1, cv2.LINE_AA
        )
    pictures = [single(label, seed + k, size).picture for label in LABELS for k in range(columns)]
    return np.hstack([mosaic(list(names), 1), mosaic(pictures, columns)])
