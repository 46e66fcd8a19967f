"""A unit's card: what a channel, a head or a class likes, and what it is about."""

import streamlit as st

from ui import address, answers, cant_show, figures, saving
from ui.choices import chosen_models
from ui.header import header
from ui.shared_networks import load_both
from ui.unit import card_of, sets_of, which_unit

choices = chosen_models()

header("A unit’s card")
st.markdown(
    "What does **one** channel, head or class of a network like? The pictures of a set that excite it most, "
    "beside those that do least and some by lot; what it imagines; and the classes that it is about."
)
columns = st.columns(2)
models = load_both(choices, columns)
if not any(models.values()):
    address.stop()
unit = which_unit.pick(answers.sides(None, choices, models))
if unit is None:
    address.stop()
source = sets_of.pick(unit.side)
figures.name(unit.model, unit.side.colour)
if source:
    card_of.show(unit, source)
cant_show.say("A unit’s card", card_of.LIMITS)
cant_show.sign()
saving.offer("A unit’s card")
