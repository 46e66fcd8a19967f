"""The comparison on the home page: two maps, and whether they point at the truth."""

from __future__ import annotations

import streamlit as st

from vizcore import render

from . import answers, code, evidence, figures, saving
from .address import forget
from .choices import DEFAULTS, SAMPLES, SCENES
from .classes import class_names, pick_class

state = st.session_state
OPACITY = 0.7
PHOTOGRAPH = {"picture": next(iter(SAMPLES)), "a": "efficientnet_lite0"}
DRAWN = {"picture": next(iter(SCENES)), "a": DEFAULTS["a"], "b": DEFAULTS["b"]}


def ask_for(picture, models: list, tops: list) -> tuple[str, list[int | None]]:
    """What both networks are asked for: one of a drawn picture's two textures, or else any class."""
    masks = evidence.scene_masks(picture.title, picture.size[0])
    folded = [[own.casefold() for own in class_names(model)] for model in models]
    known = [name for name in masks if any(name in own for own in folded)]
    if not known:
        return pick_class(models, tops, "h_class")
    forget("h_class", known, known[0])
    name = st.segmented_control(
        "Ask both where they see", known, default=known[0], required=True, key="h_class"
    )
    return name, [own.index(name) if name in own else None for own in folded]


def one_map(choice, model, picture, colour, index: int | None, name: str) -> evidence.Mapped | None:
    """A network's Grad-CAM for a class; for its own top class where it doesn't know the one asked for."""
    from vizcore.cam import default_layer

    if not model.num_classes:
        return None
    if index is None:
        index = answers.top_classes(choice, picture.key, model, picture.image)[0][0]
        name = class_names(model)[index]
    layer = default_layer(model)
    try:
        found = answers.heatmap(choice, picture.key, "Grad-CAM", layer, index, model, picture.image)
    except ValueError:  # no gradient reaches its patches
        return None
    import torch

    heat = torch.from_numpy(found.copy())
    return evidence.Mapped(choice, model, picture, colour, index, name, "Grad-CAM", layer, heat)


def show_map(one: evidence.Mapped, masks: dict) -> bool | None:
    """The map over the picture, the true region around it, and whether it points there, if that is known."""
    framed, seen = one.framed(), one.seen()
    shown = render.overlay(one.picture.array, framed, seen, OPACITY)
    mask = masks.get(one.name)
    shown = shown if mask is None else render.contour(shown, mask)
    figures.picture(shown, f"Where {one.model.title} finds “{one.name}”, over {one.picture.title}")
    look = {"opacity": OPACITY, "masks": masks, "region": True}
    saving.keep(
        f"Grad-CAM of {one.model.title}, {one.choice.slot.upper()}",
        saving.about("Grad-CAM", one.model, one.picture, layer=one.layer, **{"class": one.name}),
        lambda: shown,
        code.cam(one, look),
        map=one.map.numpy(),
    )
    if mask is None:
        st.markdown(f"Where it finds **{one.name}**.")
        return None
    hit, share = evidence_of(framed, mask)
    side, icon = (
        ("inside", ":green[:material/check_circle:]") if hit else ("outside", ":red[:material/cancel:]")
    )
    st.markdown(
        f"{icon} Its strongest evidence lies **{side}** the true region, {share:.0%} of all of it does."
    )
    return hit


def evidence_of(framed, mask) -> tuple[bool, float]:
    from vizcore import evidence as measures

    return measures.pointing(framed, mask), measures.energy(framed, mask)


def verdict(hits: list[bool | None], titles: list[str]) -> str:
    """What the comparison comes to, in a sentence."""
    if None in hits or len(hits) < 2:
        return "Nobody knows where a photograph's evidence is. For a drawn picture it is known."
    if all(hits):
        return "Both look where the answer is. Would they still, if you asked for the other texture?"
    if not any(hits):
        return "Both look in the wrong place. A good answer needs no good reason."
    right, wrong = titles[hits.index(True)], titles[hits.index(False)]
    return f"{right} looks where the answer is, {wrong} doesn't. A good answer needs no good reason."


def turn_to(values: dict) -> None:
    """Another picture and the models that suit it, by a click."""
    state.update(values)
