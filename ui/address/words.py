"""Values as the words of an address, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..plain import plain
from . import changes, keys
from .kinds import as_words

LESSON, START = "lesson", "start"  # a step that is being taken; one to be started, in a short link
VERSION = "v"  # of the table when the address was written


def in_words(values: Mapping[str, Any]) -> dict[str, list[str]]:
    """The words of an address that holds these values."""
    words = {name: as_words(value) for name, value in values.items()}
    return words | ({VERSION: [str(changes.version())]} if words and changes.version() > 1 else {})


def parse(words: Mapping[str, Sequence[str]]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values that an address names, and for each key that it names in vain, a sentence."""
    values, wrong = {}, {}
    now = _as_of_now(words)
    for name, key in keys.keys(now).items():
        if name not in now:
            continue
        try:
            values[name] = key.read(list(now[name]))
        except ValueError as error:
            wrong[name] = sentence(name, now[name], str(error))
    return values, wrong


def _as_of_now(words: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """An address of an older version in the names and words of this one."""
    written = (words.get(VERSION) or ["1"])[-1]
    its_own = int(written) if re.fullmatch("[1-9][0-9]{0,5}", written) else 1
    now = dict(words)
    for change in changes.CHANGES[its_own - 1 :]:
        now = {change.names.get(name, name): each for name, each in now.items()}
        for name, words_of in change.words.items():
            if name in now:
                now[name] = [words_of.get(word, word) for word in now[name]]
        if LESSON in now or keys.keys(now).keys() & now.keys():  # else it is the page's, and of no view
            now = {name: [word] for name, word in change.left_out(now).items()} | now
    return now


def sentence(name: str, words: Sequence[str], why: str) -> str:
    """What is said of a key that an address names in vain."""
    shown = " ".join(", ".join(words).split())
    shown = plain(shown[:40]) + "…" * (len(shown) > 40)
    return f"In this link, {name} is “{shown}”, which {why}; the default is shown instead."
