"""What a browser keeps for a class, so that a page that is loaded anew is the same desk or seat: a word drawn
at random, for as long as a room lasts. It says nothing of who somebody is."""

from __future__ import annotations

import re

import streamlit as st
from streamlit.components.v2 import component

from .classrooms import HOURS
from .streamlit_private import of_no_room

_COOKIE = component(
    "sightlines.cookie",
    js="""
export default ({ data }) => {
  document.cookie = `${data.name}=${data.value}; path=/; max-age=${data.seconds}; SameSite=Strict`;
}
""",
)


def keep(name: str, value: str) -> None:
    """Have the session and the browser keep a word of letters, digits, hyphens and dots; "" forgets it."""
    st.session_state[name] = value


def tell(name: str) -> None:
    """Hand what is to be kept to the browser; at each run of a page that needs it."""
    value = st.session_state.get(name)
    if value is not None:
        with of_no_room():
            _COOKIE(
                key=f"cookie_{name}",
                data={"name": name, "value": value, "seconds": 3600 * HOURS * bool(value)},
            )


def kept(name: str) -> str:
    """The word that the session keeps, or else the browser; "" for none."""
    value = st.session_state.get(name)
    if value is None:
        value = st.context.cookies.get(name) or ""
    return value if isinstance(value, str) and re.fullmatch(r"[\w.-]{0,80}", value) else ""
