"""The same picture with its shapes taken away, or its textures: what does a network still know it by?

After Geirhos et al. (ICLR 2019), who ask by which of two cues a network names a picture, and Naseer et al.
(NeurIPS 2021), who shuffle and drop patches. Every change takes an array (H, W, 3) uint8 and returns one, the
same for the same seed. None is pure: shuffled patches have edges of their own, and a blur takes fine shapes
along with textures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

CELLS = 16  # rows, and columns, of which patches are dropped
GREY = 127


class Given(NamedTuple):
    """What a change is made of, beside the picture."""

    seed: int = 0
    mask: np.ndarray | None = None  # (H, W) bool: where the thing is
    other: np.ndarray | None = None  # (H, W, 3) uint8: another picture, of the same size


NOTHING = Given()


def shuffled(picture: np.ndarray, rows: float, given: Given = NOTHING) -> np.ndarray:
    """Its patches, ``rows`` by ``rows``, in an order drawn by lot; pixels that are left over stay."""
    count = int(rows)
    height, width = (side // count for side in picture.shape[:2])
    if count <= 1 or min(height, width) < 1:
        return picture.copy()
    top, left = (
        (side - count * one) // 2 for side, one in zip(picture.shape[:2], (height, width), strict=True)
    )
    inside = slice(top, top + count * height), slice(left, left + count * width)
    patches = picture[inside].reshape(count, height, count, width, -1).swapaxes(1, 2)  # (n, n, h, w, 3)
    order = np.random.default_rng(given.seed).permutation(count**2)
    mixed = patches.reshape(count**2, height, width, -1)[order].reshape(patches.shape)
    changed = picture.copy()
    changed[inside] = mixed.swapaxes(1, 2).reshape(count * height, count * width, -1)
    return changed


def blurred(picture: np.ndarray, percent: float, _given: Given = NOTHING) -> np.ndarray:
    """A Gaussian blur whose sigma is so many percent of the shorter side."""
    return _bytes(_low(picture, percent)) if percent else picture.copy()


def high_passed(picture: np.ndarray, percent: float, _given: Given = NOTHING) -> np.ndarray:
    """What that blur takes away, on grey: only what is finer than it stays."""
    return _bytes(picture - _low(picture, percent) + GREY) if percent else picture.copy()


def _low(picture: np.ndarray, percent: float) -> np.ndarray:
    sigma = percent / 100 * min(picture.shape[:2])
    return cv2.GaussianBlur(picture.astype(np.float32), (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101)


def edges(picture: np.ndarray, on: float, _given: Given = NOTHING) -> np.ndarray:
    """Dark lines on white where the picture changes most, as in a drawing; no colour, no shade."""
    if not on:
        return picture.copy()
    grey = cv2.GaussianBlur(picture.astype(np.float32).mean(-1), (0, 0), max(picture.shape[:2]) / 384)
    padded = np.pad(grey, 1, "edge")
    strength = np.hypot(padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1])
    drawn = 255 * (1 - np.minimum(strength / max(np.quantile(strength, 0.98), 1e-6), 1))
    return _bytes(np.repeat(drawn[..., None], 3, -1))


def dropped(picture: np.ndarray, percent: float, given: Given = NOTHING) -> np.ndarray:
    """So many percent of ``CELLS`` by ``CELLS`` patches, drawn by lot, in the picture's mean colour."""
    order = np.random.default_rng(given.seed).permutation(CELLS**2)
    gone = (order < round(percent / 100 * CELLS**2)).reshape(CELLS, CELLS)
    rows, columns = (
        (2 * np.arange(side) + 1) * CELLS // (2 * side) for side in picture.shape[:2]
    )  # a pixel is in the cell that its middle is in
    mean = picture.reshape(-1, 3).mean(0).round().astype(np.uint8)
    return np.where(gone[rows[:, None], columns[None]][..., None], mean, picture)


def silhouette(picture: np.ndarray, on: float, given: Given = NOTHING) -> np.ndarray:
    """The thing in black, all else in white.

    Raises:
        ValueError: there is no mask.
    """
    if not on:
        return picture.copy()
    return np.repeat(np.where(_mask(given), 0, 255).astype(np.uint8)[..., None], 3, -1)


def filled(picture: np.ndarray, on: float, given: Given = NOTHING) -> np.ndarray:
    """The thing's outline, filled with the other picture; what is around it stays.

    Raises:
        ValueError: there is no mask, or no other picture.
    """
    if not on:
        return picture.copy()
    return np.where(_mask(given)[..., None], _other(picture, given), picture)


def amplitudes(picture: np.ndarray, percent: float, given: Given = NOTHING) -> np.ndarray:
    """Its phases under amplitudes that are so many percent the other's (Oppenheim & Lim, 1981).

    Phases hold where edges are, amplitudes how much of each fineness and direction there is.

    Raises:
        ValueError: there is no other picture.
    """
    if not percent:
        return picture.copy()
    return _bytes(exchanged(picture.astype(float), _other(picture, given).astype(float), percent / 100))


def exchanged(picture: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """``amplitudes`` before they are rounded and cut to what a pixel can hold, (H, W, 3)."""
    own, strange = (np.fft.fft2(one, axes=(0, 1)) for one in (picture, other))
    amplitude = (1 - share) * np.abs(own) + share * np.abs(strange)
    return np.fft.ifft2(amplitude * np.exp(1j * np.angle(own)), axes=(0, 1)).real


def _mask(given: Given) -> np.ndarray:
    if given.mask is None:
        raise ValueError("It isn't known where the thing is, so it has no outline.")
    return given.mask


def _other(picture: np.ndarray, given: Given) -> np.ndarray:
    if given.other is None or given.other.shape != picture.shape:
        raise ValueError("Another picture of the same size is needed.")
    return given.other


def _bytes(values: np.ndarray) -> np.ndarray:
    return values.round().clip(0, 255).astype(np.uint8)


# ---------------------------------------------------------------- the table


class Change(NamedTuple):
    """A change of pictures, from nothing to its strongest."""

    make: Callable[[np.ndarray, float, Given], np.ndarray]
    levels: Sequence[float]  # the first changes nothing
    words: str  # of one level: "{:g} × {:g} patches"
    takes: str  # "shape", "texture" or "both": what it takes away
    needs: tuple[str, ...] = ()  # of ``Given``: "mask", "other"

    def named(self, level: float) -> str:
        """A level in words."""
        return self.words.replace("{}", f"{level:g}") if level != self.levels[0] else "as it is"


CHANGES: dict[str, Change] = {
    "shuffled": Change(shuffled, (1, 2, 4, 8, 16), "{} × {} patches", "shape"),
    "blurred": Change(blurred, (0, 0.5, 1, 2, 4, 8), "blur of {} %", "texture"),
    "high-passed": Change(high_passed, (0, 8, 4, 2, 1, 0.5), "finer than {} %", "both"),
    "edges": Change(edges, (0, 1), "as a drawing", "texture"),
    "patches dropped": Change(dropped, (0, 25, 50, 75, 90), "{} % gone", "both"),
    "silhouette": Change(silhouette, (0, 1), "black on white", "texture", ("mask",)),
    "another filling": Change(filled, (0, 1), "filled with another", "texture", ("mask", "other")),
    "another's amplitudes": Change(
        amplitudes, (0, 25, 50, 75, 100), "{} % of another's", "texture", ("other",)
    ),
}


def filling(thing: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """A picture's middle, tiled in mirror images until it fills a frame of ``size`` (width, height).

    The middle third both ways: what a thing is made of, with little of its outline.
    """
    width, height = thing.size
    box = round(width / 3), round(height / 3), round(2 * width / 3), round(2 * height / 3)
    tile = np.asarray(thing.convert("RGB").crop((*box[:2], max(box[2], box[0] + 1), max(box[3], box[1] + 1))))
    more = [(0, max(0, side - own)) for side, own in zip(reversed(size), tile.shape[:2], strict=True)]
    return np.pad(tile, (*more, (0, 0)), "symmetric")[: size[1], : size[0]]
