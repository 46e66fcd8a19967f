"""Tests of maps that cover a picture: piece by piece, or all but what a map found."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from vizcore import judgements

from . import cant_show, figures
from .checks_of_both import both, latest, title_of
from .jobs import job
from .mapped import Mapped


def curves(mapped: list[Mapped]) -> None:
    st.markdown(
        "Cover the picture piece by piece, what the map ranks highest first (**deletion**), or uncover it in "
        "that order (**insertion**). A map that found the evidence should make the probability fall, or "
        "rise, early: sooner than a random map and one that always points at the middle."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        baseline = st.segmented_control(
            "Covered by", ["blur", "mean"], default="blur", required=True, key="g_baseline",
            help="A blur of the picture, or its mean colour.",
        )  # fmt: skip
        steps = st.select_slider("Steps", [8, 16, 32], 16, key="g_steps", width=160)

    def measure(one: Mapped):
        from vizcore import truth

        maps = {"map": one.map, **truth.controls(tuple(one.map.shape))}
        images = one.model.preprocess(one.picture.image)
        return truth.curves(
            one.model.net, images, maps, one.target(one.model), baseline=baseline, steps=steps
        )

    def draw(found) -> None:
        for (one, own), column in zip(latest(mapped, found), st.columns(len(mapped)), strict=False):
            with column:
                title_of(one)
                _curve_chart(own[-1].curves, figures.web_colour(one.colour))
        st.caption(
            "Area: the mean probability on the way. **One picture is an anecdote**, so no winner is called: "
            "another random map would give other differences."
        )

    half = "a half-covered picture is unlike those that networks learn from."
    cant_show.say("Curves", f"can't show whether the map is right: {half}")
    question = baseline, steps, *(one.question for one in mapped)
    job("g_curves", question, lambda: both(mapped, measure), draw, "Measure")


def _curve_chart(measured: dict, colour: str) -> None:
    rows = [
        {"kind": kind, "order": name, "share": share, "probability": probability}
        for (kind, name), curve in measured.items()
        for share, probability in zip(curve.shares, curve.probabilities, strict=True)
    ]
    names = list(dict.fromkeys(name for _, name in measured))
    top = min(1, 1.05 * max(row["probability"] for row in rows))  # the same for both charts
    legend = alt.Legend(orient="top", title=None, offset=4, columnPadding=4, symbolSize=50, labelFontSize=11)
    order = alt.Scale(domain=names, range=[colour, "#999999", "#cc79a7"])
    dash = alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2]])
    for kind, column in zip(("deletion", "insertion"), st.columns(2), strict=True):
        chart = (
            alt.Chart(pd.DataFrame([row for row in rows if row["kind"] == kind]), height=280)
            .mark_line(strokeWidth=2.5)
            .encode(
                x=alt.X("share:Q", title=f"share {'covered' if kind == 'deletion' else 'uncovered'}",
                        axis=alt.Axis(format="%", tickCount=3)),
                y=alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, top]),
                        axis=alt.Axis(tickCount=3, format="~%")),
                color=alt.Color("order:N", scale=order, legend=legend),
                strokeDash=alt.StrokeDash("order:N", scale=dash),
                tooltip=["order", alt.Tooltip("share", format=".0%"),
                         alt.Tooltip("probability", format=".2f")],
            )
        )  # fmt: skip
        areas = {name: measured[kind, name].area for name in names}
        column.altair_chart(chart, width="stretch")
        column.caption(judgements.beyond(kind, areas))


def cross_test(mapped: list[Mapped]) -> None:
    st.markdown(
        "Cover all but what one model's map found, and ask both models. What convinces only its own model "
        "is that model's evidence, not everybody's."
    )
    share = st.slider("Share of the picture that is left, %", 5, 60, 25, 5, key="g_left")
    pictures = cross_pictures(mapped, share)
    for (title, array), column in zip(pictures, st.columns(len(pictures)), strict=True):
        with column:
            figures.picture(array, f"{title}: all else is blurred", title)
            image = Image.fromarray(array)
            for one in mapped:
                st.caption(f"{one.model.title}: {_probability(one, image):.0%} “{one.name}”")
    st.caption(f"The random region is the control: as large, and as coarse as {mapped[0].model.title}’s map.")
    blurred = "a blurred picture is still a picture."
    cant_show.say("The cross-test", f"can't show what the models would do with the rest: {blurred}")


def cross_pictures(mapped: list[Mapped], share: int) -> list[tuple[str, np.ndarray]]:
    """The whole picture, what each map leaves of it, and what a random one leaves."""
    from vizcore import truth
    from vizcore.methods.table import in_frame

    array, pictures = mapped[0].picture.array, [("The whole picture", mapped[0].picture.array)]
    for one in mapped:
        left = truth.only(array, _inside(one.framed(), one.seen()), share / 100)
        nothing = judgements.empty(float(one.map.min()), float(one.map.max()))
        words = f"{one.model.title}’s map points nowhere: a random part" if nothing else ""
        pictures.append((words or f"What {one.model.title}’s map found", left))
    noise = truth.random_map(*mapped[0].map.shape)
    control = in_frame(mapped[0].model, mapped[0].picture.image, noise)
    pictures.append(("A random region", truth.only(array, _inside(control, mapped[0].seen()), share / 100)))
    return pictures


def _inside(framed, seen: np.ndarray):
    """What a model didn't see comes last."""
    import torch

    return torch.where(torch.from_numpy(seen), framed, framed.min() - 1)


def _probability(one: Mapped, image: Image.Image) -> float:
    import torch

    from vizcore.objectives import probability

    with torch.no_grad():
        return probability(one.model.net, one.model.preprocess(image), one.index).item()
