"""Similarity: do two networks compute the same things? CKA between all of their layers."""

import streamlit as st

from ui import address, answers, cant_show, figures, saving
from ui.choices import chosen_models
from ui.header import header
from ui.jobs import job
from ui.plain import plain
from ui.shared_networks import load_both
from ui.similarity import beforehand, cka_figures, comparison, picture_sets, presets
from vizcore.pictures.images import PictureError

choices = chosen_models()

header("Similarity")
st.markdown(
    "Do two networks learn the same things? Every layer of A is compared with every layer of B: are the "
    "pictures that are alike to one also alike to the other? **1** is the same up to rotation and scale, "
    "**0** nothing in common (centred kernel alignment, Kornblith et al., 2019)."
)
presets.presets(choices[0])
columns = st.columns(2, gap="large")
sides = answers.sides(None, choices, load_both(choices, columns))
if any(side.model is None for side in sides):
    presets.offer_random(sides)
    address.stop()
for side, column in zip(sides, columns, strict=True):
    with column:
        figures.name(side.model, side.colour)
        figures.remark(side.model)
models = [side.model for side in sides]
pictures, settings = st.columns([3, 1], vertical_alignment="bottom")
with pictures:
    source = picture_sets.pick_pictures(picture_sets.drawing_side(models))
with settings:
    layers, how, control, estimator = comparison.pick_how(models)
if source:
    comparison.tell_guesses(sides, source.key[0] == picture_sets.DRAWN)
if source is None:
    address.stop()
asked = comparison.Asked(sides, layers, source, how, control, estimator)
if comparison.too_few(asked):
    address.stop()

try:
    found = job(
        "k_cka",
        asked.question,
        lambda: comparison.run(asked),
        lambda steps: cka_figures.show(asked, steps[-1]),
        "Compare",
        keep_all=False,
        start=presets.asked_for(),
    )
except PictureError as error:  # a file of a folder, when its turn came
    st.error(plain(str(error)))
    address.stop()
if not found and (known := beforehand.beforehand(asked)):
    cka_figures.show(asked, known)
    beforehand.note()
    found = [known]
if found:
    st.header("Which layers belong together?", anchor=False)
    cka_figures.matches(asked, found[-1])
    cka_figures.keep(asked, found[-1])
cant_show.say(
    "CKA",
    "can't show what a layer computes, nor that two networks use it for the same answer. CKA is ruled by "
    "the few directions in which features vary most, and a few odd pictures can rule those. All of it is "
    "about these pictures: others may give other figures.",
)
cant_show.sign()
saving.offer("Similarity")
