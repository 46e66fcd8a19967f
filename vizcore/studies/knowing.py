"""Where does a network stop knowing a thing? Pictures that it names, changed more and more.

A picture's answer is known: it was drawn so, or it is what the network itself calls it as it is. Pictures of
one thing (mirrored, on another ground) aren't independent, so intervals are of other things, drawn anew in
groups (the cluster bootstrap); where each picture is of its own, proportions have Wilson's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from ..experiments.altered import CHANGES, Given
from ..model import VisionModel
from ..modes import in_any_mode
from ..scores import probabilities
from ..truth.intervals import Interval, wilson

DRAWS = 2000  # of things with replacement, for an interval
LOST = 0.5  # of the pictures: a network that names fewer has stopped knowing them


class Item(NamedTuple):
    """A picture whose answer is known."""

    of: str  # the thing that it shows: pictures of one aren't independent
    picture: np.ndarray  # (H, W, 3) uint8
    answer: int  # the index of its class
    mask: np.ndarray | None = None  # (H, W) bool, where the thing is
    other: np.ndarray | None = None  # another picture, (H, W, 3)
    filling: np.ndarray | None = None  # what the other is made of, (H, W, 3)
    rival: int | None = None  # the other's class

    def given(self, name: str, seed: int) -> Given:
        """For one of ``CHANGES``."""
        return Given(seed, self.mask, self.filling if "mask" in CHANGES[name].needs else self.other)

    def suits(self, name: str) -> bool:
        """Whether all that a change needs is there."""
        given = self.given(name, 0)
        return all(getattr(given, need) is not None for need in CHANGES[name].needs)


class Knows(NamedTuple):
    """What is known after some pictures; by the change, a row for each picture, a column for each level."""

    done: int
    total: int
    of: list[str]  # each picture's thing
    right: dict[str, np.ndarray]  # (n, levels) bool: its answer is the likeliest
    chance: dict[str, np.ndarray]  # (n, levels): the probability of its answer
    before: dict[str, np.ndarray]  # (n, levels) bool: its answer is likelier than its rival's
    either: dict[str, np.ndarray]  # (n, levels) bool: the likeliest is one of these two


@in_any_mode
def knows(
    model: VisionModel, items: Sequence[Item], names: Sequence[str] | None = None, seed: int = 0
) -> Iterator[Knows]:
    """Show a network each picture at each level of each change that all of them allow.

    Yields:
        After each picture.

    Raises:
        ValueError: there are no pictures, or the network has no classes.
    """
    if not items or not model.num_classes:
        raise ValueError("there are no pictures" if not items else f"{model.title} has no classes")
    names = [name for name in names or CHANGES if all(item.suits(name) for item in items)]
    found: dict[str, list[list[np.ndarray]]] = {name: [[], [], [], []] for name in names}
    for done, item in enumerate(items, 1):
        plain = _scores(model, [item.picture])  # every change begins with it
        for name in names:
            marks = _marks(model, item, name, seed + done, plain)
            for rows, own in zip(found[name], marks, strict=True):
                rows.append(own)
        parts = [{name: np.stack(rows[k]) for name, rows in found.items()} for k in range(4)]
        yield Knows(done, len(items), [one.of for one in items[:done]], *parts)


def _scores(model: VisionModel, shown: Sequence[np.ndarray]) -> torch.Tensor:
    with torch.no_grad():
        return model.net(torch.cat([model.preprocess(Image.fromarray(one)) for one in shown])).float()


def _marks(
    model: VisionModel, item: Item, name: str, seed: int, plain: torch.Tensor
) -> tuple[np.ndarray, ...]:
    """Of one picture at each level: right, its probability, before its rival, either of them."""
    change, given = CHANGES[name], item.given(name, seed)
    shown = [change.make(item.picture, level, given) for level in change.levels[1:]]
    scores = torch.cat([plain, _scores(model, shown)])  # (levels, K)
    first, own = scores.argmax(1), scores[:, item.answer]
    rival = own.new_full(own.shape, -torch.inf) if item.rival is None else scores[:, item.rival]
    either = (first == item.answer) | (first == (item.rival if item.rival is not None else -1))
    chance = probabilities(model.net, scores)[:, item.answer]
    return tuple(one.cpu().numpy() for one in (first == item.answer, chance, own > rival, either))


# ---------------------------------------------------------------- what they come to


def interval(values: np.ndarray, of: Sequence[str]) -> Interval:
    """The mean of values (n,) of pictures of some things, and its 95 % interval."""
    alone = len(set(of)) == len(of)
    if alone and values.dtype == bool:
        return wilson(float(values.sum()), len(values))
    return _drawn_anew(values.astype(float), of)


def _drawn_anew(values: np.ndarray, of: Sequence[str]) -> Interval:
    things, places = np.unique(np.array(of), return_inverse=True)
    sums, counts = (np.bincount(places, weights) for weights in (values, np.ones(len(values))))
    weights = np.random.default_rng(0).multinomial(len(things), np.full(len(things), 1 / len(things)), DRAWS)
    means = (weights @ sums) / (weights @ counts)
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


class Curve(NamedTuple):
    """What becomes of a network's answers under one change, by level."""

    right: list[Interval]  # the share of pictures that it names
    chance: list[Interval]  # the probability of the answer
    before: Interval | None  # at the strongest, the answer before its rival; None without rivals
    either: int  # at the strongest, pictures that it calls one of the two

    @property
    def lost(self) -> int | None:
        """The level from which on it names less than ``LOST`` of them; None: it never does."""
        right = [one.value for one in self.right]
        return next((k for k in range(len(right)) if max(right[k:]) < LOST), None)


def curves(found: Knows) -> dict[str, Curve]:
    """By change."""
    made = {}
    for name, right in found.right.items():
        rivals = "other" in CHANGES[name].needs
        made[name] = Curve(
            [interval(column, found.of) for column in right.T],
            [interval(column, found.of) for column in found.chance[name].T],
            interval(found.before[name][:, -1], found.of) if rivals else None,
            int(found.either[name][:, -1].sum()) if rivals else 0,
        )
    return made


def beside(one: Knows, other: Knows) -> dict[str, list[Interval]]:
    """How many more of the same pictures one names than the other, by change and level, 1 for all of them.

    Raises:
        ValueError: they were shown other pictures.
    """
    if one.of != other.of:
        raise ValueError("the two networks were shown other pictures")
    both = [name for name in one.right if name in other.right]
    return {
        name: [
            _drawn_anew(column, one.of)
            for column in (one.right[name].astype(float) - other.right[name].astype(float)).T
        ]
        for name in both
    }


def beside_rivals(one: Knows, other: Knows) -> dict[str, Interval]:
    """How much more often one puts its answer before the rival's, at a change's strongest, by change."""
    return {
        name: _drawn_anew(
            one.before[name][:, -1].astype(float) - other.before[name][:, -1].astype(float), one.of
        )
        for name in one.before
        if name in other.before and "other" in CHANGES[name].needs
    }


def as_data(found: dict[str, Curve]) -> dict[str, Any]:
    """To be written as JSON."""
    return {name: rounded(one._asdict()) for name, one in found.items()}


def rounded(values: Any) -> Any:
    """Numbers to three places, whatever holds them."""
    if isinstance(values, dict):
        return {key: rounded(one) for key, one in values.items()}
    if isinstance(values, list | tuple):
        return [rounded(one) for one in values]
    return round(values, 3) if isinstance(values, float) else values


def from_data(data: dict[str, Any]) -> dict[str, Curve]:
    """What ``as_data`` gave."""
    return {
        name: Curve(
            [Interval(*each) for each in one["right"]],
            [Interval(*each) for each in one["chance"]],
            Interval(*one["before"]) if one["before"] else None,
            one["either"],
        )
        for name, one in data.items()
    }
