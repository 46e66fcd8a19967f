"""Saliency: which pixels would change each network's answer, and how far such a map can be believed."""

import streamlit as st

from ui import address, alike, answers, cant_show, checks, classes, figures, saving, viewer
from ui.choices import chosen
from ui.header import header
from ui.saliency import gradient_sheet, looks, panels
from ui.shared_networks import load_both

picture, *choices = chosen()

header("Saliency")
st.markdown(
    "Which pixels would change the answer? The gradient of a class's score with respect to each pixel, as "
    "colours: **grey where a small change makes no difference**. Then methods that mend its faults, and "
    "tests of them all."
)
with st.container(key="page_saliency"):
    left, right = st.columns([1, 2], gap="medium")
with left:
    with st.container(key="top_saliency"):
        seen, asked = st.container(), st.container()
with seen:
    st.image(figures.jpeg(picture.array), alt=picture.title, width="stretch")
with right:
    above = st.container()
    columns = viewer.row("s_maps")
models = load_both(choices, columns)
sides = answers.sides(picture, choices, models)
present = [side for side in sides if side.model]
if not present:
    address.stop()
with asked:
    name, indices = classes.ask(sides, "s_class", there=picture.there)
    against, others = classes.ask(sides, "s_not", "And not", classes.NOTHING)
    alike.pick(sides)
any_map = any(side.top for side in present)
with above:
    view = looks.pick_view() if any_map else looks.VIEWS[0]
with left:
    look = looks.pick_look(view, picture.masks, any_map)

mapped = []
for side, column in zip(sides, columns, strict=True):
    if side.model:
        question = (name, indices[side.slot]), (against, others[side.slot])
        with column:
            mapped.append(panels.panel(side, picture, *question, look))
mapped = [one for one in mapped if one]
figures.all_predictions(sides, picture)

with st.expander(
    "One row a picture", icon=":material/table_rows:", key="s_sheet", on_change="rerun"
) as sheet:
    if sheet.open:
        gradient_sheet.rows([side for side in present if side.model.num_classes])
with st.expander(
    "The first layer's filters", icon=":material/palette:", key="s_first", on_change="rerun"
) as first:
    if first.open:
        for side, column in zip(sides, st.columns(2, gap="large"), strict=True):
            if side.model:
                with column:
                    gradient_sheet.first_layer(side.model, side.colour)

if mapped:
    checks.ask(mapped, "s_part")
cant_show.sign()
saving.offer("Saliency")
