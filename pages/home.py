"""Home: one picture, two networks, and the question of who is right; then a door to each page."""

import streamlit as st

from ui import answers, figures, guide, saving
from ui.choices import chosen
from ui.header import header
from ui.home import doors
from ui.home import who_is_right as home
from ui.mapped import scene_masks
from ui.plain import plain
from ui.shared_networks import load
from vizcore import judgements
from vizcore.drawing import render

picture, *choices = chosen()
masks = scene_masks(picture.title, picture.size[0])

header("Who looks where, and who is right?")
words = "Two networks look at one picture. "
if masks:
    words += "It was drawn by code, so **where each texture really is, is known**."
st.markdown(words)
left, *columns = st.columns(3, gap="medium")
with left:
    st.subheader(plain(picture.title), anchor=False)
    figures.picture(picture.array, picture.title)
    question = st.container()
    if masks:
        words, values, icon = "Take a photograph instead", home.PHOTOGRAPH, ":material/photo_camera:"
    else:
        words, values, icon = "Take a drawn picture", home.DRAWN, ":material/texture:"
    home.turn(words, values, icon)
    conclusion = st.empty()
places = []
for column in columns:
    with column:
        head, place = st.container(), st.empty()
        place.image(figures.jpeg(render.tint(picture.array, [])), alt=picture.title, width="stretch")
        places.append((head, place))

models = {}
for choice, (head, _) in zip(choices, places, strict=True):
    with head:
        models[choice.slot] = load(choice)
sides = answers.sides(picture, choices, models)
with question:
    name, indices = home.ask_for(picture, sides)
found = []
for side, (head, place) in zip(sides, places, strict=True):
    if side.model is None:
        found.append(judgements.Network(f"Model {side.slot.upper()}", loaded=False))
        continue
    with head:
        figures.name(side.model, side.colour)
        figures.remark(side.model)
    with place.container():
        found.append(home.panel(side, picture, indices.get(side.slot), name, masks))
with conclusion.container():
    st.markdown(f"**{home.verdict(name, masks, found)}**")
    st.caption("One picture is an anecdote: the lessons, and the Grad-CAM page, say how to find out more.")
    guide.first()

st.header("Look closer", anchor=False)
doors.doors(picture)
st.header("Lessons", anchor=False)
guide.shelf()
saving.offer("Home")
