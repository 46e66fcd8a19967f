"""What each place says, block by block: a map of one class or of names, and how many say the answer early."""

from __future__ import annotations

import html
from collections import Counter
from typing import NamedTuple

import numpy as np
import streamlit as st

from vizcore.inside import sayings

from .. import as_seen, cant_show, classes, code, figures, over_picture, saving, viewer
from ..address import forget
from ..classes import class_names
from ..mapped import told_of
from ..plain import plain
from . import aligned
from .asked import Asked, Found, Room, asked_of, chain_of, what_places_say

LOOK = {"opacity": "i_opacity", "colours": "i_colours", "scale": "i_scale"}
CHANCE, NAMES = "one class", "names"
SECONDS_A_BLOCK = 1.2  # while the slider plays
LINES = 8, 5  # of words below a map, where the truth is known and where it isn't
state = st.session_state
LIMITS = (
    "can't show what a block knows: it is read with the norm and the head of the end, and middle blocks "
    "needn't be aligned with these. A place has heard from others by then: it is a place, not what it saw. "
    "Patches of a network that reads its class token alone were never taught to say anything."
)


class Lens(NamedTuple):
    """One network's places, read."""

    asked: Asked
    found: Found


def show(sides: list, picture, room: Room) -> None:
    """The whole view; ``sides`` are as of ``answers.sides``."""
    with room.controls:
        name, indices = classes.ask(sides, "i_class", there=picture.there)
        shown = st.segmented_control(
            "Map of", [CHANCE, NAMES], default=CHANCE, required=True, key="i_show",
            help="The probability of one class, or the likeliest class of each place as a colour.",
        )  # fmt: skip
    read = {}
    for side, column in zip(sides, room.columns, strict=True):
        if side.model:
            with column:
                figures.name(side.model, side.colour)
                if lens := _read(side, picture, indices.get(side.slot), name):
                    read[side.slot] = lens
    found = list(read.values())
    depth = max((len(lens.found.layers) for lens in found), default=1)
    forget("i_block", range(1, depth + 1), depth)
    with room.above:
        if depth > 1:
            blocks = {str(k + 1): "" for k in range(depth)}
            moving = [lens.asked.model.title for lens in found if len(lens.found.layers) > 1]
            label = "After block" + (f" of {moving[0]}" if len(moving) < len(found) else "")
            viewer.picker("i_blocks", label, blocks, str(state["i_block"]), _to_block, SECONDS_A_BLOCK)
    named = _often(found)
    for side, column in zip(sides, room.columns, strict=True):
        if side.slot in read:
            with column:
                _draw(read[side.slot], depth, shown, named)
    if found:
        with room.maps:
            if shown == NAMES:
                st.html(_legend(named))
            over_picture.controls("i_look", tuple(LOOK) if shown == CHANCE else ("opacity",), LOOK)
        cant_show.say("What places say", LIMITS)
        with room.beside:
            aligned.show(found)
    figures.all_predictions(sides, picture)


def _to_block(name: str) -> None:
    state["i_block"] = int(name)


def _read(side, picture, index: int | None, name: str) -> Lens | None:
    """What a network's places say, or a sentence why they can't be asked."""
    from vizcore.inside.lens import why_no_lens

    chain = chain_of(side.choice, side.model)
    if why := why_no_lens(side.model, chain):
        st.info(why)
        return None
    asked = asked_of(side, picture, index, name)
    return Lens(
        asked, what_places_say(side.choice, picture.key, asked.index, side.model, picture.image, chain)
    )


def _often(found: list[Lens]) -> list[str]:
    """The names that get a colour: those that most places say, at the end before any block."""
    from vizcore.inside.lens import NAMED

    counts: Counter = Counter()
    for lens in found:
        names = class_names(lens.asked.model)
        for weight, indices in zip((1, 1000), (lens.found.likeliest, lens.found.likeliest[-1]), strict=True):
            values, many = np.unique(indices, return_counts=True)
            for value, count in zip(values, many, strict=True):
                counts[names[value]] += weight * count / indices.size
    return [name for name, _ in counts.most_common(len(NAMED))]


def _legend(named: list[str]) -> str:
    """The colours of names, as HTML; names are ``plain`` already."""
    from vizcore.inside.lens import ANOTHER, NAMED

    square = "display:inline-block;width:0.9rem;height:0.9rem;margin-right:0.35rem;vertical-align:-0.1rem"
    chips = []
    for name, colour in [*zip(named, NAMED, strict=False), ("another", ANOTHER)]:
        red, green, blue = (round(255 * one) for one in colour)
        paint = f"{square};background:{figures.web_colour((red, green, blue))}"
        words = html.escape(plain(name))
        chips.append(
            f'<span style="margin-right:0.9rem;white-space:nowrap"><i style="{paint}"></i>{words}</span>'
        )
    return " ".join(chips)


def _draw(lens: Lens, depth: int, shown: str, named: list[str]) -> None:
    asked, found = lens
    count, block = len(found.layers), min(state["i_block"], len(found.layers))
    maps = [_map(lens, min(k + 1, count), shown, named, str(k + 1)) for k in range(depth)]
    look = over_picture.look(LOOK)
    picture = over_picture.picture(asked.picture)
    seen = maps[state["i_block"] - 1]
    lines = LINES[0 if seen.region else 1]
    as_seen.show(f"i_{asked.choice.slot}", picture, maps, seen.name, lines=lines)
    if asked.note and shown == CHANCE:
        st.caption(asked.note)
    _keep(lens, block, seen, look, shown, named)


def _map(lens: Lens, block: int, shown: str, named: list[str], name: str) -> viewer.Map:
    from vizcore.inside.lens import named as painted

    asked, found = lens
    model, picture, k = asked.model, asked.picture, block - 1
    box, titles = model.preprocess.box(picture.size), class_names(asked.model)
    said = _names(found, k, titles)
    after = (
        f"after block {block} of {len(found.layers)}"
        if len(found.layers) > 1
        else "by its classifier at each place"
    )
    facts = f"Places say: {said}." if said else "No class is likelier than another."
    facts += f" {_answer(found, k, titles)}"
    if shown == NAMES:
        import torch

        order = [titles.index(one) if one in titles else -1 for one in named]
        values = painted(torch.from_numpy(found.likeliest[k]), order).numpy()
        return viewer.Map(values, f"Names, {after}", box, "colours", name=name, facts=facts,
                          alt=f"What places of {model.title} say, over {picture.title}")  # fmt: skip
    region, words = asked.name.casefold(), f"“{asked.name}” {after}"
    values = found.chance[k]
    if region in picture.masks:
        facts = f"{told_of(picture, model, viewer.sent(values), region, picture.masks[region])[1]} {facts}"
    alt = f"Probability of {asked.name} at places of {model.title}, over {picture.title}"
    region, shared = region if region in picture.masks else "", (0.0, float(found.chance.max()))
    return viewer.Map(values, words, box, shared=shared, name=name, region=region, facts=facts,
                      unit="probability", alt=alt)  # fmt: skip


def _names(found: Found, k: int, titles: list[str]) -> str:
    if not found.surest[k].max() > 0:
        return ""
    values, many = np.unique(found.likeliest[k], return_counts=True)
    shares = {titles[value]: count / many.sum() for value, count in zip(values, many, strict=True)}
    return sayings.names_said(shares)


def _answer(found: Found, k: int, titles: list[str]) -> str:
    """What the network would say if it ended there."""
    index, chance = found.stopped[k]
    if k == len(found.layers) - 1:
        return f"The network: {titles[index]} {sayings.percent(chance)}."
    return f"If it ended here: {titles[index]} {sayings.percent(chance)}."


def _keep(lens: Lens, block: int, seen: viewer.Map, look: dict, shown: str, named: list[str]) -> None:
    """So that it can be saved, with its code."""
    asked, found = lens
    layer, what = found.layers[block - 1], "What places say"
    titles = class_names(asked.model)
    order = [titles.index(one) if one in titles else -1 for one in named]
    made = code.lens(block - 1, layer, asked.index, asked.name, order if shown == NAMES else None)
    facts = {"layer": layer} | ({"class": asked.name} if shown == CHANCE else {})
    raw = {"map": seen.values, "likeliest": found.likeliest[block - 1], "all": found.chance}
    about = saving.about(what, asked.model, asked.picture, **facts)
    draw, low_high = as_seen.keep(asked, what, about, seen, look, made, **raw)
    words = [f"{seen.words[0].upper()}{seen.words[1:]}.", seen.facts]
    colours = look["colours"] if shown == CHANCE else ""
    as_seen.keep_for_slide(asked, "What does each place say?", words, draw, low_high, colours)
