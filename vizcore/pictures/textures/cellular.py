"""Cells beside each other, flat or cut: crystalline, honeycombed, polka-dotted, scaly."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .lattices import cells, hexagons, squares
from .mixing import edge, mix, times
from .sketch import KEYS, TAU, F, Sketch
from .surfaces import lit, worn


def _facets(s: Sketch) -> tuple[np.ndarray, np.ndarray]:
    """Cells broken into flat faces, each catching the light differently."""
    u, v = s.plane(bend=s.pick(0, 0, 0.6))
    size = s.spread(0.07, 0.34)
    near, second, key, du, dv = cells(s, u / size, v * s.between(0.5, 1) / size, 1)
    faces = s.whole(2, 5)
    sector = np.floor(((np.arctan2(dv, du) / TAU + s.per_cell(key)) % 1) * faces).astype(np.int32)
    tilt = s.per_cell(key, 2) - 0.5
    bright = s.per_cell(key) ** s.between(0.7, 1.6) * s.between(0.2, 0.6)
    bright = bright + s.per_cell((key * 8 + sector) % KEYS) * s.between(0.3, 0.7)
    bright = bright + (tilt[..., 0] * du + tilt[..., 1] * dv) * s.between(0.4, 1.6)
    if s.chance(0.5):
        _, _, key2, du2, _ = cells(s, u / size * 2 + 9, v / size * 1.3, 1)
        bright = bright * 0.65 + 0.35 * s.per_cell(key2) + 0.2 * du2
    rim = 1 - edge(second - near, 0, s.between(0.03, 0.1))
    return bright, rim * s.between(-0.3, 0.5)


def _shards(s: Sketch) -> tuple[np.ndarray, np.ndarray]:
    """Prisms growing out of a few roots, each with a bright side, a dark side and a ridge."""
    bright, ridge = np.full((s.size, s.size), s.between(0, 0.5), F), np.zeros((s.size, s.size), F)
    roots, thick, length = (
        s.rng.uniform(-0.7, 0.7, (s.whole(1, 5), 2)),
        s.spread(0.02, 0.08),
        s.spread(0.2, 0.6),
    )
    for _ in range(int(min(260, 9 / length / thick**0.6))):
        middle, root = s.rng.uniform(-0.6, 0.6, 2), s.pick(*roots)
        a = math.atan2(*(middle - root)[::-1]) + s.rng.normal(0, 0.35)
        along, across = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
        half, wide = length * s.between(0.3, 0.6), thick * s.between(0.4, 1.2)
        tip, shoulder, foot = middle + along * half, middle + along * (half - wide), middle - along * half
        for side, tone in ((1, s.between(0, 0.7)), (-1, s.between(0.3, 1))):
            face = [tip, shoulder + side * across * wide, foot + side * across * wide, foot]
            cv2.fillConvexPoly(bright, s.pixels(face), tone, cv2.LINE_AA, 3)
        cv2.fillConvexPoly(
            ridge,
            s.pixels(
                [
                    tip,
                    shoulder + across * wide,
                    foot + across * wide,
                    foot - across * wide,
                    shoulder - across * wide,
                ]
            ),
            0,
            cv2.LINE_AA,
            3,
        )
        s.strokes(ridge, [[tip, foot]], 0.7, 0.005)
    return bright + 0.1 * s.fractal(5, 3), ridge * s.between(0, 0.6)


def crystalline(s: Sketch) -> np.ndarray:
    """Flat shining faces with straight borders: gems, ice, quartz."""
    bright, rim = s.pick(_facets, _facets, _shards)(s)
    dark, light = s.dark_and_light(0.35)
    picture = mix(np.clip(bright, 0, 1), dark * 0.6, np.clip(light * 1.2 + 0.1, 0, 1)) + rim[..., None]
    glitter = (bright > s.between(0.8, 1)) * s.between(0.1, 0.6)
    return worn(s, picture + s.blur(glitter, 0.003)[..., None], 0.5)


def honeycombed(s: Sketch) -> np.ndarray:
    """Six-sided cells with walls, flat, hollow or filled."""
    u, v = s.plane()
    size = s.spread(0.055, 0.28)
    if s.chance(0.35):  # built by bees
        shift = s.noise(0.7 / size, 2) * size * 0.12
        u, v = u + shift[..., 0], v + shift[..., 1]
    du, dv, wall, key = hexagons(u / size, v / size)
    width, soft = s.between(0.04, 0.16), 0.006 / size
    comb = 1 - edge(wall, width - soft, width + soft)
    inside, line = s.palette(2, 0.25)
    base = s.flat(inside)
    if s.chance(0.5):
        base = times(base, 1 + s.between(0.1, 0.6) * (s.per_cell(key) - 0.5))
    if s.chance(0.6):  # hollow or domed
        base = times(base, s.pick(1.4 - 1.8 * np.clip(wall, 0, 0.5), 0.5 + 1.1 * np.clip(wall, 0, 0.5) * 2))
    if s.chance(0.4):  # the far wall of each cell catches the light
        a = s.between(0, TAU)
        base = times(base, 1 + 0.8 * (du * math.cos(a) + dv * math.sin(a)))
    return worn(s, lit(s, mix(comb, base, line), comb * s.between(0.01, 0.04), 0.45))


def polka_dotted(s: Sketch) -> np.ndarray:
    """Equal discs on a regular lattice, flat in colour."""
    u, v = s.plane()
    size, radius, soft = s.spread(0.055, 0.3), s.between(0.17, 0.4), s.between(0.005, 0.012)
    if s.chance(0.5):
        du, dv, _, key = hexagons(u / size, v / size)
    else:
        du, dv, key = squares(u / size, v / size)
    if s.chance(0.15):  # less regular
        du, dv = du + 0.16 * (s.per_cell(key) - 0.5), dv + 0.16 * (s.per_cell(key) - 0.5)
        radius = radius * (0.65 + 0.35 * s.per_cell(key))
    ground, *dots = s.palette(4, 0.3)
    dot = 1 - edge(np.hypot(du, dv), radius - soft / size, radius + soft / size)
    colour = np.array(dots)[key * 7919 % 3] if s.chance(0.3) else dots[0]
    return worn(s, mix(dot, s.flat(ground), colour))


def _snake(s: Sketch, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Diamonds side by side, each domed, some with a keel."""
    long = s.between(1.2, 2.2)
    du, dv, key = squares(u + v / long, u - v / long)  # the lattice stands on a corner
    q = 2 * (np.abs(du) ** 3 + np.abs(dv) ** 3) ** (1 / 3)
    first, second, gap = s.palette(3, 0.25)
    pattern = edge(s.fractal(3, 2), -0.2, 0.2) if s.chance(0.5) else s.per_cell(key) * s.between(0.2, 0.8)
    gap_at = s.between(0.75, 0.9)
    picture = mix(
        edge(q, gap_at, gap_at + 0.12), mix(pattern, first, second) * 0.8 + 0.15, gap * s.between(0.2, 0.6)
    )
    keel = s.pick(0, 0, 0.3) * np.exp(-(((du + dv) / 0.08) ** 2))
    return picture, np.sqrt(np.clip(1 - (q / 1.02) ** 2, 0, 1)) * 0.3 + keel * 0.3


def scaly(s: Sketch) -> np.ndarray:
    """Rows of overlapping plates, each row covering the roots of the next: fish, snake, roof, cone."""
    u, v = s.plane()
    size = s.spread(0.06, 0.28)
    if s.chance(0.22):
        picture, dome = _snake(s, u / size, v / size)
        return worn(s, lit(s, picture, dome * size, 0.9), 0.5)
    u, v, row_height = u / size, v / size, 0.5 * s.between(0.7, 1.3)
    radius, long, power = s.between(0.56, 0.7), s.between(0.9, 1.5), s.pick(2, 2, 1.5, 3)
    row = np.floor(v / row_height).astype(np.int32)
    q, down, key = np.zeros(u.shape, F), np.zeros(u.shape, F), np.zeros(u.shape, np.int32)
    for k in (2, 1, 0, -1, -2, -3):  # the row drawn last lies on top
        this = row + k
        shift = (this & 1) * 0.5
        column = np.floor(u - shift)
        du, dv = u - shift - column - 0.5, (v - this * row_height) / long
        distance = (np.abs(du) ** power + np.abs(dv) ** power) ** (1 / power) / radius
        on = distance < 1
        q, down = np.where(on, distance, q), np.where(on, dv / radius, down)
        key = np.where(on, (column.astype(np.int32) & 63) * 64 + (this & 63), key)
    first, second, rim = s.palette(3, 0.25)
    tone = s.per_cell(key) * s.between(0, 0.5) + q * s.between(0, 0.5)
    picture = mix(np.clip(tone, 0, 1), first, second) * 0.8 + 0.12
    picture = times(picture, (0.45 + 0.55 * (1 - q ** s.between(2, 6))) * (1 + s.between(-0.1, 0.5) * down))
    picture = mix(edge(q, s.between(0.78, 0.9), 1) * s.between(0.3, 1), picture, rim * s.pick(0.25, 0.25, 1))
    dome = np.sqrt(np.clip(1.02 - q * q, 0, 1)) * size * 0.25
    return worn(s, lit(s, picture, dome, 0.45))
