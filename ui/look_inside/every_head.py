"""How much a class falls without each head, beside other pictures and heads in random order."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore.inside import sayings

from .. import cards, figures, jobs, saving, small_maps
from ..insides import heads_of
from .without import each_head, falls, falls_elsewhere, others_of, removed

AT_ONCE = 60  # heads up to which all are tried without a press
state = st.session_state


def show(everyone: list) -> None:
    """For each network with heads, all of them; a click switches one off or on."""
    some = [one for one in everyone if _switchable(heads_of(one.choice, one.model))]
    if not some:
        return
    st.subheader("Every head", anchor=False)
    for asked, column in zip(some, st.columns(2, gap="large"), strict=False):
        with column:
            _one(asked)


def _switchable(own: dict) -> bool:
    return bool(own) and all(one.way in ("projection", "matrix") for one in own.values())


def _one(asked) -> None:
    model, picture, slot = asked.model, asked.picture, asked.choice.slot
    own = heads_of(asked.choice, model)
    count = sum(one.count for one in own.values())
    figures.name(model, asked.colour)
    images = model.preprocess(picture.image)
    question = asked.choice, picture.key, asked.index
    if count > AT_ONCE:
        tried = jobs.job(
            f"i_every_{slot}", question, lambda: each_head(model, images, asked.index, own), _so_far,
            f"Try all {count} heads", keep_all=False,
        )  # fmt: skip
        if not tried:
            return
        found, chance = tried[-1].falls, tried[-1].chance
    else:
        found, chance = falls(*question, model, images, own)
    blocks, heads = found.shape
    words = f"How much “{asked.name}” falls without each head, {blocks} blocks by {heads} heads"
    _sheet(f"i_sheet_{slot}", slot, found, words, list(own))
    st.caption(
        f"How much “{asked.name}” ({chance:.0%}) falls without each head, in points of probability: orange "
        "falls, blue rises. Blocks from left to right, heads downwards; click one to switch it off, ↗ for "
        "its card."
    )
    rows = [
        {"block": k + 1, "head": head, "falls": float(found[k, head])} for k, head in np.ndindex(*found.shape)
    ]
    saving.keep_table(f"Without each head, {model.title}, {slot.upper()}", rows)
    if count > AT_ONCE:
        st.caption("It has too many heads to try them for other pictures and in random order here.")
        return
    with st.expander("For other pictures, and in random order", icon=":material/shuffle:",
                     key=f"i_more_{slot}", on_change="rerun") as more:  # fmt: skip
        if more.open:
            _beside(asked, found, images, own)


def _so_far(steps: list) -> None:
    st.caption(f"{steps[-1].done} of {steps[-1].total} attention modules.")


def _beside(asked, found: np.ndarray, images, own: dict) -> None:
    import torch

    from vizcore.truth import rank_correlation

    model, others = asked.model, others_of(asked.picture)
    elsewhere = falls_elsewhere(asked.choice, others.key, model, others, own)
    slot = asked.choice.slot
    _sheet(f"i_elsewhere_{slot}", slot, elsewhere, "The same for other pictures, their mean", list(own))
    st.caption(f"The mean over eight of {others.words}, each asked for its own top class.")
    curves = removed(asked.choice, asked.picture.key, asked.index, model, images, own, found)
    both = (torch.from_numpy(one[~np.isnan(one)]) for one in (found, elsewhere))
    st.markdown(sayings.heads_elsewhere(rank_correlation(*both)))
    rows = [
        {"heads that are off": k, "order": name, "probability": float(value)}
        for name, curve in curves.items()
        for k, value in enumerate(curve)
    ]
    colour = figures.web_colour(asked.colour)
    scale = alt.Scale(domain=list(curves), range=[colour, "#999999"])
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
    st.caption("Ever more heads off, the ones that matter most first; and the mean of five random orders.")


def _sheet(key: str, slot: str, found: np.ndarray, words: str, modules: list[str]) -> None:
    """Blocks (across) by heads (down) with their values, in points of probability; a click toggles."""
    blocks, heads = found.shape
    cells = [(block, head) for head in range(heads) for block in range(blocks)]
    names = [f"{block + 1}.{head}" for block, head in cells]
    values = ["" if np.isnan(found[cell]) else f"\n{round(100 * float(found[cell])):+d}" for cell in cells]
    chosen = f"i_heads_{slot}"
    off = state.get(chosen, [])

    def card(index: int) -> None:
        block, head = cells[index]
        if values[index]:
            cards.want(cards.of_head(slot, modules[block], head))

    def toggle(index: int) -> None:
        if values[index]:
            both = set(state.get(chosen, [])) ^ {names[index]}
            state[chosen] = sorted(both, key=lambda one: [int(part) for part in one.split(".")])

    file = small_maps.cells(found.T, float(max(np.nanmax(np.abs(found)), 1e-6)))
    labels = [name + value if value else "" for name, value in zip(names, values, strict=True)]
    marked = [k for k, name in enumerate(names) if name in off]
    small_maps.sheet(key, file, labels, blocks, words, toggle, marked, dark=True, on_open=card)
