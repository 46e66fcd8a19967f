"""Maps over the picture, as all pages have them in the viewer, and their look, which the address holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from . import answers, viewer
from .address import offer
from .address.keys import key as of_address
from .answers import Side
from .classes import class_names
from .mapped import Mapped
from .plain import plain

state = st.session_state


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

    found = shown_cams(side, picture, names, method, layer)
    return {name: one._replace(map=torch.from_numpy(one.map)) for name, one in found.items()}


def shown_cams(
    side: Side, picture, names: Sequence[str], method: str = "Grad-CAM", layer: str | None = None
) -> dict[str, Mapped]:
    """The same, each map an array: to be shown, torch isn't needed."""
    model = side.model
    layer, labels = layer or model.cam_layer, class_names(model)
    places = {label.casefold(): index for index, label in enumerate(labels)}
    indices = [places.get(name.casefold(), side.top[0][0]) for name in names]
    classes = tuple(dict.fromkeys(indices))
    found = answers.class_cams(side.choice, picture.key, method, layer, classes, model, picture.image)
    heats = dict(zip(classes, found.copy(), strict=True))
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
