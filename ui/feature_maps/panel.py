"""One network's half of the page: a layer, a way to look at it, and the map that this gives."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizcore.drawing import render

from .. import figures
from ..address import forget
from ..answers import Side, layer_maps
from ..picture_picker import Picture
from .layers import left_out, pick_layer
from .views import VIEWS, Looked, keep

state = st.session_state


def panel(side: Side, picture: Picture) -> tuple[np.ndarray, str]:
    """One model's half of the page; returns its map in the frame, 0 to 1, and what it is."""
    from vizcore.methods.features import summary
    from vizcore.pictures.frame import seen, to_frame

    slot, model = side.slot, side.model
    layer = pick_layer(model, slot)
    maps = layer_maps(side.choice, picture.key, layer, model, picture.image)
    views = [name for name in VIEWS if name != "Attention" or model.attention]
    forget(f"view_{slot}", views, views[0])
    view = st.segmented_control("View", views, default=views[0], required=True, key=f"view_{slot}", wrap=True)
    figure = st.container()
    looked, opacity = Looked(slot, side.choice, model, picture, layer, maps), state[f"opacity_{slot}"] / 100
    heat = VIEWS[view](looked)
    box = model.preprocess.box(picture.size)
    visible = seen(box, picture.size)
    framed = to_frame(heat.map, box, picture.size)
    colours = None if heat.colours is None else to_frame(heat.colours, box, picture.size)
    with figure:
        figures.map_over(picture.array, framed, visible.numpy(), heat, colours, opacity)
    keep(looked, view, heat, opacity)
    low, high, dead = summary(maps)
    size = "{} channels of {} × {}".format(*maps.shape)
    st.caption(f"`{layer}`: {size}, values from {low:.3g} to {high:.3g}, {dead:.0%} of the channels dead")
    if words := left_out(model):
        st.caption(f":material/info: {words}")
    lowest = 0 if heat.signed else framed[visible].min().item()
    words = heat.words if colours is None else "mean absolute activation of all channels"
    return render.normalise(framed, lowest) * visible.numpy(), words
