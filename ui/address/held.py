"""What a session knows of its address: the values, and what is only for the moment."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from . import keys
from .words import LESSON, in_words

state = st.session_state


@dataclass
class Held:
    """All that a session holds beside its widgets."""

    values: dict[str, Any] = field(default_factory=dict)  # that differ from their defaults
    defaults: dict[str, Any] = field(default_factory=dict)  # those that depend on the networks
    lesson: str = ""
    before: dict[str, Any] = field(default_factory=dict)  # the values when the lesson began
    left: tuple[str, dict[str, Any]] = ("", {})  # the step that was left last, and its values
    page: str = ""
    seen: deque = field(default_factory=lambda: deque(maxlen=12))  # addresses, as lately read or written
    linked: dict[str, tuple[str, ...]] = field(default_factory=dict)  # where the sidebar's links lead
    from_link: set[str] = field(default_factory=set)  # keys that no widget has looked at since
    refused: dict[str, str] = field(default_factory=dict)  # keys of the link -> sentences
    brought: Any = None  # what a page that lost its process says of its widgets
    chosen: dict[str, Any] = field(default_factory=dict)  # what of it the next run takes
    box: Any = None  # where sentences are shown

    def forgive(self) -> None:
        """What is wrong with a link is said until something is changed."""
        self.refused = {}
        self.from_link.clear()


def held() -> Held:
    """This session's."""
    return state.setdefault("address", Held())


def now() -> dict[str, Any]:
    """All values that differ from their defaults, of this page's widgets and of those last seen on others."""
    values = dict(held().values)
    for name in keys.known(state):
        values[name] = state[name]
        if is_default(name, state[name]):
            del values[name]
    return values


def is_default(name: str, value) -> bool:
    """Whether an address needn't name it."""
    own, default = held(), keys.key(name).default
    if default is None and name in own.from_link:  # asked for, and the networks' default isn't known yet
        return False
    return value is None or value == own.defaults.get(name, default)


def take(values: dict[str, Any]) -> None:
    """These values, and the default of everything else."""
    own = {name: values[name] for name in keys.known(values)}
    held().values = own
    state.update(own)
    for name in keys.known(state):
        if name in own:
            continue
        if keys.key(name).default is None:
            del state[name]
        else:
            state[name] = keys.key(name).default


def query(lesson: bool = True) -> dict[str, list[str]]:
    """The address of what is shown; without the lesson, of what was there before it."""
    own = held()
    values = own.values if lesson or not own.lesson else own.before
    words = in_words({name: values[name] for name in keys.known(values)})
    return words | ({LESSON: [own.lesson]} if lesson and own.lesson else {})
