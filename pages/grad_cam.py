"""Grad-CAM: where each network finds its evidence for a class, whether they agree, whether it is true."""

import streamlit as st

from ui import (
    address,
    alike,
    answers,
    cant_show,
    checks,
    classes,
    figures,
    over_picture,
    saving,
    settings,
    viewer,
)
from ui.choices import chosen
from ui.grad_cam import beside, cams
from ui.header import header
from ui.shared_networks import load_both

LOOK = {"opacity": "g_opacity", "colours": "g_colours", "scale": "g_scale", "region": "g_region"}
picture, *choices = chosen()

header("Grad-CAM")
st.markdown(
    "Where does each network find its evidence for a class? Do the two agree, and is either map true? Maps "
    "first, then tests of them."
)
controls = st.container()
maps, beside_them = st.columns([2, 1], gap="medium")
with maps:
    columns = viewer.row("g_maps")
models = load_both(choices, columns)
sides = answers.sides(picture, choices, models)
if not any(models.values()):
    address.stop()
masks = picture.masks
with controls:
    first, other, second = st.columns([4, 3, 9], gap="medium", vertical_alignment="bottom")
    with first:
        name, indices = classes.ask(sides, "g_class", there=picture.there)
    with other:
        against = classes.ask(sides, "g_not", "And not", classes.NOTHING)
    with second:
        names = classes.likely(sides, name, () if picture.drawn else picture.masks)
        over_picture.flip(
            "g_pick", "The likeliest classes of both", dict.fromkeys(names, ""), name, "g_class"
        )
    chosen_settings = settings.ask("grad_cam")
    alike.pick(sides)
look = over_picture.look(LOOK) | {"masks": masks, "asked": name, "settings": chosen_settings}
look |= {"over": over_picture.held("g_over"), "against": against}

found = []
for side, column in zip(sides, columns, strict=True):
    if side.model:
        with column:
            found.append(cams.panel(side, picture, indices[side.slot], name, names, look))
found = [own for own in found if own]
mapped = [own[name] for own in found]
if mapped:
    with beside_them:
        beside.together(found, look)
    which = ("opacity", "colours", "scale", *(["region"] if masks else []))
    over_picture.controls("g_look", which, LOOK)
figures.all_predictions(sides, picture)
if mapped:
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
cant_show.sign()
saving.offer("Grad-CAM")
