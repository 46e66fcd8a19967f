"""Which study is looked at: of the server's folder, or by its path where that is allowed."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from ..address import forget
from ..limits import LOCAL
from ..plain import plain
from ..study_pictures import FOLDER, folder_of, studies


def pick() -> tuple[str, Path] | None:
    """A study's name and folder; None after a sentence that says how to have one."""
    local = os.environ.get(LOCAL) == "1"
    typed = ""
    if local:
        typed = st.text_input(
            "A study's folder on this machine", key="d_folder", placeholder="/data/results", max_chars=500
        )
    if typed:
        found = folder_of(typed.strip())
        if found is None:
            st.error(f"There is no study in {plain(typed[:200])}.")
            return None
        return str(found), found
    known = studies()
    if not known:
        st.info(
            "There is no study here yet. `sightlines study maps` makes one of a folder of pictures (the "
            "pages have the command, under “Run this on a folder”); "
            f"`{FOLDER}` is the folder of those that are shown here."
        )
        return None
    forget("d_study", known, next(iter(known)), "is the name of no study here")
    name = st.selectbox("Study", list(known), format_func=plain, key="d_study")
    return name, known[name]
