"""What is said of a unit: facts in, a sentence out, as in ``judgements``."""

from __future__ import annotations

import math
from collections.abc import Sequence

HARDLY = 0.05  # of the largest change of a score, what counts as none


def silent(what: str, value: float, count: int) -> str:
    """Of a unit that says the same everywhere in every picture of a set."""
    return (
        f"**No evidence.** {what[0].upper()}{what[1:]} is {value:.3g} everywhere in all {count} pictures of "
        "this set, so nothing here excites it, and no picture comes before another. Another set may."
    )


def tied(explained: float, classes: int, pictures: int, first: str, last: str) -> str:
    """How much of a unit's value a picture's class explains.

    Args:
        explained: the share of the variance between pictures that lies between classes, 0 to 1.
        classes, pictures: how many. first, last: the classes whose mean is highest and lowest.
    """
    if pictures <= classes:
        return "As many classes as pictures: their spread says nothing."
    chance = (classes - 1) / (pictures - 1)
    said = (
        f"A picture's class explains **{explained:.0%}** of how the value differs (by chance: {chance:.0%})"
    )
    if explained < 2 * chance:
        return f"{said}: hardly more than chance, so it is not about these classes."
    return f"{said}. Highest on average for “{first}”, lowest for “{last}”."


def speaks(names: Sequence[str], changes: Sequence[float], exact: bool) -> str:
    """Which classes a unit speaks for most, and against.

    Args:
        changes: of each class's score, of the same order as the names.
    """
    largest = max(map(abs, changes), default=0.0)
    if not largest > 0 or math.isnan(largest):
        return "It speaks for no class: no score changes with it."
    order = sorted(range(len(changes)), key=lambda k: -changes[k])
    most, least = order[0], order[-1]
    said = f"It speaks most for “{names[most]}” ({changes[most]:+.2g})"
    if changes[most] <= HARDLY * largest:
        said = "It speaks for no class"
    if changes[least] < -HARDLY * largest:
        said += f" and most against “{names[least]}” ({changes[least]:+.2g})"
    return f"{said}. {EXACT if exact else LOCAL}"


EXACT = "Exact: behind it come a mean and linear layers alone, so it is the same for every picture."
LOCAL = "By gradient, the mean over the pictures that excite it most: true of small changes near these."


def heard(shares: Sequence[float]) -> str:
    """How much of what tokens say comes from their own patches.

    Args:
        shares: of the gradient's energy that lies in its patch, by picture, 0 to 1; nan where there is none.
    """
    known = [share for share in shares if not math.isnan(share)]
    said = "A patch is a place, not what it saw: its token has heard from others by then."
    if not known:
        return said
    mean = sum(known) / len(known)
    if min(known) > 1 - 1e-12:  # no pixel elsewhere has a gradient
        return "Each patch is all that its value comes from: no token has heard from another yet."
    if mean > 0.999:
        return (
            "Of the gradient's energy all but 0.1 % and less lies in the patch itself: by then, a token has "
            "hardly heard from others."
        )
    return f"{said} Of the gradient's energy **{mean:.0%}** lies in the patch itself."


def agrees(liked: str, spoken: str) -> str:
    """Whether the class that excites a unit most is the one that it speaks for most."""
    if liked.casefold() == spoken.casefold():
        return f"What excites it most on average and what it speaks for most are one class, “{liked}”."
    why = "what excites a unit need not be what it is used for"
    return f"“{liked}” excites it most on average, and it speaks most for “{spoken}”: {why}."
