"""The similarity page: comparisons at one click, what is asked, the run, the matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore import __version__
from vizcore.drawing import matrix

from .. import code, figures, saving
from ..network_picker import Choice
from ..plain import plain
from ..shared_networks import network
from .picture_sets import Source

state = st.session_state
STUDY = {  # each is compared, trained, with its own random weights
    "ResNet-18": "resnet18",
    "ResNet-34": "resnet34",
    "ResNet-50": "resnet50",
    "Lambda ResNet-26": "lambda_resnet26t",
    "Lambda ResNet-38": "lambda_resnet38t",
    "Lambda ResNet-50": "lambda_resnet50ts",
    "ViT-L/32": "vit_large_patch32_224",
}
UNTRAINED = ("lambda_resnet38t",)  # nobody has published weights
CONTROL_SEEDS = 7001, 7002
COLOUR = alt.Scale(scheme="viridis", domain=[0, 1], clamp=True)
TICKS = 26  # names on an axis
TITLE = "Similarity of layers"


# ---------------------------------------------------------------- one click


def _ask(**widgets) -> None:
    """Choose in the sidebar, and run."""
    for key, value in widgets.items():
        state[key] = value
    state["k_go"] = True


def _against_random(name: str) -> None:
    if name in UNTRAINED:
        _ask(a=name, b=name, weights_a="random", weights_b="random", seed_a=0, seed_b=1)
    else:
        _ask(a=name, b=name, weights_a="trained", weights_b="random", seed_b=0)


def presets(a: Choice) -> None:
    """Comparisons at one click; they choose the networks in the sidebar and start."""
    if any(state.get(f"checkpoint_{slot}") for slot in "ab"):
        st.caption(
            "Comparisons at one click are for networks without an uploaded checkpoint: remove it first."
        )
        return
    itself = {"b": a.name, "weights_b": a.weights, "seed_b": a.seed}
    with st.container(horizontal=True, gap="small"):
        st.button("Trained against random", on_click=_against_random, args=(a.name,), key="k_random",
                  icon=":material/casino:",
                  help=f"{plain(a.name)} against its own random weights")  # fmt: skip
        st.button("A against itself", on_click=_ask, kwargs=itself, key="k_itself",
                  icon=":material/grid_on:",
                  help=f"{plain(a.name)}: which of its layers are alike?")  # fmt: skip
        pair = {"a": "texture_resnet", "b": "texture_vit", "weights_a": "trained", "weights_b": "trained"}
        st.button("CNN against ViT", on_click=_ask, kwargs=pair, key="k_pair",
                  icon=":material/compare_arrows:", help="The two that come with the app")  # fmt: skip
        with st.popover("A study’s networks", icon=":material/science:"):
            st.caption("Each trained against its own random weights; trained weights are downloaded.")
            for title, name in STUDY.items():
                words = f"{title}, two random ones" if name in UNTRAINED else title
                st.button(words, on_click=_against_random, args=(name,), key=f"k_{name}", width="stretch")


def offer_random(choices: Sequence[Choice], models: Sequence) -> None:
    """A way on where trained weights can't be had: the user's choice, and labelled."""
    missing = [choice.slot for choice, model in zip(choices, models, strict=True) if model is None]
    widgets = {f"weights_{slot}": "random" for slot in missing}
    seeds = {f"seed_{slot}": "ab".index(slot) for slot in missing}
    if any(choices["ab".index(slot)].weights == "trained" for slot in missing):
        words = f"Take random weights for {' and '.join(slot.upper() for slot in missing)}"
        st.button(words, on_click=_ask, kwargs=widgets | seeds, key="k_anyway", icon=":material/casino:")


# ---------------------------------------------------------------- what is asked


class Asked(NamedTuple):
    """One comparison of two networks."""

    choices: tuple[Choice, Choice]
    models: tuple[Any, Any]
    layers: tuple[list[str], list[str]]
    source: Source
    how: Any  # similarity.How
    control: bool  # also compare random networks
    estimator: str

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
    done: int
    total: int
    found: Any  # similarity.Estimate
    control: Any  # the same of random networks, or None


def pick_how(models) -> tuple[list[list[str]], Any, bool, str]:
    """Layers, features and kernel, whether to run random networks too, and the estimator."""
    from vizcore.studies.cka import How

    every, pooled, rbf = "all", "mean over places", "RBF"
    one = {"required": True}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layers = st.segmented_control("Layers", ["blocks", every], default="blocks", key="k_layers", **one)
        features = st.segmented_control(
            "Features", ["all values", pooled], default="all values", key="k_features", **one,
            help="All values compare place with place; their mean over places asks what, not where.",
        )  # fmt: skip
        kernel = st.segmented_control("Kernel", ["linear", rbf], default="linear", key="k_kernel", **one)
        bandwidth = 0.5
        if kernel == rbf:
            bandwidth = st.slider("Bandwidth, of the median distance", 0.1, 2.0, 0.5, 0.1,
                                  key="k_bandwidth", width=220)  # fmt: skip
    with st.container(horizontal=True, gap="medium"):
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

    shown = asked.source.make()
    runs = [compare(*asked.models, shown, *asked.layers, asked.how)]
    if asked.control:
        same = asked.models[0].net is asked.models[1].net
        seeds = CONTROL_SEEDS[:1] * 2 if same else CONTROL_SEEDS
        choices = zip(asked.choices, seeds, strict=True)
        random = [network(Choice("", one.name, "random", seed), (None, None)) for one, seed in choices]
        runs.append(compare(*random, shown, *asked.layers, asked.how))
    for steps in zip(*runs, strict=True):
        yield Step(steps[0].done, steps[0].total, steps[0], steps[1] if asked.control else None)


# ---------------------------------------------------------------- figures


def titles(asked: Asked) -> tuple[str, str]:
    """What each network is, and what its weights are worth."""
    a, b = (
        f"{model.title}, {model.source if model.weights == 'random' else model.weights}"
        for model in asked.models
    )
    return a, b


def show(asked: Asked, step: Step) -> None:
    """The matrix as it stands, the two controls beside it, and what they say of each other."""
    cka, noise = (kind[asked.estimator] for kind in (step.found.cka, step.found.noise))
    if np.isnan(cka).all():
        st.warning("These pictures are all the same to a network, so there is nothing to compare.")
        return
    rows, columns = asked.layers
    a, b = titles(asked)
    wide, narrow = st.columns([3, 1], gap="medium")
    with wide:
        st.markdown(f"**A: {a}** against **B: {b}**")
        height = int(np.clip(16 * len(rows), 420, 600))
        st.altair_chart(heatmap(cka, rows, columns, height), width="stretch",
                        alt=f"CKA of {len(rows)} layers of {a} with {len(columns)} of {b}")  # fmt: skip
        figures.scale(0, 1)
    with narrow:
        small = height // 2 - 70
        if step.control is not None:
            random = step.control.cka[asked.estimator]
            st.markdown("**Control: random weights**", help="The same two architectures, untrained.")
            st.altair_chart(heatmap(random, rows, columns, small, names=False), width="stretch",
                            alt="CKA of the same networks with random weights")  # fmt: skip
        st.markdown("**Control: noise**", help="Independent random features, as many as each layer has.")
        st.altair_chart(heatmap(noise, rows, columns, small, names=False), width="stretch",
                        alt="CKA of independent noise")  # fmt: skip
    st.caption(
        f"CKA, {asked.how.kernel} kernel, {asked.estimator} estimator, **n = {step.done}** of {step.total} "
        f"{asked.source.words}. Colours (viridis) from 0 to 1 in all matrices; the input is lower left."
    )
    middle, spread = np.nanmean(noise), np.nanquantile(np.abs(noise), 0.95)
    says = "smaller differences than that mean nothing here."
    if asked.estimator == "biased":
        says = "**that is what the biased estimator makes of nothing**."
    st.markdown(
        f"Noise that has nothing in common gets {_signed(middle)} on average, and 95 % of its cells lie "
        f"within ±{spread:.2f}: {says}"
    )
    if step.control is not None:
        st.markdown(
            f"The mean of all cells is {_signed(np.nanmean(cka))}; with random weights it is "
            f"{_signed(np.nanmean(random))}. What the random matrix has too need not be learnt."
        )
    for slot, names, empty in (("A", rows, np.isnan(cka).all(1)), ("B", columns, np.isnan(cka).all(0))):
        if empty.any():
            listed = [f"`{name}`" for name, blank in zip(names, empty, strict=True) if blank]
            more = f" and {len(listed) - 6} more" if len(listed) > 6 else ""
            st.caption(
                f"Empty: {', '.join(listed[:6])}{more} of {slot} put out the same for every picture, so what "
                "they are like is undefined."
            )


def _signed(value: float) -> str:
    return f"{abs(value):.2f}" if value > -0.005 else f"−{-value:.2f}"


def heatmap(values: np.ndarray, rows: list[str], columns: list[str], height: int, names: bool = True):
    """CKA as coloured cells, the input at the lower left; undefined cells are left out."""
    down, across = np.indices(values.shape)
    data = pd.DataFrame(
        {
            "A": np.array(rows)[down.ravel()],
            "B": np.array(columns)[across.ravel()],
            "CKA": values.ravel().round(4),
        }
    ).dropna()
    colour = alt.Color("CKA:Q", scale=COLOUR, legend=None)
    base = alt.Chart(data, height=height).encode(
        x=_layers(alt.X, "B", columns, "layer of B" if names else None, -90),
        y=_layers(alt.Y, "A", rows[::-1], "layer of A" if names else None),
        tooltip=["A", "B", alt.Tooltip("CKA:Q", format=".3f")],
    )
    chart = base.mark_rect(strokeWidth=1).encode(color=colour, stroke=colour)
    if names and max(values.shape) <= matrix.NUMBERED:
        ink = alt.when(alt.datum.CKA > 0.6).then(alt.value("#141414")).otherwise(alt.value("white"))
        chart += base.mark_text(fontSize=10).encode(text=alt.Text("CKA:Q", format=".2f"), color=ink)
    return chart.configure_view(fill="#88888855", strokeWidth=0)


def _layers(channel, field: str, order: list[str], title: str | None, angle: int = 0):
    """An axis of layers in that order; with many, every k-th is named, without a title none."""
    axis = alt.Axis(
        values=matrix.thinned(order, TICKS),
        labelAngle=angle,
        labelLimit=84,
        labelFontSize=10,
        labelOverlap=True,
        ticks=False,
        domain=False,
    )
    scale = alt.Scale(domain=order)
    return channel(f"{field}:N", sort=order, scale=scale, title=title, axis=axis if title else None)


def matches(asked: Asked, step: Step) -> None:
    """For each layer of A the layer of B that is most like it."""
    from vizcore.studies.cka import best_matches

    cka, noise = (kind[asked.estimator] for kind in (step.found.cka, step.found.noise))
    rows, columns = asked.layers
    best = best_matches(cka)
    known = np.flatnonzero(best >= 0)
    if not len(known):
        return
    data = pd.DataFrame(
        {
            "A": [rows[i] for i in known],
            "B": [columns[best[i]] for i in known],
            "CKA": [cka[i, best[i]] for i in known],
        }
    )
    base = alt.Chart(data, height=int(np.clip(14 * len(columns), 320, 480))).encode(
        x=_layers(alt.X, "A", rows, "layer of A", -90),
        y=_layers(alt.Y, "B", columns[::-1], "most similar of B"),
        tooltip=["A", "B", alt.Tooltip("CKA:Q", format=".3f")],
    )
    line = base.mark_line(color="#888888", strokeWidth=1.5)
    dots = base.mark_circle(size=110, opacity=1, stroke="#888888", strokeWidth=1).encode(
        color=alt.Color("CKA:Q", scale=COLOUR, legend=None)
    )
    st.altair_chart(line + dots, width="stretch", alt="for each layer of A, the most similar layer of B")
    top = np.nanmax(noise)
    better = int((data["CKA"].round(2) > round(top, 2)).sum())
    st.caption(
        f"A dot's colour is its CKA, as above. The best cell of the noise has {top:.2f}; {better} of "
        f"{len(data)} matches are better. Unlike networks have best matches too: look at the colour, not "
        "only at the place."
    )


def keep(asked: Asked, step: Step) -> None:
    """What can be taken away: the matrix as a picture with its code, as numbers, and as a table."""
    rows, columns = asked.layers
    cka, noise = (kind[asked.estimator] for kind in (step.found.cka, step.found.noise))
    note = f"{asked.how.kernel} CKA, {asked.estimator}, n = {step.done} {asked.source.words}"
    sides = titles(asked)
    caption = f"{note}. Rows: A, {sides[0]}; columns: B, {sides[1]}. Sightlines {__version__}"
    maps = {"cka": cka, "noise": noise}
    if step.control is not None:
        maps["random_weights"] = step.control.cka[asked.estimator]

    def draw() -> np.ndarray:
        return matrix.matrix_picture(cka, rows, columns, TITLE, sides)

    saving.keep("CKA of A with B", caption, draw, code.similarity(asked, step.done, TITLE, sides), **maps)
    table = [
        {"layer of A": row, **dict(zip(columns, values, strict=True))}
        for row, values in zip(rows, cka.round(6).tolist(), strict=True)
    ]
    saving.keep_table("CKA of A with B", table)
