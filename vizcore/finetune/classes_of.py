"""A folder's pictures for learning: which are learnt from, which are for the test, and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..at_scale import data_sets
from ..at_scale.shards import StudyError
from ..at_scale.sources import Item, pictures_of
from ..pictures.images import PictureError

TEST = 0.2  # of each class, where the folder says nothing of a test
VALID = 0.1  # of what is learnt from: by which the best moment is chosen
HELD_OUT = "val", "valid", "validation", "test"


class Lot(NamedTuple):
    """Pictures with their classes."""

    items: list[Item]
    answers: list[int]


class Lots(NamedTuple):
    labels: list[str]
    learn: Lot
    choose: Lot  # held out of learning, to choose the best moment by
    test: Lot  # looked at once, at the end
    unread: list[str]  # pictures that are left out, with the reason


def lots(data: str, seed: int = 0) -> Lots:
    """The pictures of a folder for each class; of train/ and val/ or test/ in it; of a data set.

    Every picture is read once, so that none fails in the middle.

    Raises:
        PictureError, StudyError: no such folder; fewer than two classes, or than three pictures of one.
    """
    learn, test = _halves(data)
    labels = sorted({item.kind for item in learn if item.kind})
    if len(labels) < 2:
        raise StudyError(
            f"{len(labels)} classes are too few: two folders with pictures are expected at least."
        )
    places = {label: k for k, label in enumerate(labels)}
    good, unread = _readable([*learn, *(test or [])], places)
    told = set(map(id, test or []))
    own = [item for item in good if id(item) not in told]
    left = [item for item in good if id(item) in told] if test else []
    random = np.random.default_rng(seed)
    if not test:
        own, left = _parted(own, TEST, random)
    own, chosen = _parted(own, VALID, random)
    for label in labels:
        if not any(item.kind == label for item in own) or not any(item.kind == label for item in left):
            raise StudyError(f"The class {label!r} has too few pictures: some to learn from and one to test.")
    return Lots(labels, _lot(own, places), _lot(chosen, places), _lot(left, places), unread)


def _halves(data: str) -> tuple[Sequence[Item], Sequence[Item] | None]:
    """What is learnt from and what is for the test, where the folder or the data set says so."""
    if data_sets.found(data) is not None:
        return pictures_of(data, "train").items, pictures_of(data, "test").items
    root = Path(data).expanduser()
    held = [root / name for name in HELD_OUT if (root / name).is_dir()]
    if (root / "train").is_dir() and held:
        return pictures_of(root / "train").items, pictures_of(held[-1]).items
    return pictures_of(data).items, None


def _readable(items: Sequence[Item], places: dict[str, int]) -> tuple[list[Item], list[str]]:
    good, unread = [], []
    for item in items:
        if item.kind not in places:
            unread.append(f"{item.name}: it lies in no class's folder.")
            continue
        try:
            item.read()
            good.append(item)
        except (PictureError, OSError) as error:
            unread.append(
                f"{item.name}: {error if isinstance(error, PictureError) else 'it cannot be opened.'}"
            )
    return good, unread


def _parted(items: list[Item], share: float, random: np.random.Generator) -> tuple[list[Item], list[Item]]:
    """Of each class this share is held out, one at least where it has two."""
    held: set[int] = set()
    for kind in sorted({item.kind for item in items}):
        own = [k for k, item in enumerate(items) if item.kind == kind]
        count = min(len(own) - 1, max(1, round(share * len(own))))
        held |= set(random.permutation(own)[:count].tolist())
    return [one for k, one in enumerate(items) if k not in held], [
        one for k, one in enumerate(items) if k in held
    ]


def _lot(items: list[Item], places: dict[str, int]) -> Lot:
    return Lot(items, [places[item.kind] for item in items])
