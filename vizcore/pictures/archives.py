"""Zip files from outside: what they hold is listed and unpacked in memory, within bounds, or refused."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from .images import PictureError

DIRECTORY_BYTES = 1_000_000  # of a table of contents that is read: some ten thousand names
MB = 1_000_000
RATIO = 100  # a file that shrinks by more than that holds no photograph, and no weights


def directory_bytes(data: bytes) -> int | None:
    """How large a zip's table of contents is, which ``zipfile`` reads whole; None where there is none."""
    end = data.rfind(b"PK\x05\x06", max(0, len(data) - 65_557))
    if end < 0 or len(data) < end + 22:
        return None
    if end >= 76 and data[end - 20 :][:4] == b"PK\x06\x07" and data[end - 76 :][:4] == b"PK\x06\x06":
        return struct.unpack_from("<Q", data, end - 76 + 40)[0]  # zip64, as torch.save writes
    return struct.unpack_from("<L", data, end + 12)[0]


@dataclass(frozen=True)
class Bounds:
    """What is taken from a zip."""

    endings: tuple[str, ...]  # of names, in small letters; other files are passed over
    most: int  # files
    file_mb: float  # that one may unpack to
    total_mb: float  # and all of them
    thing: str = "picture"
    directory: int = DIRECTORY_BYTES


def listed(data: bytes, bounds: Bounds) -> list[str]:
    """The names of the files that would be unpacked.

    Raises:
        PictureError: as ``unpacked``.
    """
    with _opened(data, bounds) as (_, members):
        return [_plain(info) for info in members]


def unpacked(data: bytes, bounds: Bounds) -> Iterator[tuple[str, bytes]]:
    """The files of a zip, (name, content) one at a time. Nothing is written to disk.

    Sizes are counted while unpacking, for a zip's own table can lie.

    Raises:
        PictureError: no zip, a bomb, encrypted, or with a zip, a link, a path that climbs out or nothing
            that is wanted.
    """
    with _opened(data, bounds) as (archive, members):
        total = 0
        for info in members:
            content = _content(archive, info, bounds)
            total += len(content)
            if total > bounds.total_mb * MB:
                raise PictureError(
                    f"The zip unpacks to more than {bounds.total_mb:g} MB; choose fewer {bounds.thing}s."
                )
            yield _plain(info), content


@contextlib.contextmanager
def _opened(data: bytes, bounds: Bounds) -> Iterator[tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]]:
    """A zip and its members that are wanted."""
    thing = bounds.thing
    if (directory_bytes(data) or 0) > bounds.directory:
        raise PictureError(f"The zip holds too many files; at most {bounds.most} {thing}s can be taken.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [info for info in archive.infolist() if _wanted(info, bounds.endings)]
            if not members:
                raise PictureError(f"The zip holds no {thing} ({', '.join(bounds.endings)}).")
            if len(members) > bounds.most:
                raise PictureError(
                    f"The zip holds {len(members)} {thing}s; at most {bounds.most} can be taken."
                )
            yield archive, members
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error) as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError("The zip is damaged, cut short, or not a zip.") from error


def _plain(info: zipfile.ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _wanted(info: zipfile.ZipInfo, endings: tuple[str, ...]) -> bool:
    """Whether a member is a file to unpack; raises for what no honest zip of these holds."""
    name = _plain(info)
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


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, bounds: Bounds) -> bytes:
    parts, size = [], 0
    with archive.open(info) as file:
        while part := file.read(MB):
            parts.append(part)
            size += len(part)
            if size > bounds.file_mb * MB or (size > MB and size > RATIO * max(info.compress_size, 1)):
                kind = "photograph" if bounds.thing == "picture" else bounds.thing
                raise PictureError(
                    f"The zip is refused: {info.filename[-60:]} unpacks to far more than a {kind}."
                )
    return b"".join(parts)
