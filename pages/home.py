"""Home: one picture, two networks, and the question of who is right; then a door to each page."""

import streamlit as st

from ui import answers, doors, evidence, figures, guide, home, saving
from ui.choices import chosen, load, slot_colours
from ui.header import header
from ui.plain import plain
from vizcore import render

picture, *choices = chosen()
masks = evidence.scene_masks(picture.title, picture.size[0])

header("Who looks where, and who is right?")
words = "Two networks look at one picture. "
if masks:
    words += "It was drawn by code, so **where each texture really is, is known**: the white line."
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
    st.button(words, icon=icon, on_click=home.turn_to, args=(values,), key="h_turn")
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
colours = slot_colours(models)
present = [choice for choice in choices if models[choice.slot]]
tops = [answers.top_classes(c, picture.key, models[c.slot], picture.image) for c in present]
with question:
    name, indices = home.ask_for(picture, [models[c.slot] for c in present], tops)
hits = []
for choice, top, index in zip(present, tops, indices, strict=True):
    model, colour = models[choice.slot], colours[choice.slot]
    head, place = places[choices.index(choice)]
    with head:
        figures.name(model, colour)
    with place.container():
        one = home.one_map(choice, model, picture, colour, index, name)
        if one:
            hits.append(home.show_map(one, masks))
        else:
            figures.picture(picture.array, picture.title)
            st.markdown("No map: it has no classes, or its evidence for them can't be traced to places.")
        figures.predictions(model, top, colour)
with conclusion.container():
    st.markdown(f"**{home.verdict(hits, [models[c.slot].title for c in present])}**")
    st.caption("One picture is an anecdote: the lessons, and the Grad-CAM page, say how to find out more.")
    guide.first()

st.header("Look closer", anchor=False)
doors.doors(picture)
st.header("Lessons", anchor=False)
guide.shelf()
saving.offer("Home")
