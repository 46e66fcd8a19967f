"""Uploads: the widget, and the sentence for a file of another kind than it takes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizcore.pictures.archives import MB
from vizcore.pictures.images import PictureError

from .plain import plain

SET_MB = 200  # a set of pictures
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


def several_pictures(label: str, key: str, words: str) -> list:
    """Files of pictures, or zips of them, that may take ``SET_MB`` together.

    Raises:
        PictureError: they are larger.
    """
    files = uploader(
        label, [*PICTURES, "zip"], "image/*", accept_multiple_files=True, key=key, max_upload_size=SET_MB,
        help=words,
    )  # fmt: skip
    if sum(file.size for file in files) > SET_MB * MB:
        raise PictureError(f"These files are larger than {SET_MB} MB together; choose fewer.")
    return files
