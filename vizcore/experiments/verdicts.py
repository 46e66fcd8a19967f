"""What is said of an experiment: facts in, plain words out."""

from __future__ import annotations

import math
from typing import NamedTuple


class Said(NamedTuple):
    """A network's first answer and how sure it is of it, 0 to 1."""

    name: str
    sure: float

    def __str__(self) -> str:
        return f"“{self.name}” ({self.sure:.0%})"


def share_of(share: float) -> str:
    """A share of a picture, 0 to 1, in words: to a tenth of a percent."""
    return f"{share:.1%}"


def no_answer(title: str, classes: int, values: bool) -> str:
    """Why a network has no answer that could change; "" where it has one.

    Args:
        classes: how many it has. values: its numbers are values, as of a regression.
    """
    if not classes:
        return f"{title} has no classes, so there is no answer that could change."
    if values:
        return f"{title} answers with values, of which none is the first, so no answer can change."
    return "" if classes > 1 else f"{title} has one label, so its answer can't change to another."


# ---------------------------------------------------------------- paint it out


def painted(before: Said, now: Said, left: float, share: float) -> str:
    """What a cover does to a network's answer.

    Args:
        left: what the network now gives the answer from before. share: of the picture covered. 0 to 1 each.
    """
    if math.isnan(now.sure):
        return "Its output on this picture is not a number."
    if not share:
        return f"Says {before}."
    if now.name == before.name:
        return f"**Still “{before.name}”**: {left:.0%}, was {before.sure:.0%}."
    return f"**Changed**: now {now}; “{before.name}” went from {before.sure:.0%} to {left:.0%}."


def smallest(share: float | None) -> str:
    """The smallest cover that changed an answer, as a share of the picture; None where none has."""
    if share is None:
        return "No cover of yours has changed its answer yet."
    return f"Your smallest cover that changes its answer: **{share_of(share)}** of the picture."


def instead(name: str, before: float, yours: float, by_map: float, by_chance: float) -> str:
    """What covers of one size do to a class: yours, what a map ranks first, and a random one; 0 to 1 each."""
    return (
        f"“{name}” goes from {before:.0%} to **{by_map:.0%}** under the map’s first cells; under as many of "
        f"yours to **{yours:.0%}**, under random ones to {by_chance:.0%}."
    )


# ---------------------------------------------------------------- guess first


def guessed(shared: float, area: float, beyond: float, thin: bool = False) -> str:
    """How a guess lies with a map, beside random maps.

    Args:
        shared: the share of the guess that is among as many of the map's first cells. area: the guess's share
            of what the network sees: a random map's, on average. beyond: the share of random maps, as coarse,
            that share as much or more. 0 to 1 each.
        thin: the map has evidence in fewer cells than the guess has.
    """
    said = f"You share **{shared:.0%}** with its map; by chance {area:.0%}. "
    rare = "none" if not beyond else f"{beyond:.0%}"
    said += f"Of random maps as coarse, {rare} share as much or more."
    return said + (
        " Its evidence fills fewer cells than you marked; the rest is drawn at random." if thin else ""
    )


# ---------------------------------------------------------------- fool it


class Fooled(NamedTuple):
    """One network before a change of the picture, after it, and after a random one of the same size."""

    title: str
    before: Said
    after: Said
    noise: Said
    why_not: str = ""  # why nothing can be said of it


def fooled(target: Fooled, other: Fooled | None, size: int) -> str:
    """Whether the change takes the answer of the network that it is made for, and of the other one.

    Args:
        size: by which no value of the picture, 0 to 255, was changed more.
    """
    bound = f"no value of the picture was changed by more than {size} of 255"
    if target.after.name == target.before.name:
        said = f"it still says {target.after}, was {target.before.sure:.0%}; {bound}."
        said = f"**{target.title} isn’t fooled**: {said}"
    else:
        said = f"**{target.title} is fooled**: it said {target.before}, now {target.after}; {bound}."
    if other is None:
        return said
    if other.why_not:
        return f"{said} {other.why_not}"
    if other.after.name == other.before.name:
        return f"{said} **{other.title} isn’t**: still {other.after}, was {other.before.sure:.0%}."
    return f"{said} **{other.title} changes its answer too**: it said {other.before}, now {other.after}."


def control(one: Fooled) -> str:
    """What a random change of the same size does to a network's answer."""
    if one.noise.name == one.before.name:
        return f"A random change as large leaves it at {one.noise}."
    return f"A random change as large changes its answer too, to {one.noise}."


def given_away(rank: float, by_noise: float) -> str:
    """Whether a map gives a change of the picture away: its rank correlation with the one before it.

    Args:
        rank, by_noise: for the answer from before, under the change and under a random one as large; nan
            where a map is flat.
    """
    if math.isnan(rank):
        return "One of its two maps is the same everywhere: they can't be compared."
    said = f"Its map for the answer from before, before and after: rank correlation **{rank:.2f}**"
    return said + ("." if math.isnan(by_noise) else f"; under a random change {by_noise:.2f}.")


# ---------------------------------------------------------------- a class


def class_chose(right: int, count: int, options: int) -> str:
    """How a class did with a choice: how many of its guesses, of all, are right, among how many options."""
    if not count:
        return "Nobody has guessed."
    by_lot = f"by lot it would be {1 / options:.0%}"
    return f"**{right} of {count}** guessed right ({right / count:.0%}); {by_lot}."


def class_marked(name: str, share: float | None, networks: dict[str, float], area: float) -> str:
    """How a class did with its marks, beside the networks' maps.

    Args:
        name: of what was to be marked. share: of all that was marked, what lies on it; None where nobody has.
        networks: by title, the share of each map that does. area: its share of the picture. 0 to 1 each.
    """
    theirs = ", ".join(f"of the map of {title} {one:.0%}" for title, one in networks.items())
    if share is None:
        return f"Nobody has marked anything. On “{name}” lie {theirs}; by chance {area:.0%}."
    return f"Of what the class marked **{share:.0%}** lies on “{name}”, {theirs}; by chance {area:.0%}."
