"""Round things, grown, blown or strewn: bubbly, bumpy, sprinkled."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .lattices import cells, hexagons, squares
from .mixing import edge, gradient, mix, times
from .sketch import TAU, F, Sketch
from .surfaces import lit, worn

Relief = tuple[np.ndarray, np.ndarray]  # height in frames and tint, 0 to 1; (size, size) each


def _foam(s: Sketch) -> np.ndarray:
    """Bubbles packed side by side: bright rims, a glint in each."""
    u, v = s.plane(bend=0.3)
    size = s.spread(0.05, 0.3)
    ground, rim, inside = s.palette(3, 0.2)
    rim = rim if s.chance(0.6) else np.ones(3, F)
    near, _, key, du, dv = cells(s, u / size, v / size, s.between(0.5, 0.95))
    radius = 0.3 + 0.22 * s.per_cell(key)
    q, a = near / radius, s.between(0, TAU)
    within, wall = 1 - edge(q, 0.98, 1.05), edge(q, 0.78, 0.95) * (1 - edge(q, 1.0, 1.12))
    across = (du * math.cos(a) + dv * math.sin(a)) / radius
    glint = np.exp(
        -((du / radius - math.cos(a) * 0.45) ** 2 + (dv / radius - math.sin(a) * 0.45) ** 2) / 0.03
    )
    opaque = s.between(0.4, 0.95)
    picture = times(ground, 1 + 0.25 * s.fractal(3, 3) + 0.3 * within * across)
    picture = mix(wall * opaque, mix(within * opaque * 0.4, picture, inside), rim)
    return picture + (glint * within * s.between(0.4, 1))[..., None]


def _froth(s: Sketch) -> np.ndarray:
    """Clear bubbles of many sizes on top of each other, in a liquid."""
    picture = gradient(s.palette(3, 0.15), 0.5 + 0.35 * s.noise(2)) if s.chance(0.7) else s.flat(s.colour())
    picture = np.ascontiguousarray(picture, F)
    rim = s.colour() if s.chance(0.6) else np.ones(3, F)
    largest, thin = s.spread(0.06, 0.2), s.spread(0.003, 0.012)
    a, opaque = s.between(0, TAU), s.between(0.35, 0.9)
    for _ in range(int(min(230, 1.1 / largest**2))):
        radius = largest * s.between(0.2, 1) ** 1.3 + 0.01
        cx, cy = s.rng.uniform(-0.55, 0.55, 2)
        row, column = (int((np.clip(c, -0.49, 0.49) + 0.5) * s.size) for c in (cy, cx))
        fill = picture[row, column].copy()

        def disc(x: float, y: float, r: float, colour: np.ndarray, width: int = -1) -> None:
            shade, middle = np.clip(colour, 0, 1).tolist(), s.pixels((x, y)).tolist()
            cv2.circle(picture, middle, int(r * s.size * 8), shade, width, cv2.LINE_AA, 3)

        if s.chance(0.7):
            disc(cx, cy, radius, fill * s.between(0.8, 1.25))
        width = max(1, int(round(thin * s.size * radius / 0.09)))
        disc(cx, cy, radius, rim * opaque + fill * (1 - opaque), width)
        if radius > 0.02:
            gx, gy = cx + math.cos(a) * radius * 0.5, cy + math.sin(a) * radius * 0.5
            disc(gx, gy, radius * s.between(0.1, 0.22), rim * 0.5 + 0.5)
            crescent = np.linspace(a + math.pi - 0.7, a + math.pi + 0.7, 7)
            arc = np.stack([cx + np.cos(crescent) * radius * 0.75, cy + np.sin(crescent) * radius * 0.75], -1)
            s.strokes(picture, [arc], (rim * 0.5 + fill * 0.5).tolist(), 0.005)
    return picture


def bubbly(s: Sketch) -> np.ndarray:
    """Bubbles: round, see-through, with rims and glints."""
    return worn(s, s.pick(_foam, _froth, _froth)(s), 0.3)


def _pebbles(s: Sketch, u: np.ndarray, v: np.ndarray) -> Relief:
    """Domes packed side by side, of one colour (hide, pumpkin) or each its own (stones): height, tint."""
    size = s.spread(0.045, 0.25)
    near, second, key, _, _ = cells(s, u / size, v / size, s.between(0.5, 1))
    if s.chance(0.5):  # stones with gaps between
        gap = edge(second - near, 0, s.between(0.15, 0.4))
        height = gap * np.clip(1 - (near / 0.85) ** 2, 0, 1) * size * s.between(0.5, 0.9)
    else:
        height = np.sqrt(np.clip(1 - (near / s.between(0.5, 0.75)) ** 2, 0, 1)) * size * s.between(0.3, 0.6)
    varied = s.per_cell(key)
    return height * (0.6 + 0.4 * s.per_cell(key)), varied * s.pick(0, 0.3, 0.8)


def _lumps(s: Sketch, u: np.ndarray, v: np.ndarray) -> Relief:
    """Smooth swellings of irregular form."""
    count = s.spread(5, 22)
    height = s.fractal(count, s.whole(1, 3), 0.35)
    return (np.abs(height) if s.chance(0.4) else height) * s.between(0.25, 0.5) / count, 0.4 * edge(
        height, -1, 1
    )


def _pimples(s: Sketch, u: np.ndarray, v: np.ndarray) -> Relief:
    """Separate bumps on a smooth surface: warts, gourds, orange peel seen close."""
    size = s.spread(0.06, 0.2)
    near, _, key, _, _ = cells(s, u / size, v / size, 0.9)
    radius = s.between(0.2, 0.42) * (0.5 + 0.5 * s.per_cell(key))
    height = np.clip(1 - (near / radius) ** 2, 0, 1) ** s.between(0.6, 1.5) * size * s.between(0.15, 0.35)
    return height, edge(height / size, 0, 0.2) * s.pick(0, 0.5)


def _studs(s: Sketch, u: np.ndarray, v: np.ndarray) -> Relief:
    """Round studs or dimples on a lattice: toy bricks, golf balls, rubber mats."""
    size, radius = s.spread(0.07, 0.22), s.between(0.28, 0.45)
    du, dv = hexagons(u / size, v / size)[:2] if s.chance(0.4) else squares(u / size, v / size)[:2]
    q = np.hypot(du, dv) / radius
    height = 1 - edge(q, 0.75, 1.05) if s.chance(0.35) else np.sqrt(np.clip(1 - q * q, 0, 1))
    return height * size * s.between(0.2, 0.45) * s.pick(1, 1, -1), 0 * u


def _rough(s: Sketch, u: np.ndarray, v: np.ndarray) -> Relief:
    """Stucco, bark, rock: relief at every scale."""
    height = s.fractal(s.spread(6, 16), 5, s.between(0.5, 0.65))
    return (height if s.chance(0.5) else -np.abs(height)) * s.between(0.02, 0.05), 0.5 * edge(height, -1, 1)


def bumpy(s: Sketch) -> np.ndarray:
    """Relief in one material: the light and its shadows make the texture, colour only follows."""
    u, v = s.plane()
    height, tint = s.pick(_pebbles, _pebbles, _pebbles, _lumps, _pimples, _studs, _rough)(s, u, v)
    height = (
        height
        + s.fractal(s.spread(10, 30), 3, 0.6) * s.pick(0, 0.001, 0.003)
        + 0.12 * s.noise(2) * s.pick(0, 1)
    )
    base, other = s.palette(2, 0.1)
    picture = mix(tint, s.flat(base * 0.75 + 0.2), other * 0.75 + 0.15)
    hollow = s.blur(height, 0.03) - height
    picture = times(picture, 1 - s.between(0.3, 0.8) * edge(hollow, 0, 0.03))
    return worn(
        s,
        lit(s, picture, s.blur(height, s.spread(0.003, 0.009)) * s.between(0.8, 1.6), 1, s.pick(0, 0.6, 0.9)),
        0.7,
    )


def _rod(s: Sketch, x: float, y: float, size: float) -> np.ndarray:
    a, half = s.between(0, math.pi), size * 1.3
    along, across = (
        np.array([math.cos(a), math.sin(a)]) * half,
        np.array([-math.sin(a), math.cos(a)]) * size * 0.35,
    )
    return np.array([x, y]) + np.array([along + across, along - across, -along - across, -along + across])


def _crumb(s: Sketch, x: float, y: float, size: float) -> np.ndarray:
    corners = np.array([x, y]) + s.rng.normal(0, size * 0.75, (s.whole(3, 6), 2))
    return cv2.convexHull(corners.astype(F))[:, 0]


def _pearl(s: Sketch, x: float, y: float, size: float) -> np.ndarray:
    a = np.linspace(0, TAU, 9)[:-1]
    return np.stack([x + size * 0.7 * np.cos(a), y + size * 0.7 * np.sin(a)], -1)


def sprinkled(s: Sketch) -> np.ndarray:
    """Many small separate bits strewn at random on a smooth ground: sugar, confetti, crumbs."""
    ground, *bits = s.palette(5, 0.2)
    picture = np.ascontiguousarray(times(ground, 1 + 0.12 * s.fractal(2.5, 3)), F)
    bit, size = s.pick(_rod, _crumb, _crumb, _pearl), s.spread(0.013, 0.05)
    bits = bits if s.chance(0.65) else bits[:1]
    shadow = s.rng.normal(0, 0.006, 2) if s.chance(0.5) else None
    clumps = s.noise(3) if s.chance(0.2) else 0 * s.x
    for _ in range(int(min(330, s.between(0.08, 0.3) / size**2))):
        x, y = s.rng.uniform(-0.5, 0.5, 2)
        corners = bit(s, x, y, size * s.between(0.7, 1.2))
        if clumps[int((y + 0.5) * s.size), int((x + 0.5) * s.size)] < -0.7:
            continue
        if shadow is not None:
            cv2.fillConvexPoly(picture, s.pixels(corners + shadow), (ground * 0.45).tolist(), cv2.LINE_AA, 3)
        colour = np.clip(s.pick(*bits) * s.between(0.75, 1.15), 0, 1).tolist()
        cv2.fillConvexPoly(picture, s.pixels(corners), colour, cv2.LINE_AA, 3)
    return worn(s, picture, 0.5)
