"""Your own model: how to look into a network that isn't on the list."""

import streamlit as st

from ui.choices import chosen
from ui.header import header

chosen()
header("Your own model")
st.markdown("…")
