"""What pages that look inside share: a network's heads, and the samples as a set of pictures."""

from __future__ import annotations

import streamlit as st
from PIL import Image

from vizcore.pictures.quarters import with_quarters

from .picture_picker import SAMPLES, sample

SAMPLES_CODE = f'[read_picture(open(f"samples/{{name}}", "rb").read()) for name in {list(SAMPLES.values())}]'
SAMPLE_CODE = f"with_quarters({SAMPLES_CODE})"
LARGEST = 200_000_000  # bytes of weights that are drawn anew without being asked to
OF_EACH = 5  # pictures: a sample, and its quarters


@st.cache_data(show_spinner=False)
def heads_of(choice, _model) -> dict:
    """The heads of each attention module, by ``vizcore.inside.projections``."""
    from vizcore.inside.projections import heads

    return heads(_model)


def no_heads(own: dict, model) -> str:
    """Why none of a network's heads can be asked, in sentences."""
    from vizcore.inside import sayings

    why = next((one.why_not for one in own.values() if one.why_not), "")
    return sayings.no_heads(f"In it {why}." if why else model.no_rollout or _UNSEEN)


_UNSEEN = "What its heads write can't be seen apart."


def why_not_anew(model) -> str:
    """Why a network isn't set beside itself with random weights, in a sentence; "" where it is."""
    from vizcore.networks.build import module_bytes

    if model.weights == "random":
        return "Its weights are random as it is, so there are none to set it beside."
    if module_bytes(model.net) > LARGEST:
        return "It is too large here to draw its weights anew at once, so nothing is compared with them."
    return ""


@st.cache_resource(show_spinner=False)
def sample_set() -> list[Image.Image]:
    """The samples, whole and in quarters."""
    return with_quarters([sample(name).image for name in SAMPLES])
