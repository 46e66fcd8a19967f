"""Attention rollout: how information flows from the patches to the answer, and what that can't tell."""

import streamlit as st

from ui import answers, figures, flows, saving
from ui.choices import chosen, load, slot_colours
from ui.classes import pick_class
from ui.header import header

POINT = "the point"
state = st.session_state
picture, *choices = chosen()

header("Attention rollout")
st.markdown(
    "How information flows through all blocks of a Vision Transformer, from the patches to the answer, "
    "beside what a CNN uses. **Click the picture** to ask what flows into one patch."
)
left, right = st.columns([2, 3], gap="large")
with left:
    place = st.empty()
    place.image(figures.jpeg(picture.array), alt=picture.title, width="stretch")


def point_at(x: float, y: float) -> None:
    state["x"], state["y"], state["r_query"] = round(100 * x), round(100 * y), POINT


models = {choice.slot: load(choice) for choice in choices}
colours = slot_colours(models)
present = [choice for choice in choices if models[choice.slot]]
present.sort(key=lambda choice: not models[choice.slot].attention)  # the ViT's top class is the default
tops = [answers.top_classes(c, picture.key, models[c.slot], picture.image) for c in present]
with right:
    for choice, column in zip(choices, st.columns(2), strict=True):
        with column:
            if choice in present:
                model = models[choice.slot]
                figures.predictions(model, tops[present.index(choice)], colours[choice.slot])
    name, indices = "", [None] * len(present)
    if any(tops):
        name, indices = pick_class([models[c.slot] for c in present], tops, "r_class")
    everyone = "the answer"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        query = st.segmented_control(
            "Trace back from", [everyone, POINT], default=everyone, required=True, key="r_query",
            help="The answer is read from the class token, or from all patches where there is none.",
        )  # fmt: skip
        x = st.number_input("Point, % from the left", 0, 100, 50, key="x", width=150)
        y = st.number_input("% from the top", 0, 100, 50, key="y", width=150)
with place.container():
    point = x / 100, y / 100
    words = f"{picture.title}; click to trace back from a place"
    asks = query == POINT or any(not models[choice.slot].num_classes for choice in present)
    figures.pointer(picture.array, words, "r_pointer", point_at, point if asks else None)

head, method, settings, look = flows.controls([models[choice.slot] for choice in present])
asked = []
for choice, index in zip(present, indices, strict=True):
    model = models[choice.slot]
    cell = flows.patch_at(model, picture, point) if query == POINT else None
    colour = colours[choice.slot]
    asked.append(
        flows.Asked(choice, model, picture, colour, index, name, cell, point, head, method, settings)
    )
asked.sort(key=lambda one: one.choice.slot)
flows.show(asked, look)

words, bound = "Proof: the two top classes, asked for one after the other", {"on_change": "rerun"}
with st.expander(words, icon=":material/balance:", key="r_proof", **bound):
    flows.proof([one for one in asked if one.model.num_classes > 1], look)
with st.expander("Every head of every block", icon=":material/apps:", key="r_heads", **bound):
    for one in asked:
        if one.model.attention:
            flows.heads(one, look)
saving.offer("Attention rollout")
