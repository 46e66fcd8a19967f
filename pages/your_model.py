"""Your own model: bring a network, or pictures of your own classes, and every page works with them."""

import streamlit as st

from ui.choices import chosen
from ui.header import header
from ui.your_model.card import all_kept, card
from ui.your_model.in_python import in_python
from ui.your_model.learning import learn
from ui.your_model.sent import checkpoint, folder
from ui.your_model.truth_table import truth_table

picture, *choices = chosen()
header("Your own model")
st.markdown(
    "Bring a network, or pictures of your own classes. What can't be asked of it is left out, and says why; "
    "then use it as Model A or B, and every page works with it."
)
WAYS = ["Checkpoint", "Hugging Face", "Pictures", "Python"]
way = st.segmented_control("What do you have?", WAYS, default=WAYS[0], required=True, key="y_way")
found = None
if way == "Checkpoint":
    found = checkpoint(choices)
elif way == "Hugging Face":
    found = folder()
elif way == "Pictures":
    found = learn(choices)
else:
    in_python()
if found is not None:
    card(found, picture, choices)
all_kept()
truth_table(choices)
