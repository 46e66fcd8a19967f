"""What becomes of answers by the level of a change: a line for each network."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from .. import figures


def title(sides: list, side) -> str:
    same = len({one.model.title for one in sides if one.model}) < sum(bool(one.model) for one in sides)
    return f"{side.model.title} ({side.slot.upper()})" if same else side.model.title


def show(rows: list[dict], sides: list, words: str) -> None:
    """Lines by network over the levels; with a band where there are intervals."""
    frame = pd.DataFrame(rows)
    present = [side for side in sides if side.model]
    scale = alt.Scale(
        domain=[title(sides, side) for side in present],
        range=[figures.web_colour(side.colour) for side in present],
    )
    base = alt.Chart(frame, height=230).encode(
        x=alt.X("level:N", sort=None, title=None, axis=alt.Axis(labelAngle=0, labelLimit=150)),
        color=alt.Color("network:N", scale=scale, legend=alt.Legend(orient="top", title=None)),
    )
    y = alt.Y("value:Q", title=words, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%"))
    chart = base.mark_line(point=True).encode(y=y, tooltip=list(frame.columns))
    if "low" in frame:
        chart = base.mark_area(opacity=0.2).encode(y=alt.Y("low:Q", title=words), y2="high:Q") + chart
    st.altair_chart(chart, width="stretch")
