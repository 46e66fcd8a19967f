"""How the maps of the attention page are computed."""

from __future__ import annotations

import streamlit as st

from .. import answers
from ..address import forget
from .flows import RELEVANCES


def controls(models: list) -> tuple[tuple[float, float], str, str, dict]:
    """The point, as shares of width and height, and how the maps are computed: head, method, and rollout."""
    count = max((answers.heads_of(model) for model in models), default=0)
    heads = ["mean", "max", "min", *(f"head {i}" for i in range(count))]
    forget("r_head", heads, heads[0])  # of a network shown before
    with st.popover("Settings", icon=":material/tune:", key="r_settings"):
        row = {"horizontal": True, "vertical_alignment": "bottom", "gap": "medium"}
        with st.container(**row):
            words = "How much of itself a token keeps in each block of the rollout."
            residual = st.slider("Residual share, %", 0, 100, 50, 5, key="r_residual", width=180, help=words)
            words = "How many patches each row leaves out: those with the least attention."
            discard = st.slider("Discard, %", 0, 95, 0, 5, key="r_discard", width=180, help=words)
            fusion = st.segmented_control(
                "Heads fused by", heads[:3], default="mean", required=True, key="r_fusion"
            )
            words = "Off: rollout drops attention to the class token and registers."
            through = st.toggle("Through prefix tokens", True, key="r_prefix", help=words)
        with st.container(**row):
            x = st.number_input("Point, % from the left", 0, 100, 50, key="x", width=160)
            y = st.number_input("% from the top", 0, 100, 50, key="y", width=130)
        with st.container(**row):
            head = st.selectbox("Raw attention of", heads, key="r_head", width=130)
            method = st.selectbox("Relevance by", RELEVANCES, key="r_method", width=230)
    settings = {
        "residual": residual / 100,
        "fusion": fusion,
        "discard": discard / 100,
        "through_prefix": through,
    }
    return (x / 100, y / 100), head, method, settings
