"""Maps over the picture, as all pages have them in the viewer, and their look, which the address holds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from . import answers, figures, saving, viewer
from .address import offer
from .address.keys import key as of_address
from .answers import Side
from .classes import class_names
from .mapped import Mapped, judged
from .plain import plain

state = st.session_state
MARKS = re.compile(r":material/\w+:|\*\*")  # of what is said on a page


def picture(one) -> viewer.Picture:
    """A page's picture, and where things really are in it: the same on all pages, so that it is sent once."""
    return viewer.picture(one.array, plain(one.title), one.masks)


def cams(
    side: Side, picture, names: Sequence[str], method: str = "Grad-CAM", layer: str | None = None
) -> dict[str, Mapped]:
    """A network's CAM by each of several names, from one pass; of its own top class where it has no such one.

    Raises:
        ValueError: no gradient reaches the layer's places.
    """
    import torch

    from vizcore.methods.cam import default_layer

    model = side.model
    layer, labels = layer or default_layer(model), class_names(model)
    places = {label.casefold(): index for index, label in enumerate(labels)}
    indices = [places.get(name.casefold(), side.top[0][0]) for name in names]
    classes = tuple(dict.fromkeys(indices))
    found = answers.class_cams(side.choice, picture.key, method, layer, classes, model, picture.image)
    heats = dict(zip(classes, torch.from_numpy(found.copy()), strict=True))
    return {
        name: Mapped(
            side.choice, model, picture, side.colour, index, labels[index], method, layer, heats[index]
        )
        for name, index in zip(names, indices, strict=True)
    }


def over(one: Mapped, masks: Mapping, words: str, facts: str = "", name: str = "") -> viewer.Map:
    """One network's map, with the true region of its class where that is known."""
    region = one.name.casefold()
    return viewer.Map(
        np.asarray(one.map),
        words,
        one.model.preprocess.box(one.picture.size),
        name=name,
        region=region if region in masks else "",
        facts=facts,
        alt=f"{one.method} of {one.model.title} for {one.name}, over {one.picture.title}",
    )


def laid(one: Mapped, look: Mapping, times: int = 1) -> np.ndarray:
    """The same by the server, to be saved: with the opacity, the colours and the regions of a look.

    ``times`` is how many times as large as the picture.
    """
    box, values = one.model.preprocess.box(one.picture.size), viewer.sent(np.asarray(one.map))
    how = "heat", None, None, look["opacity"], look["colour_map"], times
    shown = figures.laid(one.picture.array, values, box, *how)
    mask = look["masks"].get(one.name.casefold()) if look["region"] else None
    return shown if mask is None else render.contour(shown, mask.repeat(times, 0).repeat(times, 1))


def keep_for_slide(one: Mapped, look: Mapping) -> None:
    """So that both networks' maps can be saved beside the picture; the look is as ``laid`` has it."""
    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    heading = f"Where is the evidence for “{one.name}”?" if one.how.knows_class else one.method
    saving.keep_panel("", heading, partial(_picture_panel, one.picture))
    saving.keep_panel(one.choice.slot, heading, partial(_panel, one, look, top))


def _picture_panel(picture) -> render.Panel:
    return render.Panel(picture.title, (), partial(figures.enlarged, picture.array))


def _panel(one: Mapped, look: Mapping, top: Sequence) -> render.Panel:
    labels = class_names(one.model)
    says = ", ".join(f"{labels[index]} {probability:.0%}" for index, probability in top[:3])
    what = f"{one.method} for “{one.name}”." if one.how.knows_class else f"{one.method}, of no class."
    true = one.picture.masks.get(one.name.casefold())
    known = judged(one, true)[1] if true is not None else judgements.empty(*one.ends)
    weights = f" ({one.model.source})" if one.model.weights == "random" else ""
    return render.Panel(
        f"{one.model.title}{weights}",
        [what, *filter(None, [MARKS.sub("", known).strip()]), f"It says: {says}."],
        lambda times: laid(one, look, times),
        one.colour,
        one.ends,
        look["colour_map"],
    )


def held(name: str) -> Any:
    """What the address holds under a key of which no widget is drawn; its default, else."""
    offer(name, of_address(name).default)
    return state[name]


def look(keys: Mapping[str, str]) -> dict[str, Any]:
    """The look of the maps, of which the address holds what is in ``keys``: its keys by those of the look."""
    return viewer.LOOK | {part: held(name) for part, name in keys.items()}


def controls(key: str, which: Sequence[str], keys: Mapping[str, str] | None = None) -> None:
    """Some controls of the look; what is in ``keys`` goes into the address."""
    keys = keys or {}
    viewer.controls(key, look(keys), which, partial(_told, keys) if keys else None)


def _told(keys: Mapping[str, str], said: Mapping[str, Any]) -> None:
    for part, name in keys.items():
        state[name] = said[part]


def flip(key: str, label: str, names: Mapping[str, str], chosen: str, widget: str) -> None:
    """Names of maps that come with one answer, to go through at once; the choice becomes that of a widget."""

    def pick(name: str) -> None:
        state[widget] = name

    with st.container():  # also where it is empty, so that what follows keeps its place
        if len(names) > 1:
            viewer.picker(key, label, names, chosen, pick)


def roomy(key: str, rems: float, narrow: float):
    """A place that keeps its height, on a desk and on a phone, while what is said in it changes."""
    own = f".st-key-{key} {{{{ min-height: {{}}rem; }}}}".format
    viewer.style(own(rems), f"@media (max-width: 640px) {{ {own(narrow)} }}")
    return st.container(key=key)
