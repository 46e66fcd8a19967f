"""How much a class falls without each head, beside other pictures and heads in random order."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore.drawing import render
from vizcore.drawing.encoding import jpeg
from vizcore.inside import sayings

from .. import figures, saving
from .without import falls, falls_elsewhere, heads_of, others_of, removed

AT_ONCE = 60  # heads up to which all are tried
CELL, MARGIN = 44, 26  # pixels of the picture
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
    if count > AT_ONCE:
        st.caption(f"It has {count} heads, too many to try them all here: choose some above.")
        return
    images = model.preprocess(picture.image)
    found, chance = falls(asked.choice, picture.key, asked.index, model, images, own)
    blocks, heads = found.shape
    end = float(max(np.nanmax(np.abs(found)), 1e-6))

    def toggle(x: float, y: float) -> None:
        block, head = _cell(x, y, blocks, heads)
        key, name = f"i_heads_{slot}", f"{block + 1}.{head}"
        state[key] = sorted(
            set(state.get(key, [])) ^ {name}, key=lambda one: [int(k) for k in one.split(".")]
        )

    words = f"How much “{asked.name}” falls without each head, {blocks} blocks by {heads} heads"
    figures.pointer(_sheet(found, end), words, f"i_sheet_{slot}", toggle)
    st.caption(
        f"How much “{asked.name}” ({chance:.0%}) falls without each head, in points of probability: orange "
        "falls, blue rises. Blocks from left to right, heads downwards; click one to switch it off."
    )
    rows = [
        {"block": k + 1, "head": head, "falls": float(found[k, head])} for k, head in np.ndindex(*found.shape)
    ]
    saving.keep_table(f"Without each head, {model.title}, {slot.upper()}", rows)
    with st.expander("For other pictures, and in random order", icon=":material/shuffle:",
                     key=f"i_more_{slot}", on_change="rerun") as more:  # fmt: skip
        if more.open:
            _beside(asked, found, images, own)


def _beside(asked, found: np.ndarray, images, own: dict) -> None:
    import torch

    from vizcore.truth import rank_correlation

    model, others = asked.model, others_of(asked.picture)
    elsewhere = falls_elsewhere(asked.choice, others.key, model, others, own)
    end = float(max(np.nanmax(np.abs(elsewhere)), 1e-6))
    st.image(_sheet(elsewhere, end), width="stretch", alt="The same for other pictures, their mean")
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


# ---------------------------------------------------------------- the picture


def _sheet(found: np.ndarray, end: float) -> bytes:
    """Blocks (across) by heads (down) as cells with their values, in points of probability."""
    from PIL import Image, ImageDraw, ImageFont

    blocks, heads = found.shape
    page = Image.new("RGB", (MARGIN + CELL * blocks, MARGIN + CELL * heads), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    colours = render.diverging(np.nan_to_num(found) / end)
    for (block, head), value in np.ndenumerate(found):
        left, top = MARGIN + CELL * block, MARGIN + CELL * head
        paint = tuple(int(one) for one in colours[block, head])
        pen.rectangle((left, top, left + CELL - 2, top + CELL - 2), fill=paint)
        words = "" if np.isnan(value) else f"{round(100 * float(value))}"
        pen.text((left + CELL / 2, top + CELL / 2), words, (20, 20, 20), font, anchor="mm")
    for block in range(blocks):
        pen.text((MARGIN + CELL * (block + 0.5), MARGIN / 2), str(block + 1), (20, 20, 20), font, anchor="mm")
    for head in range(heads):
        pen.text((MARGIN / 2, MARGIN + CELL * (head + 0.5)), str(head), (20, 20, 20), font, anchor="mm")
    return jpeg(np.asarray(page))


def _cell(x: float, y: float, blocks: int, heads: int) -> tuple[int, int]:
    """The block and head under a place of the picture, shares of its width and height."""
    wide, high = MARGIN + CELL * blocks, MARGIN + CELL * heads
    block, head = int((x * wide - MARGIN) // CELL), int((y * high - MARGIN) // CELL)
    return min(max(block, 0), blocks - 1), min(max(head, 0), heads - 1)
