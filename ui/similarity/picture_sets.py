"""Sets of pictures that a page runs networks on: drawn, uploaded, CIFAR-100, or a folder of this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st
from PIL import Image

from vizcore.pictures import sets as pictures
from vizcore.pictures.images import PictureError

from ..address import forget
from ..limits import LOCAL
from ..plain import plain
from ..uploads import several_pictures

state = st.session_state
DRAWN, UPLOADED, CIFAR, FOLDER = "Drawn textures", "Your pictures", "CIFAR-100", "A folder here"
MOST = 2048


class Source(NamedTuple):
    key: tuple  # the same for the same pictures
    words: str
    make: Callable[[], Sequence]  # the pictures
    code: str  # the same in Python


def pick_pictures(side: int) -> Source | None:
    """The pictures that both networks are to see; None after a sentence that says what is missing."""
    local = os.environ.get(LOCAL) == "1"
    kinds = [DRAWN, UPLOADED, CIFAR] + ([FOLDER] if local else [])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        forget("k_data", kinds, DRAWN, f"isn't one of {', '.join(kinds)}")
        kind = st.segmented_control("Pictures", kinds, default=DRAWN, required=True, key="k_data")
        count = st.number_input(
            "How many", 1, MOST, 128, 32, key="k_n", width=140,
            help="At least 4; below 64 the figures are rough.",
        )  # fmt: skip
        seed = 0
        if kind != UPLOADED:
            seed = st.number_input("Seed", 0, 999, 0, key="k_seed", width=110,
                                   help="Another number, other pictures.")  # fmt: skip
    try:
        return SOURCES[kind](int(count), int(seed), side)
    except PictureError as error:
        st.error(plain(str(error)))
        return None


def drawing_side(models) -> int:
    """How large textures are drawn: as the larger network takes them, up to 224 pixels."""
    blank = Image.new("RGB", (64, 64))
    return min(224, max(model.preprocess(blank).shape[-1] for model in models))


def _drawn(count: int, seed: int, side: int) -> Source:
    code = f"sets.drawn({count!r}, {seed!r}, {side!r})"
    return Source(
        (DRAWN, count, seed, side), "drawn textures", lambda: pictures.drawn(count, seed, side), code
    )


def _uploaded(count: int, _seed: int, _side: int) -> Source | None:
    files = several_pictures(
        "Several pictures, or a zip of them",
        "k_files",
        f"Up to {pictures.MOST}. They stay in this session's memory and are never written to disk.",
    )
    if not files:
        state.pop("k_read", None)
        st.info("Upload pictures of your own, at least 4.")
        return None
    key = tuple(file.file_id for file in files)
    if state.get("k_read", [None])[0] != key:  # decoded once, in the session that sent them
        with st.spinner("Reading the pictures …"):
            try:
                found = pictures.read_files([(file.name, file.getvalue()) for file in files])
                state["k_read"] = key, *found, ""
            except PictureError as error:
                state["k_read"] = key, [], [], str(error)
    _, read, left_out, refused = state["k_read"]
    if refused:
        raise PictureError(refused)
    if left_out:
        st.warning(f"{len(left_out)} left out. {plain(left_out[0])}")
    st.caption(f"{len(read)} pictures read; the first {min(count, len(read))} are used.")
    digest = hashlib.sha1("".join(key).encode()).hexdigest()
    code = f'sets.read_files([("yours.zip", open("yours.zip", "rb").read())])[0][:{count!r}]'
    return Source((UPLOADED, digest, count), "your pictures", lambda: read[:count], code)


def _cifar(count: int, seed: int, _side: int) -> Source | None:
    if "k_cifar" not in state:
        if not st.button("Get CIFAR-100 (170 MB, once for this server)", key="k_get"):
            st.caption("Photographs of 32 × 32 pixels in 100 classes; its test set is used.")
            return None
        with st.spinner("Getting CIFAR-100 …"):
            _cifar_pictures(1, 0)
        state["k_cifar"] = True
    code = f"sets.cifar100({count!r}, {seed!r})"
    return Source(
        (CIFAR, count, seed), "photographs of CIFAR-100", lambda: _cifar_pictures(count, seed), code
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _cifar_pictures(count: int, seed: int) -> Sequence:
    return pictures.cifar100(count, seed)


def _folder(count: int, seed: int, _side: int) -> Source | None:
    path = st.text_input("Folder with a folder for each class", key="k_folder")
    if not path or os.environ.get(LOCAL) != "1":
        return None
    found = pictures.folder(path, count, seed)
    code = f"sets.folder({path!r}, {count!r}, {seed!r})"
    return Source((FOLDER, path, count, seed), "pictures of that folder", lambda: found, code)


SOURCES = {DRAWN: _drawn, UPLOADED: _uploaded, CIFAR: _cifar, FOLDER: _folder}
