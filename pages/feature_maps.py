"""Feature maps: what each layer of a CNN and of a ViT computes from one picture."""

import streamlit as st

from ui import answers, figures, saving
from ui.address import forget
from ui.choices import chosen
from ui.feature_maps.layers import left_out, pick_layer
from ui.feature_maps.views import POINT, VIEWS, Looked, keep
from ui.header import header
from ui.shared_networks import load_both
from vizcore.drawing import render

state = st.session_state
picture, *choices = chosen()

header("Feature maps")
st.markdown(
    "What each layer of two networks computes from one picture. **Click the picture** to ask both about a "
    "place; step through the layers to see what changes on the way from the pixels to the answer."
)
both, beside = st.columns([3, 2], gap="large")
with both:
    place = st.empty()
    place.image(figures.jpeg(picture.array), alt=picture.title, width="stretch")
with beside:
    says = st.container()
    with st.container(horizontal=True):
        st.number_input("Point, % from the left", 0, 100, 50, key="x")
        st.number_input("% from the top", 0, 100, 50, key="y")
    with st.container(horizontal=True):
        for slot in "ab":
            label, key = f"Opacity of {slot.upper()}, %", f"opacity_{slot}"
            st.slider(label, 0, 100, 70, key=key)


def point_at(x: float, y: float) -> None:
    """A click asks about that place: where its patch attends, or where the features are like it."""
    state["x"], state["y"] = round(100 * x), round(100 * y)
    for slot in "ab":
        if state.get(f"view_{slot}") == "Attention":
            state[f"query_{slot}"] = POINT
        else:
            state[f"view_{slot}"] = "Similar places"


def panel(side: answers.Side):
    """One model's half of the page; returns its map in the frame, 0 to 1, and what it is."""
    from vizcore.methods.features import summary
    from vizcore.pictures.frame import seen, to_frame

    slot, model = side.slot, side.model
    layer = pick_layer(model, slot)
    maps = answers.layer_maps(side.choice, picture.key, layer, model, picture.image)
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


columns = st.columns(2, gap="large")
models = load_both(choices, columns)
laid, words = [], []
for side, column in zip(answers.sides(picture, choices, models), columns, strict=True):
    if side.model is None:
        continue
    with says:
        figures.predictions(side.model, side.top, side.colour)
    with column:
        figures.heading(side.model, side.colour)
        heat, what = panel(side)
    laid.append((heat, side.colour, state[f"opacity_{side.slot}"] / 100))
    words.append(f"{figures.colour_name(side.colour)}: {what} of {side.model.title}")
with place.container():
    shown = render.tint(picture.array, laid) if laid else picture.array
    alt_text = f"{picture.title}, with the maps of both models; click to ask about a place"
    figures.pointer(shown, alt_text, "both", point_at, (state["x"] / 100, state["y"] / 100))
    st.caption("; ".join(words) + "." if words else "No model could be loaded.")
    if len(words) == 2:
        saving.keep_both("both", "; ".join(words) + ".", picture, shown)
saving.offer("Feature maps")
