"""What the saliency page shows, and how: the view, the true region, and what the methods are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from .. import over_picture, settings, viewer
from ..address import forget
from .painting import OVER

VIEWS = ["colours", "greyscale", "positive", "negative", OVER]
KEYS = {"opacity": "s_opacity", "colours": "s_colours", "region": "s_region"}


class Look(NamedTuple):
    """What both panels show, and how."""

    view: str
    over: Mapping[str, Any]  # of the map over the picture, as the viewer has it
    region: bool  # around the true one, in the other views
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


def pick_view() -> str:
    """What of the pixels is shown."""
    how = {"required": True, "wrap": True, "label_visibility": "collapsed"}
    return st.segmented_control("Show", VIEWS, default=VIEWS[0], key="s_view", **how)


def pick_look(view: str, masks: dict[str, np.ndarray], any_map: bool) -> Look:
    """How maps are shown: how opaque, and with the true region where it is known.

    Without ``any_map`` there is nothing to choose.
    """
    if not any_map:
        return Look(view, viewer.LOOK, False, masks, {})
    seen = over_picture.look(KEYS)
    region = bool(masks) and seen["region"]
    with st.container(horizontal=True, vertical_alignment="center"):
        if masks and view != OVER:
            words = f"Where {' and '.join(masks)} really are in this picture is known."
            region = st.toggle("True region", True, key="s_region", help=words)
        chosen = settings.ask("saliency")
    if view == OVER:
        over_picture.controls("s_look", ("opacity", "colours", *(["region"] if masks else [])), KEYS)
    return Look(view, seen, region, masks, chosen)
