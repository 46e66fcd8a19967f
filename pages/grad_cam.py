"""Grad-CAM: where each network finds its evidence for a class, whether they agree, whether it is true."""

import streamlit as st

from ui import answers, checks, classes, figures, saving, settings
from ui.choices import chosen
from ui.grad_cam import beside, cams
from ui.header import header
from ui.mapped import scene_masks
from ui.shared_networks import load_both

picture, *choices = chosen()

header("Grad-CAM")
st.markdown(
    "Where does each network find its evidence for a class? Do the two agree, and is either map true? Maps "
    "first, then tests of them."
)
left, right = st.columns([2, 3], gap="large")
with left:
    place = st.empty()
    place.image(figures.jpeg(picture.array), alt=picture.title, width="stretch")
with right:
    controls = st.container()
columns = st.columns(2, gap="large")
models = load_both(choices, columns)
sides = answers.sides(picture, choices, models)
masks = scene_masks(picture.title, picture.size[0])
look = {"masks": masks, "region": False, "settings": {}}
with controls:
    figures.all_predictions(sides)
    name, indices = classes.ask(sides, "g_class")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        over = {"options": ["both", "difference"], "default": "both", "required": True}
        look["over"] = st.segmented_control("On one picture", **over, key="g_over")
        opacity = st.slider("Opacity, %", 0, 100, 70, 5, key="g_opacity", width=180)
        look["opacity"] = opacity / 100
        if masks:
            words = f"This picture is drawn: where {' and '.join(masks)} really are is known."
            look["region"] = st.toggle("True region", True, key="g_region", help=words)
        look["settings"] = settings.ask("grad_cam")

mapped = []
for side, column in zip(sides, columns, strict=True):
    if side.model:
        with column:
            mapped.append(cams.panel(side, picture, indices[side.slot], name, look))
mapped = [one for one in mapped if one]
if mapped:
    with place.container():
        beside.together(mapped, look)

    title, icon = "The likeliest classes, a map each", ":material/view_module:"
    with st.expander(title, icon=icon, key="g_five", on_change="rerun") as five:
        if five.open:
            for one in mapped:
                beside.likeliest(one, look)
    attending = [one for one in mapped if one.model.attention]
    if attending:
        title, icon = "Beside Grad-CAM: relevance, rollout and attention", ":material/account_tree:"
        with st.expander(title, icon=icon, key="g_others", on_change="rerun") as more:
            if more.open:
                for one in attending:
                    beside.others(one, look)

    checks.ask(mapped, "g_part")
saving.offer("Grad-CAM")
