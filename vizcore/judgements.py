"""What the app says of what it found: facts in, plain words out. Nothing is said that the facts don't give.

No function here looks at a network, a picture or a page. A sentence that calls a map right needs a region in
which the answer is known to lie, and one about an answer needs to know whether the answer is right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

SAME = 0.7  # rank correlation with the map of the network as it was from which a map "stays the same"

# ---------------------------------------------------------------- one map


def empty(low: float, high: float) -> str:
    """Why a map with values from ``low`` to ``high`` points nowhere; "" where it points somewhere."""
    if not high > 0:  # nan as well
        return "No positive evidence anywhere."
    return "" if high > low else "The same everywhere."


def pointing(
    low: float, high: float, inside: bool, share: float, area: float, thing: str, seen: float
) -> str:
    """Whether a map points to where its class is known to be.

    Args:
        low, high: the map's smallest and largest value.
        inside: its maximum lies in the region. share: of its positive part, what lies there, 0 to 1.
        area: the region's share of the picture, 0 to 1. thing: what is there, such as "spiral".
        seen: the region's share of what the network sees: 0 or 1 where no map could point otherwise.
    """
    if nowhere := empty(low, high):
        return f"{nowhere} So it points neither to the {thing} nor elsewhere."
    if not 0 < seen < 1:
        what, where = ("nothing but", "there") if seen else ("nothing of", "elsewhere")
        return f"The network sees {what} the {thing}, so any map of it has its maximum {where}."
    icon, side = ("check_circle", "there** too") if inside else ("cancel", "elsewhere**")
    heat = "what speaks for it" if low < 0 else "the heat"
    lies = f"lies on the {thing} ({area:.0%} of the picture); its maximum lies **{side}."
    return f":material/{icon}: **{share:.0%}** of {heat} {lies}"


def elsewhere(shares: Mapping[str, float]) -> str:
    """On which other thing of the picture most of a map lies, and how much; "" below one percent.

    Args:
        shares: of the map's positive part, by the things' names, 0 to 1.
    """
    name = max(shares, key=lambda one: shares[one], default="")
    return f"**{shares[name]:.0%}** lies on “{name}”." if name and shares[name] >= 0.01 else ""


# ---------------------------------------------------------------- the two networks of the home page


class Network(NamedTuple):
    """What is known of one network, one picture and the class asked for."""

    title: str
    loaded: bool = True
    learnt: bool = True  # False: its weights are random
    classes: bool = True  # it has any
    kind: bool = True  # False: it learnt only drawn textures, and the picture is something else
    knows: bool = True  # the class asked for is one of its own
    several: bool = False  # more than one of its own is called so, and none of them can be meant
    answer: str = ""  # its first: "asked", "other" of what was drawn, "wrong", or "" where nobody knows
    mapped: bool = True  # there is a map of it
    positive: bool = True  # with positive evidence that differs from place to place
    inside: bool | None = None  # its maximum lies where the class is; None where nobody knows
    open: bool = True  # False: it sees nothing of where the class is, or nothing else


# what is said of one network, and of two of which the same is to be said
_STATES = {
    "absent": ("{who} couldn't be loaded.", "Neither network could be loaded."),
    "random": (
        "{who} has random weights: it learnt nothing, so its answer and its map are chance.",
        "Both networks have random weights: they learnt nothing, so their answers and maps are chance.",
    ),
    "classless": ("{who} has no classes to be asked for.", "Neither network has classes to be asked for."),
    "foreign": (
        "{who} learnt only drawn textures: it doesn't know this kind of picture.",
        "Both networks learnt only drawn textures: they don't know this kind of picture.",
    ),
    "doubled": (
        "{who} has several classes called “{asked}”.",
        "Both networks have several classes called “{asked}”.",
    ),
    "unknowing": ("{who} has no class “{asked}”.", "Neither network has a class “{asked}”."),
    "mapless": (
        "{who} has no map for “{asked}”: no gradient leads from it to places.",
        "Neither network has a map for “{asked}”: no gradient leads from it to places.",
    ),
    "silent": (
        "The map of {who} has no positive evidence for “{asked}” in any one place.",
        "Neither map has positive evidence for “{asked}” in any one place.",
    ),
    "decided": (
        "{who} sees nothing of where “{asked}” is, or nothing else: no map of it could point otherwise.",
        "Both networks see nothing of where “{asked}” is, or nothing else: no map could point otherwise.",
    ),
    "inside": ("The map of {who} points to where “{asked}” is.", "Both maps point to where “{asked}” is."),
    "outside": ("The map of {who} points elsewhere.", "Neither map points to where “{asked}” is."),
}
_ANSWERS = {
    "asked": ("{who} names “{asked}” first, which is right.", "Both name “{asked}” first, which is right."),
    "other": (
        "{who} names {other} first, which is there too.",
        "Both name {other} first, which is there too.",
    ),
    "wrong": (
        "{who} names something first that wasn't drawn here, which is wrong.",
        "Both name something first that wasn't drawn here, which is wrong.",
    ),
}


def _state(one: Network, region: str) -> str:
    """The first thing that is to be said of a network; "" where there is only a map that nobody can judge."""
    checks = {
        "absent": not one.loaded,
        "classless": not one.classes,
        "random": not one.learnt,
        "foreign": not one.kind,
        "doubled": not one.knows and one.several,
        "unknowing": not one.knows,
        "mapless": not one.mapped,
        "silent": not one.positive,
    }
    found = next((name for name, holds in checks.items() if holds), "")
    if found or region != "known" or one.inside is None:
        return found
    if not one.open:
        return "decided"
    return "inside" if one.inside else "outside"


def _of_both(words: dict[str, tuple[str, str]], keys: Sequence[str], titles: Sequence[str], **facts: str):
    """A sentence about both where the same holds of them, or else one about each."""
    if keys[0] and keys[0] == keys[1]:
        return [words[keys[0]][1].format(**facts)]
    return [words[key][0].format(who=who, **facts) for key, who in zip(keys, titles, strict=True) if key]


def verdict(asked: str, region: str, a: Network, b: Network, what="texture", tried=False) -> str:
    """What the comparison of two networks' maps for one class comes to.

    Args:
        asked: the class. region: "known", where it was drawn; "none", the picture was drawn and has nothing
            of the class; "unknown", nobody has marked where the class is.
        what: the picture is known to show; "" where it is no more than one.
        tried: another one of what it shows was asked for before.
    """
    both = a, b
    other = "the other texture" if what == "texture" else f"another {what}"  # of two, or of any number
    states = [_state(one, region) for one in both]
    said = _of_both(_STATES, states, [one.title for one in both], asked=asked)
    if "absent" in states or "foreign" in states:
        return " ".join([*said, "So nothing is compared."])
    if region == "unknown":
        if "" in states:
            said.append(
                "Nobody has marked where the answer lies in this picture, so no map of it can be called "
                "right or wrong. In a drawn picture it is known."
            )
        return " ".join(said)
    if region == "none":
        return " ".join([*said, f"Nothing called “{asked}” was drawn here, so no map can point to it."])
    judged = [one for one, state in zip(both, states, strict=True) if state in ("inside", "outside")]
    answers = [one.answer if one in judged else "" for one in both]
    said += _of_both(_ANSWERS, answers, [one.title for one in both], other=other, asked=asked)
    if any(one.answer == "asked" and not one.inside for one in judged):
        said.append("A right answer doesn't make a map right.")
    if any(one.answer == "wrong" and one.inside for one in judged):
        said.append("A map in the right place doesn't make an answer right.")
    if what and not tried and states == ["inside", "inside"] and "wrong" not in answers:
        said.append(f"Would they still, if you asked for {other}?")
    return " ".join(said)


def foreign(learnt: bool) -> str:
    """Why a network that has names for textures only isn't asked about a picture of another kind."""
    if not learnt:
        return "It has random weights, and names for textures only: nothing to ask it about this picture."
    return "It learnt only drawn textures and doesn't know this kind of picture: nothing to ask it here."


def strange(learnt: str, drawn: bool) -> str:
    """What is to be known of a network's answers about a kind of picture that it never saw; "" of any other.

    Args:
        learnt: what it learnt from, "textures" or "photographs"; "" where nobody knows, or nothing.
        drawn: the picture was drawn by code, from textures.
    """
    if learnt == "textures" and not drawn:
        return "It learnt only drawn textures, so what it says of another picture is a guess."
    if learnt == "photographs" and drawn:
        return "It learnt photographs, so what it says of drawn textures is a guess."
    return ""


def lacks(title: str, asked: str, several: bool = False) -> str:
    """Why a network isn't asked for a class, without the point: it has none, or several, of the name."""
    return f"{title} has several classes called “{asked}”" if several else f"{title} has no class “{asked}”"


def instead(title: str, asked: str, own: str, several: bool = False) -> str:
    """A map shown for a network's own first answer, since it has no one class such as was asked for."""
    return f"{lacks(title, asked, several)}: this is for its own top class, “{own}”."


def named(
    title: str, name: str, who: Sequence[tuple[str, float]] = (), firsts: Mapping[str, str] | None = None
) -> str:
    """What a part of a picture is called, and by whom.

    Args:
        name: the class; "" where nobody has one.
        who: which networks have that class and how sure they are of it, 0 to 1; nobody: a person says so.
        firsts: by network, the class that it finds likeliest, where that is another one.
    """
    if not name:
        return f"{title}: no network here is sure enough what it is, so nothing is asked about it."
    sure = ", ".join(f"{network} {probability:.0%}" for network, probability in who)
    other = "; ".join(f"{network} finds “{first}” likelier" for network, first in (firsts or {}).items())
    return f"{title}: **{name}** ({sure or 'as you say'})." + (f" {other}." if other else "")


class Measured(NamedTuple):
    """How a method, or a control, did on pictures whose answer is known: a share and its 95 % interval."""

    name: str
    value: float
    low: float
    high: float


def known(
    title: str, questions: int, chance: float, methods: Sequence[Measured], controls: Sequence[Measured]
):
    """Which method points right most often, and whether that is more than maps that know nothing do.

    Args:
        chance: the mean share of the picture that is right.
    """
    if not questions:
        return f"{title} was asked nothing: it has no name for any of these photographs."
    best = max(methods, key=lambda one: one.value, default=None)
    if best is None:
        return f"No method here can be asked of {title}."
    figures = (
        f"{best.value:.0%} of {questions} questions ({best.low:.0%} to {best.high:.0%}; chance {chance:.0%})"
    )
    said = f"For {title}, {best.name} points right most often: in {figures}."
    above = [one.name for one in controls if best.low > one.high]
    if len(above) == len(controls):
        return f"{said} That is more than each control does."
    *first, last = (one.name for one in controls if one.name not in above)
    others = f"controls {', '.join(first)} and {last} do" if first else f"control {last} does"
    return f"{said} That is **not clearly more** than the {others}."


# ---------------------------------------------------------------- a map beside others


def beyond(kind: str, areas: Mapping[str, float]) -> str:
    """A map's area beside that of each control, on one picture: figures, and no winner.

    Args:
        kind: "deletion", where less is better, or "insertion". areas: the map's first, then the controls'.
    """
    (own, area), *controls = areas.items()
    listed = ", ".join(f"{name} {value:.2f}" for name, value in areas.items())
    differences = "; ".join(f"{own} less {name} {_signed(area - value)}" for name, value in controls)
    better = "less" if kind == "deletion" else "more"
    return f"{kind.capitalize()}, area: {listed} ({better} is better). Differences: {differences}."


def _signed(value: float) -> str:
    text = f"{value:+.2f}".replace("-", "−")
    return "0.00" if text[1:] == "0.00" else text


def agreement(rank: float, shared: float, flat: tuple[bool, bool], alike: bool) -> str:
    """How far two maps agree.

    Args:
        rank: the rank correlation, -1 to 1. shared: how much of their top fifths they share, 0 to 1.
        flat: whether each is the same everywhere. alike: both are for the same class.
    """
    other = "" if alike else " They answer **different questions**."
    if any(flat) or math.isnan(rank):
        which = "both maps are" if all(flat) else "one map is"
        return f"Agreement: undefined, for {which} the same everywhere.{other}"
    figures = f"rank correlation **{rank:.2f}**; the top fifths of the two share **{shared:.0%}**"
    return f"Agreement: {figures}.{other}"


# ---------------------------------------------------------------- tests of a map


def stayed(rank: float, method: str, title: str, learnt: bool) -> str:
    """What a map says that is still like itself when all weights are random; "" where it isn't.

    Args:
        rank: the rank correlation with the map before; nan where one of them is flat.
        learnt: whether the network had learnt anything before.
    """
    if not rank > SAME:
        return ""
    now = f"All weights are drawn anew, and the map is still much the same (rank correlation {rank:.2f})"
    if not learnt:
        return f"{now}. {title} had random weights before too, so that says nothing about what is learnt."
    return (
        f"{now}: evidence that {method} here shows the picture more than what {title} learnt. It is no "
        "proof: random weights pass on something of the picture as well."
    )


def transfer(
    origin: str, judge: str, robust: float, plain: float, interval: tuple[float, float] | None
) -> str:
    """Whether pictures made with one view convince another network less than those made with random views.

    Args:
        origin: the network that they were made for. judge: the one that is asked.
        robust, plain: the share of views that it names right, made with and without random views.
        interval: of the mean difference, robust less plain, over the classes; None of too few classes.
    """
    shares = f"{judge} names {plain:.0%} of the views, with them {robust:.0%}"
    made = f"Without random views, {origin}’s pictures"
    if interval is None:
        return f"{made}: {shares}. So few pictures are an anecdote."
    low, high = interval
    if low > 0:
        return f"{made} transfer **worse**: {shares}."
    if high < 0:
        return f"{made} transfer **better**: {shares}."
    return f"{made} transfer **neither clearly better nor worse**: {shares}."
