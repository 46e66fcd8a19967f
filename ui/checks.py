"""What speaks for or against any method's map: the section that asks whether it is true."""

from __future__ import annotations

import streamlit as st

from .checks_covering import cross_test, curves
from .checks_repeating import noise, randomised
from .mapped import Mapped

PARTS = {
    "Curves": curves,
    "Cross-test": cross_test,
    "Randomised weights": randomised,
    "Noise": noise,
}


def ask(mapped: list[Mapped], key: str) -> None:
    """The tests to choose from, and the one that is chosen; ``key`` is that of the choice."""
    st.header("Is it true?", anchor=False)
    parts = list(PARTS)
    part = st.segmented_control("Test", parts, default=parts[0], required=True, key=key, wrap=True)
    PARTS[part](mapped)
