"""Home: one picture, two networks, and the question of who is right; then a door to each page."""

import streamlit as st

from ui import answers, figures, guide, over_picture, posters, saving, viewer
from ui.choices import chosen
from ui.header import header
from ui.home import doors
from ui.home import who_is_right as home
from ui.plain import plain
from ui.shared_networks import load_both
from vizcore import judgements

picture, *choices = chosen()
masks = picture.masks

header("Who looks where, and who is right?")
shared = over_picture.look(home.LOOK)["scale"] == "shared"
most = "both maps have most of it, on one scale" if shared else "most of it lies"
words = (
    "Two networks look at one picture. What raises a network's score for a class is its **evidence**; a map "
    f"is **yellow** where {most}. "
)
st.markdown(words + home.known(picture))
with st.container(key="page_home"):
    left, right = st.columns([1, 2], gap="medium")
with left:
    with st.container(key="top_home"):
        seen, asked = st.container(), st.container()
    below = st.container()
with seen:
    with st.container(horizontal=True):  # as high as the networks' names
        st.subheader(plain(picture.title), anchor=False)
    viewer.show("h_picture", over_picture.picture(picture), lines=0)
with right:
    columns = viewer.row("h_maps")
models = load_both(choices, columns, rest=True)
sides = answers.sides(picture, choices, models)
with asked:
    name, indices, names = home.ask_for(picture, sides)
    if picture.drawn:
        words, values, icon = "Take photographs instead", home.PHOTOGRAPH, ":material/photo_camera:"
    else:
        words, values, icon = "See a right answer with a wrong map", home.DRAWN, ":material/texture:"
    home.turn(words, values, icon)
found = []
for side, column in zip(sides, columns, strict=True):
    if side.model is None:
        found.append(judgements.Network(f"Model {side.slot.upper()}", loaded=False))
        continue
    with column:
        figures.name(side.model, side.colour)
        figures.remark(side.model)
        found.append(home.panel(side, picture, indices.get(side.slot), name, names, masks))
with right:
    with over_picture.roomy("h_verdict", 4.5, 6.5):
        st.markdown(f"**{(verdict := home.verdict(name, picture, found))}**")
        posters.say(verdict)
    if any(one.mapped for one in found):
        over_picture.controls("h_look", tuple(home.LOOK), home.LOOK)
with below:
    figures.all_predictions(sides, picture)
    st.caption(home.beside_answers(picture, choices))
    guide.first()

st.header("Look closer", anchor=False)
doors.doors(picture, names)
st.header("Lessons", anchor=False)
with st.container(key="h_lessons"):
    guide.shelf()
saving.offer("Home")
