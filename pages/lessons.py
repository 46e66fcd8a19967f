"""Lessons: short guided experiments, each a row of linked views with a question."""

import streamlit as st

from ui import guide
from ui.choices import chosen
from ui.header import header

chosen()
header("Lessons")
st.markdown(
    "Short experiments. Each step opens a page in the state that it needs, with a guide above it: what to "
    "do, what to watch, and a question whose answer is behind a click. Every step is a link of its own, "
    "and you can change whatever you like on the way. They work offline."
)
guide.shelf()
