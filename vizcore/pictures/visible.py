"""What a network sees of a picture, told without torch: a page is there before that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .frame import Box


def visible(box: Box, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: the pixels of a picture of ``size`` (width, height) whose centre lies in ``box``.

    >>> visible((1, 0, 3, 1), (3, 2)).astype(int).tolist()
    [[0, 1, 1], [0, 0, 0]]
    """
    left, top, right, bottom = box
    x, y = (np.arange(side, dtype=np.float32) + np.float32(0.5) for side in size)
    return ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]
