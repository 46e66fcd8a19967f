"""Surfaces without a lattice: blotchy, cracked, marbled."""

from __future__ import annotations

import numpy as np

from .lattices import cells
from .mixing import edge, gradient, mix, times
from .sketch import TAU, F, Sketch
from .surfaces import lit, worn


def _stain(
    s: Sketch,
    picture: np.ndarray,
    colour: np.ndarray,
    cells: float,
    level: float,
    soft: float,
    octaves: int = 4,
) -> np.ndarray:
    """Patches of colour where noise exceeds a level."""
    return mix(
        edge(s.fractal(cells, octaves, s.between(0.3, 0.65)), level - soft, level + soft), picture, colour
    )


def _coat(s: Sketch) -> np.ndarray:
    """Large crisp patches with a few satellites, as on a cow, a giraffe or a leaf."""
    ground, patch, third = s.palette(3, 0.25)
    size = s.spread(3, 7)
    picture = _stain(
        s, s.flat(ground), patch, size, s.between(-0.2, 0.3), s.spread(0.02, 0.12), s.whole(2, 5)
    )
    return (
        _stain(s, picture, third, size * 1.5, s.between(0.3, 0.7), s.spread(0.02, 0.12))
        if s.chance(0.4)
        else picture
    )


def _stains(s: Sketch) -> np.ndarray:
    """Soft stains at several scales over plaster or skin, one hue varying."""
    ground = s.colour() * 0.6 + 0.3
    picture = times(ground, 1 + 0.1 * s.fractal(3, 5, 0.7))
    for _ in range(s.whole(2, 4)):
        tint = np.clip(ground + s.rng.normal(0, 0.28, 3), 0, 1).astype(F)
        soft = s.spread(0.05, 0.5)
        picture = _stain(s, picture, tint, s.spread(3, 11), s.between(-0.1, 0.5), soft)
    return picture


def _splashes(s: Sketch) -> np.ndarray:
    """Overlapping ragged splashes of paint, of very different sizes."""
    colours = s.palette(s.whole(2, 5), 0.25)
    picture = s.flat(colours[0])
    ragged = s.fractal(s.spread(8, 20), 3, 0.6) * s.between(0.1, 0.4)
    for _ in range(s.whole(14, 45)):
        cx, cy = s.rng.uniform(-0.6, 0.6, 2)
        reach = np.hypot(s.x - cx, s.y - cy) / s.spread(0.02, 0.22) + ragged
        amount = (1 - edge(reach, 0.9, 1.0 + s.between(0.05, 0.4))) * s.between(0.6, 1)
        picture = mix(amount, picture, colours[s.whole(1, len(colours) - 1)])
    return picture


def _spots(s: Sketch) -> np.ndarray:
    """Irregular spots of all sizes, some with a core, some run together: rust, mould, a sick leaf."""
    ground, spot, core = s.palette(3, 0.2)
    picture = times(ground, 1 + 0.12 * s.fractal(3, 4, 0.6))
    u, v = s.x + s.fractal(s.spread(6, 14), 3, 0.6) * 0.03, s.y + s.fractal(s.spread(6, 14), 3, 0.6) * 0.03
    for size in (s.spread(0.2, 0.4), s.spread(0.08, 0.2)):
        near, _, key, _, _ = cells(s, u / size + 5, v / size + 5, 1)
        radius = s.between(0.3, 0.6) * s.per_cell(key) ** s.between(0.5, 1.5)
        soft = s.spread(0.02, 0.2)
        picture = mix(edge(radius - near, -soft, soft) * s.between(0.6, 1), picture, spot)
        if s.chance(0.5):
            picture = mix(edge(radius * 0.6 - near, -soft, soft), picture, core)
    return picture


def blotchy(s: Sketch) -> np.ndarray:
    """Irregular patches, sharp or soft, of a few tones and many sizes; no direction and no veins."""
    picture = s.pick(_coat, _coat, _stains, _splashes, _spots)(s)
    if s.chance(0.35):  # the side of a fruit or an animal: round, or darker towards one edge
        picture = lit(s, picture, 0.3 * s.noise(2) + 0.004 * s.fractal(20, 2) * s.pick(0, 1))
    return worn(s, picture, 0.8, 0.16)


def cracked(s: Sketch) -> np.ndarray:
    """Thin dark cracks that meet and enclose flat plates: mud, glaze, old paint."""
    u, v = s.plane()
    few = s.chance(0.2)  # a wall with some long cracks
    size, rough = (s.spread(0.45, 0.8), 0.25) if few else (s.spread(0.08, 0.38), s.between(0.06, 0.3))
    u, v = u + s.fractal(8, 4, 0.6) * size * rough, v + s.fractal(8, 4, 0.6) * size * rough
    near, second, key, _, _ = cells(s, u / size, v / size, 1)
    width = s.spread(0.014 if few else 0.008, 0.026) / size
    crack = 1 - edge(second - near, width * 0.3, width * 1.4)
    if s.chance(0.5):  # finer cracks in some places
        finer = size * s.between(0.35, 0.6)
        near2, second2, _, _, _ = cells(s, u / finer + 7, v / finer + 3, 1)
        fine = 1 - edge(second2 - near2, width * 0.3, width * 2)
        crack = np.maximum(crack, fine * s.between(0.3, 0.8) * edge(s.fractal(4, 2), -0.1, 0.5))
    crack = crack * np.clip(1 - np.maximum(0, s.noise(5) - s.between(0.4, 1)), 0, 1)
    plate = times(s.colour(), 1 + s.between(0.05, 0.25) * s.fractal(s.spread(3, 10), 4, 0.7)) * 0.65 + 0.27
    if s.chance(0.4):
        plate = times(plate, 1 + s.between(0.03, 0.2) * (s.per_cell(key) - 0.5))
    picture = mix(crack, plate, plate * s.between(0.05, 0.45) if s.chance(0.85) else s.colour())
    curl = (second - near) * size * s.pick(0, 0, 0.08)
    return worn(s, lit(s, picture, curl - crack * s.between(0.008, 0.03), 0.5), 0.7, 0.16)


def marbled(s: Sketch) -> np.ndarray:
    """Veins and swirls that flow into each other: stone, or ink on water."""
    u, _ = s.plane(bend=0)
    flow = s.displaced(s.fractal(s.between(2, 5), 4), s.between(0.03, 0.11), s.whole(3, 6))
    wave = np.sin(TAU * (u / s.spread(0.3, 1) + flow * s.between(0.5, 1.3)))
    kind = s.rng.random()
    if kind < 0.35:  # sparse thin veins in pale or dark stone
        stone, vein = s.palette(2, 0.25)
        thin = np.exp(-np.abs(wave) / s.between(0.04, 0.2)) * np.clip(0.6 + 0.6 * s.noise(4), 0, 1)
        picture = mix(thin, times(stone, 1 + 0.12 * s.fractal(3, 4, 0.6)), vein)
    elif kind < 0.75:
        first, second, cloud = s.palette(3, 0.3)
        picture = mix(np.abs(wave) ** s.between(0.25, 0.6), first, second)
        picture = mix(edge(s.fractal(3, 4), -0.7, 0.9) * s.between(0, 0.6), picture, cloud)
    else:
        picture = gradient(s.palette(s.whole(3, 6), 0.25), 0.5 + 0.5 * wave)
    return worn(s, picture, 0.4)
