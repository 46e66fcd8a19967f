"""Lessons: short guided experiments, each a row of linked views with a question."""

import streamlit as st

from ui import guide
from ui.choices import in_app
from ui.header import header

in_app()
header("Lessons")
st.markdown(
    "Short experiments. Each step opens a page in the state that it needs, with a guide beside it: what to "
    "do, and a question to guess at before its answer opens. Every step is a link of its own, which takes a "
    "lesson up where it was. They work offline."
)
guide.take_up()
guide.shelf()
guide.for_a_class()
