"""What those tell the address who draw widgets: which values can be chosen now, and which is the default."""

from __future__ import annotations

import streamlit as st

from .held import held
from .kinds import as_words
from .words import sentence

state = st.session_state


def forget(key: str, unless_in=(), default=None, why: str = "isn't available here") -> None:
    """Drop a widget's value where it is not among what can be chosen now, so that its default returns.

    Call it before the widget is drawn; ``default`` where that depends on the networks. A value that came by a
    link is not dropped without a word.
    """
    if key in state and state[key] not in unless_in:
        _refuse(key, state[key], why)
        drop(key)
    offer(key, default)


def forget_each(key: str, options, default: list) -> None:
    """The same for several values: those that can be chosen now stay; without any, the default returns."""
    if key in state:
        known = [value for value in state[key] if value in options]
        if known != state[key]:
            _refuse(key, [value for value in state[key] if value not in known], "isn't available here")
            drop(key)
            if known:
                state[key] = known
    offer(key, default)


def drop(key: str) -> None:
    """Forget a widget's value; its default returns."""
    state.pop(key, None)
    held().values.pop(key, None)


def _refuse(key: str, value, why: str) -> None:
    own = held()
    if key in own.from_link:
        own.refused[key] = sentence(key, as_words(value), why)
        if own.box is not None:
            _tell(own)


def offer(key: str, default) -> None:
    """The default of a widget that is about to be drawn, where it depends on the networks."""
    own = held()
    linked = key in own.from_link
    own.from_link.discard(key)
    if default is None:
        return
    was = own.defaults.get(key)
    own.defaults[key] = default
    if key not in state or (was != default and state[key] == was and not linked):  # nobody chose it
        state[key] = list(default) if isinstance(default, list) else default  # or a browser keeps its own


def complaints() -> None:
    """What is wrong with the link, where the page begins."""
    own = held()
    own.box = st.empty()
    _tell(own)


def _tell(own) -> None:
    """All of it in one place, whatever is found on the way."""
    if own.refused:
        own.box.warning("\n\n".join(own.refused.values()))
