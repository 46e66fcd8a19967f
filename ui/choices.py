"""The picture and the two models: chosen in the sidebar, shared by all pages, kept in the link."""

from __future__ import annotations

import streamlit as st

from . import streamlit_private
from .address import reset
from .made_pictures import make
from .network_picker import Choice, choose_model, offer_downloads
from .picture_picker import Picture, choose_picture
from .thing_names import with_names


def sidebar() -> None:
    """Draw the shared pickers; pages read the result with ``chosen``."""
    with st.sidebar:
        picture = choose_picture()
        made = st.container(key="made")
        with made:
            picture = picture or make()
        choices = choose_model("a", picture.drawn), choose_model("b", picture.drawn)
        if not picture.drawn:
            offer_downloads(choices)
        with made:
            picture = with_names(picture, choices)
        st.session_state["chosen"] = picture, *choices
        words = "The picture, both networks and all options as on a first visit"
        st.button("Reset", icon=":material/restart_alt:", key="reset", on_click=reset, help=words)


def chosen() -> tuple[Picture, Choice, Choice]:
    """The picture and the two models that all pages look at."""
    if "chosen" not in st.session_state:
        streamlit_private.start_with_main_script()
        st.rerun()
    return st.session_state["chosen"]


def chosen_models() -> list[Choice]:
    """The two models, for a page that looks at no single picture: the sidebar says so."""
    _, *choices = chosen()
    st.session_state["of_picture"].caption("This page looks at no single picture.")
    return choices
