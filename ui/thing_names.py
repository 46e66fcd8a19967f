"""What the networks themselves call each part of a picture that was put together: what they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.pictures.textures import LABELS as TEXTURES

from . import answers
from .classes import class_names
from .network_picker import Choice, uploads
from .picture_picker import FIRST, MOSAICS, Picture, Thing
from .plain import plain
from .shared_networks import at_rest, network
from .warmup import warm

LEAST = 0.2  # the probability from which on what all networks answer is taken for a name
ALONE = 0.3  # and what one answers that the others don't
WHOLE = " They call the whole picture so: if you marked something else, name it."  # of a single region


def with_names(picture: Picture, choices: Sequence[Choice]) -> Picture:
    """A picture with a mask for each class that a network, or the visitor, has for one of its things."""
    if not picture.things:
        return picture
    with st.expander("What its parts are called", expanded=picture.title not in MOSAICS):
        return _named(picture, choices)


def _named(picture: Picture, choices: Sequence[Choice]) -> Picture:
    typed = st.text_input(
        "Names, if you know better",
        key="p_names",
        help="A class for each part, with commas between them, in their order above; nothing between two "
        "commas leaves a part to the networks.",
    )
    own = [name.strip() for name in (typed or "").split(",")]
    models = [model for choice in choices if (model := _known(choice)) is not None]
    found, lines = named(picture, models, own)
    for line in lines:
        st.caption(line)
    return found


def named(picture: Picture, models: Sequence, own: Sequence[str] = ()) -> tuple[Picture, list[str]]:
    """A picture with a mask for each class that its things are called, and a line on each of these.

    Args:
        models: (choice, network), those that name things. own: names that somebody gave, in their order.
    """
    answered = {thing.key: _answers(thing, models) for thing in picture.things}
    classes = {name.casefold(): name for _, model in models for name in class_names(model)}
    masks: dict[str, np.ndarray] = {}
    regions: dict[str, str] = {}
    sure: dict[str, float] = {}
    called: dict[str, str] = {}
    unnamed: list[str] = []
    lines: list[str] = []
    for thing, name in zip(picture.things, [*own, *[""] * len(picture.things)], strict=False):
        found = answered[thing.key]
        name = name or classes.get(thing.title.casefold(), "")  # a file may say it in a network's own words
        who, firsts = (), {}
        if not name and (name := common(list(found.values()))):
            who = [(title, said[name]) for title, said in found.items() if name in said]
            firsts = {title: next(iter(said)) for title, said in found.items() if next(iter(said)) != name}
        of_all = WHOLE * (bool(who) and thing.key == picture.key)
        lines.append(judgements.named(plain(thing.title), plain(name), who, firsts) + of_all)
        if not name:
            unnamed.append(thing.title)
        else:
            folded = name.casefold()
            codes = [regions.get(folded, thing.code), thing.code]
            regions[folded] = " | ".join(dict.fromkeys(codes)) if all(codes) else ""
            masks[folded] = masks[folded] | thing.mask if folded in masks else thing.mask
            sure[name] = _sure(name, list(found.values()))
            called[thing.title] = name
    asked = max(sure, key=sure.__getitem__, default="")
    asked = called.get(FIRST.get(picture.title, ""), asked)
    whole = picture._replace(masks=masks, regions=regions, asked=asked, unnamed=tuple(unnamed))
    return whole, lines


def _known(choice: Choice):
    """A chosen network, if it can be had and learnt photographs' names; pages say why it can't."""
    if choice in st.session_state.get("failures", {}) or choice.weights == "random":
        return None
    model = at_rest(choice)
    if model is None:
        warm()
        from vizcore.networks.load import ModelError

        try:
            with st.spinner("Asking the networks what each part is …"):
                model = network(choice, uploads(choice))
        except ModelError:
            return None
    knows = model.num_classes and not (model.labels and set(model.labels) <= set(TEXTURES))
    return (choice, model) if knows else None


def _answers(thing: Thing, models: Sequence) -> dict[str, dict[str, float]]:
    """By network, the probability of each class for a thing that is shown alone, the likeliest first."""
    found = {}
    for choice, model in models:
        asked = choice._replace(slot=""), thing.key, model, thing.alone, model.num_classes
        names = class_names(model)
        title = model.title if model.title not in found else f"{model.title} ({choice.slot.upper()})"
        found[title] = {names[index]: share for index, share in answers.top_classes(*asked)}
    return found


def _sure(name: str, said: Sequence[dict[str, float]]) -> float:
    """How sure the least sure network is of a name; more than 1 where each finds it likeliest."""
    every = all(max(one, key=one.__getitem__) == name for one in said)
    return min((one.get(name, 0.0) for one in said), default=0.0) + every


def common(said: Sequence[dict[str, float]]) -> str:
    """One name for a thing: the class that all networks have and together find likeliest.

    Where they aren't sure enough of any, the first answer of whichever is surest; "" where none is.

    Args:
        said: by network, the probability of each class.
    """
    if not said:
        return ""
    shared = set(said[0]).intersection(*said[1:])
    means = {name: sum(one[name] for one in said) / len(said) for name in sorted(shared)}
    firsts = {max(one, key=one.__getitem__): max(one.values()) for one in said}
    for shares, least in ((means, LEAST), (firsts, LEAST if len(said) == 1 else ALONE)):
        best = max(shares, key=shares.__getitem__, default="")
        if best and shares[best] >= least:
            return best
    return ""
