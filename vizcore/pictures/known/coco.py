"""COCO's annotations (Lin et al., ECCV 2014): polygons and run lengths become masks."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..images import MAX_PIXELS, PictureError

FINE = 5  # parts of a pixel, on which corners are put
FAR = 1_000_000  # pixels: corners further out are put there
MOST_BYTES = 20_000_000  # of an annotation file
MOST_PIXELS = 2_000_000_000  # that all shapes which are drawn may cross: some ten seconds
MOST_KEPT = 400_000_000  # that all masks may have: a byte each


def read_coco(data: bytes, files: Container[str] | None = None) -> dict[str, dict[str, np.ndarray]]:
    """An annotation file: by picture, and by class, where objects of that class are, (H, W) bool.

    Args:
        files: only of pictures of these names, without their folders; of the others nothing is drawn.

    Raises:
        PictureError: it is no such file, names a class or a picture that it lacks, a shape is broken, or
            there is more in it than can be held.
    """
    if len(data) > MOST_BYTES:
        raise PictureError(
            f"The annotation file has {len(data) / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:.0f} can be read."
        )
    try:
        found = json.loads(data)
        sizes = {
            one["id"]: (one["file_name"], int(one["height"]), int(one["width"])) for one in found["images"]
        }
        classes = {one["id"]: str(one["name"]) for one in found["categories"]}
        masks: dict[str, dict[str, np.ndarray]] = {}
        drawn = kept = 0
        for one in found["annotations"]:
            file, height, width = sizes[one["image_id"]]
            if files is not None and _path(str(file)).name not in files:
                continue
            shapes = one["segmentation"]
            drawn += height * width * (1 if isinstance(shapes, dict) else len(shapes))
            kept += height * width * (classes[one["category_id"]] not in masks.get(str(file), {}))
            if drawn > MOST_PIXELS or kept > MOST_KEPT:
                raise PictureError(
                    "The annotation file holds more shapes than can be drawn here; choose fewer pictures."
                )
            mask = region(shapes, height, width)
            if mask.any():
                known = masks.setdefault(str(file), {})
                name = classes[one["category_id"]]
                known[name] = known[name] | mask if name in known else mask
    except PictureError:
        raise
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError) as error:
        raise PictureError(
            "This is no COCO annotation file: it needs images, categories and annotations with a "
            "segmentation that name each other."
        ) from error
    return masks


def matched(pictures: Mapping[str, str], files: Iterable[str]) -> dict[str, str]:
    """Which of an annotation file's pictures is which of those here, by their names and folders.

    The names have to be equal, but for their endings; equal endings and folders decide between several.

    Args:
        pictures: the paths of those here, by any key. files: the paths of those that it speaks of.

    Returns:
        By the keys of ``pictures``, of those that it speaks of.

    Raises:
        PictureError: several are as near.
    """
    called: dict[str, list[str]] = {}
    for key, path in pictures.items():
        called.setdefault(_path(path).stem, []).append(key)
    nearest: dict[str, list[str]] = {}
    for file in files:
        keys = called.get(_path(file).stem, [])
        for key in _best(keys, lambda key, file=file: _near(pictures[key], file), file):
            nearest.setdefault(key, []).append(file)
    return {
        key: file
        for key, own in nearest.items()
        for file in _best(own, lambda file, key=key: _near(pictures[key], file), pictures[key])
    }


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))


def _near(path: str, file: str) -> tuple[int, bool]:
    """How many folders, from the last on, two paths have in common, and whether their endings are one."""
    mine, theirs = _path(path), _path(file)
    pairs = zip(reversed(mine.parent.parts), reversed(theirs.parent.parts), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs)), mine.name == theirs.name


def _best(names: list[str], near: Callable[[str], tuple[int, bool]], of: str) -> list[str]:
    """The one that is nearest, or none of none."""
    found = sorted(names, key=near)[-2:]
    if len(found) == 2 and near(found[0]) == near(found[1]):
        raise PictureError(
            f"Which picture the JSON means by {of[-60:]} isn't known: there are several of that name."
        )
    return found[-1:]


def region(segmentation: Any, height: int, width: int) -> np.ndarray:
    """One object: a list of polygons, or run lengths as numbers or packed, (height, width) bool.

    Raises:
        PictureError: the size can't be, or the run lengths don't fill it.
    """
    if not (0 < height and 0 < width and height * width <= MAX_PIXELS):
        raise PictureError(f"An annotation speaks of a picture of {width} × {height} pixels.")
    if isinstance(segmentation, dict):
        counts = segmentation["counts"]
        return runs(unpacked(counts) if isinstance(counts, str | bytes) else counts, height, width)
    mask = np.zeros((height, width), bool)
    for polygon in segmentation:
        mask |= _polygon(polygon, height, width)
    return mask


def runs(counts: Sequence[int], height: int, width: int) -> np.ndarray:
    """Run lengths, outside first, down the columns: (height, width) bool."""
    lengths = np.asarray(counts, dtype=np.int64)
    if lengths.ndim != 1 or (lengths < 0).any() or lengths.sum() != height * width:
        raise PictureError(f"Run lengths don't fill their picture of {width} × {height} pixels.")
    flat = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return flat.reshape(width, height).T.copy()


def unpacked(packed: str | bytes) -> list[int]:
    """COCO's packed run lengths: five bits a character, from the third on as the change since two before."""
    found: list[int] = []
    value = shift = 0
    for code in packed.encode() if isinstance(packed, str) else packed:
        bits = code - 48
        if not 0 <= bits < 64:
            raise PictureError("Packed run lengths hold a character that isn't theirs.")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            if shift > 60:
                raise PictureError("A packed run length is longer than any picture.")
            continue
        if bits & 16:
            value -= 1 << shift
        found.append(value + (found[-2] if len(found) > 2 else 0))
        value = shift = 0
    return found


def _polygon(corners: Sequence[float], height: int, width: int) -> np.ndarray:
    """A polygon x, y, x, y, ... in pixels, as COCO's own reader has it: down each column, inside begins and
    ends where an edge crosses the column's middle, all on a grid of fifths of a pixel (``FINE``).
    """
    points = np.asarray(corners, dtype=float).reshape(-1, 2)
    if not np.isfinite(points).all() or len(points) < 3:
        raise PictureError("A polygon needs three corners or more, of finite numbers.")
    points = (points.clip(-FAR, FAR) * FINE + 0.5).astype(int)  # towards 0, as theirs
    turns = np.zeros((height + 1, width), int)  # how often an edge crosses a column right above a row
    for start, end in zip(points, np.roll(points, -1, 0), strict=True):
        columns, fine = _crossings(start, end, width)
        rows = np.ceil((fine + 0.5) / FINE - 0.5).clip(0, height).astype(int)
        turns[rows, columns] += 1
    return turns.cumsum(0)[:height] % 2 == 1


def _crossings(start: np.ndarray, end: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """The columns whose middle an edge crosses, and at which height; ends and heights on the fine grid."""
    (low, high), half = sorted((int(start[0]), int(end[0]))), FINE // 2
    first, last = max(-(-(low - half) // FINE), 0), min((high - half - 1) // FINE, width - 1)
    columns = np.arange(first, max(last + 1, first))
    before = columns * FINE + half  # the last fine column left of the middle; the next is right of it
    steep = int(abs(end[1] - start[1]) > abs(end[0] - start[0]))
    if start[steep] > end[steep]:  # an edge is walked from its lesser end, along its longer axis
        start, end = end, start
    if not steep:
        slope = (end[1] - start[1]) / max(end[0] - start[0], 1)
        heights = [np.floor(start[1] + slope * (at - start[0]) + 0.5) for at in (before, before + 1)]
        return columns, np.minimum(*heights)
    slope = (end[0] - start[0]) / (end[1] - start[1])
    if not slope:
        return columns[:0], before[:0]
    steps = (before + 0.5 - start[0]) / slope
    return columns, start[1] + (np.ceil(steps) if slope > 0 else np.floor(steps) + 1) - 1
