"""Attention rollout: where attention leads from the answer back to the patches, and what that can't tell."""

import streamlit as st

from ui import address, answers, cant_show, classes, figures, over_picture, saving
from ui.attention_rollout import build_up, flows, heads, options
from ui.choices import chosen
from ui.header import header
from ui.shared_networks import load

POINT = "the point"
LOOK = {"opacity": "r_opacity", "colours": "r_colours", "scale": "r_scale"}
state = st.session_state
picture, *choices = chosen()

header("Attention rollout")
st.markdown(
    "Where attention leads through all blocks of a Vision Transformer, from the answer back to the patches, "
    "beside a CNN's Grad-CAM. It follows who looks at whom, not what is said: neither the values nor the "
    "MLPs enter. **Click a map** to trace back from one patch."
)


def point_at(place: tuple[float, float]) -> None:
    state["x"], state["y"], state["r_query"] = *(round(100 * share) for share in place), POINT


models = {choice.slot: load(choice) for choice in choices}
sides = answers.sides(picture, choices, models)
present = [side for side in sides if side.model]
if not present:
    address.stop()
first = sorted(present, key=lambda side: not side.model.attention)  # the ViT's top class is the default
with st.container(horizontal=True, vertical_alignment="bottom"):
    name, indices = classes.ask(first, "r_class", there=picture.there)
    everyone = "the answer"
    query = st.segmented_control(
        "Trace back from", [everyone, POINT], default=everyone, required=True, key="r_query",
        help="The answer is read from the class token, or from all patches where there is none.",
    )  # fmt: skip
    point, head, method, told = options.controls([side.model for side in present])
asks = query == POINT or any(not side.model.num_classes for side in present)
look = over_picture.look(LOOK)
look |= {"picture": over_picture.picture(picture), "point": point if asks else None, "on_pin": point_at}
asked = []
for side in present:
    cell = flows.patch_at(side.model, picture, point) if query == POINT else None
    index, how = indices[side.slot], (cell, point, head, method, told)
    asked.append(flows.Asked(side.choice, side.model, picture, side.colour, index, name, *how))
build_up.show(asked, look)
over_picture.controls("r_look", tuple(LOOK), LOOK)
figures.all_predictions(sides, picture)

words, bound = "Proof: the two top classes, asked for one after the other", {"on_change": "rerun"}
with st.expander(words, icon=":material/balance:", key="r_proof", **bound):
    heads.proof([one for one in asked if one.model.num_classes > 1], look)
with st.expander("Every head of every block", icon=":material/apps:", key="r_heads", **bound):
    for one in asked:
        if one.model.attention:
            heads.heads(one, look)
cant_show.sign()
saving.offer("Attention rollout")
