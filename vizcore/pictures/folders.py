"""A zip with a folder of pictures for each class (class/picture.jpg), from outside."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from PIL import Image

from .archives import Bounds, listed, unpacked
from .images import PictureError, read_picture
from .sets import FILE_MB, SIDE, SUFFIXES, TOTAL_MB

FEWEST, MOST_CLASSES = 2, 10
LEAST = 2  # pictures of a class: one to learn from and one to ask about
MOST = 1000  # pictures; one at a time is in memory
LONGEST = 60  # characters of a class's name
BOUNDS = Bounds(SUFFIXES, MOST, FILE_MB, TOTAL_MB)


class Folders(NamedTuple):
    """What a zip holds, by the names in its table; no picture has been read."""

    labels: list[str]  # of the classes, in the order of their folders' names
    answers: dict[str, int]  # a picture's name in the zip -> its class
    left_out: list[str]  # in sentences


class Labelled(NamedTuple):
    """One picture of them, or why it is left out."""

    name: str
    answer: int
    picture: Image.Image | None
    why: str = ""


def folders(data: bytes) -> Folders:
    """The classes of a zip with a folder for each.

    Folders around all of them are passed over. A name is shortened and freed of what can't be shown.

    Raises:
        PictureError: a zip that is refused; fewer than two classes or more than ten; folders within folders;
            two of one name; or one with a single picture.
    """
    names = listed(data, BOUNDS)
    double = [name for name, count in Counter(names).items() if count > 1]
    if double:
        raise PictureError(f"The zip holds {double[0][-60:]} twice; each picture needs a name of its own.")
    parts = {name: [part for part in name.split("/") if part not in ("", ".")] for name in names}
    inside = _without_common({name: way for name, way in parts.items() if len(way) > 1})
    loose = [name for name, way in parts.items() if len(way) == 1] + [n for n, w in inside.items() if not w]
    found: dict[str, list[str]] = {}
    for name, way in inside.items():
        if len(way) > 1:
            raise PictureError(
                f"There are folders within folders ({'/'.join(way)[-60:]}): put those of the classes side by "
                "side, each with its pictures."
            )
        if way:
            found.setdefault(way[0], []).append(name)
    _check(found, loose)
    ordered = sorted(found)
    labels = [_name(folder) for folder in ordered]
    twice = [label for label in labels if sum(label.casefold() == one.casefold() for one in labels) > 1]
    if twice:
        raise PictureError(f"Two folders are called {twice[0]!r}; give each class a name of its own.")
    left_out = [f"{loose[0][-60:]} lies in no class's folder: {len(loose)} so left out."] if loose else []
    return Folders(labels, {name: k for k, folder in enumerate(ordered) for name in found[folder]}, left_out)


def _without_common(parts: dict[str, list[str]]) -> dict[str, list[str]]:
    """The folders of each picture, without those that are around all."""
    ways = {name: way[:-1] for name, way in parts.items()}
    while ways and len({way[0] for way in ways.values() if way}) == 1 and _deeper(ways):
        ways = {name: way[1:] for name, way in ways.items()}
    return ways


def _deeper(ways: dict[str, list[str]]) -> bool:
    """Whether anything lies in folders within the one that is around all."""
    return all(ways.values()) and any(len(way) > 1 for way in ways.values())


def _check(found: dict[str, list[str]], loose: list[str]) -> None:
    """Raise where the folders are no classes to learn."""
    if len(found) < FEWEST:
        there = f"one folder with pictures ({_name(next(iter(found)))})" if found else "no folder of pictures"
        raise PictureError(
            f"The zip holds {there}; {FEWEST} to {MOST_CLASSES} are expected, one for each class."
        )
    if len(found) > MOST_CLASSES:
        raise PictureError(
            f"The zip holds {len(found)} folders with pictures; {FEWEST} to {MOST_CLASSES} are expected, one "
            "for each class."
        )
    for folder, names in found.items():
        few(_name(folder), len(names))


def few(label: str, count: int) -> None:
    """Raise a PictureError where a class has too few pictures."""
    if count < LEAST:
        has = {0: "no picture that can be read and is in no other class", 1: "one picture"}[count]
        raise PictureError(
            f"The class {label!r} has {has}; it takes at least {LEAST}, one to learn from and one to ask "
            "about."
        )


def _name(folder: str) -> str:
    """A folder's name as a class's: one line that can be shown, and no comma, which parts synonyms."""
    shown = "".join(letter if letter.isprintable() else " " for letter in folder.replace(",", ";"))
    return " ".join(shown.split())[:LONGEST].strip() or "unnamed"


def pictures(data: bytes, found: Folders) -> Iterator[Labelled]:
    """The pictures of these folders, one at a time; of the same pixels twice only the first.

    Raises:
        PictureError: a zip that is refused while it is unpacked.
    """
    seen: dict[bytes, str] = {}
    for name, content in unpacked(data, BOUNDS):
        if name not in found.answers:
            continue
        answer = found.answers[name]
        try:
            picture = read_picture(content, SIDE)
        except PictureError as error:
            yield Labelled(name, answer, None, f"{name[-60:]}: {error}")
            continue
        key = hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).digest()
        first = seen.setdefault(key, name)
        why = "" if first == name else f"{name[-60:]} is the same picture as {first[-60:]}."
        yield Labelled(name, answer, None if why else picture, why)
