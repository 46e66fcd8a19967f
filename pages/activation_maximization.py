"""Activation maximisation: what each network would like to see, made while you watch."""

import streamlit as st

from ui import address, saving
from ui.activation_maximization import imagined, real
from ui.activation_maximization import runs as actmax
from ui.answers import slot_colours
from ui.choices import chosen_models
from ui.header import header
from ui.shared_networks import load_both

GALLERY, OWN = "Gallery", "Make your own"
choices = chosen_models()

header("Activation maximisation")
st.markdown(
    "What would a network like to see? Start from noise and change the picture, step by step, so that a "
    "class or a channel responds more and more."
)
part = st.segmented_control(
    "Show", [GALLERY, OWN], default=GALLERY, required=True, key="m_part",
    label_visibility="collapsed",
)  # fmt: skip
if part == GALLERY:
    imagined.gallery()
    saving.offer("Activation maximisation")
    address.stop()

models = load_both(choices, st.columns(2))
colours = slot_colours(models)
asked = actmax.ask(choices, models, colours)
name, recipe, seed = actmax.pick_recipe()
if not asked:
    address.stop()
found = actmax.watch(asked, recipe, seed)
st.caption(
    "It can't show what the network sees in a photograph, nor all that excites the unit: another seed gives "
    "another picture. What has no meaning to you may still be what the network goes by."
)
if not found:
    address.stop()
actmax.save(asked, found, name, recipe, seed)
actmax.keep(asked, found, recipe, seed)
with st.expander("Real beside imagined", icon=":material/compare:", key="m_real", on_change="rerun") as box:
    if box.open:
        real.beside(asked, found)
st.header("Does the other network agree?", anchor=False)
actmax.cross(asked, [model for model in models.values() if model], found, recipe, seed)
saving.offer("Activation maximisation")
