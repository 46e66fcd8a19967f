"""Activation maximisation: what each network would like to see, made while you watch."""

import streamlit as st

from ui import address, answers, cant_show, saving
from ui.activation_maximization import agreement, imagined, real, runs, saved, units
from ui.activation_maximization.recipe import pick_recipe
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
    imagined.gallery(choices)
    saving.offer("Activation maximisation")
    address.stop()

sides = answers.sides(None, choices, load_both(choices, st.columns(2)))
if not any(side.model for side in sides):
    address.stop()
asked = units.ask(sides)
name, recipe, seed = pick_recipe()
if not asked:
    address.stop()
found = runs.watch(asked, recipe, seed)
cant_show.say(
    "Activation maximisation",
    "can't show what the network sees in a photograph, nor all that excites the unit: another seed gives "
    "another picture. What has no meaning to you may still be what the network goes by.",
)
if not found:
    address.stop()
saved.save(asked, found, name, recipe, seed)
saved.keep(asked, found, recipe, seed)
units.to_cards(asked)
with st.expander("Real beside imagined", icon=":material/compare:", key="m_real", on_change="rerun") as box:
    if box.open:
        real.beside(asked, found)
st.header("Does the other network agree?", anchor=False)
agreement.cross(asked, [side for side in sides if side.model], found, recipe, seed)
cant_show.sign()
saving.offer("Activation maximisation")
