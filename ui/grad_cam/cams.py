"""The maps of the Grad-CAM page: one panel a model, and what the two say to each other."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from vizcore.drawing import render
from vizcore.truth import judgements

from .. import answers, code, figures, saving
from ..address import forget
from ..checks import Mapped
from ..classes import class_names
from ..jobs import job

state = st.session_state
CAM_LIMITS = (
    "Can't show detail, one value for each of {rows} × {columns} cells, nor what speaks against the class."
)


def pick_method(model, slot: str) -> tuple[str, str | None]:
    """A method that applies to the model, and a layer where the method asks for one."""
    from vizcore.methods.cam import METHODS, SCORE, default_layer
    from vizcore.methods.table import METHODS as ALL

    methods = [name for name, method in ALL.items() if not method.fine and method.applies(model)]
    forget(f"g_method_{slot}", methods, methods[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        method = st.selectbox("Method", methods, key=f"g_method_{slot}", width=160)
        if method not in (*METHODS, SCORE):
            return method, None
        default = model.layers.index(default_layer(model))
        forget(f"g_layer_{slot}", model.layers, model.layers[default])
        layer = st.selectbox("Layer", model.layers, default, key=f"g_layer_{slot}")
    return method, layer


def panel(choice, model, picture, colour, index: int | None, name: str, look: dict) -> Mapped | None:
    """One model's map for the class, with its controls; None where there is none to show."""
    figures.heading(model, colour)
    if not model.num_classes:
        st.info(f"{model.title} has no classes, so no map can be asked for one.")
        return None
    method, layer = pick_method(model, choice.slot)
    note = ""
    if index is None:
        index = answers.top_classes(choice, picture.key, model, picture.image)[0][0]
        own = class_names(model)[index]
        note, name = f"{model.title} has no class “{name}”: this is for its own top class, “{own}”. ", own
    asked = Mapped(choice, model, picture, colour, index, name, method, layer, None)
    if method == "Score-CAM":
        return _score_cam(asked, look, note)
    try:
        found = answers.heatmap(choice, picture.key, method, layer, index, model, picture.image)
    except ValueError as error:
        st.warning(str(error))
        return None
    asked = asked._replace(map=_tensor(found))
    draw(asked, look, note)
    return asked


def _score_cam(asked: Mapped, look: dict, note: str) -> Mapped | None:
    from vizcore.methods.cam import score_cams

    model, key = asked.model, f"g_score_{asked.choice.slot}"
    runs = model.layouts[asked.layer].channels

    def make():
        images = model.preprocess(asked.picture.image)
        return score_cams(model, images, [asked.index], asked.layer, chunk=16)

    def show(found) -> None:
        draw(asked._replace(map=found[-1].maps[0, 0].cpu()), look, note)

    job(key, asked.question, make, show, f"Run the network {runs} times")
    found = state.get(f"job_{key}", {}).get("found")
    return asked._replace(map=found[-1].maps[0, 0].cpu()) if found else None


def _tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values.copy())


def draw(one: Mapped, look: dict, note: str = "") -> None:
    """A map over the picture, with its legend and what it can't show."""
    from vizcore.methods.table import METHODS

    knows = METHODS[one.method].knows_class
    words = f"{one.method} of {one.model.title} for {one.name}, over {one.picture.title}"
    figures.picture(_over(one, look), words)
    facts = {"layer": one.layer} | ({"class": one.name} if knows else {})
    saving.keep(
        f"{one.method} of {one.model.title}, {one.choice.slot.upper()}",
        saving.about(one.method, one.model, one.picture, **facts),
        partial(_over, one, look),
        code.cam(one, look),
        map=render.to_array(one.map),
    )
    low, high = float(one.map.min()), float(one.map.max())
    figures.scale(low, high, "viridis")
    if nowhere := judgements.empty(low, high):
        st.caption(f":red[{nowhere}]")
    st.badge(f"for {one.name}" if knows else "class-agnostic", color="green" if knows else "gray")
    rows, columns = one.map.shape
    limits = CAM_LIMITS.format(rows=rows, columns=columns) + " " if one.layer else ""
    st.caption(note + limits + METHODS[one.method].limits)
    if one.name in look["masks"]:
        score(one, look["masks"][one.name])


def _over(one: Mapped, look: dict) -> np.ndarray:
    """The map over the picture, and where the class really is, if that is known."""
    shown = render.lay(one.picture.array, one.framed(), one.seen(), look["opacity"])
    mask = look["masks"].get(one.name) if look["region"] else None
    return shown if mask is None else render.contour(shown, mask)


def score(one: Mapped, mask: np.ndarray) -> None:
    from vizcore.truth import evidence

    framed, low, high = one.framed(), float(one.map.min()), float(one.map.max())
    share, hit = evidence.energy(framed, mask), evidence.pointing(framed, mask)
    st.markdown(judgements.pointing(low, high, hit, share, float(mask.mean())))


def together(mapped: list[Mapped], look: dict) -> None:
    """Both maps on one picture, or their difference, and how far they agree."""
    from vizcore.truth import evidence

    maps = [
        render.normalise(one.framed(), 0, max(float(one.map.max()), 1e-12)) * one.seen() for one in mapped
    ]
    picture, both = mapped[0].picture, mapped[0].seen() & mapped[-1].seen()
    if look["over"] == "difference" and len(mapped) == 2:
        change = (maps[0] - maps[1]) * both
        sign = 1 if figures.colour_name(mapped[0].colour) == "Orange" else -1
        shown = render.tint(picture.array, [])
        shown = render.blend(shown, render.diverging(sign * change), np.abs(change) * look["opacity"])
    else:
        laid = [(heat, one.colour, look["opacity"]) for heat, one in zip(maps, mapped, strict=True)]
        shown = render.tint(picture.array, laid)
    mask = look["masks"].get(mapped[0].name) if look["region"] else None
    shown = shown if mask is None else render.contour(shown, mask)
    figures.picture(shown, f"both maps over {picture.title}")
    words = [f"{figures.colour_name(one.colour)}: {one.model.title} for “{one.name}”" for one in mapped]
    words = "; ".join(words) + (". Each map from 0 to its own maximum." if len(words) > 1 else ".")
    st.caption(words)
    if len(mapped) == 2:
        saving.keep_both(look["over"], words, picture, shown)
    if len(mapped) == 2:
        a, b = (_tensor(heat[both]) for heat in maps)
        rank, shared = evidence.rank_correlation(a, b), evidence.overlap(a[None], b[None])
        flat = tuple(not float(one.map.max()) > float(one.map.min()) for one in mapped)
        alike = mapped[0].name.casefold() == mapped[1].name.casefold()
        st.markdown(judgements.agreement(rank, shared, flat, alike))
        st.caption("Agreement can't show that either is right, nor disagreement that one is wrong.")


def likeliest(one: Mapped, look: dict) -> None:
    """The five likeliest classes, one small map each, from one forward pass."""
    from vizcore.truth.evidence import rank_correlation

    from vizcore.methods.cam import METHODS, default_layer

    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    cam = one.method in METHODS
    method, layer = (one.method, one.layer) if cam else ("Grad-CAM", default_layer(one.model))
    classes = (one.index, *(index for index, _ in top if index != one.index))
    maps = answers.class_cams(
        one.choice, one.picture.key, method, layer, classes, one.model, one.picture.image
    )
    figures.heading(one.model, one.colour)
    names = class_names(one.model)
    for column, (index, probability) in zip(st.columns(5), top, strict=False):
        heat = maps[classes.index(index)]
        alike = rank_correlation(_tensor(heat), _tensor(maps[0]))
        known = "no correlation, one map is flat" if np.isnan(alike) else f"correlation {alike:.2f}"
        same = "the class asked for" if index == one.index else known
        same = "no positive evidence" if not heat.any() else same
        framed = one._replace(map=_tensor(heat)).framed()
        shown = render.lay(one.picture.array, framed, one.seen(), look["opacity"])
        with column:
            figures.picture(
                shown, f"{method} for {names[index]}", f"{names[index]} {probability:.0%}; {same}"
            )
    st.caption(
        f"{method} at `{layer}`, each on its own scale. Correlation is that of its ranks with the map of the "
        f"class asked for (“{one.name}”): near 1, the map says little about this class in particular."
    )


def others(one: Mapped, look: dict) -> None:
    """What else a network with attention has to say about the same picture and class."""
    from vizcore.methods.cam import default_layer

    shown = {"Grad-CAM": default_layer(one.model), "relevance": None, "rollout": None, "attention": None}
    figures.heading(one.model, one.colour)
    for (method, layer), column in zip(shown.items(), st.columns(4), strict=True):
        found = answers.heatmap(
            one.choice, one.picture.key, method, layer, one.index, one.model, one.picture.image
        )
        with column:
            st.markdown(f"**{method[0].upper()}{method[1:]}**")
            draw(one._replace(method=method, layer=layer, map=_tensor(found)), look)
