"""What a place of the picture at hand depends on, behind each network's layers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from .. import as_seen, code, figures, over_picture, saving, viewer
from ..address import forget

DEPTHS = range(0, 101, 10)  # percent of the layers
FIRST = (0,)  # that is there at once: a deeper one costs as many passes back as there are draws
DRAWS = 4  # of signs, for one picture
LOOK = {"opacity": "c_opacity", "colours": "c_colours"}
SECONDS = 1.0
state = st.session_state


class Asked(NamedTuple):
    """One network and the picture, as ``as_seen.keep`` has it."""

    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]


def show(sides: list, picture) -> None:
    """A map for each network, of the place at the cross and at a depth of the layers."""
    for key in "xy":
        over_picture.held(key)
    point = state["x"] / 100, state["y"] / 100
    forget("c_depth", DEPTHS, 0)
    st.caption("What the place at the cross depends on, by the gradient. **Click a map** to ask another one.")
    viewer.picker(
        "c_depths", "Depth, %", {str(k): "" for k in DEPTHS}, str(state["c_depth"]), _to_depth, SECONDS
    )
    shown, look = over_picture.picture(picture), over_picture.look(LOOK)
    for side, column in zip(sides, viewer.row("c_maps"), strict=True):
        if not side.model:
            continue
        with column:
            figures.name(side.model, side.colour)
            depths = sorted({*FIRST, state["c_depth"]})
            found = _found(side, picture, point, depths)
            maps = [_map(side, picture, found, depth) for depth in depths]
            chosen = maps[depths.index(state["c_depth"])]
            as_seen.show(f"c_{side.slot}", shown, maps, chosen.name, point=point, on_pin=_to_point, lines=4)
            _keep(side, picture, chosen, look, point, found)
    over_picture.controls("c_look", tuple(LOOK), LOOK)


def _to_depth(name: str) -> None:
    state["c_depth"] = int(name)


def _to_point(place: tuple[float, float]) -> None:
    state["x"], state["y"] = (round(100 * share) for share in place)


def _layer(model, depth: int) -> str:
    layers = model.blocks or model.layers
    return layers[round(depth / 100 * (len(layers) - 1))]


def _at(model, picture, point: tuple[float, float]) -> tuple[float, float]:
    """The point as (y, x) in shares of what a network sees, to the nearest hundredth."""
    left, top, right, bottom = model.preprocess.box(picture.size)
    x = (point[0] * picture.size[0] - left) / (right - left)
    y = (point[1] * picture.size[1] - top) / (bottom - top)
    return tuple(round(min(max(share, 0.0), 1.0), 2) for share in (y, x))  # pyright: ignore[reportReturnType]


def _found(side, picture, point, depths: list[int]) -> dict[str, tuple[np.ndarray, float, float]]:
    """The fields at some depths: the one that all begin with by one pass, another one by one of its own."""
    at, found = _at(side.model, picture, point), {}
    for some in (FIRST, depths):
        layers = tuple(dict.fromkeys(_layer(side.model, depth) for depth in some))
        if missing := tuple(layer for layer in layers if layer not in found):
            found |= fields_of(side.choice, picture.key, missing, at, side.model, picture.image)
    return found


@st.cache_data(show_spinner="Asking each layer …")
def fields_of(choice, picture_key: str, layers: tuple[str, ...], at, _model, _image) -> dict:
    """By layer: the field on cells (h, w), the radius of 90 % of it, the share of the pixels that it has."""
    from vizcore.inside import reach

    found = reach.fields(_model, _model.preprocess(_image), list(layers), at, DRAWS)
    return {
        layer: (
            reach.on_cells(field.energy)[0].numpy(),
            float(reach.radius(reach.rings(field))[0]),
            float((field.energy > 0).float().mean()),
        )
        for layer, field in found.items()
    }


def _map(side, picture, found: dict, depth: int) -> viewer.Map:
    layer = _layer(side.model, depth)
    values, radius, share = found[layer]
    inside = "It depends on nothing: nothing here changes it." if np.isnan(radius) else (
        f"90 % within **{radius:.0f} pixels** of its input; at all on {_percent(share)} of its pixels."
    )  # fmt: skip
    box = side.model.preprocess.box(picture.size)
    alt_words = f"What the place depends on behind {layer} of {side.model.title}, over {picture.title}"
    return viewer.Map(values, f"Behind {layer}", box, name=str(depth), facts=inside, alt=alt_words)


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{share:.0%}"


def _keep(side, picture, seen: viewer.Map, look: dict, point, found: dict) -> None:
    asked, layer = Asked(side.choice, side.model, picture, side.colour), _layer(side.model, int(seen.name))
    what = "What a place depends on"
    made = code.HEATS["field"].format(layer=layer, at=_at(side.model, picture, point), draws=DRAWS)
    about = saving.about(what, side.model, picture, layer=layer)
    draw, low_high = as_seen.keep(asked, what, about, seen, look, made, map=found[layer][0])
    words = [f"{seen.words}.", seen.facts]
    as_seen.keep_for_slide(asked, "What does a place depend on?", words, draw, low_high, look["colours"])
