"""A test of maps that does the same for both networks, at the same time, as one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from .abreast import abreast
from .mapped import Mapped


class Step(NamedTuple):
    """One step of a job that does the same for both models."""

    done: float  # models
    total: int
    slot: str
    value: Any


def both(mapped: list[Mapped], make: Callable[[Mapped], Iterator]) -> Iterator[Step]:
    """``make(one)`` of each model as one generator of ``Step``."""
    from vizcore import truth  # noqa: F401  here: two threads amid one import can get in each other's way

    done = [0.0] * len(mapped)
    for k, value in abreast([partial(make, one) for one in mapped]):
        done[k] = value.done / value.total
        yield Step(sum(done), len(mapped), mapped[k].choice.slot, value)


def latest(mapped: list[Mapped], found: list[Step]) -> Iterator[tuple[Mapped, list]]:
    """Each model with all that was found of it."""
    for one in mapped:
        own = [step.value for step in found if step.slot == one.choice.slot]
        if own:
            yield one, own


def title_of(one: Mapped) -> None:
    st.markdown(f"**{one.model.title}**, {one.method} for “{one.name}”")


def figure(value: float) -> str:
    return "undefined (a flat map)" if np.isnan(value) else f"{value:.2f}"


def too_long(mapped: list[Mapped], each: str) -> bool:
    """Whether a method is asked that can't be repeated many times, after a sentence that says so."""
    from vizcore.methods.method import ENDLESS

    long = next((one.method for one in mapped if one.how.passes > ENDLESS), None)
    if long:
        words = f"{long[0].upper()}{long[1:]} would run the network hundreds of times for each {each}"
        st.info(f"{words}: choose another method.")
    return bool(long)
