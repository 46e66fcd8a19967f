"""Saliency: which pixels would change each network's answer, and how far such a map can be believed."""

import streamlit as st

from ui import answers, evidence, figures, saliency, saving
from ui.choices import chosen, load_both, slot_colours
from ui.classes import pick_class
from ui.header import header

picture, *choices = chosen()

header("Saliency")
st.markdown(
    "Which pixels would change the answer? The gradient of a class's score with respect to each pixel, as "
    "colours: **grey where nothing matters**. Then methods that mend its faults, and tests of them all."
)
left, right = st.columns([2, 3], gap="large")
with left:
    st.image(figures.jpeg(picture.array), alt=picture.title, width="stretch")
with right:
    beside = st.container()
columns = st.columns(2, gap="large")
models = load_both(choices, columns)
colours = slot_colours(models)
present = [choice for choice in choices if models[choice.slot]]
tops = [answers.top_classes(c, picture.key, models[c.slot], picture.image) for c in present]
name, against, indices, others = "", saliency.NOTHING, [None] * len(present), [None] * len(present)
with beside:
    for choice, top, column in zip(present, tops, st.columns(2), strict=False):
        with column:
            figures.predictions(models[choice.slot], top, colours[choice.slot])
    if any(tops):
        asked = [models[c.slot] for c in present]
        with st.container(horizontal=True):
            name, indices = pick_class(asked, tops, "s_class")
            against, others = pick_class(asked, tops, "s_not", "And not", saliency.NOTHING)
    look = saliency.pick_look(evidence.scene_masks(picture.title, picture.size[0]))

mapped = []
for choice, index, other in zip(present, indices, others, strict=True):
    slot = choice.slot
    with columns[choices.index(choice)]:
        mapped.append(
            saliency.panel(
                choice, models[slot], picture, colours[slot], (name, index), (against, other), look
            )
        )
mapped = [one for one in mapped if one]

with st.expander(
    "One row a picture", icon=":material/table_rows:", key="s_sheet", on_change="rerun"
) as sheet:
    if sheet.open:
        saliency.rows([(c, models[c.slot]) for c in present if models[c.slot].num_classes])
with st.expander(
    "The first layer's filters", icon=":material/palette:", key="s_first", on_change="rerun"
) as first:
    if first.open:
        for choice, column in zip(present, st.columns(2, gap="large"), strict=False):
            with column:
                saliency.first_layer(models[choice.slot], colours[choice.slot])

if mapped:
    st.header("Is it true?", anchor=False)
    parts = list(evidence.PARTS)
    part = st.segmented_control("Test", parts, default=parts[0], required=True, key="s_part", wrap=True)
    evidence.PARTS[part](mapped)
saving.offer("Saliency")
