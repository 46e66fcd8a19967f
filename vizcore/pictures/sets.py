"""Sets of pictures to compare networks on: drawn, uploaded, from a folder, or CIFAR-100."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import overload

import numpy as np
from PIL import Image

from . import cifar, textures
from .archives import DIRECTORY_BYTES, Bounds, unpacked
from .images import PictureError, read_picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SIDE = 384  # the longer side of a picture that is kept: as much as the largest model here takes
MOST = 256  # pictures of an upload: 110 MB at that size
FILE_MB, TOTAL_MB = 20, 400  # what one picture of a zip, and all of them, may unpack to
FIRST_SEED = 2_000_000  # of the drawn pictures: no training used these seeds


@dataclass(frozen=True)
class Pictures(Sequence[Image.Image]):
    """Pictures that are made one at a time when they are asked for, so that thousands take no memory."""

    length: int
    make: Callable[[int], Image.Image]
    names: tuple[str, ...] = ()  # of the class of each, where it is known

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> Image.Image: ...

    @overload
    def __getitem__(self, index: slice) -> list[Image.Image]: ...

    def __getitem__(self, index: int | slice) -> Image.Image | list[Image.Image]:
        if isinstance(index, slice):
            return [self.make(i) for i in range(*index.indices(self.length))]
        if not 0 <= index < self.length:
            raise IndexError(index)
        return self.make(index)


def drawn(count: int, seed: int = 0, size: int = 128) -> Pictures:
    """Textures drawn by code, one a picture, all twenty in turn. The latest 64 are kept."""

    @lru_cache(maxsize=64)
    def draw(index: int) -> Image.Image:
        label = textures.LABELS[index % len(textures.LABELS)]
        return Image.fromarray(textures.single(label, FIRST_SEED * (1 + seed) + index, size).picture)

    lock = Lock()

    def make(index: int) -> Image.Image:
        with lock:  # of two threads that ask for the same picture the second waits instead of drawing it too
            return draw(index)

    return Pictures(count, make, tuple(textures.LABELS[k % len(textures.LABELS)] for k in range(count)))


def folder(path: str | Path, count: int, seed: int = 0) -> Pictures:
    """Up to ``count`` pictures of a folder with a folder for each class (torchvision's ImageFolder), mixed.

    Raises:
        PictureError: there is no such folder, or no picture in it; when one is read, that it can't be.
    """
    root = Path(path).expanduser()
    if not root.is_dir():
        raise PictureError(f"There is no folder {str(path)[:200]!r} on this machine.")
    files = sorted(file for file in root.glob("*/*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if not files:
        raise PictureError(f"{root.name} holds no folders with pictures in them (class/picture.jpg).")
    order = np.random.default_rng(seed).permutation(len(files))[:count]

    @lru_cache(maxsize=64)
    def make(index: int) -> Image.Image:
        return _named(files[order[index]].name, files[order[index]].read_bytes())

    return Pictures(len(order), make, tuple(files[place].parent.name for place in order))


# ---------------------------------------------------------------- uploads


def read_files(files: Sequence[tuple[str, bytes]]) -> tuple[list[Image.Image], list[str]]:
    """The pictures of several uploaded files (name, content), zips among them, and what was left out.

    Raises:
        PictureError: a zip that is refused, more than ``MOST`` pictures, or none at all.
    """
    pictures, left_out = [], []
    for name, data in files:
        inside = read_zip(data) if name.lower().endswith(".zip") else [(name, data)]
        for one, content in inside:
            if len(pictures) == MOST:
                raise PictureError(f"There are more than {MOST} pictures; choose fewer.")
            try:
                pictures.append(_named(one, content))
            except PictureError as error:
                left_out.append(str(error))
    if not pictures:
        raise PictureError(left_out[0] if left_out else "There is no picture in it.")
    return pictures, left_out


def _named(name: str, data: bytes) -> Image.Image:
    try:
        return read_picture(data, SIDE)
    except PictureError as error:
        raise PictureError(f"{name[-60:]}: {error}") from error


def read_zip(data: bytes, also: tuple[str, ...] = ()) -> Iterator[tuple[str, bytes]]:
    """The picture files of a zip, (name, content) one at a time. Nothing is written to disk.

    Args:
        also: other endings, in small letters, of files that are wanted.

    Raises:
        PictureError: as ``archives.unpacked``, or without any picture.
    """
    return unpacked(data, Bounds(SUFFIXES + also, MOST, FILE_MB, TOTAL_MB, directory=DIRECTORY_BYTES))


# ---------------------------------------------------------------- CIFAR-100


def cifar100(count: int, seed: int = 0, root: str | Path | None = None) -> Pictures:
    """Up to ``count`` of CIFAR-100's test pictures (32 × 32), mixed; downloaded once, 170 MB.

    Raises:
        PictureError: it can't be downloaded in time. Nothing is left behind then.
    """
    import torch

    found = cifar.cifar(cifar.had(Path(root or Path(torch.hub.get_dir()) / "datasets")), "test")
    order = np.random.default_rng(seed).permutation(len(found.records))[:count]
    return Pictures(len(order), lambda index: found.picture(order[index]))
