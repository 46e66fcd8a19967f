"""Which of some pictures a network names, one by one: what it can be asked about when they stand together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import torch
from PIL import Image

from ..model import VisionModel
from ..modes import in_any_mode
from ..pictures.known.mosaics import SIDE, square
from ..scores import probabilities

LEAST = 0.5  # the probability from which on a network's first answer is taken for what is there


class Name(NamedTuple):
    """A network's first answer about a picture alone."""

    index: int  # of the class
    probability: float


class Named(NamedTuple):
    """The answers that are known so far."""

    done: int
    total: int
    names: dict[str, Name]  # by the picture's


@in_any_mode
def named(model: VisionModel, pictures: Mapping[str, Image.Image], side: int = SIDE) -> Iterator[Named]:
    """What a network with classes calls each of some pictures, the middle square of it, as a cell shows it.

    Yields:
        After each picture.

    Raises:
        ValueError: the network has no classes.
    """
    if not model.num_classes:
        raise ValueError(f"{model.title} has no classes, so it names nothing")
    names: dict[str, Name] = {}
    for done, (title, image) in enumerate(pictures.items(), 1):
        with torch.no_grad():
            answer = probabilities(model.net, model.net(model.preprocess(square(image, side))))[0]
        names[title] = Name(int(answer.argmax()), float(answer.max()))
        yield Named(done, len(pictures), dict(names))


def classes(names: Mapping[str, Name], least: float = LEAST) -> dict[str, int]:
    """The class of each picture that a network is sure enough of."""
    return {title: name.index for title, name in names.items() if name.probability > least}


def borrowed(model: VisionModel, others: Mapping[str, str]) -> dict[str, int]:
    """The classes of pictures by names that others gave them: of those that the network has, the index."""
    places: dict[str, int] = {}
    for index in range(model.num_classes):
        places.setdefault(model.label(index).casefold(), index)
    found = {title: places.get(name.casefold()) for title, name in others.items()}
    return {title: index for title, index in found.items() if index is not None}
