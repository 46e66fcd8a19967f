"""What the textures are drawn with: randomness and coordinates for one picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike

F = np.float32
TAU = 2 * math.pi
LUMA = np.array([0.299, 0.587, 0.114], F)
KEYS = 4096  # how many different cells a table of per-cell numbers tells apart
T = TypeVar("T")
Lines = Iterable[ArrayLike]  # polylines, (n, 2) each


class Sketch:
    """Randomness and coordinates for one picture. `x` and `y` are (size, size), -0.5 to 0.5."""

    def __init__(self, rng: np.random.Generator, size: int):
        self.rng, self.size = rng, size
        axis = (np.arange(size, dtype=F) + 0.5) / size - 0.5
        self.x, self.y = np.meshgrid(axis, axis)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def spread(self, low: float, high: float) -> float:
        """A positive number, each octave between low and high equally likely."""
        return math.exp(self.rng.uniform(math.log(low), math.log(high)))

    def whole(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def pick(self, *options: T) -> T:
        return options[int(self.rng.integers(len(options)))]

    def noise(self, cells: float, channels: int = 1) -> np.ndarray:
        """Smooth noise, about `cells` bumps across the frame, mostly -1 to 1: (size, size[, channels])."""
        cells = max(2, int(round(cells)))
        lattice = self.rng.standard_normal((cells + 3, cells + 3, channels)).astype(F) * 0.6
        margin = self.size / cells
        wide = cv2.resize(lattice, (int(self.size + 3 * margin),) * 2, interpolation=cv2.INTER_CUBIC)
        start = int(1.5 * margin)
        return wide[start : start + self.size, start : start + self.size]

    def fractal(self, cells: float, octaves: int = 4, gain: float = 0.5) -> np.ndarray:
        """Noise with detail at every scale, as natural surfaces have: (size, size), mostly -1 to 1."""
        total, weight, power = np.zeros((self.size, self.size), F), 1.0, 0.0
        for _ in range(octaves):
            total, power = total + weight * self.noise(cells), power + weight * weight
            weight, cells = weight * gain, min(cells * 2, 100)
        return total / math.sqrt(power)

    def per_cell(self, key: np.ndarray, *shape: int) -> np.ndarray:
        """A random number from 0 to 1 (or an array of them) for each cell: key.shape + shape."""
        return self.rng.random((KEYS, *shape)).astype(F)[key]

    def plane(self, turn: bool = True, bend: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel lies on a surface rotated, in perspective, curved and warped: two (size, size)."""
        x, y = self.x, self.y
        if self.chance(0.35):  # perspective
            a, k = self.between(0, TAU), self.between(0.3, 1.0)
            depth = np.maximum(1 + k * (x * math.cos(a) + y * math.sin(a)), 0.35)
            x, y = x / depth, y / depth
        if self.chance(0.2):  # wrapped round a ball or a pipe: narrower towards the edge
            k, across = self.between(0.4, 1.6), self.pick(0.0, 1.0)
            far = 1 + k * (x * x + across * y * y)
            x, y = x * far, y * (far if across else 1)
        if bend and self.chance(0.65):
            cells = self.whole(2, 6)
            shift = self.noise(cells, 2) * (bend * self.between(0.01, 0.07) * 3 / cells)
            x, y = x + shift[..., 0], y + shift[..., 1]
        a = self.between(0, TAU) if turn else self.between(-0.3, 0.3)
        stretch = self.spread(0.8, 1.25)
        u = (x * math.cos(a) + y * math.sin(a)) * stretch + self.between(-4, 4)
        v = (y * math.cos(a) - x * math.sin(a)) / stretch + self.between(-4, 4)
        return u, v

    def colour(self) -> np.ndarray:
        """One colour, (3,) in 0 to 1: grey, a natural hue (earth, leaf, sky, flesh), or anything."""
        kind = self.rng.random()
        if kind < 0.2:
            colour = np.full(3, self.between(0.02, 0.98)) + self.rng.normal(0, 0.02, 3)
        elif kind < 0.75:
            hue = self.pick((0.8, 0, -1), (0.8, 0, -1), (-0.2, 0.5, -0.8), (-0.8, 0, 0.8), (1.2, -0.2, -0.5))
            colour = self.between(0.05, 0.95) + self.between(0, 0.25) * np.array(hue)
        else:
            colour = self.rng.random(3)
        return np.clip(colour, 0, 1).astype(F)

    def palette(self, count: int, contrast: float = 0.25) -> np.ndarray:
        """(count, 3) colours; each differs from the one before in lightness by `contrast`, or much in hue."""
        colours = [self.colour()]
        while len(colours) < count:
            new = self.colour()
            for _ in range(19):  # twenty tries in all
                step = new - colours[-1]
                if abs(step @ LUMA) > contrast or np.abs(step).max() > 2.5 * contrast:
                    break
                new = self.colour()
            colours.append(new)
        return np.array(colours, F)

    def dark_and_light(self, contrast: float = 0.3) -> np.ndarray:
        """Two colours, the darker first: (2, 3)."""
        pair = self.palette(2, contrast)
        return pair[np.argsort(pair @ LUMA)]

    def flat(self, colour: np.ndarray) -> np.ndarray:
        """A frame of one colour."""
        return np.zeros((self.size, self.size, 3), F) + colour

    def strokes(self, layer: np.ndarray, lines: Lines, value: float | Sequence[float], width: float) -> None:
        """Draw polylines (each (n, 2), in frames, origin in the middle) on a layer, in place.

        A line thinner than a pixel is drawn a pixel wide and, for a grey value, fainter.
        """
        pixels = width * self.size
        if not isinstance(value, Sequence):
            value = value * min(1.0, 0.4 + 0.6 * pixels)
        points = [self.pixels(line) for line in lines]
        cv2.polylines(layer, points, False, value, max(1, int(round(pixels))), cv2.LINE_AA, 3)

    def pixels(self, points: ArrayLike) -> np.ndarray:
        """Frame coordinates as OpenCV's fixed-point pixels (three fractional bits)."""
        return ((np.asarray(points) + 0.5) * (self.size * 8)).astype(np.int32)

    def blur(self, picture: np.ndarray, sigma: float) -> np.ndarray:
        return cv2.GaussianBlur(np.ascontiguousarray(picture, F), (0, 0), max(sigma * self.size, 0.3))

    def displaced(self, layer: np.ndarray, amount: float, cells: float = 3) -> np.ndarray:
        """The layer seen through uneven glass: moved by up to about `amount` frames."""
        shift = self.noise(cells, 2) * amount
        map_x, map_y = (np.asarray(c + 0.5, F) * self.size - 0.5 for c in (self.x, self.y))
        map_x, map_y = map_x + shift[..., 0] * self.size, map_y + shift[..., 1] * self.size
        return cv2.remap(layer, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
