"""How the maps of the attention page are computed and shown."""

from __future__ import annotations

import streamlit as st

from vizcore.drawing import render

from .. import answers
from ..address import forget
from .flows import RELEVANCES


def controls(models: list) -> tuple[str, str, dict, dict]:
    """How the maps are computed and shown: head, method, settings of rollout, look."""
    count = max((answers.heads_of(model) for model in models), default=0)
    heads = ["mean", "max", "min", *(f"head {i}" for i in range(count))]
    forget("r_head", heads, heads[0])  # of a network shown before
    with st.expander("How it is computed and shown", icon=":material/tune:"):
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
            head = st.selectbox("Raw attention of", heads, key="r_head", width=130)
            method = st.selectbox("Relevance by", RELEVANCES, key="r_method", width=230)
            opacity = st.slider("Opacity, %", 0, 100, 70, 5, key="r_opacity", width=180)
            colour_map = st.selectbox("Colours", list(render.COLOUR_MAPS), key="r_colours", width=130)
            words = "Shared: attention and rollout from 0 to the same maximum; all blocks of a map alike."
            scale = st.segmented_control(
                "Scale", ["own", "shared"], default="own", required=True, key="r_scale", help=words
            )
    settings = {
        "residual": residual / 100,
        "fusion": fusion,
        "discard": discard / 100,
        "through_prefix": through,
    }
    return (
        head,
        method,
        settings,
        {
            "opacity": opacity / 100,
            "colour_map": colour_map,
            "shared": scale == "shared",
        },
    )
