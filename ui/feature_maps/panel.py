"""One network's half of the page: a layer, a way to look at it, and the map that this gives."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from vizcore.drawing import render

from .. import as_seen, figures, over_picture, saving, viewer
from ..address import forget
from ..answers import Side, layer_maps
from ..picture_picker import Picture
from .layers import left_out, pick_layer, pick_stage
from .views import POINT, VIEWS, Heat, Looked

state = st.session_state
LINES = 2  # of words below a map
MARKED = "far beyond the rest"


def panel(side: Side, picture: Picture, above, below, on_pin: Callable, look: dict) -> tuple[Looked, Heat]:
    """One model's half of the page; returns what is looked at, and what is seen of it.

    Args:
        above, below: places for the map with its layer, and for all else. on_pin: asks about a place.
        look: of the maps, as ``viewer.LOOK``.
    """
    from vizcore.methods.features import summary

    slot, model = side.slot, side.model
    with above:
        figures.name(model, side.colour)
        layer = pick_layer(model, slot)
        place = viewer.place(f"f_place_{slot}", picture.size, LINES)
    maps = layer_maps(side.choice, picture.key, layer, model, picture.image)
    looked = Looked(slot, side.choice, model, picture, side.colour, layer, maps)
    with below:
        views = [name for name in VIEWS if name != "Attention" or model.attention]
        forget(f"view_{slot}", views, views[0])
        words = {"options": views, "default": views[0], "required": True, "wrap": True}
        view = st.segmented_control("View", **words, key=f"view_{slot}")
        heat = VIEWS[view](looked)
        pick_stage(model, slot)
        low, high, dead = summary(maps)
        size = "{} channels of {} × {}".format(*maps.shape)
        st.caption(f"`{layer}`: {size}, values from {low:.3g} to {high:.3g}, {dead:.0%} of the channels dead")
        if words := left_out(model):
            st.caption(f":material/info: {words}")
        figures.origin(model)
        figures.remark(model)
    looked, told = _marked(looked, heat), _map(looked, heat)
    with place:
        point = state["x"] / 100, state["y"] / 100
        how = {"point": point, "on_pin": on_pin, "lines": LINES, "opacity": f"opacity_{slot}"}
        as_seen.show(f"f_{slot}", over_picture.picture(looked.picture), [told], **how)
    keep(looked, view, heat, told, look)
    return looked, heat


def _marked(looked: Looked, heat: Heat) -> Looked:
    """What is looked at, with the places that are to be marked as a region of its picture."""
    from vizcore.pictures.frame import on_pixels

    if heat.marked is None:
        return looked
    picture = looked.picture
    region = on_pixels(heat.marked, looked.model.preprocess.box(picture.size), picture.size).numpy()
    code = "on_pixels(outliers(heat), model.preprocess.box(image.size), image.size).numpy()"
    with_it = picture._replace(masks={MARKED: region}, regions={MARKED: code})
    return looked._replace(picture=with_it)


def _map(looked: Looked, heat: Heat) -> viewer.Map:
    values = render.to_array(heat.map if heat.colours is None else heat.colours)
    flat = "the same everywhere" if heat.kind == "heat" and not values.max() > values.min() else ""
    words, box = heat.words[0].upper() + heat.words[1:], looked.model.preprocess.box(looked.picture.size)
    alt = f"{heat.words} of {looked.model.title}, over {looked.picture.title}"
    if heat.matrix is None:
        marked = "" if heat.marked is None else MARKED
        return viewer.Map(values, words, box, heat.kind, facts=flat, alt=alt, region=marked)
    matrix = render.to_array(heat.matrix)
    return viewer.Map(matrix, words, box, heat.kind, grid=tuple(heat.map.shape), alt=alt)


def for_both(looked: Looked, heat: Heat):
    """A map in the frame, 0 to 1, to be laid over the picture in the network's colour; of colours, none."""
    from vizcore.methods.features import strength
    from vizcore.pictures.frame import seen, to_frame

    size = looked.picture.size
    box = looked.model.preprocess.box(size)
    visible = seen(box, size)
    framed = to_frame(strength(looked.maps) if heat.colours is not None else heat.map, box, size)
    lowest = 0 if heat.signed else framed[visible].min().item()
    return render.normalise(framed, lowest) * visible.numpy()


def keep(looked: Looked, view: str, heat: Heat, told: viewer.Map, look: dict) -> None:
    """So that it can be saved. look: as ``viewer.LOOK``."""
    model, kind, opacity = looked.model, heat.kind, f"opacity_{looked.slot}"
    own = render.to_array(heat.map if heat.colours is None else heat.colours)
    told = told._replace(values=own, grid=None)  # of a matrix, the point's
    about = saving.about(f"{view} ({heat.words})", model, looked.picture, layer=looked.layer)
    draw, low_high = as_seen.keep(looked, view, about, told, look, heat.code, opacity, map=own)
    colours = {"heat": look["colours"], "signed": kind}.get(kind, "")
    point = POINT in heat.words and f"The point is {state['x']} % from the left, {state['y']} % from the top."
    words = [f"{looked.layer}: {heat.words}.", point or "", told.facts]
    as_seen.keep_for_slide(looked, "Feature maps", words, draw, low_high, colours)
