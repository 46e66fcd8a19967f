"""Concepts: of which few patterns a layer's features are made up, on pictures of one class."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore.inside import sayings

from .. import as_seen, cant_show, classes, code, figures, over_picture, saving, viewer
from ..address import forget
from ..insides import why_not_anew
from ..jobs import job
from ..layer_names import with_depth
from . import concepts_beside
from .asked import Room, asked_of
from .concept_pictures import Shown, pictures_for

EVERY, LINES = "all", 4
LOOK = {"opacity": "i_opacity", "colours": "i_colours"}
MOST = 8
state = st.session_state
LIMITS = (
    "can't show that a concept is one for people: it is a pattern of channels that comes again in these "
    "pictures, and its colour has no name. With another number of concepts, another layer or other pictures "
    "there are others. A place has heard from others by then: it is a place, not what it saw. Importance is "
    "of taking one out alone; others may stand in for it."
)


class Found(NamedTuple):
    """What is known so far, each None before it begins."""

    done: int
    total: int
    own: Any  # ``vizcore.inside.concepts.Concepts``
    random: Any  # with all weights drawn anew
    falls: np.ndarray | None  # (K,), without each concept, the mean over the pictures


def show(sides: list, picture, room: Room) -> None:
    """The whole view; ``sides`` are as of ``answers.sides``."""
    with room.controls:
        name, indices = classes.ask(sides, "i_class", there=picture.there)
        count = int(st.number_input("Concepts", 2, MOST, 5, key="i_k", width=110))
    with room.above:
        own = st.container()
        shown = {EVERY: ""} | {str(k + 1): "" for k in range(count)}
        forget("i_concept", list(shown), EVERY)
        viewer.picker("i_concepts", "Concept", shown, state["i_concept"], _to_concept)
    found = {}
    for side, column in zip(sides, room.columns, strict=True):
        if side.model:
            with column:
                figures.name(side.model, side.colour)
                if not side.model.num_classes:
                    st.info(f"{side.model.title} has no classes, so no concept is important for one.")
                    continue
                asked = asked_of(side, picture, indices.get(side.slot), name)
                found[side.slot] = asked, _layer(asked)
    if not found:
        return
    with own:
        pictures = pictures_for(picture, name)
    if pictures is None:
        return
    for slot, (asked, layer) in found.items():
        with room.columns["ab".index(slot)]:
            _one(asked, layer, count, pictures, room)
    with room.maps:
        over_picture.controls("i_look", tuple(LOOK), LOOK)
    cant_show.say("Concepts", LIMITS)


def _to_concept(name: str) -> None:
    state["i_concept"] = name


def _layer(asked) -> str:
    model, key = asked.model, f"i_from_{asked.choice.slot}"
    layers = model.blocks or model.layers
    layers = layers if model.cam_layer in layers else [*layers, model.cam_layer]
    forget(key, layers, model.cam_layer)
    return str(st.selectbox("Layer", layers, key=key, format_func=with_depth(layers)))


def _one(asked, layer: str, count: int, pictures: Shown, room: Room) -> None:
    slot, choice = asked.choice.slot, asked.choice._replace(slot="")
    question = choice, asked.picture.key, pictures.key, layer, count, asked.index
    steps = job(
        f"i_found_{slot}", question, lambda: _steps(asked, layer, count, pictures), _so_far,
        "Find concepts", keep_all=False, start=True,
    )  # fmt: skip
    if not steps:
        return
    last = steps[-1]
    _over_the_picture(asked, layer, pictures, last, count)
    with room.beside:
        concepts_beside.show(asked, layer, pictures, last)


def _steps(asked, layer: str, count: int, pictures: Shown) -> Iterator[Found]:
    from vizcore.inside.concepts import ROUNDS, concepts, without_each
    from vizcore.truth.randomised import randomised

    model, images = asked.model, [asked.model.preprocess(one) for one in pictures.images]
    beside = not why_not_anew(model)
    total = ROUNDS * (1 + beside) + len(images)
    steps = []
    for step in concepts(model, images, layer, count):
        steps = [step]
        yield Found(step.done, total, step, None, None)
    (own,) = steps
    falls: list[np.ndarray] = []
    for number, one in enumerate(images):
        falls.append(without_each(model, one, layer, own, number, asked.index).numpy())
        yield Found(ROUNDS + len(falls), total, own, None, np.mean(falls, 0))
    if beside:
        *_, (_, anew) = randomised(model)
        for random in concepts(anew, images, layer, count):
            yield Found(ROUNDS + len(images) + random.done, total, own, random, np.mean(falls, 0))


def _so_far(steps: list) -> None:
    last = steps[-1]
    st.caption(f"{last.own.explained:.0%} of the features after {last.own.done} rounds.")


def _over_the_picture(asked, layer: str, pictures: Shown, last: Found, count: int) -> None:
    """The picture at hand, the first of them, in the viewer."""
    maps = _maps(asked, layer, pictures, last, count)
    chosen = next(one for one in maps if one.name == state["i_concept"])
    shown, slot = over_picture.picture(pictures.first), asked.choice.slot
    as_seen.show(f"i_{slot}", shown, maps, chosen.name, lines=LINES)
    _keep(asked._replace(picture=pictures.first), layer, pictures, last.own, chosen)


def _maps(asked, layer: str, pictures: Shown, last: Found, count: int) -> list[viewer.Map]:
    from vizcore.inside.concepts import in_colours

    own = last.own
    ends, box = own.maps.amax((0, 2, 3)), asked.model.preprocess.box(pictures.first.size)
    alt = f"of {asked.model.title} behind {layer}, over {pictures.first.title}"
    words, facts = f"{count} concepts behind {layer}", sayings.explained(own.explained, own.split)
    colours = in_colours(own.maps[0], ends).numpy()
    maps = [viewer.Map(colours, words, box, "colours", name=EVERY, facts=facts, alt=f"Concepts {alt}")]
    for k in range(count):
        facts = "" if last.falls is None else sayings.taken_out(float(last.falls[k]), asked.name)
        words, end = f"Concept {k + 1} behind {layer}", (0.0, float(ends[k]))
        values = own.maps[0, k].numpy()
        maps.append(
            viewer.Map(values, words, box, name=str(k + 1), shared=end, facts=facts, alt=f"{words} {alt}")
        )
    return maps


def _keep(one, layer: str, pictures: Shown, own, chosen: viewer.Map) -> None:
    """So that they can be saved, with their code: over the picture at hand, and on all of them."""
    from vizcore.inside.concept_sheet import concept_sheet

    count, look, whole = own.maps.shape[1], over_picture.look(LOOK), own.done == own.total
    which = None if chosen.name == EVERY else int(chosen.name) - 1
    made = code.concepts(pictures.code, layer, count, which) if whole else ""
    about = saving.about("Concepts", one.model, pictures.first, layer=layer)
    raw = {"maps": own.maps.numpy(), "parts": own.parts.numpy()}
    draw, low_high = as_seen.keep(one, "Concepts", about, chosen, look, made, **raw)
    colours = look["colours"] if which is not None else ""
    as_seen.keep_for_slide(one, "Concepts", [f"{chosen.words}.", chosen.facts], draw, low_high, colours)
    sheet = partial(concept_sheet, one.model, pictures.images, own)
    many = f"All {len(pictures.images)} pictures ({pictures.words}), and the parts with most of each"
    every = code.concept_sheet(one, pictures.code, layer, count) if whole else ""
    name = f"Concepts on every picture of {one.model.title}, {one.choice.slot.upper()}"
    saving.keep(name, f"{about}. {many}", sheet, every)
