"""What each network is asked about mosaics of a visitor's photographs, and the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from PIL import Image

from vizcore.pictures.textures import LABELS as TEXTURES

from ..classes import class_names
from ..network_picker import Choice
from ..plain import plain

CONTROLS = ("random", "centre", "edges")
LEAST = 0.2  # the probability from which on a network's first answer is taken for what a photograph shows


class Network(NamedTuple):
    """One of the networks that are measured."""

    key: Choice  # without a slot
    title: str
    model: Any

    @property
    def names_photographs(self) -> bool:
        """Whether its own answers about photographs can be what it is asked for."""
        labels = set(self.model.labels)
        return (
            bool(self.model.num_classes)
            and self.key.weights != "random"
            and not (labels and labels <= set(TEXTURES))
        )


class Asked(NamedTuple):
    """The steps of ``known_answers``, and which networks were asked for what the others call the pictures."""

    done: int
    total: int
    networks: Mapping[str, Any]  # by title, ``Of``
    lent: frozenset[str] = frozenset()  # titles of those that name none of the pictures


def answers(
    networks: Sequence[Network],
    pictures: Mapping[str, Image.Image],
    count: int,
    seed: int,
    methods: Sequence[str],
) -> Iterator[Asked]:
    """The table of truth, after each network was asked what it calls each photograph alone."""
    from vizcore.pictures import known
    from vizcore.studies.known_answers import known_answers
    from vizcore.studies.named import borrowed, classes, named

    total = max(1, count * len(networks))
    asked: dict[str, dict[str, int]] = {}
    others: dict[str, str] = {}
    for one in networks:
        if one.names_photographs:
            for step in named(one.model, pictures):
                asked[one.title] = classes(step.names, LEAST)
                yield Asked(0, total, {})
            own = class_names(one.model)
            others = {title: own[index] for title, index in asked.get(one.title, {}).items()} | others
    lent = frozenset(one.title for one in networks if not asked.get(one.title))
    for one in networks:
        if one.title in lent:
            asked[one.title] = borrowed(one.model, others)
    scenes = known.mosaics(pictures, count, seed=seed, mirrored=True)
    models = {one.title: one.model for one in networks}
    for step in known_answers(models, asked, scenes, methods, seed, count):
        yield Asked(*step, lent)


def unasked(one: Network, found: Asked) -> list[str]:
    """What to know of how a network was asked, in sentences."""
    said, of = [], found.networks[one.title]
    if one.title in found.lent and of.questions:
        none = "none of these photographs" if one.names_photographs else "no photograph"
        said.append(f"{plain(one.title)} names {none}: it was asked for the other networks' classes.")
    reasons = dict.fromkeys(of.left_out.values())
    for why in reasons:
        left = [name for name, reason in of.left_out.items() if reason == why]
        said.append(f"Not asked of {plain(one.title)}: {', '.join(left)}. {plain(why)}")
    return said
