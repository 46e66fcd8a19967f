"""The pictures in which concepts are looked for: of one class, or somebody's own."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import streamlit as st
from PIL import Image

from vizcore.pictures import sets, textures
from vizcore.pictures.images import PictureError
from vizcore.pictures.quarters import in_parts

from ..picture_picker import of_image
from ..plain import plain
from ..uploads import several_pictures

HERE, YOURS = "this picture and its like", "your pictures"
PARTS, DRAWN, MOST = 3, 13, 24  # parts of a photograph across and down; textures beside one; of an upload
state = st.session_state


class Shown(NamedTuple):
    """Some pictures, of which the first lies in the viewer."""

    key: tuple
    words: str
    first: Any  # as a page's picture
    images: list[Image.Image]
    code: str  # the same in Python, where the picture at hand is ``image``


def pictures_for(picture, name: str) -> Shown | None:
    """What is chosen; None after a sentence where there is nothing yet."""
    kind = st.segmented_control("Pictures", [HERE, YOURS], default=HERE, required=True, key="i_set",
                                label_visibility="collapsed", wrap=True)  # fmt: skip
    if kind == YOURS:
        return _yours()
    if not picture.drawn:
        count = sum(k * k for k in range(1, PARTS + 1))
        words = f"this picture whole and in parts, {count} in all"
        images = in_parts([picture.image], PARTS)
        return Shown((HERE, picture.key), words, picture, images, f"in_parts([image], {PARTS})")
    label = name.casefold() if name.casefold() in textures.LABELS else picture.asked.casefold()
    label = label if label in textures.LABELS else next(iter(picture.masks), textures.LABELS[0])
    place = textures.LABELS.index(label) if label in textures.LABELS else 0
    every = len(textures.LABELS)
    images = [picture.image, *sets.drawn(every * DRAWN)[place::every]]
    made = f"[image, *sets.drawn({every * DRAWN})[{place}::{every}]]"
    words = f"this picture and {DRAWN} drawn textures, all “{textures.LABELS[place]}”"
    return Shown((HERE, picture.key, place), words, picture, images, made)


def _yours() -> Shown | None:
    from vizcore.pictures.samples_of import some_of

    files = several_pictures("Pictures of one kind, or a zip of them", "i_files",
                             f"Up to {MOST} are looked at, in memory alone.")  # fmt: skip
    if not files:
        st.info("Upload pictures of one kind.")
        return None
    try:
        found = some_of([(file.name, file.getvalue()) for file in files], MOST).pictures
    except PictureError as error:
        st.error(plain(str(error)))
        return None
    digest = hashlib.sha256()
    for one in found:
        digest.update(repr(one.size).encode() + one.tobytes())
    made = f'some_of([("yours.zip", open("yours.zip", "rb").read())], {MOST}).pictures'
    first = of_image("the first of your pictures", found[0])._replace(code=f"{made}[0]")
    words = f"{len(found)} of your own"
    return Shown((YOURS, digest.hexdigest()[:16]), words, first, list(found), made)
