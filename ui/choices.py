"""The picture and the two models: chosen in the sidebar, shared by all pages, kept in the link."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from vizcore import textures
from vizcore.catalog import CATALOG
from vizcore.images import PictureError, read_picture

SAMPLES_FOLDER = Path(__file__).parent.parent / "samples"
SAMPLES = {
    "chelsea": ("Chelsea the cat", "chelsea.png"),
    "coffee": ("A cup of espresso", "coffee.png"),
    "astronaut": ("An astronaut", "astronaut.png"),
    "rocket": ("A rocket", "rocket.jpg"),
}
SCENES = {  # two textures each, first inside, second around it
    "dots-zigzag": ("polka-dotted", "zigzagged", 7),
    "honey-bands": ("honeycombed", "banded", 3),
    "check-web": ("chequered", "cobwebbed", 5),
}
UPLOAD = "upload"
UPLOAD_MB = 20
CHECKPOINT_MB = 200
MODELS_KEPT = 6  # networks in memory at once, for all sessions together
DEFAULTS = {"a": "efficientnet_lite0", "b": "texture_vit"}


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
def _sample(name: str) -> Picture:
    if name in SCENES:
        inside, around, seed = SCENES[name]
        image = Image.fromarray(textures.two(inside, around, seed, 384).picture)
        return _picture(f"{inside.capitalize()} in {around}", image)
    title, file = SAMPLES[name]
    return _picture(title, read_picture((SAMPLES_FOLDER / file).read_bytes()))


def _picture(title: str, image: Image.Image) -> Picture:
    array = np.asarray(image)
    return Picture(hashlib.sha1(array.tobytes()).hexdigest()[:16], title, image, array)


def _title(name: str) -> str:
    if name == UPLOAD:
        return "Your picture"
    if name in SCENES:
        return "Textures: {} in {}".format(*SCENES[name])
    return SAMPLES[name][0]


def _take_upload() -> None:
    """Decode a new upload once, in the session that sent it; a refused one leaves the picture as it is."""
    state = st.session_state
    file = state.get("file")
    state.pop("refused", None)
    if file is None:
        state.pop("uploaded", None)
        return
    try:
        state["uploaded"] = _picture(file.name[:60], read_picture(file.getvalue()))
        state["picture"] = UPLOAD
    except PictureError as error:
        state["refused"] = str(error)


def choose_picture() -> Picture:
    """The sidebar's picture picker."""
    state = st.session_state
    options = [*SAMPLES, *SCENES] + ([UPLOAD] if "uploaded" in state else [])
    name = st.selectbox("Picture", options, format_func=_title, key="picture", bind="query-params")
    st.file_uploader(
        "Or your own photograph",
        type=["jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff"],
        key="file",
        on_change=_take_upload,
        max_upload_size=UPLOAD_MB,
        help="It stays in this session's memory and is never written to disk.",
    )
    if "refused" in state:
        st.error(state["refused"])
    return state["uploaded"] if name == UPLOAD else _sample(name)


# ---------------------------------------------------------------- the models


def _model_title(name: str) -> str:
    entry = CATALOG.get(name)
    if entry is None:
        return name
    return entry.title if entry.offline or entry.source == "none" else f"{entry.title} ↓"


def choose_model(slot: str) -> Choice:
    """The sidebar's picker for model A or B."""
    label = f"Model {slot.upper()}"
    name = st.selectbox(
        label,
        list(CATALOG),
        index=list(CATALOG).index(DEFAULTS[slot]),
        format_func=_model_title,
        key=slot,
        bind="query-params",
        accept_new_options=True,
        help="↓ is downloaded on first use. Any other architecture of timm works: type its name.",
    )
    weights, seed, digest = "trained", 0, ""
    with st.expander(f"Weights of {slot.upper()}: {_weights_label(slot)}"):
        file = st.file_uploader(
            "A checkpoint of your own",
            type=["safetensors", "pt", "pth", "bin"],
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
                bind="query-params",
            )
            if weights == "random":
                seed = st.number_input(
                    "Seed", 0, 9999, 0, key=f"seed_{slot}", bind="query-params", width=160
                )
        else:
            weights, digest = "checkpoint", hashlib.sha256(file.getvalue()).hexdigest()[:16]
            st.file_uploader(
                "Names of its classes (optional)",
                type=["txt", "json"],
                key=f"labels_{slot}",
                max_upload_size=5,
                help="One name a line, or a JSON list, in the order of the classes.",
            )
            names = st.session_state[f"labels_{slot}"]
            digest += hashlib.sha256(names.getvalue()).hexdigest()[:16] if names else ""
    return Choice(slot, name, weights, int(seed), digest)


def _weights_label(slot: str) -> str:
    if st.session_state.get(f"checkpoint_{slot}") is not None:
        return "your checkpoint"
    return st.session_state.get(f"weights_{slot}") or st.query_params.get(f"weights_{slot}") or "trained"


def load(choice: Choice):
    """The chosen network, or None after a sentence on the page that says why it can't be had."""
    from vizcore.models import ModelError  # torch and timm take seconds: the page is up by now

    failures = st.session_state.setdefault("failures", {})
    if choice in failures:  # a hub that can't be reached is not asked again at every click
        st.error(failures[choice])
        if st.button("Try again", key=f"retry_{choice.slot}"):
            del failures[choice]
            st.rerun()
        return None
    try:
        with st.spinner(f"Loading {_model_title(choice.name).rstrip(' ↓')} …"):
            return _network(choice._replace(slot=""), _uploads(choice))
    except ModelError as error:
        failures[choice] = str(error)
        st.rerun()


def _uploads(choice: Choice) -> tuple[bytes | None, bytes | None]:
    files = [st.session_state.get(f"{kind}_{choice.slot}") for kind in ("checkpoint", "labels")]
    if choice.weights != "checkpoint":
        return None, None
    return tuple(file.getvalue() if file else None for file in files)


@st.cache_resource(max_entries=MODELS_KEPT, show_spinner=False)
def _network(choice: Choice, _uploads: tuple[bytes | None, bytes | None]):
    from vizcore.checkpoints import read_labels
    from vizcore.models import load_model

    checkpoint, labels = _uploads
    return load_model(
        choice.name,
        "random" if choice.weights == "random" else "trained",
        seed=choice.seed,
        checkpoint=checkpoint,
        labels=read_labels(labels) if labels else None,
    )


# ---------------------------------------------------------------- what a page asks for


def sidebar() -> None:
    """Draw the shared pickers; pages read the result with ``chosen``."""
    with st.sidebar:
        st.session_state["chosen"] = choose_picture(), choose_model("a"), choose_model("b")


def chosen() -> tuple[Picture, Choice, Choice]:
    """The picture and the two models that all pages look at."""
    return st.session_state["chosen"]
