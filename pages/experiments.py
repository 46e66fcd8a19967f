"""Experiments: paint a picture out, guess where networks look, fool them."""

import streamlit as st

from ui import address, answers, cant_show, saving
from ui.address.keys import EXPERIMENTS
from ui.choices import chosen
from ui.experiments import fool_it, guess_first, paint_it_out
from ui.header import header
from ui.shared_networks import load_both

picture, *choices = chosen()

header("Experiments")
part = st.segmented_control(
    "Experiment", EXPERIMENTS, default=EXPERIMENTS[0], required=True, key="e_part", wrap=True,
    label_visibility="collapsed",
)  # fmt: skip
words = {
    "Paint it out": "Cover as little as you can so that a network changes its answer.",
    "Guess first": "Mark where you would look; then uncover where each network finds its **evidence**: what "
    "raises its score for the class.",
    "Fool it": "A change too small to be seen, made by one network’s own gradient (**adversarial**). Is the "
    "other fooled too, and do the maps tell?",
}
st.markdown(words[part])
models = load_both(choices, st.columns(2))
sides = answers.sides(picture, choices, models)
if not any(models.values()):
    address.stop()
EACH = paint_it_out, guess_first, fool_it
EACH[EXPERIMENTS.index(part)].experiment(picture, sides)
cant_show.sign()
saving.offer("Experiments")
