"""What is said of what is found inside a network: facts in, a sentence out, as in ``judgements``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

ALIKE = 0.1  # by which two shares may differ and count as much the same
MOSTLY = 0.7  # a share from which on a network says the same almost everywhere


def percent(share: float) -> str:
    """A share of 1 in percent; below one, with two digits that say something.

    >>> percent(0.623), percent(0.00134), percent(0.00001), percent(0)
    ('62%', '0.13%', 'less than 0.01%', '0%')
    """
    if share == 0 or share >= 0.00995:
        return f"{share:.0%}"
    return f"{share:.2%}" if share >= 0.0001 else "less than 0.01%"


def names_said(shares: Mapping[str, float], most: int = 3) -> str:
    """The names that most places say, and how many do: "banded 40 %, woven 22 %"; the rest in one word.

    Args:
        shares: of the places, by name, 0 to 1.
    """
    ranked = sorted(shares.items(), key=lambda one: -one[1])
    listed = [f"{name} {share:.0%}" for name, share in ranked[:most]]
    rest = sum(share for _, share in ranked[most:])
    return ", ".join([*listed, *([f"others {rest:.0%}"] if ranked[most:] else [])])


def by_block(shares: Sequence[float], answer: str) -> str:
    """How many places say the final answer, from the first block to the last.

    Args:
        shares: of the places, one for each block, 0 to 1; nan where a network says the same of every class.
        answer: the final one.
    """
    if not shares or math.isnan(shares[-1]):
        return "It finds no class likelier than another."
    if len(shares) == 1:
        return f"**{shares[0]:.0%}** of the places say its answer, “{answer}”."
    half = next((k + 1 for k, share in enumerate(shares) if min(shares[k:]) >= 0.5), None)
    start = f"**{shares[0]:.0%}** of the places say its answer, “{answer}”, after block 1"
    last = f"**{shares[-1]:.0%}** after block {len(shares)}"
    end = f"half of them and more from block {half} on" if half else "never half of them to the end"
    return f"{start} and {last}: {end}."


def beside_random(own: Sequence[float], random: Sequence[float]) -> str:
    """What the same network with random weights makes of such shares; they are of the places, by block."""
    if not own or math.isnan(own[-1]):
        return ""
    if not random or math.isnan(random[-1]):
        return "With random weights it finds no class likelier than another."
    said = f"With random weights **{random[-1]:.0%}** say that network's own answer at the end"
    if random[-1] >= own[-1] - ALIKE:
        why = "it says much the same everywhere" if random[-1] >= MOSTLY else "about as many, or more"
        return f"{said}: {why}, so agreement alone is no sign of knowing."
    return f"{said}."


def rightly(shares: Sequence[float], names: Sequence[str], count: int, random: Sequence[float] = ()) -> str:
    """How many places that lie wholly on one thing name it, where it is known what is where.

    Args:
        shares: of those places, by block, 0 to 1. names: of the things. count: of those places.
        random: the same shares with random weights.
    """
    if not count:
        return ""
    things = " or ".join(f"“{name}”" for name in names)
    start = f"Of {count} places that lie wholly on {things}"
    said = f"{start}, **{shares[-1]:.0%}** name the right one at the end"
    said += f" ({shares[0]:.0%} after block 1)" if len(shares) > 1 else ""
    return f"{said}; with random weights {random[-1]:.0%}." if len(random) else f"{said}."


def answered(first: str, chance: float) -> str:
    """The likeliest class and its probability; nan where a network says no numbers."""
    return "What it says is not a number." if math.isnan(chance) else f"It says: {first} {percent(chance)}."


def changed(before: float, after: float, asked: str, first: str, now: str) -> str:
    """What becomes of an answer once something is changed in the network.

    Args:
        before, after: probabilities of the class that is asked for; nan where it says no numbers.
        first, now: the likeliest class.
    """
    if math.isnan(before) or math.isnan(after):
        which = "as it is" if math.isnan(before) else "then"
        return f"What it says of “{asked}” {which} is not a number, so nothing is compared."
    points = round(100 * (after - before))
    if points:
        move = f"{'rises' if points > 0 else 'falls'} by {abs(points)} point{'s' * (abs(points) != 1)}"
    else:
        move = "stays as it is" if abs(after - before) <= 1e-3 * before else "moves by less than a point"
    said = f"“{asked}” {move} ({percent(before)} → {percent(after)})."
    return (
        f"{said} It still says “{now}”."
        if first == now
        else f"{said} It says **“{now}”** instead of “{first}”."
    )


def heads_elsewhere(rank: float) -> str:
    """Whether the heads that matter are the same for other pictures.

    Args:
        rank: the correlation of the heads' ranks, -1 to 1; nan where all heads matter alike.
    """
    if math.isnan(rank):
        return "All heads matter alike, so nothing is compared."
    same = "much the same heads" if rank > 0.7 else "some of the same heads" if rank > 0.3 else "other heads"
    return f"Rank correlation with other pictures **{rank:.2f}**: there, {same} matter."


def explained(share: float, split: bool) -> str:
    """How much of a layer's features some concepts make up.

    Args:
        share: of the features' squares, 0 to 1. split: into positive and negative parts.
    """
    said = f"They make up **{share:.0%}** of the features' squares."
    return f"{said} What is below 0 is a part of its own, beside what is above." if split else said


def taken_out(fall: float, name: str) -> str:
    """What becomes of a class, the mean over some pictures, if one concept is taken out of the features."""
    if abs(fall) < 0.0005:
        return f"Without it “{name}” hardly moves in the mean of the pictures."
    move = "falls" if fall > 0 else "rises"
    return f"Without it “{name}” {move} by **{100 * abs(fall):.1f}** points in the mean of the pictures."


def concepts_beside(own: float, random: float) -> str:
    """The same number of concepts of the same network with random weights: how much each makes up."""
    said = f"With random weights as many concepts make up **{random:.0%}** of the features, here {own:.0%}"
    if random >= own - ALIKE:
        return f"{said}: that a few patterns fit is no sign of knowing."
    return f"{said}."


def no_heads(why: str) -> str:
    """Why a network's heads can't be asked one by one.

    Args:
        why: why its attention can't be rolled out, a sentence whose end says so.
    """
    for end in (", and there is nothing", ", so "):
        why = why.rpartition(end)[0] or why
    return f"No heads can be asked one by one. {why.rstrip('.')}."
