"""What measured claims come to, in sentences: facts in, a sentence out, whatever the answer is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..inside.sayings import percent
from ..truth.intervals import Interval
from .knowing import Curve
from .reaches import Summary

GLOBAL = 0.8  # of what looking everywhere alike would give: from which on it is called global
LITTLE = 0.25  # and up to which its place hears little of the rest
SHAPE = "another filling", "another's amplitudes"  # changes in which a shape stands against a texture


def _of(one: Interval, digits: int | None = None) -> str:
    digits = int(one.value < 10) if digits is None else digits
    return f"**{one.value:.{digits}f}** ({one.low:.{digits}f}–{one.high:.{digits}f})"


def attention(found: Summary) -> str:
    """How far the heads of the first block look; "" for a network without attention."""
    if not found.blocks:
        return ""
    first = found.blocks[0]
    said = "globally" if first.value >= GLOBAL * found.even_distance else "not globally"
    return (
        f"Its heads look **{said}** in block 1: {_of(first)} pixels away in the mean of {found.pictures} "
        f"pictures; looking everywhere alike would be {found.even_distance:.0f}."
    )


def field(found: Summary, layer: str) -> str:
    """What the middle place of a layer depends on."""
    near = found.fields[layer][1]
    return (
        f"90 % of what a place behind {layer} depends on lies within {_of(near)} pixels; if on every pixel "
        f"alike, within {found.even_radius[1]:.0f}."
    )


def first_global(found: Summary) -> str | None:
    """The first layer from which on every one depends on the picture as a whole; None: there is none."""
    names = list(found.fields)
    wide = [found.fields[name][1].value >= GLOBAL * found.even_radius[1] for name in names]
    start = next((k for k in range(len(names)) if all(wide[k:])), None)
    return None if start is None else names[start]


def looks(found: Summary, first: str, stem: str = "") -> str:
    """Whether it is true that a network looks globally from its first block.

    Args:
        first: the layer behind that block. stem: what stands before it that already mixes places, in words.
    """
    said = [attention(found), field(found, first)]
    near = found.fields[first][1].value < LITTLE * found.even_radius[1]
    if found.blocks and near and found.blocks[0].value >= GLOBAL * found.even_distance:
        said.append(
            "Both are so: what the heads fetch from afar is little beside what a patch keeps of itself."
        )
    start = first_global(found)
    said.append(
        f"From {start} on a place depends on the picture as a whole."
        if start
        else "No layer's middle place depends on the picture as a whole."
    )
    said += [f"What stands before its blocks, {stem}, has mixed places already."] if stem else []
    return " ".join(filter(None, said))


def began(found: Summary, first: str) -> str:
    """The same network as it began, with random weights."""
    last = list(found.fields)[-1]
    near, end = (found.fields[layer][1].value for layer in (first, last))
    heads = f"its heads looked {found.blocks[0].value:.0f} pixels away, " if found.blocks else ""
    return (
        f"With the random weights it began with, {heads}a place behind {first} depended on what lies within "
        f"{near:.0f} pixels, behind {last} within {end:.0f}."
    )


# ---------------------------------------------------------------- shape or texture


def stops(name: str, words: Sequence[str], curves: Mapping[str, Curve]) -> str:
    """Where each network stops knowing the pictures under one change.

    Args:
        name: of the change. words: of its levels. curves: by the network's title.
    """
    said = []
    for title, curve in curves.items():
        at, last = curve.lost, curve.right[-1]
        if at is None:
            said.append(f"{title} never names less than half of them: {_of(last, 2)} at “{words[-1]}”")
        elif at == 0:
            said.append(f"{title} names less than half of them as they are: {_of(curve.right[0], 2)}")
        else:
            said.append(f"{title} stops at “{words[at]}”: {_of(curve.right[at], 2)}")
    return f"{name[0].upper()}{name[1:]}: {'; '.join(said)}."


def keeps_to(name: str, curves: Mapping[str, Curve]) -> str:
    """How often each network's answer for a picture's own outline, or phases, comes before the other's."""
    own, how = (
        ("outline", "With an outline filled with another thing")
        if name == SHAPE[0]
        else ("phases", "With another picture's amplitudes under its phases")
    )
    each = [
        f"{title} in {_of(curve.before, 2)}, {curve.either} times as its first answer one of the two"
        for title, curve in curves.items()
        if curve.before
    ]
    return f"{how}, the answer for the {own} comes before the other's: {'; '.join(each)}."


def verdict(difference: Interval, cnn: str, vit: str) -> str:
    """Whether a ViT goes more by shape than a CNN.

    Args:
        difference: how much more often the CNN keeps to the shape, on the same pictures, −1 to 1.
    """
    points = f"{abs(100 * difference.value):.0f} points"
    ends = f"{-100 * difference.high:+.0f} to {-100 * difference.low:+.0f}".replace("-", "−")
    if math.isnan(difference.value) or difference.low <= 0 <= difference.high:
        return (
            f"**Not shown:** {vit} keeps to it {ends} points more often than {cnn} (95 % interval): these "
            "pictures show no difference."
        )
    if difference.value < 0:
        return f"**As the claim has it:** {vit} keeps to it {points} more often than {cnn} ({ends})."
    return f"**The other way round:** {vit} keeps to it {points} less often than {cnn} ({ends})."


def lost_points(before: float, after: float, answer: str, now: str) -> str:
    """One picture's answer under a change: probabilities of its answer, and the likeliest class now."""
    move = f"“{answer}” {percent(before)} → {percent(after)}"
    return f"{move}: it still says so." if now == answer else f"{move}: it says **“{now}”**."
