"""Feature maps: what each layer of a CNN and of a ViT computes from one picture."""

from functools import partial

import streamlit as st

from ui import address, answers, figures, over_picture, saving, viewer
from ui.choices import chosen
from ui.feature_maps.panel import for_both, panel
from ui.feature_maps.views import POINT
from ui.header import header
from ui.shared_networks import load_both
from vizcore.drawing import render

LOOK = {"opacity_a": "opacity_a", "opacity_b": "opacity_b", "colours": "f_colours"}
state = st.session_state
picture, *choices = chosen()

header("Feature maps")
st.markdown(
    "What each layer of two networks computes from one picture. **Click a map** to ask both about a place; "
    "step through the layers to see what changes on the way from the pixels to the answer."
)


def point_at(place: tuple[float, float]) -> None:
    """A click asks both about a place: where it attends, or which places are like it."""
    state["x"], state["y"] = (round(100 * share) for share in place)
    attend = all(state.get(f"view_{slot}") == "Attention" for slot in "ab")
    for slot in "ab":
        state[f"query_{slot}" if attend else f"view_{slot}"] = POINT if attend else "Similar places"


for key in "xy":
    over_picture.held(key)
look = over_picture.look(LOOK)
maps, beside = st.columns([2, 1], gap="medium")
with maps:
    columns = viewer.row("f_maps")
models = load_both(choices, columns)
if not any(models.values()):
    address.stop()
with beside:
    together = viewer.place("f_place_ab", picture.size, 4, viewer.MODES_ROOM)
    with st.container(horizontal=True):
        st.number_input("Point, % from the left", 0, 100, 50, key="x")
        st.number_input("% from the top", 0, 100, 50, key="y")
over_picture.controls("f_look", tuple(LOOK), LOOK)
below = st.columns(2, gap="large")
sides = answers.sides(picture, choices, models)
found = [
    panel(side, picture, above, under, point_at, look)
    for side, above, under in zip(sides, columns, below, strict=True)
    if side.model
]
figures.all_predictions(sides, picture)
if len(found) == 2:
    orange, blue = sorted("ab", key=lambda slot: answers.slot_colours(models)[slot] != render.CNN_COLOUR)
    with together:
        viewer.together(
            "f_ab", over_picture.picture(picture), f"f_{orange}", f"f_{blue}", zero=False, lines=4
        )
    words, laid = [], []
    for side, (looked, heat) in zip(sides, found, strict=True):
        words.append(f"{figures.colour_name(side.colour)}: {heat.words} of {looked.model.title}")
        laid.append((for_both(looked, heat), side.colour, look[f"opacity_{side.slot}"] / 100))
    saving.keep_both("both", "; ".join(words) + ".", picture, partial(render.tint, picture.array, laid))
saving.offer("Feature maps")
