"""Data sets that studies know by name, or by a copy's folder: CIFAR-100 and DTD, with halves of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..pictures import cifar
from ..pictures.images import PictureError

NAMES = ("cifar100", "dtd")
DTD_PARTS = {"train": ("train1", "val1"), "test": ("test1",)}  # the first of its ten partitions


def found(data: str | Path) -> tuple[str, Path] | None:
    """Which data set a name or a folder is, and where; None where it is none. Downloaded where it can be.

    Raises:
        PictureError: it can't be downloaded, or is there in a form that isn't opened.
    """
    folder = Path(data).expanduser()
    if folder.is_dir():
        if cifar.is_cifar(folder):
            return "cifar100", folder
        if cifar.is_pickled(folder):
            raise PictureError(
                "This is CIFAR-100 in the form that only unpickling opens, which could run what is hidden in "
                f"it; give the folder of its binary form, {cifar.FOLDER}, or the name cifar100."
            )
        return ("dtd", folder) if _is_dtd(folder) else None
    if folder.exists() or str(data) not in NAMES:
        return None
    import torch

    root = Path(torch.hub.get_dir()) / "datasets"
    return str(data), cifar.had(root) if data == "cifar100" else _dtd(root)


def _is_dtd(folder: Path) -> bool:
    return (folder / "images").is_dir() and (folder / "labels" / "test1.txt").is_file()


def _dtd(root: Path) -> Path:
    """DTD's folder as torchvision leaves it."""
    from ..networks.torchvision_ops import torchvision

    folder = root / "dtd" / "dtd"
    if not _is_dtd(folder):
        try:
            torchvision.datasets.DTD(root, split="test", download=True)
        except Exception as error:  # of the network, of the disk, of the archive
            raise PictureError(
                "DTD can't be downloaded from here; unpack a copy of it and give its folder, dtd."
            ) from error
    return folder


def dtd_files(folder: Path, split: str) -> Iterator[Path]:
    """The pictures of its half by the lists that come with it; "train" has those for validation, too.

    Raises:
        PictureError: a list can't be read.
    """
    for part in DTD_PARTS[split]:
        try:
            lines = (folder / "labels" / f"{part}.txt").read_text("utf-8").split("\n")
        except (OSError, ValueError) as error:
            raise PictureError(f"labels/{part}.txt of DTD can't be read.") from error
        for line in filter(None, map(str.strip, lines)):
            yield folder / "images" / line
