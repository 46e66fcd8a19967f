"""Batches: crops of the pool, half of them mixed by a mask, with the share of every texture in every patch.

Batch number n is a function of (seed, n) alone, so training resumes without a trace and needs no state here.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from training.pool import KINDS

PATCH = 16  # pixels a side of the cells that are supervised
MASK_SIDE = 128


class Batch(NamedTuple):
    pictures: np.ndarray  # (B, size, size, 3) uint8, RGB
    target: np.ndarray  # (B, 20) float32: the share of each texture among the textures, sums to 1
    cells: np.ndarray  # (B, 21, size / PATCH, size / PATCH) float32: the share in each cell, background last


# ---------------------------------------------------------------- masks; none is an ellipse, blob or polygon


def _half(rng, x, y):
    """One side of a wavy line."""
    return (
        x
        + rng.uniform(-0.15, 0.15)
        + rng.uniform(0, 0.15) * np.sin(y * rng.uniform(2, 12) + rng.uniform(0, 6))
    )


def _bands(rng, x, y):
    """Two or three wide bands."""
    return np.cos(x * rng.uniform(6, 14) + rng.uniform(0, 6) + 0.5 * np.sin(y * rng.uniform(1, 6))) * 0.1


def _ring(rng, x, y):
    cx, cy = rng.uniform(-0.3, 0.3, 2)
    return rng.uniform(0.08, 0.18) - np.abs(np.hypot(x - cx, y - cy) - rng.uniform(0.2, 0.45))


def _crescent(rng, x, y):
    shift, radius = rng.uniform(0.15, 0.35), rng.uniform(0.4, 0.55)
    return np.minimum(radius - np.hypot(x, y), np.hypot(x - shift, y) - radius * rng.uniform(0.6, 0.9))


def _cross(rng, x, y):
    arm = rng.uniform(0.1, 0.22)
    return arm - np.minimum(np.abs(x - rng.uniform(-0.2, 0.2)), np.abs(y - rng.uniform(-0.2, 0.2)))


def _patchwork(rng, x, y):
    """Squares of a coarse board, each on or off."""
    n = int(rng.integers(2, 5))
    board = (rng.random((n, n)) < rng.uniform(0.35, 0.65)) - 0.5
    row, column = (np.clip((c + 0.5) * n, 0, n - 1).astype(int) for c in (y, x))
    return board[row, column]


MASKS = (_half, _bands, _ring, _crescent, _cross, _patchwork)


def draw_masks(count, seed):
    """(count, MASK_SIDE, MASK_SIDE) uint8 masks, 0 to 255, each covering a fifth to four fifths."""
    rng = np.random.default_rng([seed, 7])
    axis = (np.arange(MASK_SIDE, dtype=np.float32) + 0.5) / MASK_SIDE - 0.5
    x, y = np.meshgrid(axis, axis)
    masks = []
    while len(masks) < count:
        a = rng.uniform(0, 2 * math.pi) if rng.random() < 0.7 else 0
        u, v = x * math.cos(a) + y * math.sin(a), y * math.cos(a) - x * math.sin(a)
        field = MASKS[rng.integers(len(MASKS))](rng, u, v)
        soft = MASK_SIDE / rng.choice([2, 2, 12])
        mask = (np.clip(field * soft + 0.5, 0, 1) * 255).astype(np.uint8)
        if 0.2 < mask.mean() / 255 < 0.8:
            masks.append(mask)
    return np.stack(masks)


# ---------------------------------------------------------------- one picture


def crop(picture, rng, size):
    """A square of the picture, turned, mirrored and zoomed: (size, size, 3) uint8."""
    side = picture.shape[0]
    scale = math.exp(rng.uniform(math.log(0.6), math.log(min(1.3, side / size))))  # pool pixels a pixel
    a = rng.integers(4) * math.pi / 2 + (rng.uniform(-0.5, 0.5) if rng.random() < 0.3 else 0)
    c, s, mirror = math.cos(a) * scale, math.sin(a) * scale, rng.choice([-1, 1])
    free = max(0.0, (side - size * scale) / 2)
    cx, cy = side / 2 - 0.5 + rng.uniform(-free, free, 2)
    half = size / 2 - 0.5
    matrix = np.array([[mirror * c, -s, 0], [mirror * s, c, 0]])
    matrix[:, 2] = np.array([cx, cy]) - matrix[:, :2] @ [half, half]
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (size, size), flags=how, borderMode=cv2.BORDER_REFLECT_101)


def recolour(picture, rng):
    """Another light: gains, contrast, brightness, gamma; often grey, or the colours exchanged."""
    kind = rng.random()
    if kind < 0.15:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    elif kind < 0.3:
        picture = np.ascontiguousarray(picture[..., rng.permutation(3)])
    elif kind < 0.45:  # every colour partly mixed into the others
        rows = np.eye(3) * 0.7 + rng.uniform(-0.2, 0.4, (3, 3))
        picture = cv2.transform(picture, rows / rows.sum(1, keepdims=True).clip(0.5))
    if rng.random() < 0.8:
        levels = np.linspace(0, 1, 256)[:, None] ** math.exp(rng.uniform(-0.5, 0.5))
        levels = (levels * rng.uniform(0.8, 1.2, 3) - 0.5) * rng.uniform(0.5, 1.4) + 0.5
        picture = cv2.LUT(
            picture, (np.clip(levels + rng.uniform(-0.15, 0.15), 0, 1) * 255).astype(np.uint8)[None]
        )
    return picture


def _grain(picture, rng):
    grain = np.empty(picture.shape, np.int16)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    cv2.randn(grain, 0, rng.uniform(2, 14))
    return cv2.add(picture, grain, dtype=cv2.CV_8U)


def _blur(picture, rng):
    return cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.5))


def _sharpen(picture, rng):
    amount = rng.uniform(0.3, 1.5)
    return cv2.addWeighted(picture, 1 + amount, cv2.GaussianBlur(picture, (0, 0), 1), -amount, 0)


def _coarsen(picture, rng):
    """As if from fewer pixels."""
    side = int(len(picture) * rng.uniform(0.45, 0.85))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, picture.shape[:2], interpolation=cv2.INTER_CUBIC)


def _jpeg(picture, rng):
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
    return cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR)


SPOILERS = ((0.1, _blur), (0.1, _sharpen), (0.08, _coarsen), (0.2, _grain), (0.08, _jpeg))  # chance, what


def spoil(picture, rng):
    """What cameras and files do to a whole picture, each sometimes."""
    for chance, change in SPOILERS:
        if rng.random() < chance:
            picture = change(picture, rng)
    return picture


# ---------------------------------------------------------------- one batch


def _any(rng, pool, texture):
    """The index of a random texture, or of a random distractor, in the pool."""
    kind = rng.integers(KINDS - 1) if texture else KINDS - 1
    return int(kind + KINDS * rng.integers(len(pool) // KINDS))


def make(pool, masks, seed, number, size, count=64):
    """Batch `number`: a third whole frames and more, a fifth before a distractor, the rest two textures.

    Without masks (an empty row of them) every frame is one texture's.
    """
    rng = np.random.default_rng([seed, 11, number])
    grid = size // PATCH
    pictures = np.empty((count, size, size, 3), np.uint8)
    cells = np.zeros((count, KINDS, grid, grid), np.float32)
    for n in range(count):
        index = _any(rng, pool, True)
        picture = recolour(crop(pool[index], rng, size), rng)
        if n % 2 and len(masks):
            other = _any(rng, pool, rng.random() < 0.6)
            mask = masks[rng.integers(len(masks))]
            mask = cv2.resize(np.rot90(mask, rng.integers(4)), (size, size), interpolation=cv2.INTER_AREA)
            share = mask.reshape(grid, PATCH, grid, PATCH).mean((1, 3)) / 255
            weight = mask[..., None].astype(np.float32) / 255
            behind = recolour(crop(pool[other], rng, size), rng)
            picture = (picture * weight + behind * (1 - weight) + 0.5).astype(np.uint8)
            cells[n, other % KINDS] += 1 - share
            cells[n, index % KINDS] += share
        else:
            cells[n, index % KINDS] = 1
        pictures[n] = spoil(picture, rng)
    target = cells[:, :-1].mean((2, 3))
    return Batch(pictures, target / target.sum(1, keepdims=True), cells)
