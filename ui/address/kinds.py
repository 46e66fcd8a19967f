"""The kinds of values that an address holds: how each is read from its words, and written."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

LONGEST = 200  # characters of a value
MOST = 2048  # values of a list


class Key(NamedTuple):
    """One widget's key: how its value is read from an address, and what it is if nothing is said.

    ``read`` takes the words of the address and raises ValueError with what they should have been. Where the
    default is None, it depends on the networks: ``forget`` is told.
    """

    read: Callable[[list[str]], Any]
    default: Any = None


def _one(words: list[str]) -> str:
    if len(words) != 1:
        raise ValueError("may be named only once")
    if not words[0].strip():
        raise ValueError("is empty")
    if len(words[0]) > LONGEST:
        raise ValueError("is too long")
    return words[0]


def text(default: str | None = None) -> Key:
    """Any words: what they name is looked up where the widget is drawn."""
    return Key(_one, default)


def note() -> Key:
    """Any words, or none."""
    return Key(lambda words: "" if words == [""] else _one(words), "")


def _each(one: Callable[[list[str]], Any], most: int) -> Callable[[list[str]], list]:
    """Reads several values, each once; one empty value for none of them."""

    def read(words: list[str]) -> list:
        if words == [""]:
            return []
        found = list(dict.fromkeys(one([word]) for word in words[: MOST + 1]))
        if len(found) > most:
            raise ValueError(f"names more than {most}")
        return found

    return read


def texts(most: int = MOST) -> Key:
    """Several words, looked up where the widget is drawn."""
    return Key(_each(_one, most))


def choice(*options, default=None) -> Key:
    """One of these words or numbers."""

    def read(words: list[str]):
        word = _one(words)
        for option in options:
            if word == str(option) or (not isinstance(option, str) and _as_number(word) == option):
                return option
        raise ValueError(f"isn't one of {', '.join(map(str, options))}")

    return Key(read, default)


def several(*options: str, default: list[str] | None = None) -> Key:
    """Some of these words."""
    return Key(_each(choice(*options).read, MOST), default)


def whole(low: int, high: int, default: int | None = None) -> Key:
    def read(words: list[str]) -> int:
        found = _as_number(_one(words))
        if found is None or found != int(found) or not low <= found <= high:
            raise ValueError(f"isn't a whole number from {low} to {high}")
        return int(found)

    return Key(read, default)


def wholes(low: int, high: int) -> Key:
    return Key(_each(whole(low, high).read, MOST), [])


def number(low: float, high: float, default: float) -> Key:
    def read(words: list[str]) -> float:
        found = _as_number(_one(words))
        if found is None or not low <= found <= high:
            raise ValueError(f"isn't a number from {low} to {high}")
        return found

    return Key(read, default)


def flag(default: bool | None = False) -> Key:
    def read(words: list[str]) -> bool:
        word = _one(words).lower()
        if word not in ("true", "false"):
            raise ValueError("isn't true or false")
        return word == "true"

    return Key(read, default)


def _as_number(word: str) -> float | None:
    return float(word) if re.fullmatch(r"[+-]?[0-9]{1,9}(\.[0-9]{0,9})?", word) else None


def as_words(value) -> list[str]:
    """A widget's value as an address holds it."""
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, list):
        return [str(item) for item in value] or [""]
    return [str(value)]
