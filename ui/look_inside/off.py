"""Switch it off: what becomes of the answer, and of where it is found, without some parts of a network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from vizcore.inside import sayings

from .. import as_seen, cant_show, classes, code, figures, over_picture, saving, viewer
from ..address import forget
from ..classes import class_names
from ..mapped import told_of
from . import before_after, every_head, what_is_off
from .asked import Asked, Room, asked_of
from .places import LOOK
from .what_is_off import PATCHES
from .without import MEAN, ZERO, Answer, Change, asked_for

WHOLE, PATCHED = "as it is", "patched"
NOTHING = {PATCHED: "no place is chosen yet"}
LINES = 7  # of words below a map
state = st.session_state
LIMITS = (
    "can't show what a part is for: others may stand in for it once it is off, and a network without it is "
    "one that nobody trained. Zero may be far from anything it ever saw; the mean over other pictures is "
    "nearer, and leaves in what all of them have. Grad-CAM is computed on the network as it is then."
)


def show(sides: list, picture, room: Room) -> None:
    """The whole view; ``sides`` are as of ``answers.sides``."""
    with room.controls:
        name, indices = classes.ask(sides, "i_class", there=picture.there)
        shown = st.container(width=220)
    with room.above, st.container(horizontal=True, vertical_alignment="center"):
        kind = what_is_off.pick_kind(picture)
    found = []
    with room.above:
        picks = st.columns(2)
    for side, column, pick in zip(sides, room.columns, picks, strict=True):
        if not side.model:
            continue
        with column:
            figures.name(side.model, side.colour)
            if not side.model.num_classes:
                st.info(f"{side.model.title} has no classes, so there is no answer that could change.")
                continue
            asked = asked_of(side, picture, indices.get(side.slot), name)
        with pick:
            layer, on_pin = what_is_off.pick(asked, kind)
        found.append((asked, what_is_off.changes(asked, kind, layer), on_pin))
    names = [WHOLE, PATCHED] if kind == PATCHES else [WHOLE, ZERO, MEAN]
    forget("i_by", names, names[1])
    with shown:
        viewer.picker("i_shown", "Map", dict.fromkeys(names, ""), state["i_by"], _to_map)
    drawn = [
        _one(asked, dict(zip(names, made, strict=True)), room.columns, on_pin)
        for asked, made, on_pin in found
    ]
    with room.beside:
        for asked, answers in filter(None, drawn):
            before_after.show(asked, answers)
    if found:
        with room.maps:
            over_picture.controls("i_look", tuple(LOOK), LOOK)
        cant_show.say("Switch it off" if kind != PATCHES else "Patching", LIMITS)
    if kind == "heads":
        every_head.show([asked for asked, *_ in found])


def _to_map(name: str) -> None:
    state["i_by"] = name


def _one(
    asked: Asked, made: dict[str, Change], columns, on_pin: Callable | None
) -> tuple[Asked, dict[str, Answer]] | None:
    """One network's maps, as it is and as it is changed; returns what it answers."""
    with columns["ab".index(asked.choice.slot)]:
        answers = {}
        for name, change in made.items():
            try:
                answers[name] = asked_for(asked, change)
            except ValueError as error:  # what is to be off can't be, or has no mean
                st.warning(str(error))
        if WHOLE not in answers:
            return None
        look, shown = over_picture.look(LOOK), over_picture.picture(asked.picture)
        if answers[WHOLE].cam is None:
            st.caption(f"No map. {answers[WHOLE].why_not}")
            return asked, answers
        maps = [_map(asked, name, answers, made[name]) for name in answers]
        chosen = next((one for one in maps if one.name == state["i_by"]), maps[0])
        how = {"lines": LINES, "on_pin": on_pin}
        as_seen.show(f"i_{asked.choice.slot}", shown, maps, chosen.name, **how)
        if asked.note:
            st.caption(asked.note)
        _keep(asked, made[chosen.name], chosen, look, answers[chosen.name].cam is not None)
    return asked, answers


def _map(asked: Asked, name: str, answers: dict[str, Answer], change: Change) -> viewer.Map:
    model, picture, region = asked.model, asked.picture, asked.name.casefold()
    chances, before, whole = answers[name].chances, answers[WHOLE].chances, answers[WHOLE].cam
    assert whole is not None
    cam = answers[name].cam
    heat = np.zeros_like(whole) if cam is None else cam
    titles = class_names(model)
    first, now = (titles[int(one.argmax())] for one in (before, chances))
    words = f"“{asked.name}”, {name}"
    if change.nothing:
        words += "" if name == WHOLE else f" ({NOTHING.get(name, 'nothing is off yet')})"
        facts = sayings.answered(first, float(before.max()))
    else:
        facts = sayings.changed(before[asked.index], chances[asked.index], asked.name, first, now)
    if cam is None:
        facts += f" No map. {answers[name].why_not}"
    elif region in picture.masks:
        facts += " " + told_of(picture, model, viewer.sent(heat), region, picture.masks[region])[1]
    alt = f"Grad-CAM of {model.title} for {asked.name}, {name}, over {picture.title}"
    return viewer.Map(heat, words, model.preprocess.box(picture.size), name=name, facts=facts, alt=alt,
                      region=region if region in picture.masks else "")  # fmt: skip


def _keep(asked: Asked, change: Change, seen: viewer.Map, look: dict, mapped: bool) -> None:
    """So that it can be saved, with the code of a map."""
    what = "Grad-CAM" if change.nothing else "Grad-CAM, changed"
    facts = {"class": asked.name, "changed": what_is_off.words(change)}
    about = saving.about(what, asked.model, asked.picture, **facts)
    script = code.changed(change, asked.index, asked.name, asked.model.cam_layer) if mapped else ""
    draw, low_high = as_seen.keep(asked, what, about, seen, look, script, map=seen.values)
    words = [f"{seen.words}: {what_is_off.words(change) or 'nothing is off'}.", seen.facts]
    as_seen.keep_for_slide(asked, "Switch it off", words, draw, low_high, look["colours"])
