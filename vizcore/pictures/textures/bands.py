"""Lines and bands that repeat: banded, chequered, grid, spiralled, zigzagged."""

from __future__ import annotations

import math

import numpy as np

from .lattices import squares
from .mixing import edge, gradient, mix, times
from .sketch import LUMA, TAU, F, Sketch
from .surfaces import lit, worn


def stripes(s: Sketch, t: np.ndarray, colours: np.ndarray, softness: float) -> np.ndarray:
    """Colours repeating along t with period one, of random widths; softness of a border, in periods."""
    ends = np.cumsum(s.rng.uniform(0.5, 1.5, len(colours)))
    ends = ends / ends[-1]
    t = t % 1
    picture = s.flat(colours[-1])
    for start, colour in zip(np.r_[0, ends[:-1]], colours, strict=True):
        picture = mix(edge(t, start - softness, start + softness), picture, colour)
    return picture


def _strata(s: Sketch, u: np.ndarray) -> np.ndarray:
    """Layers of uneven thickness and tone, as in rock: (size, size, 3)."""
    count = s.whole(6, 24)
    tones = s.palette(s.whole(2, 4), 0.2)
    layers = gradient(tones, s.rng.random(256)) * s.rng.uniform(0.75, 1.15, (256, 1)).astype(F)
    place = u * count + 0.25 * s.fractal(6, 3, 0.6)
    low, part = np.floor(place).astype(np.int32), place % 1
    return mix(edge(part, 0.5 - 0.5 * s.between(0.1, 1), 1), layers[low & 255], layers[(low + 1) & 255])


def banded(s: Sketch) -> np.ndarray:
    """Parallel bands of two to five colours, straight, wavy or bent round a far centre; or strata."""
    u, v = s.plane()
    if s.chance(0.2):
        u = np.hypot(u - u.mean() - s.between(0.9, 2), v - v.mean())
    if s.chance(0.25):
        return worn(s, lit(s, _strata(s, u), 0.01 * s.fractal(8, 3), 0.3))
    colours = s.palette(s.whole(2, 5), 0.2)
    period = s.spread(0.04, 0.4) * max(1, len(colours) / 2)
    picture = stripes(s, u / period, colours, s.spread(0.004, 0.03) / period)
    return worn(s, lit(s, picture, 0.02 * picture @ LUMA, 0.15))


def chequered(s: Sketch) -> np.ndarray:
    """Squares of two colours taking turns; or gingham, where crossing stripes add up."""
    u, v = s.plane()
    period, (first, second, third) = s.spread(0.045, 0.28), s.palette(3, 0.3)
    sharp = s.between(0.006, 0.02) / period * math.pi
    a, b = (np.clip(np.sin(math.pi * c / period) / sharp / 2, -1, 1) for c in (u, v))
    if s.chance(0.75):
        picture = mix(0.5 + 0.5 * a * b, first, second)
    else:  # each thread carries its stripe across the others
        picture = mix((2 + a + b) / 4, first, second)
        if s.chance(0.2):
            thin = np.maximum(np.cos(math.pi * u / period), np.cos(math.pi * v / period))
            picture = mix(edge(thin, 0.95, 0.98) * 0.5, picture, third)
    return worn(s, picture)


def grid(s: Sketch) -> np.ndarray:
    """Two sets of straight bars at right angles, with plain fields between: windows, tiles, wire fences."""
    u, v = s.plane(bend=0.6)
    period = s.spread(0.08, 0.32)
    tall = period * (s.spread(0.7, 1.4) if s.chance(0.4) else 1)
    width, soft = s.spread(0.006, max(0.009, period * 0.14)), s.between(0.003, 0.008)
    du, dv, key = squares(u / period, v / tall)
    bar = 1 - edge(
        np.minimum((0.5 - np.abs(du)) * period, (0.5 - np.abs(dv)) * tall), width - soft, width + soft
    )
    field, line, behind = s.palette(3, 0.3)
    base = s.flat(field)
    if s.chance(0.3):  # every field its own shade
        base = times(base, 1 + s.between(0.1, 0.6) * (s.per_cell(key) - 0.5))
    if s.chance(0.15):  # windows: some lit, the sky in others
        base = mix(edge(s.per_cell(key) + 0.3 * dv, 0.3, 0.8), base, behind)
    if s.chance(0.35):  # something out of focus behind a fence
        base = mix(edge(s.fractal(2.5, 3, 0.4), -0.8, 0.8), base, behind * 0.5 + field * 0.5)
    return worn(s, lit(s, mix(bar, base, line), bar * s.between(0.01, 0.03) * s.pick(1, -1), 0.4))


def spiralled(s: Sketch) -> np.ndarray:
    """Arms winding round a centre that is in the picture: one spiral, or several small ones."""
    u, v = s.plane(bend=0.6)
    if s.chance(0.25):
        size = s.spread(0.3, 0.55)
        du, dv, _ = squares(u / size, v / size)
        x, y, gap, arms = du * size, dv * size, size / s.between(3.5, 7), 1
    else:
        middle = s.size // 2
        x, y = u - u[middle, middle] - s.between(-0.2, 0.2), v - v[middle, middle] - s.between(-0.2, 0.2)
        arms = s.whole(1, 4)
        gap = s.spread(0.06, 0.2)
    radius, turn = np.hypot(x, y), s.pick(1, -1) * np.arctan2(y, x) / TAU
    if s.chance(0.4) and arms > 1:  # a shell or a galaxy: arms widen outwards
        phase = np.log(radius + 0.015) * s.between(1.2, 3.5) + (arms + 1) * turn
    else:
        phase = radius / gap + arms * turn
    wave, duty, soft = np.sin(TAU * phase), s.between(-0.5, 0.5), s.between(0.1, 0.9)
    arm = edge(wave, duty - soft, duty + soft)
    first, second, far = s.palette(3, 0.3)
    picture = mix(arm, s.flat(first), second)
    if s.chance(0.3):
        picture = mix(np.clip(radius, 0, 1), picture, far)
    return worn(s, lit(s, picture, arm * s.between(0.008, 0.04), 0.45))


def zigzagged(s: Sketch) -> np.ndarray:
    """Bands folded into sharp teeth, all in step."""
    u, v = s.plane(bend=0.7)
    tooth = s.spread(0.09, 0.36)
    height = tooth * s.between(0.3, 0.75)
    zigzag = np.abs((u / tooth) % 1 - 0.5) * 2 * height
    colours = s.palette(s.whole(2, 4), 0.25)
    if s.chance(0.2):  # single lines on a ground
        gap, (ground, line) = s.spread(0.1, 0.35), colours[:2]
        away = np.abs((v + zigzag) / gap % 1 - 0.5) * gap
        return worn(s, mix(1 - edge(away, 0.12 * gap, 0.12 * gap + 0.012), s.flat(ground), line))
    period = s.spread(0.07, 0.27) * max(1, len(colours) / 2)
    return worn(s, stripes(s, (v + zigzag) / period, colours, s.between(0.004, 0.01) / period))
