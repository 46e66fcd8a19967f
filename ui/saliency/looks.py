"""What the saliency page shows, and how: the view, the true region, and what the methods are told."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from .. import settings
from ..address import forget

NOTHING = "nothing"
VIEWS = ["colours", "greyscale", "positive", "negative", "over the picture"]


class Look(NamedTuple):
    """What both panels show, and how."""

    view: str
    opacity: float
    region: bool
    masks: dict[str, np.ndarray]
    settings: dict[str, Any]
    note: str = ""


def pick_method(model, slot: str) -> str:
    """One of the methods that can be asked of a network; why others can't is said on request."""
    from vizcore.methods.table import on_page

    why = {name: method.why_not(model) for name, method in on_page("saliency").items()}
    methods = [name for name, reason in why.items() if not reason]
    forget(f"s_method_{slot}", methods, methods[0])
    refused = " ".join(filter(None, why.values()))
    return st.selectbox("Method", methods, key=f"s_method_{slot}", help=refused or None)


def pick_look(masks: dict[str, np.ndarray]) -> Look:
    """How maps are shown: what of the pixels, how opaque, and with the true region where it is known."""
    view = st.segmented_control("Show", VIEWS, default=VIEWS[0], required=True, key="s_view", wrap=True)
    opacity, region = 70, False
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if view == VIEWS[-1]:
            opacity = st.slider("Opacity, %", 0, 100, 70, 5, key="s_opacity", width=180)
        if masks:
            words = f"This picture is drawn: where {' and '.join(masks)} really are is known."
            region = st.toggle("True region", True, key="s_region", help=words)
        chosen = settings.ask("saliency")
    return Look(view, opacity / 100, region, masks, chosen)
