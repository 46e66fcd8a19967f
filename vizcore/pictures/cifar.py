"""CIFAR-100 in its binary form: fixed records of bytes, so that nothing of it is unpickled.

A record is the number of a group of classes, that of a class, and 3 × 32 × 32 bytes of a picture.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import time
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import numpy as np
from PIL import Image

from .images import PictureError

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz"
MD5 = "03b5dce01913d631647c71ecec9e9cb8"  # as its page gives it
FOLDER, NAMES = "cifar-100-binary", "fine_label_names.txt"
FILES = {"train": "train.bin", "test": "test.bin"}
SIDE, RECORD = 32, 2 + 3 * 32 * 32
MB = 1_000_000
DOWNLOAD_SECONDS, PROBE_SECONDS = 300, 8


class Cifar(NamedTuple):
    """One of its two halves; the records stay on the disk."""

    records: np.ndarray  # (N, RECORD) uint8
    names: list[str]  # of the classes

    def kind(self, number: int) -> str:
        """The name of a picture's class."""
        return self.names[self.records[number, 1]]

    def picture(self, number: int) -> Image.Image:
        """(32, 32) RGB."""
        return Image.fromarray(self.records[number, 2:].reshape(3, SIDE, SIDE).transpose(1, 2, 0).copy())


def is_cifar(folder: Path) -> bool:
    """Whether a folder is a copy of it."""
    return all((folder / name).is_file() for name in (NAMES, *FILES.values()))


def is_pickled(folder: Path) -> bool:
    """Whether it is the form of it that only unpickling opens."""
    return all((folder / name).is_file() for name in ("meta", "train", "test"))


def cifar(folder: Path, split: str) -> Cifar:
    """A copy's half, "train" or "test".

    Raises:
        PictureError: a file isn't what it should be.
    """
    try:
        names = (folder / NAMES).read_text("utf-8").split()
        records = np.memmap(folder / FILES[split], np.uint8, "r")
        records = records.reshape(-1, RECORD)
    except (OSError, ValueError) as error:
        raise PictureError(f"{FILES[split]} of {FOLDER} is damaged.") from error
    if not len(records) or records[:, 1].max() >= len(names):
        raise PictureError(f"{FILES[split]} of {FOLDER} is damaged.")
    return Cifar(records, names)


def had(root: Path) -> Path:
    """The folder of a copy within ``root``, downloaded once, 170 MB.

    Raises:
        PictureError: it can't be downloaded in time. Nothing is left behind then.
    """
    if not is_cifar(root / FOLDER):
        try:
            _download(root)
        except (OSError, EOFError, tarfile.TarError) as error:
            why = "".join(str(getattr(error, "reason", error)).splitlines()[:1])[:120]
            raise PictureError(
                f"CIFAR-100 can't be downloaded ({why}); the drawn textures and your own pictures work "
                "without a download."
            ) from error
    return root / FOLDER


def _download(root: Path) -> None:
    """Fetch and unpack it beside its place, and move it there when it is whole."""
    root.mkdir(parents=True, exist_ok=True)
    until, found = time.monotonic() + DOWNLOAD_SECONDS, hashlib.md5(usedforsecurity=False)
    with tempfile.TemporaryDirectory(dir=root) as beside:
        packed, made = Path(beside, "packed"), Path(beside, FOLDER)
        with urlopen(URL, timeout=PROBE_SECONDS) as source, open(packed, "wb") as file:
            while part := source.read(MB):
                file.write(part)
                found.update(part)
                if time.monotonic() > until:
                    raise OSError(f"it takes longer than {DOWNLOAD_SECONDS} s")
        if found.hexdigest() != MD5:
            raise OSError("what came is something else")
        made.mkdir()
        with tarfile.open(packed) as archive:
            for name in (NAMES, *FILES.values()):
                _unpack(archive, name, made)
        if not (root / FOLDER).exists():
            os.replace(made, root / FOLDER)


def _unpack(archive: tarfile.TarFile, name: str, into: Path) -> None:
    """One file, by its own name: no path of the archive's is written to."""
    try:
        content = archive.extractfile(f"{FOLDER}/{name}")
    except KeyError as error:
        raise OSError(f"{name} isn't in it") from error
    if content is None:
        raise OSError(f"{name} is no file")
    with open(into / name, "wb") as file:
        shutil.copyfileobj(content, file)
