"""How early places say the final answer, beside the same network with random weights: is the lens aligned?"""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore.inside import sayings

from .. import figures, saving
from ..classes import class_names
from ..insides import why_not_anew
from .asked import chain_of, what_random_places_say

OWN, RANDOM, RIGHT = "the final answer", "the same with random weights", "the thing that is there"


def show(found: list) -> None:
    """For each network, a ``places.Lens``, a small curve and what it comes to."""
    st.subheader("How early is it said?", anchor=False)
    words = "The same network with all its weights drawn anew: are middle blocks aligned with the answer?"
    beside = st.toggle("Beside random weights", key="i_random", help=words)
    for lens in found:
        _one(lens, beside)


def _one(lens, beside: bool) -> None:
    asked, own = lens
    model, picture = asked.model, asked.picture
    titles = class_names(model)
    curves = {OWN: own.shares()}
    random, why_not = None, why_not_anew(model) if beside else ""
    if beside and not why_not:
        chain = chain_of(asked.choice, model)
        random = what_random_places_say(asked.choice, picture.key, asked.index, model, picture.image, chain)
        curves[RANDOM] = random.shares()
    inside = _wholly(asked, own.likeliest.shape[1:])
    right = _right(own, inside, titles)
    names = [title for title in titles if title.casefold() in inside]
    words = [sayings.by_block(curves[OWN], titles[own.answer])]
    words.append(sayings.beside_random(curves[OWN], curves[RANDOM]) if random else why_not)
    if right:
        curves[RIGHT] = right
        count = int(sum(cells.sum() for cells in inside.values()))
        anew = _right(random, inside, titles) if random else []
        words.append(sayings.rightly(right, names, count, anew))
    st.markdown(f"**{model.title}**")
    if len(own.layers) > 1:
        _chart(curves, figures.web_colour(asked.colour))
    st.markdown(" ".join(filter(None, words)))
    rows = [{"block": layer} | {name: curve[k] for name, curve in curves.items()}
            for k, layer in enumerate(own.layers)]  # fmt: skip
    saving.keep_table(f"Places that say the answer, {model.title}, {asked.choice.slot.upper()}", rows)


def _wholly(asked, grid: tuple[int, int]) -> dict[str, np.ndarray]:
    """By things that the network has a class for, the cells (h, w) wholly on them, where there are any."""
    from vizcore.pictures.frame import seen

    picture, model = asked.picture, asked.model
    known = {name.casefold() for name in class_names(model)}
    left, top, right, bottom = model.preprocess.box(picture.size)
    visible = seen(model.preprocess.box(picture.size), picture.size).numpy()
    found = {}
    for name, mask in picture.masks.items():
        if name not in known:
            continue
        cells = np.zeros(grid, bool)
        for row, column in np.ndindex(*grid):
            y0, y1 = (top + (bottom - top) * (row + k) / grid[0] for k in (0, 1))
            x0, x1 = (left + (right - left) * (column + k) / grid[1] for k in (0, 1))
            part = slice(max(0, round(y0)), round(y1)), slice(max(0, round(x0)), round(x1))
            cells[row, column] = mask[part].size > 0 and mask[part].all() and visible[part].all()
        if cells.any():
            found[name] = cells
    return found


def _right(found, inside: dict[str, np.ndarray], titles: list[str]) -> list[float]:
    """Of the cells that lie wholly on a thing, how many name it, by block."""
    if not inside:
        return []
    places = {title.casefold(): k for k, title in enumerate(titles)}
    count = sum(cells.sum() for cells in inside.values())
    return [
        float(sum((likeliest[cells] == places[name]).sum() for name, cells in inside.items()) / count)
        for likeliest in found.likeliest
    ]


def _chart(curves: dict[str, list[float]], colour: str) -> None:
    rows = [
        {"block": k + 1, "places that say": name, "share": share}
        for name, curve in curves.items()
        for k, share in enumerate(curve)
    ]
    names = list(curves)
    paint = {OWN: colour, RANDOM: "#999999", RIGHT: colour}
    dash = {OWN: [1, 0], RANDOM: [6, 3], RIGHT: [2, 2]}
    key = alt.Legend(orient="top", title=None, offset=4, columns=1, symbolSize=60, labelFontSize=11)
    chart = (
        alt.Chart(pd.DataFrame(rows), height=270)
        .mark_line(point=True)
        .encode(
            x=alt.X("block:O", title="after block", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("share:Q", title="share of places", scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format="%")),
            color=alt.Color("places that say:N", legend=key,
                            scale=alt.Scale(domain=names, range=[paint[name] for name in names])),
            strokeDash=alt.StrokeDash("places that say:N",
                                      scale=alt.Scale(domain=names, range=[dash[name] for name in names])),
            tooltip=["places that say", "block", alt.Tooltip("share", format=".0%")],
        )
    )  # fmt: skip
    st.altair_chart(chart, width="stretch")
