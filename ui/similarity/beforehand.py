"""What the page opens with: the comparison of the pair in the box that was made beforehand."""

from __future__ import annotations

import streamlit as st

from .comparison import Asked, Step
from .picture_sets import DRAWN


@st.cache_resource(max_entries=1, show_spinner=False)
def _stored():
    from vizcore.studies.stored_cka import load_stored

    return load_stored()


def beforehand(asked: Asked) -> Step | None:
    """The stored result, if it is the answer to this question."""
    from vizcore.studies import stored_cka as of
    from vizcore.studies.cka import LINEAR

    stored = _stored()
    pair = tuple((choice.name, choice.weights) for choice in asked.choices)
    same = pair == tuple((name, "trained") for name in of.NETWORKS) and asked.how == LINEAR
    if not same or asked.source.key != (DRAWN, of.COUNT, of.SEED, of.SIDE) or asked.layers != stored.layers:
        return None
    return Step(of.COUNT, of.COUNT, stored.found, stored.control if asked.control else None)


def note() -> None:
    """What is shown, and how to ask for more."""
    st.caption(
        "Computed beforehand, for two networks that know drawn textures. Choose other networks in the "
        "sidebar, other pictures or layers above, and press **Compare** for a result of your own."
    )
