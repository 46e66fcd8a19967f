"""A flat picture becomes the skin of a material: lit from one side, and worn."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .mixing import edge, times
from .sketch import TAU, F, Sketch


def lit(
    s: Sketch, picture: np.ndarray, height: np.ndarray, chance: float = 1.0, shadows: float = 0.0
) -> np.ndarray:
    """The picture as the skin of a relief (height in frames) under one lamp: shade, gloss, cast shadows."""
    if not s.chance(chance):
        return picture
    height = np.ascontiguousarray(height, F)
    slope_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) * (s.size / 8)
    slope_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) * (s.size / 8)
    around, up = s.between(0, TAU), s.between(0.4, 1.15)
    lx, ly, lz = math.cos(around) * math.cos(up), math.sin(around) * math.cos(up), math.sin(up)
    steep = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    diffuse = np.clip((lz - slope_x * lx - slope_y * ly) * steep, 0, 1)
    if shadows:  # a point is in shadow when something towards the lamp rises above the line to it
        above = np.zeros_like(height)
        for step in (0.012, 0.03, 0.06):
            move = np.array([[1, 0, lx * step * s.size], [0, 1, ly * step * s.size]], F)
            there = cv2.warpAffine(
                height,
                move,
                (s.size, s.size),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REFLECT,
            )
            above = np.maximum(above, there - height - step * math.tan(up) * 0.7)
        diffuse = diffuse * (1 - shadows * edge(above, 0, 0.012))
    ambient = s.between(0.15, 0.45)
    shaded = times(picture, ambient + (1 - ambient) * diffuse / max(lz, 0.55) * 1.05)
    if s.chance(0.4):  # gloss: the normal against the half-way vector between lamp and eye
        half = math.sqrt(2 + 2 * lz)
        facing = np.clip((1 + lz - slope_x * lx - slope_y * ly) * steep / half, 0, 1)
        shaded = shaded + (facing ** s.spread(12, 90) * s.between(0.1, 0.6))[..., None]
    return shaded


def worn(s: Sketch, picture: np.ndarray, chance: float = 0.65, strength: float = 0.14) -> np.ndarray:
    """Fine unevenness of the material, at scales from a sixth of the frame down to a pixel or two."""
    if not s.chance(chance):
        return picture
    return times(picture, 1 + s.between(0.02, strength) * s.fractal(s.spread(5, 40), 3, 0.75))
