"""The comparison on the home page: two maps, and whether they point at the truth."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from vizcore import judgements
from vizcore.pictures.textures import LABELS as TEXTURES

from .. import as_seen, over_picture, viewer
from ..address import forget
from ..answers import Side
from ..classes import ask, class_names, likely, several
from ..mapped import Mapped, judged, share_seen
from ..network_picker import Choice, suited
from ..picture_picker import MOSAIC, SCENES
from ..plain import plain

state = st.session_state
LOOK = {"opacity": "h_opacity", "colours": "h_colours", "scale": "h_scale"}
LINES = 4  # of words below a map
TRAINED = {"weights_a": "trained", "seed_a": 0, "weights_b": "trained", "seed_b": 0}
PHOTOGRAPH = {"picture": MOSAIC, **suited(drawn=False), **TRAINED}
DRAWN = {"picture": next(iter(SCENES)), **suited(drawn=True), **TRAINED}


def known(picture) -> str:
    """Why it is known where things are in a picture; "" where it isn't."""
    if not picture.masks:
        return ""
    if picture.drawn:
        return "The picture was drawn by code, so **where each texture really is, is known**."
    if picture.marked:
        return "What is marked in the picture is taken for **where each thing is**."
    return "The picture was put together, so **where each thing is, is known**."


def suits(model, picture) -> bool:
    """Whether a network may know this kind of picture: those in the box that name textures saw drawn ones."""
    names_textures = bool(model.labels) and set(model.labels) <= set(TEXTURES)
    return picture.drawn or model.weights == "checkpoint" or not names_textures


def ask_for(picture, sides: list[Side]) -> tuple[str, dict[str, int | None], list[str]]:
    """What both networks are asked for: one of a drawn picture's two textures, or else any class.

    Returns:
        The class, "" where there is none to ask for; by slot its index in each network that was asked; and
        the names of all classes whose maps are at hand.
    """
    asked = [side for side in sides if side.model and suits(side.model, picture)]
    folded = {side.slot: [own.casefold() for own in class_names(side.model)] for side in asked}
    spelt = {own.casefold(): own for side in asked for own in class_names(side.model)}
    known = [spelt[name] for name in picture.masks if name in spelt]
    if not known:
        name, indices = ask(asked, "h_class")
        names = likely(asked, name)
        over_picture.flip(
            "h_pick", "The likeliest classes of both", dict.fromkeys(names, ""), name, "h_class"
        )
        return name, indices, names
    if "h_class" in state:  # a link may have it in small letters
        state["h_class"] = spelt.get(str(state["h_class"]).casefold(), state["h_class"])
    forget("h_class", known, picture.asked if picture.asked in known else known[0])
    name = state["h_class"]
    over_picture.flip("h_pick", "Ask both where they see", dict.fromkeys(known, ""), name, "h_class")
    st.caption(_lines(picture, asked))
    folded_name = name.casefold()
    places = {slot: own.index(folded_name) if folded_name in own else None for slot, own in folded.items()}
    return name, places, known


def _lines(picture, sides: list[Side]) -> str:
    """What the lines over the maps are, and what is there that nobody can be asked about."""
    width, height = picture.size
    boxes = [side.model.preprocess.box(picture.size) for side in sides]
    whole = all(x <= 0 and y <= 0 and x + w >= width and y + h >= height for x, y, w, h in boxes)
    words = "White frame: where it really is."
    if not whole:
        words += " Thin frame: all that a network sees."
    if picture.unnamed:
        things = " and ".join(f"“{plain(thing)}”" for thing in picture.unnamed)
        words += f" No network here is sure of {things}."
    return words


def panel(
    side: Side, picture, index: int | None, asked: str, names: list[str], masks: dict
) -> judgements.Network:
    """One network's map, or why there is none; returns what is known of it and of what it answers."""
    model, shown = side.model, over_picture.picture(picture)
    facts = judgements.Network(
        model.title,
        learnt=model.weights != "random",
        classes=bool(model.num_classes),
        kind=suits(model, picture),
        knows=index is not None,
        several=several(model, asked),
        answer=answer(side, asked, picture),
    )
    try:
        cams = over_picture.shown_cams(side, picture, names) if facts.classes and facts.kind else {}
    except ValueError:  # no gradient reaches its patches
        cams = {}
    if cams:
        said = {name: _said(one, name, masks) for name, one in cams.items()}
        maps = [over_picture.over(one, masks, *said[name][1:], name) for name, one in cams.items()]
        as_seen.show(f"h_{side.slot}", shown, maps, asked, lines=LINES)
        keep(cams[asked], next(one for one in maps if one.name == asked))
        nowhere = judgements.empty(*cams[asked].ends)
        facts = facts._replace(positive=not nowhere, inside=said[asked][0])
        if (mask := masks.get(asked.casefold())) is not None:
            facts = facts._replace(open=0 < share_seen(picture, model, mask) < 1)
    else:
        viewer.show(f"h_{side.slot}", shown, lines=0)
        facts = facts._replace(mapped=False)
        if not facts.classes:
            st.markdown("No map: it has no classes to be asked for.")
        elif not facts.kind:
            st.markdown(judgements.foreign(facts.learnt))
        else:
            st.markdown(f"No map: no gradient leads from its score for “{asked}” to places.")
    return facts if facts.knows else facts._replace(inside=None)


def _said(one: Mapped, asked: str, masks: dict) -> tuple[bool | None, str, str]:
    """Whether a map points to the truth, if that is known; what it is, and what is known of it."""
    nowhere = judgements.empty(*one.ends)
    words = f"Grad-CAM for **{one.name}**" + (f": {nowhere[0].lower()}{nowhere[1:]}" if nowhere else ".")
    same = one.name.casefold() == asked.casefold()
    doubled = several(one.model, asked)
    note = [] if same else [judgements.instead(one.model.title, asked, one.name, doubled)]
    mask = masks.get(one.name.casefold())
    if mask is None:
        return None, words, " ".join(note)
    inside, sentence = judged(one, mask)
    return inside, words, " ".join([*note, sentence])


def answer(side: Side, asked: str, picture) -> str:
    """Its first answer beside what is there, as ``judgements.Network`` has it."""
    names, masks = class_names(side.model), picture.masks
    if not picture.drawn or not side.top or not any(name.casefold() in masks for name in names):
        return ""  # things of photographs are called as the networks say, or it has no names for these
    first = names[side.top[0][0]].casefold()
    if first not in masks:
        return "wrong"
    return "asked" if first == asked.casefold() else "other"


def beside_answers(picture, choices: Sequence[Choice]) -> str:
    """What to know of the answers to the whole picture, and of two networks that agree."""
    words = "One picture is an anecdote."
    pair = [(choice.name, choice.weights) for choice in choices]
    if pair == [(name, "trained") for name in suited(drawn=False).values()]:
        shared = "Photo ViT has EfficientNet-Lite0's first stages and learnt from it"
        words = f"{shared}: agreement is no second opinion. {words}"
    if len(picture.things) > 1 and not picture.marked:
        words = f"They name one thing in a picture; here are {len(picture.things)}. {words}"
    return words


def keep(one: Mapped, shown: viewer.Map) -> None:
    """The map with the true region around it, to be saved."""
    as_seen.keep_of_class(one, shown, over_picture.look(LOOK))


def verdict(asked: str, picture, found: list[judgements.Network]) -> str:
    """What the comparison comes to. Two networks of one name are told apart by their places."""
    if found[0].title == found[1].title:
        found = [one._replace(title=f"{one.title} ({slot})") for slot, one in zip("AB", found, strict=True)]
    masks = picture.masks
    region = "known" if asked.casefold() in masks else "none" if picture.drawn else "unknown"
    what = "" if len(masks) < 2 else "texture" if picture.drawn else "thing"
    return judgements.verdict(asked, region, *found, what=what, tried=_tried(picture, asked))


def _tried(picture, asked: str) -> bool:
    """Whether something else was asked of the picture before in this session: nobody need be told to."""
    before = state.get("h_before", {}).get(picture.key, set())
    state["h_before"] = {picture.key: before | {asked}}
    return bool(before - {asked})


def turn(words: str, values: dict, icon: str) -> None:
    """A button to another picture and the models that suit it."""
    held = [slot.upper() for slot in "ab" if slot in values and state.get(f"checkpoint_{slot}") is not None]
    why = f"Model {held[0]} holds a checkpoint of yours. Take it out in the sidebar first." if held else None
    st.button(words, icon=icon, on_click=turn_to, args=(values,), key="h_turn", disabled=bool(held), help=why)


def turn_to(values: dict) -> None:
    """Everything that the button means, also what another picture and other models would leave as it was."""
    state.update(values)
    state.pop("h_class", None)
