"""Tests of maps that make them again: with weights drawn anew, and with a little noise."""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from . import cant_show, figures, jobs
from .address import forget
from .checks_of_both import Step, both, figure, latest, title_of, too_long
from .jobs import job
from .mapped import Mapped

state = st.session_state


class Anew(NamedTuple):
    """A step of one order of drawing weights anew."""

    done: int  # of both orders together
    total: int
    order: str
    step: Any  # ``vizcore.truth.Randomised``


def randomised(mapped: list[Mapped]) -> None:
    st.markdown(
        "Draw the weights anew, layer by layer, and make the map again (Adebayo et al., 2018): from the "
        "answer down to the input, then from the input up. A map that stays the same is **evidence** that it "
        "shows the picture more than what the network learnt. It is **no proof**: from the answer down, "
        "layers that are still as they were keep the scale of what is passed on, and that alone can keep a "
        "map alike (Binder et al., 2023; Yona & Greenfeld, 2021)."
    )

    def measure(one: Mapped):
        from vizcore import truth

        images = one.model.preprocess(one.picture.image)
        for k, order in enumerate(truth.ORDERS):
            for step in truth.randomisation(one.model, images, one.make, order=order):
                yield Anew(k * step.total + step.done, len(truth.ORDERS) * step.total, order, step)

    def draw(found) -> None:
        most = _deepest(found)
        number = state.get("g_depth", most) if not jobs.running("g_random") else most
        for (one, own), column in zip(latest(mapped, found), st.columns(len(mapped)), strict=False):
            down = [value.step for value in own if value.order == "top-down"]
            with column:
                title_of(one)
                shown = down[min(number, len(down) - 1)]
                framed = one._replace(map=shown.heatmap).framed()
                figures.picture(
                    render.lay(one.picture.array, framed, one.seen(), 0.7),
                    f"the map with {shown.done} of {shown.total} parts randomised",
                    f"random from the answer down to {shown.layer}" if shown.layer else "as it was",
                )
                _similarity_chart(own, figures.web_colour(one.colour))
                if len(down) > shown.total:
                    learnt = one.model.weights != "random"
                    if words := judgements.stayed(down[-1].rank, one.method, one.model.title, learnt):
                        st.warning(words)

    question = tuple(one.question for one in mapped)
    if too_long(mapped, "layer"):
        return
    words = "only that it depends on the weights: a map can change with them and still be wrong."
    cant_show.say("Randomised weights", f"can't show that a map is true, {words}")
    job("g_random", question, lambda: both(mapped, measure), draw, "Randomise")
    most = 0 if jobs.running("g_random") else _deepest(jobs.found("g_random"))
    if most:
        forget("g_depth", range(most + 1), most)
        st.slider("Parts randomised, from the answer down", 0, most, most, key="g_depth")


def _deepest(found: list[Step]) -> int:
    """How many parts were drawn anew from the answer down."""
    return max((step.value.step.done for step in found if step.value.order == "top-down"), default=0)


def _similarity_chart(steps: list[Anew], colour: str) -> None:
    orders = {"top-down": "from the answer down", "bottom-up": "from the input up"}
    rows = [
        {"parts": step.done, "similarity": value, "by": by, "order": orders[order], "last": last}
        for _, _, order, step in steps
        for last in [step.layer or "as it was"]
        for by, value in (("rank correlation", step.rank), ("SSIM", step.ssim))
        if not np.isnan(value)
    ]
    dash = alt.Scale(domain=["rank correlation", "SSIM"], range=[[1, 0], [4, 3]])
    paint = alt.Scale(domain=list(orders.values()), range=[colour, "#999999"])
    legend = alt.Legend(orient="top", title=None, offset=4)
    chart = (
        alt.Chart(pd.DataFrame(rows), height=280)
        .mark_line(point=True)
        .encode(
            x=alt.X("parts:Q", title="parts randomised", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("similarity:Q", title=None, scale=alt.Scale(domain=[-1, 1])),
            color=alt.Color("order:N", scale=paint, legend=legend),
            strokeDash=alt.StrokeDash("by:N", scale=dash, legend=legend),
            tooltip=["order", "last", "by", alt.Tooltip("similarity", format=".2f")],
        )
    )
    st.altair_chart(chart, width="stretch")


def noise(mapped: list[Mapped]) -> None:
    st.markdown("Add a little noise to the picture, eight times, and make the map again.")
    amount = st.slider("Noise, % of the range", 1, 30, 5, key="g_noise")

    def measure(one: Mapped):
        from vizcore import truth

        images = one.model.preprocess(one.picture.image)
        return truth.stability(one.model, images, one.make, one.target(one.model), noise=amount / 100)

    def draw(found) -> None:
        for (one, own), column in zip(latest(mapped, found), st.columns(len(mapped)), strict=False):
            with column:
                title_of(one)
                labels = [f"{step.rank:.2f}" for step in own]
                tiles = render.tiles(np.stack([render.to_array(step.heatmap) for step in own]), labels, 4)
                words = f"maps under {len(own)} draws of noise, with their rank correlation"
                st.image(render.png(tiles), width="stretch", alt=words, caption=words)
                ranks = [step.rank for step in own]
                probabilities = [step.probability for step in own]
                st.caption(
                    f"Mean rank correlation with the map without noise: {figure(float(np.mean(ranks)))}; "
                    f"the probability of “{one.name}” goes from {min(probabilities):.0%} to "
                    f"{max(probabilities):.0%}."
                )
        st.caption("Where the probability moves too, the map has a reason to.")

    if too_long(mapped, "draw"):
        return
    same = "a method that always shows the same is perfectly stable."
    cant_show.say("Noise", f"can't show which map is right: {same}")
    question = amount, *(one.question for one in mapped)
    job("g_shaken", question, lambda: both(mapped, measure), draw, "Shake")
