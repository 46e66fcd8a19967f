"""Sets of pictures to compare networks on: drawn, uploaded, from a folder, or CIFAR-100."""

from __future__ import annotations

import io
import os
import re
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, overload
from urllib.request import urlopen

import numpy as np
from PIL import Image

from . import textures
from .archives import DIRECTORY_BYTES, directory_bytes
from .images import PictureError, read_picture

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR100

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SIDE = 384  # the longer side of a picture that is kept: as much as the largest model here takes
MOST = 256  # pictures of an upload: 110 MB at that size
MB = 1_000_000
FILE_MB, TOTAL_MB = 20, 400  # what one picture of a zip, and all of them, may unpack to
RATIO = 100  # a file that shrinks by more than that holds no photograph
FIRST_SEED = 2_000_000  # of the drawn pictures: no training used these seeds
DOWNLOAD_SECONDS, PROBE_SECONDS = 300, 8


@dataclass(frozen=True)
class Pictures(Sequence[Image.Image]):
    """Pictures that are made one at a time when they are asked for, so that thousands take no memory."""

    length: int
    make: Callable[[int], Image.Image]

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
    def make(index: int) -> Image.Image:
        label = textures.LABELS[index % len(textures.LABELS)]
        return Image.fromarray(textures.single(label, FIRST_SEED * (1 + seed) + index, size).picture)

    return Pictures(count, make)


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

    return Pictures(len(order), make)


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

    Sizes are counted while unpacking, for a zip's own table can lie.

    Args:
        also: other endings, in small letters, of files that are wanted.

    Raises:
        PictureError: no zip, a bomb, encrypted, or with a zip, a link, a path that climbs out or no picture.
    """
    if (directory_bytes(data) or 0) > DIRECTORY_BYTES:
        raise PictureError(f"The zip holds too many files; at most {MOST} pictures can be taken.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if _wanted(info, SUFFIXES + also)]
            if not members:
                raise PictureError(f"The zip holds no picture ({', '.join(SUFFIXES)}).")
            if len(members) > MOST:
                raise PictureError(f"The zip holds {len(members)} pictures; at most {MOST} can be taken.")
            total = 0
            for info in members:
                content = _unpack(archive, info)
                total += len(content)
                if total > TOTAL_MB * MB:
                    raise PictureError(f"The zip unpacks to more than {TOTAL_MB} MB; choose fewer pictures.")
                yield info.filename, content
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError("The zip is damaged, cut short, or not a zip.") from error


def _wanted(info: zipfile.ZipInfo, endings: tuple[str, ...]) -> bool:
    """Whether a member is a file to unpack; raises for what no honest zip of pictures holds."""
    name = info.filename.replace("\\", "/")
    parts, shown = name.split("/"), name[-60:]
    if ".." in parts or name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise PictureError(f"The zip holds a path that leads out of it ({shown}); it is refused.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise PictureError(f"The zip holds a link ({shown}); it is refused.")
    if name.lower().endswith(".zip"):
        raise PictureError(f"The zip holds another zip ({shown}); unpack it first.")
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    if hidden or not name.lower().endswith(endings):
        return False
    if info.flag_bits & 0x1:
        raise PictureError("The zip is encrypted; pack it without a password.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PictureError(f"The zip is packed in an unusual way ({shown}); use plain zip (deflate).")
    return True


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    parts, size = [], 0
    with archive.open(info) as file:
        while part := file.read(MB):
            parts.append(part)
            size += len(part)
            if size > FILE_MB * MB or (size > MB and size > RATIO * max(info.compress_size, 1)):
                raise PictureError(
                    f"The zip is refused: {info.filename[-60:]} unpacks to far more than a photograph."
                )
    return b"".join(parts)


# ---------------------------------------------------------------- CIFAR-100


def cifar100(count: int, seed: int = 0, root: str | Path | None = None) -> Pictures:
    """Up to ``count`` of CIFAR-100's test pictures (32 × 32), mixed; downloaded once, 170 MB.

    Raises:
        PictureError: it can't be downloaded in time. Nothing is left behind then.
    """
    import torch

    from ..networks.torchvision_ops import torchvision

    data_set = torchvision.datasets.CIFAR100
    root = Path(root or Path(torch.hub.get_dir()) / "datasets")
    try:
        found = data_set(root, train=False)
    except RuntimeError:  # not there, or not whole
        try:
            _download(data_set, root)
            found = data_set(root, train=False)
        except (OSError, RuntimeError, EOFError) as error:
            why = "".join(str(getattr(error, "reason", error)).splitlines()[:1])[:120]
            raise PictureError(
                f"CIFAR-100 can't be downloaded ({why}); the drawn textures and your own pictures work "
                "without a download."
            ) from error
    order = np.random.default_rng(seed).permutation(len(found))[:count]
    return Pictures(len(order), lambda index: found[order[index]][0])


def _download(data_set: type[CIFAR100], root: Path) -> None:
    """Fetch and unpack the data set beside its place, and move it there when it is whole."""
    root.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + DOWNLOAD_SECONDS
    with tempfile.TemporaryDirectory(dir=root) as beside:
        with (
            urlopen(data_set.url, timeout=PROBE_SECONDS) as source,
            open(Path(beside) / data_set.filename, "wb") as file,
        ):
            while part := source.read(MB):
                file.write(part)
                if time.monotonic() > until:
                    raise OSError(f"it takes longer than {DOWNLOAD_SECONDS} s")
        data_set(beside, train=False, download=True)  # checks the sum, unpacks
        if not (root / data_set.base_folder).exists():
            os.replace(Path(beside) / data_set.base_folder, root / data_set.base_folder)
