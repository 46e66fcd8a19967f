"""Threads, hairs and strokes: braided, cobwebbed, crosshatched, fibrous, woven."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .mixing import gradient, mix, times
from .sketch import TAU, F, Sketch
from .surfaces import lit, worn


def braided(s: Sketch) -> np.ndarray:
    """Three strands plaited: one plait over a background, or many side by side."""
    u, v = s.plane()
    single = s.chance(0.2)
    width = s.spread(0.35, 0.75) if single else s.spread(0.14, 0.45)
    length, spacing = width * s.between(0.9, 1.8), s.between(1.0, 1.25)
    if single:
        u = u - u[s.size // 2, s.size // 2] + 0.5 * width * spacing + s.between(-0.1, 0.1)
    column = np.floor(u / (width * spacing))
    across = (u / (width * spacing) - column - 0.5) * 2 * spacing
    along = v / length * TAU + column * s.between(0, TAU)
    ground, *strands = s.palette(4, 0.25)
    strands = strands if s.chance(0.35) else strands[:1] * 3
    thick, fibres, depth = s.between(0.36, 0.5), s.whole(2, 6), s.between(0, 0.4)
    picture, top, height = (
        times(ground, s.between(0.15, 0.6) * (1 + 0.2 * s.noise(3))),
        np.full(u.shape, -9, F),
        0 * u,
    )
    for k, strand in enumerate(strands):
        a = along + k * TAU / 3
        slope = 0.55 * np.cos(a) * TAU / length * width / 2
        offset = (across - 0.55 * np.sin(a)) / thick / np.sqrt(1 + slope * slope)
        round_ = 1 - offset**2
        level = np.cos(2 * a) + 0.6 * round_
        seen = (round_ > 0) & (level > top) & ((column == 0) | (not single))
        hairs = 1 - depth * (0.5 + 0.5 * np.sin(offset * fibres * math.pi + v / width * s.between(-3, 3)))
        shade = (0.35 + 0.65 * np.clip(round_, 0, 1)) * hairs * (0.8 + 0.2 * np.cos(2 * a))
        picture = np.where(seen[..., None], times(strand * 0.9 + 0.1, shade), picture)
        height = np.where(seen, width * (0.12 * round_ + 0.05 * np.cos(2 * a)), height)
        top = np.where(seen, level, top)
    return worn(s, lit(s, picture * 1.15, height, 0.45))


def _web(s: Sketch, layer: np.ndarray) -> None:
    """One web: spokes from a hub, and sagging threads between neighbouring spokes."""
    hub, spokes, reach = s.rng.uniform(-0.45, 0.45, 2), s.whole(9, 27), 1.5
    angles = np.sort((np.arange(spokes) + s.rng.uniform(-0.35, 0.35, spokes)) * TAU / spokes)
    squeeze, gap, sag, uneven = (
        s.between(0.6, 1),
        s.spread(0.025, 0.075),
        s.between(0.02, 0.25),
        s.between(0.02, 0.25),
    )
    rings = int(reach / gap)
    radius = np.arange(1, rings + 1)[:, None] * gap + s.rng.normal(0, uneven * gap, (rings, spokes))
    radius = radius * (1 + 0.15 * np.sin(angles + s.between(0, TAU)))

    def at(r: np.ndarray, a: np.ndarray) -> np.ndarray:
        return np.stack([hub[0] + r * np.cos(a), hub[1] + squeeze * r * np.sin(a)], -1)

    ends = at(np.array([[0.0], [reach]]), angles[None])  # (2, spokes, 2)
    s.strokes(layer, ends.swapaxes(0, 1), s.between(0.6, 1), 0.007)
    following = np.r_[angles[1:], angles[:1] + TAU]
    outer = np.roll(radius, -1, axis=1)
    middle = (radius + outer) / 2 * (1 - sag * (following - angles)) * np.cos((following - angles) / 2)
    threads = np.stack([at(radius, angles), at(middle, (angles + following) / 2), at(outer, following)], 2)
    kept = (s.rng.random((rings, spokes)) > s.between(0, 0.25)) & (np.abs(threads).max((2, 3)) < 0.8)
    s.strokes(layer, threads[kept], s.between(0.4, 0.9), 0.006)


def cobwebbed(s: Sketch) -> np.ndarray:
    """Pale threads of one or two webs before something dark and out of focus."""
    layer = np.zeros((s.size, s.size), F)
    for _ in range(s.pick(1, 1, 1, 2)):
        _web(s, layer)
    if s.chance(0.4):  # loose threads
        s.strokes(layer, s.rng.uniform(-0.7, 0.7, (s.whole(3, 20), 2, 2)), s.between(0.2, 0.8), 0.006)
    if s.chance(0.4):
        layer = s.displaced(layer, s.between(0.008, 0.04), 4)
    if s.chance(0.5):  # dew, or a lamp behind
        layer = np.clip(layer + s.blur(layer, s.between(0.008, 0.024)) * s.between(0.2, 1), 0, 1)
    layer = layer * np.clip(0.85 + 0.4 * s.noise(4), 0.25, 1)
    behind = gradient(
        s.palette(3, 0.1) * s.between(0.15, 0.75), 0.5 + 0.4 * s.fractal(s.between(2, 5), 3, 0.4)
    )
    picture = mix(layer, behind, np.clip(s.colour() * 0.25 + 0.72, 0, 1))
    return 1 - picture if s.chance(0.1) else picture


def crosshatched(s: Sketch) -> np.ndarray:
    """Many thin strokes in two to four directions, drawn by hand or ruled."""
    layer = np.zeros((s.size, s.size), F)
    angle, gap, jitter, by_hand = (
        s.between(0, math.pi),
        s.spread(0.02, 0.085),
        s.between(0, 0.35),
        s.chance(0.75),
    )
    turns = [0, s.between(0.6, 2.5), *s.rng.uniform(0, math.pi, s.whole(0, 2))]
    for k, turn in enumerate(turns):
        c, sn, step = math.cos(angle + turn), math.sin(angle + turn), gap * s.between(0.8, 1.3)
        offset = np.arange(-0.75, 0.75, step)
        offset = offset + s.rng.normal(0, jitter * step * 0.5, len(offset))
        pieces = s.whole(2, 9) if by_hand else 1
        length = 1.6 / pieces * s.rng.uniform(0.7, 1.25, (len(offset), pieces))
        start = (
            np.arange(pieces) * 1.6 / pieces
            - 0.8
            + by_hand * s.rng.uniform(-0.08, 0.08, (len(offset), pieces))
        )
        lean = by_hand * s.rng.normal(0, 0.03 + jitter * 0.1, (len(offset), pieces))
        t = start[..., None] + length[..., None] * np.array([0, 0.5, 1])  # (strokes, pieces, 3)
        w = (
            offset[:, None, None]
            + lean[..., None] * (t - start[..., None])
            + by_hand * s.rng.normal(0, 0.002, t.shape)
        )
        lines = np.stack([c * t - sn * w, sn * t + c * w], -1).reshape(-1, 3, 2)
        lines = lines[s.rng.random(len(lines)) < (s.between(0.6, 1) if k > 1 else 1)]
        hatch = np.zeros_like(layer)
        s.strokes(hatch, lines, s.between(0.6, 1), min(s.spread(0.004, 0.016), gap / 3))
        layer = 1 - (1 - layer) * (1 - hatch * 0.85)
    if s.chance(0.4):
        layer = s.displaced(layer, s.between(0.008, 0.05))
    if s.chance(0.5):
        layer = layer * np.clip(0.75 + 0.5 * s.noise(s.between(3, 8)), 0.25, 1)
    ink, paper = s.dark_and_light(0.35)
    if s.chance(0.2):
        ink, paper = paper, ink
    return worn(s, mix(layer, times(paper, 1 + 0.1 * s.fractal(3, 3)), ink), 0.4)


def _hairs(s: Sketch) -> np.ndarray:
    """Single hairs, each a curved stroke, light over dark."""
    count, main = s.whole(150, 420), s.between(0, math.pi)
    angle = s.rng.normal(main, s.spread(0.05, 0.6), count)
    length, curl = s.rng.uniform(0.2, 0.9, count), s.rng.normal(0, s.between(0, 0.35), count)
    bent = angle[:, None] + 4 * curl[:, None] * np.linspace(-0.5, 0.5, 6)
    start = (
        s.rng.uniform(-0.65, 0.65, (count, 2))
        - np.stack([np.cos(angle), np.sin(angle)], -1) * length[:, None] / 2
    )
    step = np.stack([np.cos(bent), np.sin(bent)], -1) * (length / 6)[:, None, None]
    lines = start[:, None] + np.cumsum(step, 1)  # (count, 6, 2)
    tone = s.rng.random(count) ** s.between(0.6, 2)
    if s.chance(0.6):
        tone = np.sort(tone)
    root, tip = s.palette(2, 0.25)
    picture = np.ascontiguousarray(s.flat(root * s.between(0.3, 0.9)), F)
    width = s.pick(0.006, 0.008, 0.014)
    for line, t in zip(lines, tone, strict=True):
        s.strokes(picture, [line], (root * s.between(0.3, 1) * (1 - t) + tip * t).tolist(), width)
    return picture


def _streaks(s: Sketch) -> np.ndarray:
    """A bundle of parallel fibres, finer than one can count: wood, muscle, asbestos."""
    u, v = s.plane(bend=1.5)
    table = s.rng.random((256, 256)).astype(F)
    tone = 0
    for fine, weight in ((s.spread(40, 100), 1.0), (s.spread(12, 35), 0.7), (s.spread(4, 8), 0.3)):
        along = v * fine * s.between(0.03, 0.09)
        place = (u * fine % 256).astype(F), (along % 256).astype(F)
        tone = tone + weight * (cv2.remap(table, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP) - 0.5)
    picture = gradient(s.palette(s.whole(2, 3), 0.3), 0.5 + tone * s.between(0.5, 1))
    return lit(s, picture, tone * s.between(0.003, 0.012), 0.5)


def fibrous(s: Sketch) -> np.ndarray:
    """Thin threads mostly in one direction, crossing a little, uneven in tone."""
    return worn(s, s.pick(_hairs, _hairs, _streaks)(s), 0.4)


def woven(s: Sketch) -> np.ndarray:
    """Threads or splints passing over and under each other at right angles."""
    u, v = s.plane()
    size, width = s.spread(0.04, 0.2), s.between(0.75, 1)
    u, v = u / size, v / size * (s.between(0.4, 1) if s.chance(0.3) else 1)  # equal threads, or flat splints
    i, j = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    du, dv = u - i - 0.5, v - j - 0.5
    over = (i + j) % 2 == 0 if s.chance(0.65) else (i + j) % 4 < 2  # plain weave or twill
    round_u, round_v = np.clip(1 - (du / width * 2) ** 2, 0, 1), np.clip(1 - (dv / width * 2) ** 2, 0, 1)
    rise_u, rise_v = (
        np.cos(math.pi * dv) * np.where(over, 1, -1),
        np.cos(math.pi * du) * np.where(over, -1, 1),
    )
    on_u, on_v = (round_u > 0) & ((round_v <= 0) | (rise_u > rise_v)), round_v > 0
    fibre, count = s.between(0, 0.35), s.whole(2, 6)
    warp_, weft, gap = s.palette(3, 0.15) * 0.8 + 0.2
    weft = warp_ if s.chance(0.5) else weft

    def thread(across: np.ndarray, round_: np.ndarray, rise: np.ndarray) -> np.ndarray:
        return (
            (0.4 + 0.6 * round_)
            * (0.72 + 0.28 * rise)
            * (1 - fibre * (0.5 + 0.5 * np.sin(across * count * TAU)))
        )

    below = np.where(on_v[..., None], times(weft, thread(dv, round_v, rise_v)), gap * 0.25)
    picture = np.where(on_u[..., None], times(warp_, thread(du, round_u, rise_u)), below)
    height = np.where(on_u, round_u + rise_u, np.where(on_v, round_v + rise_v, -2)) * size * 0.1
    return worn(s, lit(s, picture * 1.1, height, 0.45))
