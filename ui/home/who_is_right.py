"""The comparison on the home page: two maps, and whether they point at the truth."""

from __future__ import annotations

import streamlit as st

from vizcore import judgements
from vizcore.drawing import render
from vizcore.pictures.textures import LABELS as TEXTURES

from .. import answers, code, figures, saving
from ..address import forget
from ..answers import Side
from ..classes import ask, class_names
from ..mapped import Mapped, scene_masks, score
from ..network_picker import DEFAULTS
from ..picture_picker import SAMPLES, SCENES

state = st.session_state
OPACITY = 0.7
TRAINED = {"weights_a": "trained", "seed_a": 0, "weights_b": "trained", "seed_b": 0}
PHOTOGRAPH = {"picture": next(iter(SAMPLES)), "a": "efficientnet_lite0", **TRAINED}
DRAWN = {"picture": next(iter(SCENES)), "a": DEFAULTS["a"], "b": DEFAULTS["b"], **TRAINED}


def suits(model, masks: dict) -> bool:
    """Whether a network has names for this kind of picture: textures are names for drawn ones only."""
    return bool(masks) or not model.labels or not set(model.labels) <= set(TEXTURES)


def ask_for(picture, sides: list[Side]) -> tuple[str, dict[str, int | None]]:
    """What both networks are asked for: one of a drawn picture's two textures, or else any class.

    Returns:
        The class, "" where there is none to ask for, and by slot its index in each network that was asked.
    """
    masks = scene_masks(picture.title, picture.size[0])
    asked = [side for side in sides if side.model and suits(side.model, masks)]
    folded = {side.slot: [own.casefold() for own in class_names(side.model)] for side in asked}
    known = [name for name in masks if any(name in own for own in folded.values())]
    if not known:
        return ask(asked, "h_class")
    forget("h_class", known, known[0])
    name = st.segmented_control(
        "Ask both where they see", known, default=known[0], required=True, key="h_class"
    )
    st.caption("The white line surrounds it.")
    return name, {slot: own.index(name) if name in own else None for slot, own in folded.items()}


def one_map(side: Side, picture, index: int | None, name: str) -> Mapped | None:
    """A network's Grad-CAM for a class; for its own top class where it doesn't know the one asked for."""
    from vizcore.methods.cam import default_layer

    model = side.model
    if index is None:
        index = side.top[0][0]
        name = class_names(model)[index]
    try:
        layer = default_layer(model)
        found = answers.heatmap(side.choice, picture.key, "Grad-CAM", layer, index, model, picture.image)
    except ValueError:  # no gradient reaches its patches
        return None
    import torch

    heat = torch.from_numpy(found.copy())
    return Mapped(side.choice, model, picture, side.colour, index, name, "Grad-CAM", layer, heat)


def panel(side: Side, picture, index: int | None, asked: str, masks: dict) -> judgements.Network:
    """One network's map, or why there is none, and what it answers; returns what is known of both."""
    model = side.model
    facts = judgements.Network(
        model.title,
        learnt=model.weights != "random",
        classes=bool(model.num_classes),
        kind=suits(model, masks),
        knows=index is not None,
        answer=answer(side, asked, masks),
    )
    one = one_map(side, picture, index, asked) if facts.classes and facts.kind else None
    if one:
        if not facts.knows:
            st.caption(judgements.instead(model.title, asked, one.name))
        low, high = float(one.map.min()), float(one.map.max())
        inside = show_map(one, masks, low, high)
        facts = facts._replace(positive=not judgements.empty(low, high), inside=inside)
    else:
        figures.picture(picture.array, picture.title)
        facts = facts._replace(mapped=False)
        if not facts.classes:
            st.markdown("No map: it has no classes to be asked for.")
        elif not facts.kind:
            st.markdown(judgements.foreign(facts.learnt))
        else:
            st.markdown(f"No map: no gradient leads from its score for “{asked}” to places.")
    figures.predictions(model, side.top, side.colour)
    return facts if facts.knows else facts._replace(inside=None)


def answer(side: Side, asked: str, masks: dict) -> str:
    """Its first answer beside what was drawn, as ``judgements.Network`` has it."""
    names = class_names(side.model)
    if not masks or not side.top or not any(name.casefold() in masks for name in names):
        return ""  # nobody knows, or it has no names for what is there
    first = names[side.top[0][0]].casefold()
    if first not in masks:
        return "wrong"
    return "asked" if first == asked.casefold() else "other"


def show_map(one: Mapped, masks: dict, low: float, high: float) -> bool | None:
    """The map over the picture, the true region around it, and whether it points there, if that is known."""
    shown = render.lay(one.picture.array, one.framed(), one.seen(), OPACITY)
    mask = masks.get(one.name.casefold())
    shown = shown if mask is None else render.contour(shown, mask)
    figures.picture(shown, f"Grad-CAM of {one.model.title} for “{one.name}”, over {one.picture.title}")
    look = {"opacity": OPACITY, "masks": masks, "region": True}
    saving.keep(
        f"Grad-CAM of {one.model.title}, {one.choice.slot.upper()}",
        saving.about("Grad-CAM", one.model, one.picture, layer=one.layer, **{"class": one.name}),
        lambda: shown,
        code.cam(one, look),
        map=one.map.numpy(),
    )
    if mask is None:
        nowhere = judgements.empty(low, high)
        words = f": {nowhere[0].lower()}{nowhere[1:]}" if nowhere else "."
        st.markdown(f"Grad-CAM for **{one.name}**{words}")
        return None
    return score(one, mask)


def verdict(asked: str, masks: dict, found: list[judgements.Network]) -> str:
    """What the comparison comes to. Two networks of one name are told apart by their places."""
    if found[0].title == found[1].title:
        found = [one._replace(title=f"{one.title} ({slot})") for slot, one in zip("AB", found, strict=True)]
    region = "unknown" if not masks else "known" if asked.casefold() in masks else "none"
    return judgements.verdict(asked, region, *found)


def turn(words: str, values: dict, icon: str) -> None:
    """A button to another picture and the models that suit it."""
    held = [slot.upper() for slot in "ab" if slot in values and state.get(f"checkpoint_{slot}") is not None]
    why = f"Model {held[0]} holds a checkpoint of yours. Take it out in the sidebar first." if held else None
    st.button(words, icon=icon, on_click=turn_to, args=(values,), key="h_turn", disabled=bool(held), help=why)


def turn_to(values: dict) -> None:
    """Everything that the button means, also what another picture and other models would leave as it was."""
    state.update(values)
    state.pop("h_class", None)
