"""Small photographs to learn from: a folder, or zips, of ``wnid/name.JPEG``, as Tiny ImageNet has them.

Ten of each class, drawn by their names alone, are left out of every training: ``python -m benchmarks photo``
asks for those.
"""

import hashlib
import zipfile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import cv2
import numpy as np

from vizcore.networks.torchvision_ops import timm

LEFT_OUT = 10  # pictures of each class; a fifth of those that there are, where these are few
SUFFIXES = (".jpeg", ".jpg", ".png")


class Photograph(NamedTuple):
    """One picture, not decoded yet."""

    wnid: str  # ImageNet's name for the class, as "n01443537"
    name: str  # of the file
    content: bytes


def read(places):
    """All pictures of some folders and zips, ordered by class and name."""
    found = []
    for place in map(Path, places):
        zips = sorted(place.glob("*.zip")) if place.is_dir() else [place]
        for path in zips:
            found += _of_zip(path)
        if place.is_dir():
            files = (path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES)
            found += [Photograph(_wnid(path), path.name, path.read_bytes()) for path in files]
    found = sorted(photograph for photograph in found if photograph.wnid)
    if not found:
        raise ValueError(f"no pictures like n01443537/name.JPEG in {', '.join(map(str, places))}")
    return found


def _of_zip(path):
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.lower().endswith(SUFFIXES)]
        return [Photograph(_wnid(PurePosixPath(n)), PurePosixPath(n).name, archive.read(n)) for n in names]


def _wnid(path):
    """The class's folder: the picture's own, or one above it (Tiny ImageNet has "n01443537/images/")."""
    folders = [part for part in path.parts[:-1] if part[:1] == "n" and part[1:].isdigit()]
    return folders[-1] if folders else ""


def divided(photographs, left_out=LEFT_OUT):
    """(to learn from, left out): of each class those whose names have the lowest hashes are left out."""
    by_class = {}
    for photograph in photographs:
        by_class.setdefault(photograph.wnid, []).append(photograph)
    away = {
        (photograph.wnid, photograph.name)
        for ones in by_class.values()
        for photograph in sorted(ones, key=lambda one: hashlib.sha256(one.name.encode()).digest())[
            : min(left_out, len(ones) // 5)
        ]
    }
    learnt, kept = [], []
    for photograph in photographs:
        (kept if (photograph.wnid, photograph.name) in away else learnt).append(photograph)
    return learnt, kept


def classes(photographs):
    """The classes that there are, in ImageNet's order: [(wnid, its index of 1000, timm's words for it)]."""
    info = timm.data.imagenet_info.ImageNetInfo("imagenet-1k")
    there = {photograph.wnid for photograph in photographs}
    known = [(wnid, k) for k, wnid in enumerate(info.label_names()) if wnid in there]
    if len(known) < len(there):
        strange = sorted(there - {wnid for wnid, _ in known})
        raise ValueError(f"not among ImageNet's thousand classes: {', '.join(strange[:5])}")
    return [(wnid, k, info.index_to_description(k)) for wnid, k in known]


def decoded(photograph):
    """(H, W, 3) uint8, RGB: the square in the middle."""
    picture = cv2.imdecode(np.frombuffer(photograph.content, np.uint8), cv2.IMREAD_COLOR_RGB)
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]
