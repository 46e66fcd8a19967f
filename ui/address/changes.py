"""What became of keys and words that addresses held before: people keep links."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Change(NamedTuple):
    """What a version of the table calls or words otherwise than the one before it."""

    names: dict[str, str] = {}  # a key's former name -> its name
    words: dict[str, dict[str, str]] = {}  # a key's name -> a value's former word -> its word
    left_out: Callable[[Mapping[str, Sequence[str]]], dict[str, str]] = lambda _words: {}  # that was meant


def _opened(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What version 1 opened with: a drawn picture, and on one that was put together, the top class."""
    if "picture" not in words:
        return {"picture": "A spiral on bands"}
    made = {"Four photographs", "A picture whose answer is known"} & set(words["picture"])
    classes = ["g_class", "r_class", "s_class"] if made else []
    found = dict.fromkeys(classes, "top class")
    if "Four photographs" in made and not words.keys() & {"a", "b", "weights_a", "weights_b", "p_names"}:
        found["h_class"] = "Egyptian cat"
    return found


FORMER = {"Four photographs": "Four with an astronaut"}
LOOKED_AT_NONE = {"k_", "m_"}  # what the keys of pages begin with that look at no single picture


def _opened_then(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """What version 3 opened with: other photographs, and imagined pictures of the texture pair."""
    networks = words.keys() & {"a", "b", "weights_a", "weights_b", "seed_a", "seed_b"}
    pages = {name[:2] for name in words.keys() - networks - {"v"}}
    if pages == {"m_"} and not networks:
        return {"a": "texture_resnet", "b": "texture_vit"}
    return {} if pages and pages <= LOOKED_AT_NONE else {"picture": FORMER["Four photographs"]}


CLASSES = "h_class", "r_class", "g_class", "s_class", "s_not", "m_class"
RENAMED = {  # ImageNet's, whose first synonyms are the same
    "Cardigan (264)": "Cardigan (Cardigan Welsh corgi)",
    "cardigan (474)": "cardigan",
    "maillot (638)": "maillot",
    "maillot (639)": "maillot (tank suit)",
}
CHANGES: list[Change] = [  # the first of them leads from version 1 to version 2
    Change(left_out=_opened),
    Change(words=dict.fromkeys(CLASSES, RENAMED)),
    Change(words={"picture": FORMER}, left_out=_opened_then),
]


def version() -> int:
    """Of the table; an address without one is of the first."""
    return 1 + len(CHANGES)
