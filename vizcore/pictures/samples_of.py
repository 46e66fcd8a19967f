"""A sample of uploaded pictures: as many as are taken, spread evenly, and the names of their folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from PIL import Image

from .archives import Bounds, listed, unpacked
from .images import PictureError, read_picture
from .sets import FILE_MB, MOST, SIDE, SUFFIXES, TOTAL_MB

LISTED = 10_000  # files of a zip of which some are taken
BOUNDS = Bounds(SUFFIXES, LISTED, FILE_MB, TOTAL_MB)


class Some(NamedTuple):
    """What is taken."""

    pictures: list[Image.Image]
    names: tuple[str, ...]  # of the folder that each lies in; () where these aren't several, or not of all
    left_out: list[str]  # in sentences
    total: int  # pictures that there were


def some_of(files: Sequence[tuple[str, bytes]], most: int = MOST) -> Some:
    """Read up to ``most`` pictures of uploaded files (name, content), zips among them.

    Raises:
        PictureError: a zip that is refused, or no picture that can be read.
    """
    counts = [len(listed(data, BOUNDS)) if _is_zip(name) else 1 for name, data in files]
    total = sum(counts)
    taken = {k * total // min(most, total) for k in range(min(most, total))} if total else set()
    pictures, folders, left_out = [], [], []
    for place, (name, content) in enumerate(_each(files)):
        if place not in taken:
            continue
        try:
            pictures.append(read_picture(content, SIDE))
            folders.append(name.split("/")[-2] if "/" in name else "")
        except PictureError as error:
            left_out.append(f"{name[-60:]}: {error}")
    if not pictures:
        raise PictureError(left_out[0] if left_out else "There is no picture in it.")
    if total > len(taken):
        words = (
            f"{total - len(taken)} of {total} pictures are left out: at most {most} are taken, spread evenly."
        )
        left_out.insert(0, words)
    several = all(folders) and len(set(folders)) > 1
    return Some(pictures, tuple(folders) if several else (), left_out, total)


def _is_zip(name: str) -> bool:
    return name.lower().endswith(".zip")


def _each(files: Sequence[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    for name, data in files:
        if _is_zip(name):
            yield from unpacked(data, BOUNDS)
        else:
            yield name, data
