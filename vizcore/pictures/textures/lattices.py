"""Divisions of a surface into cells: irregular, square and six-sided. Lengths are in cells."""

from __future__ import annotations

import math

import numpy as np

from .sketch import KEYS, F, Sketch

Places = np.ndarray  # one value for each pixel, (size, size)


def cells(
    s: Sketch, u: Places, v: Places, jitter: float = 0.95
) -> tuple[Places, Places, Places, Places, Places]:
    """Worley cells of about one unit: nearest distance, second nearest, key, and the offset to the centre."""
    column, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    in_u, in_v = (u - column).astype(F), (v - row).astype(F)
    centres = (s.rng.random((KEYS, 2)).astype(F) - 0.5) * jitter + 0.5
    first, second = np.full(u.shape, 9e9, F), np.full(u.shape, 9e9, F)
    key, du, dv = np.zeros(u.shape, np.int32), np.zeros(u.shape, F), np.zeros(u.shape, F)
    for i in (-1, 0, 1):
        for j in (-1, 0, 1):
            candidate = ((column + i) & 63) * 64 + ((row + j) & 63)
            pu, pv = centres[candidate, 0] + i - in_u, centres[candidate, 1] + j - in_v
            distance = pu * pu + pv * pv
            nearer = distance < first
            second = np.where(nearer, first, np.minimum(second, distance))
            first = np.where(nearer, distance, first)
            key = np.where(nearer, candidate, key)
            du, dv = np.where(nearer, pu, du), np.where(nearer, pv, dv)
    return np.sqrt(first), np.sqrt(second), key, du, dv


def squares(u: Places, v: Places) -> tuple[Places, Places, Places]:
    """A square lattice of one unit: offset from the centre of the cell (-0.5 to 0.5) and key."""
    column, row = np.floor(u), np.floor(v)
    key = (column.astype(np.int32) & 63) * 64 + (row.astype(np.int32) & 63)
    return u - column - 0.5, v - row - 0.5, key


def hexagons(u: Places, v: Places) -> tuple[Places, Places, Places, Places]:
    """A hexagonal lattice, neighbours one unit apart: offset from the centre, distance to the wall, key."""
    root3 = math.sqrt(3)
    u1, v1 = u % 1 - 0.5, v % root3 - root3 / 2
    u2, v2 = (u - 0.5) % 1 - 0.5, (v - root3 / 2) % root3 - root3 / 2
    nearer = u1 * u1 + v1 * v1 < u2 * u2 + v2 * v2
    du, dv = np.where(nearer, u1, u2), np.where(nearer, v1, v2)
    column, row = np.round((u - du) * 2).astype(np.int32), np.round((v - dv) / root3 * 2).astype(np.int32)
    wall = 0.5 - np.maximum(np.abs(du), np.abs(du) * 0.5 + np.abs(dv) * root3 / 2)
    return du, dv, wall, (column & 63) * 64 + (row & 63)
