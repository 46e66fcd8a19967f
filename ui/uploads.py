"""Uploads: the widget, and the sentence for a file of another kind than it takes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from .plain import plain

PICTURES = ["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"]


def wrong_kind(file, kinds: list[str]) -> str:
    """Why a file isn't taken, by the ending of its name; nothing where it is."""
    ending = file.name.rpartition(".")[2].lower()
    if ending in kinds:
        return ""
    return f"{plain(file.name[:60])} is no file of these kinds: {', '.join(kinds)}."


def uploader(label: str, kinds: list[str], media: str, **options) -> Any:
    """``st.file_uploader``, for endings of names: a file or None, or a list where several are taken.

    Where only endings are named, Streamlit answers one that was sent past the widget with an error page, so
    ``media`` names a media type beside them, and the check is made here.
    """
    found = st.file_uploader(label, [*kinds, media], **options)
    several = isinstance(found, list)
    taken = []
    for file in found if several else [found] if found else []:
        wrong = wrong_kind(file, kinds)
        if wrong:
            st.error(wrong)
        else:
            taken.append(file)
    return taken if several else (taken or [None])[0]
