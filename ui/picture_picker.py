"""The picture that all pages look at: drawn by code, a sample, or a visitor's own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from vizcore.pictures import known, textures
from vizcore.pictures.images import PictureError, read_picture
from vizcore.pictures.known.mosaics import SIDE

from . import going_on, study_pictures
from .address import forget
from .limits import UPLOAD_MB
from .plain import plain
from .uploads import PICTURES, wrong_kind

SAMPLES_FOLDER = Path(__file__).parent.parent / "samples"
SAMPLES = {
    "Chelsea the cat": "chelsea.png",
    "A cup of espresso": "coffee.png",
    "An astronaut": "astronaut.png",
    "A rocket": "rocket.jpg",
}
PHOTOGRAPHS = SAMPLES | {  # and those that stand in no set: the sets' figures are of the first four
    "A koala": "koala.webp",
    "A bison": "bison.webp",
    "A German shepherd": "german_shepherd.webp",
    "A red panda": "red_panda.webp",
    "A goldfish": "goldfish.webp",
    "A clownfish in an anemone": "clownfish.webp",
}
SCENES = {  # the first texture inside, the second around it, and the seed that draws them
    "A spiral on bands": ("spiralled", "banded", 3),
    "Honeycomb in bands": ("honeycombed", "banded", 202),
    "Polka dots in zigzags": ("polka-dotted", "zigzagged", 2),
    "Chequers in cobwebs": ("chequered", "cobwebbed", 3),
    "A spiral in a weave": ("spiralled", "woven", 2),
    "Scales in cracks": ("scaly", "cracked", 8),
}
MOSAIC = "Four photographs"  # of things that each network of the box names when it sees them alone
FORMER = "Four with an astronaut"  # what links of former versions call so: offered to them alone
MOSAICS = {  # samples, and how they are arranged: both networks name one of the four when they see them all
    MOSAIC: (("Chelsea the cat", "A cup of espresso", "A koala", "A goldfish"), 1),
    FORMER: (tuple(SAMPLES), 0),
}
FIRST = {MOSAIC: "A koala"}  # what of it is asked for: a yellow fish looks like a map
OPENING = MOSAIC  # what a first visit meets; the networks are those that know its kind
UPLOAD = "Your picture"
SENT = "the photograph that you uploaded"
MADE = "A picture whose answer is known"


class Picture(NamedTuple):
    key: str  # the same for the same pixels, so that results can be cached by it
    title: str
    image: Image.Image  # RGB: the frame of every map
    array: np.ndarray  # the same, (H, W, 3) uint8
    masks: dict[str, np.ndarray] = {}  # where each class is, (H, W) bool by its name in small letters
    drawn: bool = False  # by code, from textures
    things: tuple[Any, ...] = ()  # what it was put together of, which the networks have yet to name
    code: str = 'read_picture(open("your picture.jpg", "rb").read())'  # that makes it
    regions: dict[str, str] = {}  # code that makes the masks
    asked: str = ""  # of what it was put together, the class of which the networks are surest
    unnamed: tuple[str, ...] = ()  # of its things, those of which no network is sure what they are
    marked: bool = False  # its regions were marked by somebody
    only_here: tuple[str, ...] = ()  # what of it is in no link, in words

    @property
    def there(self) -> tuple[str, ...]:
        """The class that is asked for first, "" where there is none, then all that are known to be there."""
        return self.asked, *self.masks

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size


class Thing(NamedTuple):
    """A part of a picture that networks are asked to name alone."""

    title: str
    key: str  # of its pixels
    alone: Image.Image
    mask: np.ndarray  # (H, W) bool: where it is in the whole
    code: str  # that makes the mask; "" where that can't be


class Source(NamedTuple):
    """A sample, or a photograph of the visitor's."""

    title: str
    image: Image.Image  # RGB, or RGBA with transparency
    code: str
    file: str  # its name


def sample(name: str) -> Picture:
    """A picture of the box, by its name."""
    return _mosaic(name) if name in MOSAICS else _sample(name)


@st.cache_resource(show_spinner=False)
def _mosaic(name: str) -> Picture:
    names, seed = MOSAICS[name]
    return put_together(name, [sample_source(one) for one in names], seed)


@st.cache_resource(max_entries=16, show_spinner=False)
def _sample(name: str) -> Picture:
    if name in SCENES:
        scene, code = textures.two(*SCENES[name], 384), f"two{(*SCENES[name], 384)!r}"
        found = of_image(name, Image.fromarray(scene.picture))
        regions = {label: f"{code}.masks[{label!r}]" for label in scene.masks}
        code = f"Image.fromarray({code}.picture)"
        return found._replace(masks=scene.masks, drawn=True, code=code, regions=regions)
    found = of_image(name, read_picture((SAMPLES_FOLDER / PHOTOGRAPHS[name]).read_bytes()))
    return found._replace(code=f'read_picture(open("samples/{PHOTOGRAPHS[name]}", "rb").read())')


def sample_source(name: str) -> Source:
    """A sample, to put together with others."""
    return Source(name, sample(name).image, sample(name).code, PHOTOGRAPHS[name])


def put_together(title: str, chosen: Sequence[Source], seed: int) -> Picture:
    """A mosaic of four or nine; its cells have yet to be named.

    Raises:
        ValueError: there are more of them, or fewer.
    """
    scene = known.mosaic({source.title: source.image for source in chosen}, seed=seed)
    code = ""
    if all(source.code for source in chosen):
        parts = ", ".join(f"{source.title!r}: {source.code}" for source in chosen)
        code = f"known.mosaic({{{parts}}}, seed={seed})"
    alone = {source.title: known.square(source.image, SIDE) for source in chosen}
    return of_scene(title, scene, alone, code)


def of_scene(title: str, scene: known.Scene, alone: dict[str, Image.Image], code: str) -> Picture:
    """A scene, with each of its things as it looks alone; ``code`` makes the scene, or is empty."""
    things = tuple(
        Thing(name, of_image(name, image).key, image, scene.masks[name], code and f"{code}.masks[{name!r}]")
        for name, image in alone.items()
    )
    made = of_image(title, Image.fromarray(scene.picture))._replace(things=things)
    return made._replace(code=f"Image.fromarray({code}.picture)") if code else made


def of_image(title: str, image: Image.Image) -> Picture:
    array = np.asarray(image)
    digest = hashlib.sha256(repr(array.shape).encode() + array.tobytes())
    return Picture(digest.hexdigest()[:16], title, image, array)


def _make_one() -> None:
    st.session_state["picture"] = MADE


def _take_upload() -> None:
    """Decode a new upload once, in the session that sent it; a refused one leaves the picture as it is."""
    state = st.session_state
    file = state.get("file")
    state.pop("refused", None)
    if file is None:
        state.pop("uploaded", None)
        return
    state["refused"] = wrong_kind(file, PICTURES)
    if state["refused"]:
        return
    del state["refused"]
    try:
        state["uploaded"] = of_image(plain(file.name[:60]), read_picture(file.getvalue()))
        state["picture"] = UPLOAD
    except PictureError as error:
        state["refused"] = str(error)


def choose_picture(own) -> Picture | None:
    """The sidebar's picture picker; in a container ``own``, what makes a picture of the visitor's.

    Returns: None where it is one that is yet to be made.
    """
    state = st.session_state
    options = [MOSAIC, *PHOTOGRAPHS, *SCENES, MADE] + ([UPLOAD] if "uploaded" in state else [])
    if name := going_on.lost_photograph():
        st.info(f"Your photograph “{name}” has gone with the process that held it: choose it again.")
    elif st.query_params.get("picture") == UPLOAD and UPLOAD not in options:
        st.info(
            "The link is to a picture that somebody uploaded. It stayed with them, so this is another one."
        )
    studied = study_pictures.find(str(state.get("picture", "")))
    options += [state["picture"]] if studied or state.get("picture") == FORMER else []
    forget("picture", options, OPENING, "is the name of no picture here")
    name = st.selectbox("Picture", options, format_func=study_pictures.title, key="picture")
    own.file_uploader(
        "Or your own photograph",
        type=[*PICTURES, "image/*"],
        key="file",
        on_change=_take_upload,
        max_upload_size=UPLOAD_MB,
        help="It stays in this session's memory and is never written to disk.",
    )
    if "refused" in state:
        own.error(state["refused"])
    state["of_picture"] = st.empty()
    if name == MADE:
        return None
    words = "A mosaic, cut-outs, or a region that you mark: then maps can be called right or wrong"
    own.button("Make a picture whose answer is known", on_click=_make_one, key="make_one", help=words)
    if studied:
        return of_image(study_pictures.title(name), studied)
    return state["uploaded"]._replace(only_here=(SENT,)) if name == UPLOAD else sample(name)
