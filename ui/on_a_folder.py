"""Run this on a folder: the command that asks of thousands of pictures what a page asks of one."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import streamlit as st

from . import address, brought
from .network_picker import Choice

FOLDER, OUT = "FOLDER", "RESULTS"
METHOD_KEYS = {"grad_cam": "g_method", "saliency": "s_method"}  # of pages that ask for one; the slot follows
OTHERS = {"attention_rollout": ("rollout", "attention", "relevance")}


def offer() -> None:
    """At a page's end, closed: the command for the view at hand; not amid a lesson."""
    if "chosen" not in st.session_state or address.lesson():
        return
    title, icon = "Run this on a folder", ":material/folder_open:"
    with st.expander(title, icon=icon, key="on_a_folder", on_change="rerun") as opened:
        if opened.open:
            _, *choices = st.session_state["chosen"]
            st.markdown(
                "The same of every picture of a folder, on as many machines as there are, with a table and "
                "its summary at the end; put your own folders in."
            )
            st.code(command(address.page(), choices, st.session_state), language="bash", wrap_lines=True)


def command(page: str, choices: Sequence[Choice], state: Any) -> str:
    """What to type for a page's view of two networks.

    Args:
        state: what its widgets hold, by key.
    """
    networks = list(dict.fromkeys(_spoken(choice) for choice in choices))
    study, more = "maps", ["--data", FOLDER]
    if page == "similarity":
        study = "similarity"
    elif page in ("activation_maximization", "unit"):
        study, more = "imagine", []
        asked = state.get("m_class") if page != "unit" else [state.get("u_class")]
        classes = [str(one) for one in asked or [] if one]
        more = ["--classes", *classes] if classes else []
    elif page in METHOD_KEYS:
        asked = (state.get(f"{METHOD_KEYS[page]}_{slot}") for slot in "ab")
        methods = list(dict.fromkeys(one for one in asked if one))
        more += ["--methods", *methods] if methods else []
    elif page in OTHERS:
        more += ["--methods", *OTHERS[page]]
    words = ["sightlines", "study", study, "--networks", *networks, *more, "--out", OUT]
    return " ".join(word if word in (FOLDER, OUT) else shlex.quote(word) for word in words)


def _spoken(choice: Choice) -> str:
    """A network as the command line names it; one that was sent has to be in a file there."""
    if brought.is_brought(choice.name):
        return "mine.safetensors"
    if choice.weights == "checkpoint":
        return f"{choice.name}=mine.safetensors"
    return f"{choice.name}:random" if choice.weights == "random" else choice.name
