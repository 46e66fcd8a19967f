"""Look inside: what each place says half-way, and what a part of a network is for."""

import streamlit as st

from ui import address, answers, cant_show, saving, viewer
from ui.choices import chosen
from ui.header import header
from ui.look_inside import off, places
from ui.shared_networks import load_both

VIEWS = {"What places say": places.show, "Switch it off": off.show}
picture, *choices = chosen()

header("Look inside")
st.markdown(
    "What does each place of a network say half-way, **block by block**? And what becomes of the answer "
    "without a part of it, or with a part of another picture?"
)
view = st.segmented_control(
    "Show", list(VIEWS), default=next(iter(VIEWS)), required=True, key="i_part", label_visibility="collapsed"
)
above = st.container()
columns = viewer.row("i_maps")
models = load_both(choices, columns)
sides = answers.sides(picture, choices, models)
if not any(models.values()):
    address.stop()
VIEWS[view](sides, picture, above, columns)
cant_show.sign()
saving.offer("Look inside")
