"""The set of pictures in which a unit's favourites are looked for."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import streamlit as st
from PIL import Image

from vizcore.pictures import sets
from vizcore.pictures.images import PictureError

from ..address import forget
from ..classes import learnt_from
from ..insides import OF_EACH, SAMPLE_CODE, SAMPLES_CODE, sample_set
from ..limits import LOCAL
from ..picture_picker import SAMPLES, sample
from ..plain import plain
from ..uploads import several_pictures

state = st.session_state
STORED, BOTH, DRAWN, SAMPLE, UPLOADED, FOLDER = (
    "Stored textures", "Stored pictures", "Drawn textures", "The samples", "Your pictures", "A folder here",
)  # fmt: skip
MOST_CLASSES = 100  # up to which it is told how values are spread over them


class Source(NamedTuple):
    """Some pictures."""

    kind: str
    key: tuple  # the same for the same pictures
    words: str
    pictures: Sequence[Image.Image]
    names: tuple[str, ...]  # of the class of each; () where they are of none
    code: str  # the same in Python

    @property
    def classes(self) -> list[str]:
        """Their classes in order; none where there are too many to be shown."""
        found = list(dict.fromkeys(self.names))
        return found if 1 < len(found) <= MOST_CLASSES else []

    @property
    def labels(self) -> list[int]:
        """Of each picture, the number of its class."""
        places = {name: k for k, name in enumerate(self.classes)}
        return [places[name] for name in self.names] if places else []


def pick(side) -> Source | None:
    """Choose a set for a network; None after a sentence that says what is missing."""
    local = os.environ.get(LOCAL) == "1"
    stored = _stored_of(side.choice)
    kinds = [*stored, DRAWN, SAMPLE, UPLOADED, *([FOLDER] if local else [])]
    textures = learnt_from(side) == "textures"
    forget("u_data", kinds, kinds[0] if stored else DRAWN if textures else SAMPLE)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control("Set of pictures", kinds, required=True, key="u_data", wrap=True)
        count = seed = 0
        if kind in (DRAWN, UPLOADED, FOLDER):
            count = st.number_input("At most", 1, 1024, 256, 32, key="u_n", width=130)
        if kind in (DRAWN, FOLDER):
            words = "Another number, other pictures."
            seed = st.number_input("Seed", 0, 999, 1, key="u_seed", width=110, help=words)
    try:
        return _MADE[str(kind)](int(count), int(seed))
    except PictureError as error:
        st.error(plain(str(error)))
        return None


def _stored_of(choice) -> list[str]:
    from vizcore.inside.stored_units import NETWORKS, PHOTOGRAPHS

    if choice.name not in NETWORKS or choice.weights != "trained":
        return []
    return [BOTH if choice.name in PHOTOGRAPHS else STORED]


def _stored(_count: int, _seed: int) -> Source:
    from vizcore.inside.stored_units import COUNT, SEED, SIDE

    return _drawn_source(STORED, COUNT, SEED, SIDE)


def _both(_count: int, _seed: int) -> Source:
    from vizcore.inside.stored_units import stored_set

    found = stored_set([sample(name).image for name in SAMPLES], list(SAMPLES))
    parts = sum(name in SAMPLES for name in found.names)
    words = f"{parts} photographs, the samples whole and in parts, and {len(found) - parts} drawn textures"
    return Source(BOTH, (BOTH,), words, found, found.names, f"stored_set({SAMPLES_CODE})")


def _drawn(count: int, seed: int) -> Source:
    return _drawn_source(DRAWN, count, seed, 128)


def _drawn_source(kind: str, count: int, seed: int, side: int) -> Source:
    found = sets.drawn(count, seed, side)
    code = f"sets.drawn({count!r}, {seed!r}, {side!r})"
    words = f"{count} drawn textures"
    return Source(kind, (kind, count, seed, side), words, found, found.names, code)


def _samples(_count: int, _seed: int) -> Source:
    names = tuple(name for name in SAMPLES for _ in range(OF_EACH))
    words = f"{len(names)} photographs: the samples, whole and in quarters"
    return Source(SAMPLE, (SAMPLE,), words, sample_set(), names, SAMPLE_CODE)


def _folder(count: int, seed: int) -> Source | None:
    path = st.text_input("Folder with a folder for each class", key="u_folder")
    if not path or os.environ.get(LOCAL) != "1":
        return None
    found = sets.folder(path, count, seed)
    names = tuple(plain(name[:60]) for name in found.names)
    code = f"sets.folder({path!r}, {count!r}, {seed!r})"
    words = f"{len(found)} pictures of that folder"
    return Source(FOLDER, (FOLDER, path, count, seed, names), words, found, names, code)


def _uploaded(count: int, _seed: int) -> Source | None:
    most = min(count, sets.MOST)
    files = several_pictures(
        "Several pictures, or a zip of them (with folders: those are classes)",
        "u_files",
        f"Up to {sets.MOST} are looked at. They stay in this session's memory, never written to disk.",
    )
    if not files:
        state.pop("u_read", None)
        st.info("Upload pictures of your own.")
        return None
    read, digest = _read(files, most)
    for words in read.left_out[:2]:
        st.warning(plain(words))
    if len(read.left_out) > 2:
        st.caption(f"Left out for such reasons: {len(read.left_out) - 2} more.")
    names = tuple(plain(name[:60]) for name in read.names)
    count = len(read.pictures)
    words = f"{count} picture{'s' * (count != 1)} of yours"
    code = f'some_of([("yours.zip", open("yours.zip", "rb").read())], {most!r}).pictures'
    return Source(UPLOADED, (UPLOADED, digest), words, read.pictures, names, code)


def _read(files: list, most: int):
    """What was uploaded, decoded once in the session that sent it, and a digest of its pixels."""
    from vizcore.pictures.samples_of import some_of

    key = (most, *(file.file_id for file in files))
    if state.get("u_read", [None])[0] != key:
        with st.spinner("Reading the pictures …"):
            try:
                found = some_of([(file.name, file.getvalue()) for file in files], most)
                digest = hashlib.sha256(repr(found.names).encode())
                for one in found.pictures:
                    digest.update(repr(one.size).encode() + one.tobytes())
                state["u_read"] = key, found, digest.hexdigest()[:16], ""
            except PictureError as error:
                state["u_read"] = key, None, "", str(error)
    _, found, digest, refused = state["u_read"]
    if refused:
        raise PictureError(refused)
    return found, digest


_MADE: dict[str, Callable[[int, int], Source | None]] = {
    STORED: _stored, BOTH: _both, DRAWN: _drawn, SAMPLE: _samples, UPLOADED: _uploaded, FOLDER: _folder,
}  # fmt: skip
