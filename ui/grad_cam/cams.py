"""One network's half of the Grad-CAM page: its method, its map, and what that can't show."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from .. import code, figures, saving, settings
from ..address import forget
from ..answers import Side
from ..classes import class_names
from ..mapped import Mapped, found, score

CAM_LIMITS = (
    "Can't show detail, one value for each of {rows} × {columns} cells, nor what speaks against the class."
)


def pick_method(model, slot: str) -> tuple[str, str | None]:
    """A method that applies to the model, and a layer where the method is told one."""
    from vizcore.methods.cam import default_layer
    from vizcore.methods.table import METHODS, on_page

    methods = [name for name, method in on_page("grad_cam").items() if method.applies(model)]
    forget(f"g_method_{slot}", methods, methods[0])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        method = st.selectbox("Method", methods, key=f"g_method_{slot}", width=160)
        if not METHODS[method].layer:
            return method, None
        forget(f"g_layer_{slot}", model.layers, default_layer(model))
        layer = st.selectbox("Layer", model.layers, key=f"g_layer_{slot}")
    return method, layer


def panel(side: Side, picture, index: int | None, name: str, look: dict) -> Mapped | None:
    """One model's map for the class, with its controls; None where there is none to show."""
    model = side.model
    figures.heading(model, side.colour)
    if not model.num_classes:
        st.info(f"{model.title} has no classes, so no map can be asked for one.")
        return None
    method, layer = pick_method(model, side.slot)
    note = ""
    if index is None:
        index = side.top[0][0]
        own = class_names(model)[index]
        note, name = f"{model.title} has no class “{name}”: this is for its own top class, “{own}”. ", own
    asked = Mapped(side.choice, model, picture, side.colour, index, name, method, layer)
    asked = asked._replace(settings=settings.of(asked.how, look["settings"]))
    passes = model.layouts[layer].channels if layer else asked.how.passes
    words = f"Run the network {passes} times"
    try:
        step = found(
            asked, f"g_run_{side.slot}", lambda one: draw(_first(asked, one), look, note, one), words
        )
    except ValueError as error:  # no gradient reaches its places
        st.warning(str(error))
        return None
    return _first(asked, step) if step else None


def _first(asked: Mapped, step) -> Mapped:
    """With the map that is tested: the first, where a method gives several."""
    return asked._replace(map=step.maps[0].cpu())


def draw(one: Mapped, look: dict, note: str = "", step=None) -> None:
    """A map over the picture, with its legend and what it can't show; small ones where there are several."""
    knows = one.how.knows_class
    words = f"{one.method} of {one.model.title} for {one.name}, over {one.picture.title}"
    figures.picture(_over(one, look), words)
    facts = {"layer": one.layer} | ({"class": one.name} if knows else {}) | dict(one.settings)
    saving.keep(
        f"{one.method} of {one.model.title}, {one.choice.slot.upper()}",
        saving.about(one.method, one.model, one.picture, **facts),
        partial(_over, one, look),
        code.cam(one, look),
        map=render.to_array(one.map),
    )
    figures.scale(*one.ends, "viridis")
    if nowhere := judgements.empty(*one.ends):
        st.caption(f":red[{nowhere}]")
    if step is not None and len(step.maps) > 1:
        _each(one, look, step)
    st.badge(f"for {one.name}" if knows else "class-agnostic", color="green" if knows else "gray")
    rows, columns = one.map.shape
    limits = CAM_LIMITS.format(rows=rows, columns=columns) if one.layer else ""
    st.caption(" ".join(filter(None, (note.strip(), step.note if step else "", limits, one.how.limits))))
    if one.name in look["masks"]:
        score(one, look["masks"][one.name])


def _each(one: Mapped, look: dict, step) -> None:
    """Every map of a method that gives several, each on its own scale; the first is the one above."""
    columns = st.columns(min(len(step.maps), 4))
    for k, heat in enumerate(step.maps):
        name = step.names[k] if k < len(step.names) else f"{k + 1} of {len(step.maps)}"
        with columns[k % len(columns)]:
            shown = _over(one._replace(map=heat.cpu()), look)
            figures.picture(shown, f"{one.method} of {one.model.title}: {name}", name)


def _over(one: Mapped, look: dict) -> np.ndarray:
    """The map over the picture, and where the class really is, if that is known."""
    shown = render.lay(one.picture.array, one.framed(), one.seen(), look["opacity"])
    mask = look["masks"].get(one.name) if look["region"] else None
    return shown if mask is None else render.contour(shown, mask)
