"""The matrices of a comparison, what they say of each other, and what can be taken away."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore import __version__
from vizcore.drawing import matrix

from .. import code, figures, saving
from .comparison import Asked, Step, titles

COLOUR = alt.Scale(scheme="viridis", domain=[0, 1], clamp=True)
TICKS = 26  # names on an axis
TITLE = "Similarity of layers"


def show(asked: Asked, step: Step) -> None:
    """The matrix as it stands, the two controls beside it, and what they say of each other."""
    cka = step.found.cka[asked.estimator]
    if np.isnan(cka).all():
        st.warning("These pictures are all the same to a network, so there is nothing to compare.")
        return
    _matrices(asked, step)
    st.caption(
        f"CKA, {asked.how.kernel} kernel, {asked.estimator} estimator, **n = {step.done}** of {step.total} "
        f"{asked.source.words}. Colours (viridis) from 0 to 1 in all matrices; the input is lower left."
    )
    _conclusions(asked, step)
    blank = np.isnan(cka).all(1), np.isnan(cka).all(0)
    for slot, names, empty in zip("AB", asked.layers, blank, strict=True):
        if empty.any():
            listed = [f"`{name}`" for name, none in zip(names, empty, strict=True) if none]
            more = f" and {len(listed) - 6} more" if len(listed) > 6 else ""
            st.caption(
                f"Empty: {', '.join(listed[:6])}{more} of {slot} put out the same for every picture, so what "
                "they are like is undefined."
            )


def _matrices(asked: Asked, step: Step) -> None:
    rows, columns = asked.layers
    a, b = titles(asked)
    wide, narrow = st.columns([3, 1], gap="medium")
    height = int(np.clip(16 * len(rows), 420, 600))
    with wide:
        st.markdown(f"**A: {a}** against **B: {b}**")
        words = f"CKA of {len(rows)} layers of {a} with {len(columns)} of {b}"
        heatmap(step.found.cka[asked.estimator], rows, columns, height, words)
        figures.scale(0, 1)
    with narrow:
        small = height // 2 - 70
        if step.control is not None:
            random = step.control.cka[asked.estimator]
            st.markdown("**Control: random weights**", help="The same two architectures, untrained.")
            words = "CKA of the same networks with random weights"
            heatmap(random, rows, columns, small, words, names=False)
        noise = step.found.noise[asked.estimator]
        st.markdown("**Control: noise**", help="Independent random features, as many as each layer has.")
        heatmap(noise, rows, columns, small, "CKA of independent noise", names=False)


def _conclusions(asked: Asked, step: Step) -> None:
    """What the controls say of the matrix."""
    cka, noise = (kind[asked.estimator] for kind in (step.found.cka, step.found.noise))
    middle, spread = np.nanmean(noise), np.nanquantile(np.abs(noise), 0.95)
    says = "smaller differences than that mean nothing here."
    if asked.estimator == "biased":
        says = "**that is what the biased estimator makes of nothing**."
    st.markdown(
        f"Noise that has nothing in common gets {_signed(middle)} on average, and 95 % of its cells lie "
        f"within ±{spread:.2f}: {says}"
    )
    if step.control is not None:
        random = step.control.cka[asked.estimator]
        st.markdown(
            f"The mean of all cells is {_signed(np.nanmean(cka))}; with random weights it is "
            f"{_signed(np.nanmean(random))}. What the random matrix has too need not be learnt."
        )


def _signed(value: float) -> str:
    return f"{abs(value):.2f}" if value > -0.005 else f"−{-value:.2f}"


@st.cache_data(show_spinner=False)  # altair checks a chart for longer than a run of the page takes
def heatmap(values, rows: list[str], columns: list[str], height: int, words: str, names: bool = True) -> None:
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
    edge = alt.Stroke("CKA:Q", scale=COLOUR, legend=None)
    base = alt.Chart(data, height=height).encode(
        x=_layers(alt.X, "B", columns, "layer of B" if names else None, -90),
        y=_layers(alt.Y, "A", rows[::-1], "layer of A" if names else None),
        tooltip=["A", "B", alt.Tooltip("CKA:Q", format=".3f")],
    )
    chart = base.mark_rect(strokeWidth=1).encode(color=colour, stroke=edge)
    if names and max(values.shape) <= matrix.NUMBERED:
        ink = alt.when(alt.datum.CKA > 0.6).then(alt.value("#141414")).otherwise(alt.value("white"))
        chart += base.mark_text(fontSize=10).encode(text=alt.Text("CKA:Q", format=".2f"), color=ink)
    st.altair_chart(chart.configure_view(fill="#88888855", strokeWidth=0), width="stretch", alt=words)


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
    _line(data, rows, columns)
    top = np.nanmax(noise)
    better = int((data["CKA"].round(2) > round(top, 2)).sum())
    st.caption(
        f"A dot's colour is its CKA, as above. The best cell of the noise has {top:.2f}; {better} of "
        f"{len(data)} matches are better. Unlike networks have best matches too: look at the colour, not "
        "only at the place."
    )


@st.cache_data(show_spinner=False)
def _line(data: pd.DataFrame, rows: list[str], columns: list[str]) -> None:
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
