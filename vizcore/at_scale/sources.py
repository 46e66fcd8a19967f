"""Where a study's pictures come from: a folder, a zip or a data set, as a list of what can be read."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from ..pictures.archives import MB
from ..pictures.cifar import cifar
from ..pictures.images import PictureError, read_picture
from ..pictures.sets import SUFFIXES
from . import data_sets

FILE_MB = 100  # a larger file is no photograph
DATA_SETS = data_sets.NAMES
LONGEST = 400  # characters of a reason


class Item(NamedTuple):
    """One picture of a study, which has not been read yet."""

    name: str  # its path within the folder or zip, with slashes; what is no text is written as \\x..
    kind: str  # the name of its class's folder; "" where there is none
    size: int  # bytes, as the file system or the zip has it
    read: Callable[[], Image.Image]  # raises PictureError or OSError


class Source(NamedTuple):
    where: str  # in words, or a path
    items: Sequence[Item]  # sorted by name, so that everybody who lists them has the same


def pictures_of(data: str | Path, split: str = "test") -> Source:
    """The pictures of a folder (a class a folder, or flat, or deeper), of a zip, or of a data set.

    What looks like a picture by its name and can't be taken (a link that leads out, a pipe, a file of
    gigabytes) is an item whose reading says why.

    Args:
        split: of a data set, or of a folder that is a copy of one, "train" or "test".

    Raises:
        PictureError: there is no such thing, or no picture in it.
    """
    path = Path(data).expanduser()
    known = data_sets.found(data)
    if known is not None:
        found = list(_of_data_set(*known, split))
    elif path.is_dir():
        found = list(_of_folder(path.resolve()))
    elif path.is_file():
        found = list(_of_zip(path))
    else:
        raise PictureError(f"There is no folder, zip or data set {str(data)[:200]!r} here.")
    if not found:
        raise PictureError(f"{shown(path.name)} holds no pictures ({', '.join(SUFFIXES)}).")
    return Source(str(path) if path.exists() else str(data), sorted(found, key=lambda item: item.name))


def shown(name: str) -> str:
    """A file's name as text, whatever bytes it is made of; what can't be shown is escaped."""
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# ---------------------------------------------------------------- a folder


def _of_folder(root: Path) -> Iterator[Item]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in folders:  # which os.walk lists and doesn't follow
            path = Path(folder, name)
            if path.is_symlink():
                yield _refused(root, path, "a link to a folder isn't followed.")
        for name in files:
            if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                yield _of_file(root, Path(folder, name))


def _of_file(root: Path, path: Path) -> Item:
    try:
        real = path.resolve(strict=True)
        status = real.stat()
    except (OSError, RuntimeError):  # a link to nothing, or in a circle
        return _refused(root, path, "it can't be opened, or is a link that leads nowhere.")
    if not real.is_relative_to(root):
        return _refused(root, path, "it is a link that leads out of the folder.")
    if not stat.S_ISREG(status.st_mode):
        return _refused(root, path, "it is no ordinary file.")
    if status.st_size > FILE_MB * MB:
        return _refused(root, path, f"it is larger than {FILE_MB} MB.")
    read = partial(_read, os.fspath(real))  # text, as a path of ten thousand takes megabytes
    return Item(_name(root, path), sys.intern(_kind(root, path)), status.st_size, read)


def _read(path: str) -> Image.Image:
    with open(path, "rb") as file:
        return read_picture(file.read(FILE_MB * MB))


def _name(root: Path, path: Path) -> str:
    return "/".join(map(shown, path.relative_to(root).parts))


def _kind(root: Path, path: Path) -> str:
    """The folder right below the root, as torchvision's ImageFolder has it."""
    parts = path.relative_to(root).parts
    return shown(parts[0]) if len(parts) > 1 else ""


def _refused(root: Path, path: Path, why: str) -> Item:
    return _unread(_name(root, path), _kind(root, path), why)


def _unread(name: str, kind: str, why: str, size: int = 0) -> Item:
    def read() -> Image.Image:
        raise PictureError(f"It is left out: {why}")

    return Item(name, kind, size, read)


# ---------------------------------------------------------------- a zip


def _of_zip(path: Path) -> Iterator[Item]:
    try:
        archive = zipfile.ZipFile(path)  # open for as long as its items are: they are read one at a time
        members = [info for info in archive.infolist() if _wanted(info.filename)]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise PictureError(f"{shown(path.name)} is no zip, or it is damaged.") from error
    ways = _without_common([_way(info) for info in members])
    for info, way in zip(members, ways, strict=True):
        name = "/".join(map(shown, way))
        kind = shown(way[0]) if len(way) > 1 else ""
        why = _why_not(info)
        if why:
            yield _unread(name, kind, why, info.file_size)
        else:
            yield Item(name, kind, info.file_size, lambda info=info: _member(archive, info))


def _way(info: zipfile.ZipInfo) -> list[str]:
    return [part for part in info.filename.replace("\\", "/").split("/") if part not in ("", ".")]


def _wanted(name: str) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in name.split("/"))
    return name.lower().endswith(SUFFIXES) and not hidden


def _without_common(ways: list[list[str]]) -> list[list[str]]:
    """Paths without the folders that are around all, as long as there are folders in them."""
    while ways and all(len(way) > 2 for way in ways) and len({way[0] for way in ways}) == 1:
        ways = [way[1:] for way in ways]
    return ways


def _why_not(info: zipfile.ZipInfo) -> str:
    if ".." in _way(info) or info.filename.startswith(("/", "\\")):
        return "its path leads out of the zip."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link."
    if info.flag_bits & 0x1:
        return "it is encrypted."
    return f"it is larger than {FILE_MB} MB." if info.file_size > FILE_MB * MB else ""


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Image.Image:
    try:
        with archive.open(info) as file:
            data = file.read(FILE_MB * MB)  # a zip's table can lie about the size
    except Exception as error:  # whatever a damaged zip makes of it
        raise PictureError("It is damaged within the zip.") from error
    return read_picture(data)


# ---------------------------------------------------------------- data sets


def _of_data_set(name: str, folder: Path, split: str) -> Iterator[Item]:
    if name == "dtd":
        root = (folder / "images").resolve()
        yield from (_of_file(root, root / path.relative_to(folder / "images")) for path in
                    data_sets.dtd_files(folder, split))  # fmt: skip
        return
    half = cifar(folder, split)
    for k in range(len(half.records)):
        kind = shown(half.kind(k))
        yield Item(f"{kind}/{k:05}.png", kind, 0, lambda k=k: half.picture(k))
