"""The class that a page asks about: one picker for two networks that may know different classes."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Sequence
from functools import lru_cache

import streamlit as st

from vizcore import judgements
from vizcore.pictures.textures import LABELS as TEXTURES
from vizcore.short_names import short_name

from .address import forget
from .plain import plain

TOP, NOTHING = "top class", "nothing"  # what pickers of classes offer beside these
LONGEST = 60  # characters of a name with its synonyms


@lru_cache(maxsize=64)
def _names(labels: tuple[str, ...], count: int) -> tuple[str, ...]:
    """A short name for each class, unlike any other's: the first of its synonyms, or that with the others.

    Where that isn't enough, its number follows.
    """
    synonyms = [[word for each in label.split(",") if (word := plain(each.strip()))] for label in labels]
    synonyms += [[] for _ in range(count - len(labels))]
    short = [words[0] if words else f"class {i}" for i, words in enumerate(synonyms)]
    whole = [
        name + (f" ({'; '.join(words[1:])})" if words[1:] else "")
        for name, words in zip(short, synonyms, strict=True)
    ]
    often = Counter(map(str.casefold, (*short, TOP, NOTHING)))  # as looked up: a cardigan is no Cardigan
    often_whole = Counter(map(str.casefold, (*whole, TOP, NOTHING)))
    taken = {name for name in often if often[name] == 1} | {TOP, NOTHING}
    names = []
    for i, name in enumerate(short):
        if often[name.casefold()] > 1:
            found = [whole[i]] if often_whole[whole[i].casefold()] == 1 and len(whole[i]) <= LONGEST else []
            numbered = (name + f" ({i})" * times for times in itertools.count(1))
            name = next(one for one in itertools.chain(found, numbered) if one.casefold() not in taken)
            taken.add(name.casefold())
        names.append(name)
    return tuple(names)


def learnt_from(side) -> str:
    """What kind of pictures a ``Side``'s network knows, as ``judgements.strange`` has it."""
    if side.model.weights != "trained" or not side.model.labels:
        return ""  # of a checkpoint nobody knows: textures are photographed, too
    textures = set(side.model.labels) <= set(TEXTURES)
    return "textures" if textures else "photographs"  # the hubs' labels are ImageNet's


def guesses(side, drawn: bool) -> str:
    """Why what a ``Side``'s network says of drawn textures, or else of other pictures, is a guess; or ""."""
    return judgements.strange(learnt_from(side), drawn)


def class_names(model) -> list[str]:
    """The classes of a network by index, each with a name of its own; empty where it has none."""
    return list(_names(tuple(model.labels), model.num_classes))


def several(model, name: str) -> bool:
    """Whether a network has more than one class of a name, so that none of them can be meant by it."""
    return _times(tuple(model.labels), model.num_classes)[name.casefold()] > 1


@lru_cache(maxsize=64)
def _times(labels: tuple[str, ...], count: int) -> Counter:
    """How often each name is a class's, in small letters."""
    return Counter(plain(short_name(labels, index)).casefold() for index in range(count))


def likely(sides: list, asked: str, there: Container[str] = ()) -> list[str]:
    """The most probable classes of either network, each once, and the one that is asked for.

    Args:
        there: what a picture is known to show, in small letters; these come first.
    """
    own = [class_names(side.model)[index] for side in sides if side.model for index, _ in side.top]
    known = [name for side in sides if side.model and there for name in class_names(side.model)]
    known = [name for name in known if name.casefold() in there]
    return list(dict.fromkeys([*known, *own, asked])) if asked else []


def pick_class(
    models: list,
    tops: list[list[tuple[int, float]]],
    key: str,
    label: str = "Class asked for",
    first: str = TOP,
    there: Sequence[str] = (),
) -> tuple[str, list[int | None]]:
    """Choose a class by name.

    Args:
        models: those that are asked, the one whose top class is the default first.
        tops: the most probable classes of each, (index, probability).
        first: the default, ``TOP`` or a word that is no class.
        there: what the picture shows, whatever its letters: these come first, and the first of them, if a
            network has it, is the default instead.

    Returns:
        The class's name, and its index in each model, None where it doesn't know the class.
    """
    names = [class_names(model) for model in models]
    likely = [own[index] for own, top in zip(names, tops, strict=True) for index, _ in top]
    every = [name for own in names for name in own]
    spelt = {name.casefold(): name for name in every if there}
    known = {name: spelt[name] for name in map(str.casefold, there) if name in spelt}
    options = list(dict.fromkeys([first, *known.values(), *likely, *every]))
    default = known.get(there[0].casefold(), first) if there else first
    forget(key, options, default)  # else a class of a network shown before
    name = st.selectbox(
        label,
        options,
        key=key,
        help="What is there and the likeliest come first; type to search all classes.",
    )
    if name == TOP:
        name = next((own[top[0][0]] for own, top in zip(names, tops, strict=True) if top), "")
    folded = [[own.casefold() for own in each] for each in names]
    return name, [each.index(name.casefold()) if name.casefold() in each else None for each in folded]


def ask(
    sides: list, key: str, label: str = "Class asked for", first: str = TOP, there: Sequence[str] = ()
) -> tuple[str, dict]:
    """``pick_class`` of the networks that are there: the class's name, and its index by slot.

    Args:
        sides: as of ``answers.sides``, the one whose top class is the default first.
    """
    present = [side for side in sides if side.model]
    if not any(side.top for side in present):
        return ("" if first == TOP else first), {side.slot: None for side in present}
    models, tops = [side.model for side in present], [side.top for side in present]
    name, indices = pick_class(models, tops, key, label, first, there)
    return name, {side.slot: index for side, index in zip(present, indices, strict=True)}
