"""Feature maps: what each layer of a CNN and of a ViT computes from one picture."""

import streamlit as st

from ui import answers, figures, saving
from ui.choices import chosen
from ui.feature_maps.panel import panel
from ui.feature_maps.views import POINT
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
        heat, what = panel(side, picture)
    laid.append((heat, side.colour, state[f"opacity_{side.slot}"] / 100))
    words.append(f"{figures.colour_name(side.colour)}: {what} of {side.model.title}")
with place.container():
    shown = render.tint(picture.array, laid) if laid else picture.array
    alt_text = f"{picture.title}, with the maps of both models; click to ask about a place"
    figures.pointer(shown, alt_text, "both", point_at, (state["x"] / 100, state["y"] / 100))
    st.caption("; ".join(words) + "." if words else "No model could be loaded.")
    if len(words) == 2:
        saving.keep_both("both", "; ".join(words) + ".", picture, lambda: shown)
saving.offer("Feature maps")
