"""The picture and the two models: chosen in the sidebar, shared by all pages, kept in the link."""

from __future__ import annotations

import streamlit as st

from . import address, brush, streamlit_private
from .made_pictures import make
from .network_picker import DEFAULTS, Choice, choose_model, offer_downloads, suited
from .picture_picker import MOSAICS, Picture, choose_picture
from .regions import BRUSH
from .thing_names import with_names

FLAT = (
    "The picture is the same everywhere: whatever a map of it shows is the network's own, and no thing in it."
)
PICTURELESS = "similarity", "activation_maximization"  # pages that look at no single picture
TEXTURES = "similarity"  # the one of them that begins with a result of drawn textures
MAPLESS = "lessons", "room"  # those that show no map, so that nothing of one is to be chosen there


def sidebar() -> None:
    """Draw the shared pickers; pages read the result with ``chosen``."""
    with st.sidebar:  # the networks before what fewer ask for, so that they are in view on a small screen
        first, made, networks, called, own = (st.container() for _ in range(5))
        with first:
            picture = choose_picture(own)
        with made:
            picture = picture or make()
            if (picture.array == picture.array[0, 0]).all():
                st.caption(FLAT)
        textures = _shows_textures()
        st.session_state["suited"] = ready = suited(picture.drawn or textures)
        with networks:
            choices = [choose_model(slot, ready[slot], own) for slot in "ab"]
            if not picture.drawn:
                offer_downloads(choices)
        with called if picture.title in MOSAICS else made:
            picture = picture if textures else with_names(picture, choices)
        st.session_state["chosen"] = picture, *choices
        words = "The picture, both networks and all options as on a first visit"
        st.button("Reset", icon=":material/restart_alt:", key="reset", on_click=_reset, help=words)


def _reset() -> None:
    """What the address holds, and what it can't."""
    address.reset()
    brush.clear(BRUSH)


def _shows_textures() -> bool:
    """Whether a page looks at drawn textures, and at no single picture that somebody chose."""
    return address.page() == TEXTURES and st.session_state["picture"] in MOSAICS


def in_app() -> None:
    """For a page that asks for nothing that is chosen: it doesn't run without the main script either."""
    if "address" not in st.session_state:
        streamlit_private.start_with_main_script()
        st.rerun()


def chosen() -> tuple[Picture, Choice, Choice]:
    """The picture and the two models that all pages look at."""
    if "chosen" not in st.session_state:
        streamlit_private.start_with_main_script()
        st.rerun()
    return st.session_state["chosen"]


def chosen_models() -> list[Choice]:
    """The two models, for a page that looks at no single picture: the sidebar says so."""
    _, *choices = chosen()
    words = "This page looks at no single picture."
    if _shows_textures() and all(one.name == DEFAULTS[one.slot] for one in choices):
        words += " It begins with the pair that knows the textures it shows."
    st.session_state["of_picture"].caption(words)
    return choices
