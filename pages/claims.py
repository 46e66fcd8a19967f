"""Two claims that people make of CNNs and ViTs: each measured, and to be tried on the picture at hand."""

import streamlit as st

from ui import address, answers, cant_show, over_picture, saving
from ui.choices import chosen
from ui.claims import how_far, knows
from ui.header import header
from ui.shared_networks import load_both

PARTS = {"Local or global?": how_far.show, "Shape or texture?": knows.show}
CLAIMS = {
    "Local or global?": "“A ViT looks **globally** from the first block; a CNN sees only its neighbourhood.”",
    "Shape or texture?": "“CNNs go for **textures**, ViTs for **shapes**.”",
}
ROOM = {"Local or global?": (50, 50), "Shape or texture?": (14, 13)}  # rem: on a desk, on a phone
picture, *choices = chosen()

header("Two claims")
part = st.segmented_control(
    "Claim", list(PARTS), default=next(iter(PARTS)), required=True, key="c_part", wrap=True,
    label_visibility="collapsed",
)  # fmt: skip
st.markdown(f"People say: {CLAIMS[part]}")
above, columns = st.container(), []
for slot, column in zip("ab", st.columns(2, gap="large"), strict=True):
    with column:
        columns.append(over_picture.roomy(f"c_room_{slot}", *ROOM[part]))
models = load_both(choices, columns)
sides = answers.sides(picture, choices, models)
if not any(models.values()):
    address.stop()
PARTS[part](sides, picture, above, columns)
cant_show.sign()
saving.offer("Two claims")
