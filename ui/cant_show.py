"""What the methods on a page can't show: said once, behind one sign beside the title."""

from __future__ import annotations

import streamlit as st

state = st.session_state
SAID, PLACE = "cant_show", "cant_show_place"


def begin() -> None:
    """A new page: nothing is said yet, and the sign has its place here."""
    state[SAID], state[PLACE] = {}, st.container(width="content")  # what it held stays until the end


def say(of: str, words: str) -> None:
    """A sentence on what a method can't show; said again, it is the same one."""
    if words:
        state.setdefault(SAID, {}).setdefault(of, {})[words] = None


def sign() -> None:
    """All of it, at the page's end."""
    if state[SAID]:
        with state[PLACE].popover("Limits", icon=":material/visibility_off:", help="What this can't show"):
            lines = [f"**{of[0].upper()}{of[1:]}** {' '.join(said)}" for of, said in state[SAID].items()]
            st.markdown("\n\n".join(lines))
