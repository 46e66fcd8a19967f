"""Look inside: what each place says half-way, and what a part of a network is for."""

import streamlit as st

from ui import address, answers, cant_show, saving, viewer
from ui.choices import chosen
from ui.header import header
from ui.look_inside import in_concepts, off, places
from ui.look_inside.asked import Room
from ui.shared_networks import load_both

VIEWS = {"What places say": places.show, "Switch it off": off.show, "Concepts": in_concepts.show}
picture, *choices = chosen()

header("Look inside")
st.markdown(
    "What does each place say half-way, **block by block**? And what if a part of the network were "
    "off? Of which few patterns is it made up?"
)
above = st.container()
controls = above.container(horizontal=True, vertical_alignment="bottom")
with controls:
    view = st.segmented_control(
        "Show", list(VIEWS), default=next(iter(VIEWS)), required=True, key="i_part",
        label_visibility="collapsed",
    )  # fmt: skip
maps, beside = st.columns([2, 1], gap="medium")
with maps:
    columns = viewer.row("i_maps")
models = load_both(choices, columns)
sides = answers.sides(picture, choices, models)
if not any(models.values()):
    address.stop()
VIEWS[view](sides, picture, Room(controls, above, columns, maps, beside))
cant_show.sign()
saving.offer("Look inside")
