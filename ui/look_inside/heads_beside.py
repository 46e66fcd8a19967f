"""Every head for other pictures; and heads one after the other, the ones that matter first or by lot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore.inside import sayings

from .. import figures, jobs, saving
from .without import others_of

PICTURES = 8  # other ones


class Beside(NamedTuple):
    """What is known so far, each None before it begins; both are of ``vizcore.inside.heads_in_turn``."""

    done: int
    total: int
    elsewhere: Any
    removed: Any


def show(asked, found: np.ndarray, own: dict, means, question: tuple, sheet: Callable) -> None:
    """In what opens; ``sheet`` draws a map of heads."""
    slot = asked.choice.slot
    with st.expander("For other pictures, and in random order", icon=":material/shuffle:",
                     key=f"i_more_{slot}", on_change="rerun") as more:  # fmt: skip
        if not more.open:
            return
        steps = jobs.job(
            f"i_beside_{slot}", question, lambda: _steps(asked, found, own, means), _so_far,
            "Try other pictures and orders", keep_all=False, start=True,
        )  # fmt: skip
        if steps:
            _drawn(asked, found, steps[-1], sheet)


def _steps(asked, found: np.ndarray, own: dict, means) -> Iterator[Beside]:
    from vizcore.inside.heads_in_turn import ORDERS, elsewhere, removed

    model, index = asked.model, asked.index
    images = list(others_of(asked.picture).images())
    some = [model.preprocess(image) for image in images[:: len(images) // PICTURES][:PICTURES]]
    orders, total = len(own), (len(some) + 1 + ORDERS) * len(own)  # an order takes about as long as a picture
    other = None
    for other in elsewhere(model, some, own, means):
        yield Beside(other.done, total, other, None)
    here = model.preprocess(asked.picture.image)
    for curve in removed(model, here, index, own, found, means):
        yield Beside(len(some) * len(own) + curve.done * orders, total, other, curve)


def _so_far(steps: list) -> None:
    last = steps[-1]
    orders = f"; {last.removed.done} orders" if last.removed else ""
    st.caption(f"{last.elsewhere.pictures} of {PICTURES} other pictures{orders}.")


def _drawn(asked, found: np.ndarray, last: Beside, sheet: Callable) -> None:
    import torch

    from vizcore.truth import rank_correlation

    slot, others, mean = asked.choice.slot, others_of(asked.picture), last.elsewhere.falls
    if last.elsewhere.pictures and not np.isnan(mean).all():
        sheet(f"i_elsewhere_{slot}", asked, mean, "The same for other pictures, their mean")
        count = last.elsewhere.pictures
        st.caption(f"The mean over {count} of {others.words}, each asked for its own top class.")
        both = (torch.from_numpy(one[~np.isnan(one)]) for one in (found, mean))
        st.markdown(sayings.heads_elsewhere(rank_correlation(*both)))
    if last.removed:
        _orders(asked, last.removed)


def _orders(asked, removed) -> None:
    curves = {"most first": removed.first}
    if removed.by_lot is not None:
        curves["random"] = removed.by_lot
    rows = [
        {"heads that are off": int(count), "order": name, "probability": float(value)}
        for name, curve in curves.items()
        for count, value in zip(removed.counts, curve, strict=True)
    ]
    scale = alt.Scale(domain=list(curves), range=[figures.web_colour(asked.colour), "#999999"])
    key = alt.Legend(orient="top", title=None, offset=4)
    chart = (
        alt.Chart(pd.DataFrame(rows), height=260)
        .mark_line()
        .encode(
            x=alt.X("heads that are off:Q"),
            y=alt.Y("probability:Q", axis=alt.Axis(format="%")),
            color=alt.Color("order:N", scale=scale, legend=key),
            tooltip=["heads that are off", "order", "probability"],
        )
    )
    st.altair_chart(chart, width="stretch")
    heads = int(removed.counts[-1])
    asked_at = f" Asked at {len(removed.counts)} numbers of heads." if len(removed.counts) <= heads else ""
    st.caption(
        f"“{asked.name}” with ever more heads off, the ones that matter most first; and the mean of "
        f"{removed.orders} random orders.{asked_at}"
    )
    saving.keep_table(f"Heads in order, {asked.model.title}, {asked.choice.slot.upper()}", rows)
