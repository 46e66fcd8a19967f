"""Pictures whose answer is known: one texture, two, or one before a distractor, as a camera sees them."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from .mixing import edge, gradient, mix, times
from .names import LABELS, TEXTURES
from .sketch import TAU, F, Sketch


class Scene(NamedTuple):
    """A picture and where in it each texture is."""

    picture: np.ndarray  # (size, size, 3) uint8, RGB
    masks: dict[str, np.ndarray]  # label -> (size, size) bool


def _things(s: Sketch, picture: np.ndarray) -> np.ndarray:
    """A few large things, out of focus."""
    for _ in range(s.whole(1, 5)):
        corners = s.rng.uniform(-0.8, 0.8, 2) + s.rng.normal(0, 0.25, (s.whole(3, 6), 2))
        inside = np.zeros((s.size, s.size), F)
        cv2.fillConvexPoly(inside, s.pixels(cv2.convexHull(corners.astype(F))[:, 0]), 1.0, cv2.LINE_AA, 3)
        shade = 1 + s.between(0, 0.5) * s.noise(2)
        picture = mix(inside, picture, times(s.colour(), shade))
    return s.blur(picture, s.spread(0.01, 0.06))


def distractor(s: Sketch) -> np.ndarray:
    """Something that is none of the textures: plain, a gradient, or far out of focus."""
    colours = s.palette(3, 0.05)
    a = s.between(0, TAU)
    ramp = 0.5 + (s.x * math.cos(a) + s.y * math.sin(a)) * s.between(0.3, 1)
    picture = s.pick(
        lambda: s.flat(colours[0]),
        lambda: gradient(colours[:2], ramp),
        lambda: gradient(colours, edge(s.noise(2), -1.2, 1.2)),
        lambda: gradient(colours, edge(s.noise(2) + ramp, -0.8, 1.8)),
        lambda: _things(s, gradient(colours[:2], ramp)),
    )()
    return times(picture, 1 + s.between(0, 0.06) * s.noise(60))


def _ellipse(s: Sketch, cx: float, cy: float) -> np.ndarray:
    a, wide, tall = s.between(0, math.pi), s.between(0.25, 0.5), s.between(0.25, 0.5)
    along, across = (
        (s.x - cx) * math.cos(a) + (s.y - cy) * math.sin(a),
        (s.y - cy) * math.cos(a) - (s.x - cx) * math.sin(a),
    )
    return (1 - np.hypot(along / wide, across / tall)) * 0.3


def _blob(s: Sketch, cx: float, cy: float) -> np.ndarray:
    return (s.fractal(2, 2, 0.4) + 0.9 - np.hypot(s.x - cx, s.y - cy) / s.between(0.3, 0.5)) * 0.2


def _polygon(s: Sketch, cx: float, cy: float) -> np.ndarray:
    angles = np.sort(s.rng.uniform(0, TAU, s.whole(3, 7)))
    reach = s.rng.uniform(0.3, 0.6, len(angles))
    corners = np.stack([cx + reach * np.cos(angles), cy + reach * np.sin(angles)], -1)
    inside = np.zeros((s.size, s.size), F)
    cv2.fillPoly(inside, [s.pixels(corners)], 1.0, cv2.LINE_AA, 3)
    return (inside - 0.5) * 2 / s.size


def region(s: Sketch, smallest: float, largest: float) -> np.ndarray:
    """An ellipse, blob or polygon covering that share of the frame: 0 to 1, its border soft by a pixel."""
    for _ in range(12):
        field = s.pick(_ellipse, _blob, _polygon)(s, s.between(-0.25, 0.25), s.between(-0.25, 0.25))
        cover = np.clip(field * s.size / 2 + 0.5, 0, 1).astype(F)
        if smallest < (cover > 0.5).mean() < largest:
            return cover
    return np.clip((0.36 - np.hypot(s.x, s.y)) * s.size / 2 + 0.5, 0, 1).astype(F)


def photograph(s: Sketch, picture: np.ndarray) -> np.ndarray:
    """What a camera adds to a float picture: uneven light, focus, exposure, grain, JPEG. Returns uint8."""
    a = s.between(0, TAU)
    across = s.x * math.cos(a) + s.y * math.sin(a)
    if s.chance(0.5):  # light from one side
        picture = times(picture, 1 + s.between(0.1, 0.6) * across)
    if s.chance(0.15):  # folds
        picture = times(picture, 1 + s.between(0.1, 0.3) * s.noise(s.whole(2, 4)))
    if s.chance(0.2):  # darker corners
        picture = times(picture, 1.1 - s.between(0.2, 0.8) * (s.x**2 + s.y**2))
    if s.chance(0.1):  # the shadow of something outside the picture
        line = across + s.between(-0.3, 0.3) + 0.1 * s.noise(3)
        picture = times(picture, 1 - s.between(0.2, 0.6) * edge(line, 0, s.spread(0.02, 0.2)))
    if s.chance(0.5):  # contrast and exposure
        picture = (picture - 0.5) * s.between(0.6, 1.2) + 0.5 + s.between(-0.12, 0.12)
    if s.chance(0.4):
        picture = np.clip(picture, 0, 1) ** s.spread(0.6, 1.7)
    if s.chance(0.2):  # the colour of the light
        picture = picture * (1 + s.rng.normal(0, 0.12, 3).astype(F))
    if s.chance(0.35):
        picture = s.blur(picture, s.spread(0.003, 0.01))
    elif s.chance(0.25):  # only a part is in focus
        picture = mix(
            edge(across, s.between(-0.4, 0.2), 0.5), picture, s.blur(picture, s.spread(0.008, 0.02))
        )
    elif s.chance(0.25):  # sharpened by the camera
        picture = picture + s.between(0.3, 1) * (picture - s.blur(picture, 0.008))
    if s.chance(0.6):
        grain = s.rng.normal(0, s.spread(0.005, 0.05), (s.size, s.size, s.pick(1, 3)))
        picture = picture + grain.astype(F)
    picture = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    if s.chance(0.3):
        quality = [cv2.IMWRITE_JPEG_QUALITY, s.whole(35, 92)]
        decoded = cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)
        assert decoded is not None  # it was encoded here
        return decoded
    return picture


def _sketch(seed: int, size: int, *labels: str) -> Sketch:
    """A sketch whose randomness depends on the seed and the labels and on nothing else."""
    unknown = [label for label in labels if label not in TEXTURES]
    if unknown:
        raise ValueError(f"unknown texture {unknown[0]!r}; the textures are {', '.join(LABELS)}")
    if size < 16:
        raise ValueError(f"a scene needs a size of at least 16 pixels, not {size}")
    return Sketch(
        np.random.default_rng([seed, *(LABELS.index(label) for label in labels), len(labels)]), size
    )


def _texture(s: Sketch, label: str) -> np.ndarray:
    return np.clip(TEXTURES[label](s), 0, 1.2).astype(F)


def single(label: str, seed: int, size: int = 128) -> Scene:
    """One texture over the whole frame."""
    s = _sketch(seed, size, label)
    return Scene(photograph(s, _texture(s, label)), {label: np.ones((size, size), bool)})


def on_distractor(label: str, seed: int, size: int = 128) -> Scene:
    """One texture in an ellipse, blob or polygon (a fifth to two thirds of the frame) over a distractor."""
    s = _sketch(seed, size, label)
    cover = region(s, 0.2, 0.65)
    picture = mix(cover, distractor(s), _texture(s, label))
    return Scene(photograph(s, picture), {label: cover > 0.5})


def two(label_a: str, label_b: str, seed: int, size: int = 128) -> Scene:
    """Two textures: a in an ellipse, blob or polygon, b around it. The masks partition the frame."""
    if label_a == label_b:
        raise ValueError(f"two textures must differ, got {label_a!r} twice")
    s = _sketch(seed, size, label_a, label_b)
    cover = region(s, 0.3, 0.6)
    picture = mix(cover, _texture(s, label_b), _texture(s, label_a))
    return Scene(photograph(s, picture), {label_a: cover > 0.5, label_b: cover <= 0.5})
