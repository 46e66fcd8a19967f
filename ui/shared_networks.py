"""The networks in memory: each is loaded once for all sessions, and all together have a bound in bytes.

``load`` is for pages: it says on the page what it is doing, or why a network is unavailable.
"""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections import OrderedDict
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import streamlit as st

from vizcore.at_scale.own_folder import own_networks
from vizcore.networks.catalog import CATALOG

from . import address, brought, first_answers
from .limits import RETRY_SECONDS, give_back, models_mb
from .network_picker import Choice, suited, title, uploads
from .plain import plain
from .warmup import warm

state = st.session_state
_lock = threading.Lock()
_held: OrderedDict = OrderedDict()  # choice -> bytes, the one that has been idle for longest first
_alive: weakref.WeakValueDictionary = weakref.WeakValueDictionary()  # also those that an open tab still has
_failed: dict = {}  # choice -> when it failed, and the sentences


def load(choice: Choice):
    """The chosen network, or None after a sentence on the page that says why it is unavailable."""
    warm()  # torch and timm take seconds on a new server: the page is up by now
    from vizcore.networks.load import ModelError

    failures = state.setdefault("failures", {})
    if choice in failures:  # a hub that can't be reached is not asked again at every click
        _ways_out(choice, *failures[choice])
        return None
    asked = choice._replace(slot="")
    try:
        with nullcontext() if asked in _alive else st.spinner(f"Loading {title(choice.name)} …"):
            return network(asked, uploads(choice))
    except ModelError as error:
        failures[choice] = plain(str(error.args[0])), _random_would_do(choice)
        address.again()


def at_rest(choice: Choice):
    """What is known of a network that isn't loaded, the rest of which loads it; None where it isn't known."""
    asked = choice._replace(slot="")
    if first_answers.file_bytes(choice.name) > models_mb() * 1e6:
        return None  # this server wouldn't load it
    return first_answers.at_rest(asked, partial(_awake, asked), asked in _alive)


def _awake(choice: Choice):
    warm()
    return network(choice, (None, None))


def in_the_box(drawn: bool) -> tuple[list[Choice], dict[str, Any]]:
    """The pair in the box that knows a kind of picture: what to choose for it, and the networks by slot."""
    choices = [Choice(slot, name, "trained") for slot, name in suited(drawn).items()]
    return choices, {choice.slot: network(choice, (None, None)) for choice in choices}


def load_first() -> None:
    """Those that home showed before it had them, so that nobody waits for them at the next click."""
    for name in suited(drawn=False).values():
        with suppress(ValueError):  # a ModelError, which is a page's to tell
            network(Choice("", name, "trained"), (None, None))


def _ways_out(choice: Choice, sentence: str, random: bool) -> None:
    """Why a network can't be had, and what can be done about it."""
    slot, ready = choice.slot, state["suited"][choice.slot]
    st.error(sentence)
    with st.container(horizontal=True):
        if choice.weights != "checkpoint" or brought.is_brought(choice.name):  # its file has a way out itself
            if choice.name != ready:
                use = {slot: ready, f"weights_{slot}": "trained"}
                st.button(f"Use {title(ready)}", key=f"ready_{slot}", on_click=state.update, args=[use])
            if random:
                use = {f"weights_{slot}": "random"}
                st.button("Random weights", key=f"random_{slot}", on_click=state.update, args=[use])
        if st.button("Try again", key=f"retry_{slot}", type="tertiary"):
            del state["failures"][choice]
            address.again()


def _random_would_do(choice: Choice) -> bool:
    """Whether it was for want of its weights alone that a network couldn't be had."""
    from vizcore.networks.load import ModelError, find_entry, network_bytes, weights_at_hand

    if choice.weights != "trained" or _own(choice):
        return False
    try:
        wanting = weights_at_hand(choice.name, find_entry(choice.name)) in (
            "to download",
            "to install",
            "none",
        )
        return wanting and network_bytes(choice.name) <= models_mb() * 1e6
    except ModelError:
        return False


def load_both(choices: list[Choice], columns, rest: bool = False) -> dict[str, Any]:
    """Both networks by slot; each says in its own column what it is doing, or why it is unavailable.

    Args:
        rest: whether what is known of one before it is loaded may do.
    """
    models = {}
    for choice, column in zip(choices, columns, strict=True):
        with column:
            models[choice.slot] = (rest and at_rest(choice)) or load(choice)
    return models


def network(choice: Choice, files: Any):
    """A chosen network, from memory if it is there.

    Args:
        choice: whichever of the two it is; everybody who asks for the same network has the same one.
        files: a checkpoint and the names of its classes, as files, or None; or a ``Brought``.

    Raises:
        ModelError: it is unavailable, or is larger than what this server keeps.
    """
    if files is None:
        from vizcore.networks.load import ModelError

        raise ModelError(brought.GONE)  # before it is looked up: it may be there for somebody else
    choice = choice._replace(slot="")
    model = _load(choice, files)
    with _lock:
        if choice in _held:
            _held.move_to_end(choice)
    return model


@st.cache_resource(show_spinner=False)  # bounded by ``_make_room``
def _load(choice, _files):
    from vizcore.networks.load import ModelError, module_bytes

    failed_at, why = _failed.get(choice, (0.0, ()))
    if why and time.monotonic() - failed_at < RETRY_SECONDS:
        raise ModelError(*why)  # of thirty who wait for a hub that doesn't answer, one asked it
    try:
        _make_room(choice, _bytes(choice, _files))
        if choice in _alive:
            return _alive[choice]
        model = _made(choice, _files)
    except ModelError as error:
        now = time.monotonic()
        with _lock:
            _held.pop(choice, None)
            for old in [one for one, (then, _) in _failed.items() if now - then > RETRY_SECONDS]:
                del _failed[old]
            _failed[choice] = now, error.args
        raise
    _alive[choice] = model
    gc.collect()  # what was found out about it leaves activations in circles
    give_back()
    _make_room(choice, module_bytes(model.net))  # a checkpoint may have more classes than its architecture
    return model


def _bytes(choice, files) -> int:
    """How much memory a network takes, known before it is loaded; a ModelError where it is too much."""
    from vizcore.networks.load import ModelError, find_entry, network_bytes

    if isinstance(files, brought.Brought):
        size, called = round(brought.megabytes(files) * 1e6), files.title or "This network"
    elif path := _own(choice):
        size, called = path.stat().st_size, title(choice.name)
    else:
        size, called = network_bytes(choice.name), find_entry(choice.name).title
    if size > models_mb() * 1e6:
        raise ModelError(
            f"{called} takes {size / 1e6:,.0f} MB of memory, and this server keeps {models_mb():,} MB of "
            "networks: choose a smaller one, or start the server with a larger SIGHTLINES_MODEL_MB."
        )
    return size


def _own(choice):
    """The file of a network of the folder SIGHTLINES_MODELS; None of any other."""
    return None if choice.name in CATALOG else own_networks().get(choice.name)


def _made(choice, files):
    from vizcore.networks.checkpoints import read_labels
    from vizcore.networks.load import load_model

    if isinstance(files, brought.Brought):
        return brought.build(files, network)
    if path := _own(choice):
        from vizcore.at_scale.by_name import from_file

        return from_file(path)
    checkpoint, labels = files
    return load_model(
        choice.name,
        "random" if choice.weights == "random" else "trained",
        seed=choice.seed,
        checkpoint=checkpoint,
        labels=read_labels(labels) if labels else None,
    )


def _make_room(choice, size: int) -> None:
    """Let the networks go that have been idle for longest; a tab that still shows one keeps it until then."""
    with _lock:
        _held.pop(choice, None)
        while _held and sum(_held.values()) + size > models_mb() * 1e6:
            _load.clear(_held.popitem(last=False)[0], None)
        _held[choice] = size
