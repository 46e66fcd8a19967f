"""One comparison of two networks: what is asked, and the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from ..abreast import abreast
from ..answers import Side
from ..classes import guesses
from ..network_picker import Choice
from ..shared_networks import network
from .picture_sets import Source


class Asked(NamedTuple):
    """One comparison of two networks."""

    sides: Sequence[Side]
    layers: list[list[str]]
    source: Source
    how: Any  # cka.How
    control: bool  # also compare random networks
    estimator: str

    @property
    def choices(self) -> list[Choice]:
        return [side.choice for side in self.sides]

    @property
    def models(self) -> list:
        return [side.model for side in self.sides]

    @property
    def question(self) -> tuple:
        named = tuple(choice._replace(slot="") for choice in self.choices)
        return named, tuple(map(tuple, self.layers)), self.source.key, self.how, self.control


def too_few(asked: Asked) -> bool:
    """Refuse, or warn of, a number of pictures that says little."""
    from vizcore.studies.cka import FEW, LEAST

    count = len(asked.source.make())
    if count < LEAST:
        st.error(f"CKA needs at least {LEAST} pictures, not {count}: take more.")
    elif count < FEW:
        st.warning(f"{count} pictures are few: chance alone moves the figures. Take {FEW} or more.")
    return count < LEAST


class Step(NamedTuple):
    """What a comparison has found after a batch."""

    done: int
    total: int
    found: Any  # ``cka.Estimate``
    control: Any  # the same of random networks, or None


def tell_guesses(sides: Sequence[Side], drawn: bool) -> None:
    """Of which network the pictures are of a kind that it never saw."""
    for side in sides:
        if words := guesses(side, drawn):
            st.caption(f"{side.model.title}: {words}")


def pick_how(models) -> tuple[list[list[str]], Any, bool, str]:
    """Layers, features and kernel, whether to run random networks too, and the estimator."""
    from vizcore.studies.cka import How

    every, pooled, rbf = "all", "mean over places", "RBF"
    with st.popover("Settings", icon=":material/tune:"):
        layers = st.segmented_control(
            "Layers", ["blocks", every], default="blocks", required=True, key="k_layers"
        )
        features = st.segmented_control(
            "Features", ["all values", pooled], default="all values", required=True, key="k_features",
            help="All values compare place with place; their mean over places asks what, not where.",
        )  # fmt: skip
        kernel = st.segmented_control(
            "Kernel", ["linear", rbf], default="linear", required=True, key="k_kernel"
        )
        bandwidth = 0.5
        if kernel == rbf:
            bandwidth = st.slider("Bandwidth, of the median distance", 0.1, 2.0, 0.5, 0.1,
                                  key="k_bandwidth", width=220)  # fmt: skip
        control = st.toggle(
            "Random networks as a control", True, key="k_control",
            help="The same architectures with random weights see the same pictures. Takes twice as long.",
        )  # fmt: skip
        biased = st.toggle(
            "Biased estimator", False, key="k_biased",
            help="As many notebooks compute CKA. See what it says of independent noise.",
        )  # fmt: skip
    named = [model.layers if layers == every else model.blocks or model.layers for model in models]
    how = How(features == pooled, "rbf" if kernel == rbf else "linear", float(bandwidth))
    return named, how, control, "biased" if biased else "unbiased"


def run(asked: Asked) -> Iterator[Step]:
    """The estimate after each batch, beside that of random networks on the same pictures."""
    from vizcore.studies.cka import compare
    from vizcore.studies.stored_cka import CONTROL_SEEDS

    shown = asked.source.make()
    (first, second), (rows, columns) = asked.models, asked.layers
    asks: list[Callable[[], Iterator]]
    asks = [partial(compare, first, second, shown, rows, columns, asked.how)]
    if asked.control:
        same = asked.models[0].net is asked.models[1].net
        seeds = CONTROL_SEEDS[:1] * 2 if same else CONTROL_SEEDS
        choices = zip(asked.choices, seeds, strict=True)
        random = [Choice("", one.name, "random", seed) for one, seed in choices]

        def control() -> Iterator:  # they are loaded while the others compute
            one, other = (network(choice, (None, None)) for choice in random)
            yield from compare(one, other, shown, rows, columns, asked.how)

        asks.append(control)
    known: dict[int, list] = {k: [] for k in range(len(asks))}
    for k, step in abreast(asks):
        known[k].append(step)
        if all(known.values()):
            found, chance = known[0].pop(0), known[1].pop(0) if asked.control else None
            yield Step(found.done, found.total, found, chance)


def titles(asked: Asked) -> tuple[str, str]:
    """What each network is, and what its weights are worth."""
    a, b = (
        f"{model.title}, {model.source if model.weights == 'random' else model.weights}"
        for model in asked.models
    )
    return a, b
