"""How the pages show things: pictures, bars, legends."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st
from PIL import Image

from vizcore.drawing import render
from vizcore.drawing.encoding import jpeg

from . import cards, saving, viewer


def web_colour(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def picture(array: np.ndarray, alt_text: str, caption: str | None = None) -> None:
    """Show a blended photograph as wide as its column."""
    st.image(jpeg(array), caption=caption, alt=alt_text, width="stretch")


def colour_name(colour: tuple[int, int, int]) -> str:
    return "Orange" if colour == render.CNN_COLOUR else "Blue"


def name(model, colour: tuple[int, int, int]) -> None:
    """A model's name in its colour; a badge where it knows nothing."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(render.png(np.full((20, 20, 3), colour, np.uint8)), width=20, alt="its colour")
        st.subheader(model.title, anchor=False, width="content")
        if model.weights == "random":
            st.badge(model.source, color="red", icon=":material/casino:")


def heading(model, colour: tuple[int, int, int]) -> None:
    """A model's name in its colour, where its weights come from, and what kind of network it is."""
    name(model, colour)
    origin(model)
    remark(model)


def origin(model) -> None:
    """Where its weights come from, and what kind of network it is."""
    kind = f"its places learn of each other by {model.mixing}"
    st.caption(f"Weights: {model.source} · runs on {model.device.type} · {kind}")


def remark(model) -> None:
    """What the maps of a network can't be asked at, where something is to be said."""
    if model.remark:
        st.caption(f":material/info: {model.remark}")


def predictions(model, top: list[tuple[int, float]], colour: tuple[int, int, int]) -> None:
    """The most probable classes as bars."""
    from .classes import class_names

    note = f" ({model.source})" if model.weights == "random" else ""
    st.markdown(f"**{model.title}**{note} says:")
    if not top:
        st.caption("Nothing: it has no classifier.")
        return
    if any(probability != probability for _, probability in top):
        st.warning("Nothing: its output on this picture is not a number.")
        return
    names = class_names(model)
    answers = [{"class": names[index], "probability": probability} for index, probability in top]
    saving.keep_table(f"Answers of {model.title} ({model.source})", answers)
    st.html(_bars(answers, web_colour(colour)))


def _bars(answers: list[dict], colour: str) -> str:
    """Names and shares of classes, each above a bar that is as long as its share."""
    rows = [
        f'<li title="{probability:.2%}"><span>{html.escape(name)}</span><span>{probability:.0%}</span>'
        f'<i style="width: {probability:.2%}; background: {colour}"></i></li>'
        for name, probability in (one.values() for one in answers)
    ]
    return f'<ol class="answers">{"".join(rows)}</ol>'


def all_predictions(sides: list, picture) -> None:
    """What each network says, in its own column; nothing stands in that of one that is unavailable."""
    from .classes import class_names, guesses

    for side, column in zip(sides, viewer.row("answers"), strict=True):
        if side.model:
            with column:
                predictions(side.model, side.top, side.colour)
                if side.top:
                    first = class_names(side.model)[side.top[0][0]]
                    cards.link("Its card", cards.of_class(side.slot, first))
                if side.top and (words := guesses(side, picture.drawn)):
                    st.caption(words)


def laid(
    array, values: np.ndarray, box, kind: str, low, high, opacity, colour_map="viridis", times: int = 1
) -> np.ndarray:
    """A map (h, w), or colours (3, h, w), of a model's view brought into the frame and laid over the picture.

    ``kind``, ``low`` and ``high`` are as ``render.lay`` has them; ``times`` is how many times as large.
    """
    import torch

    from vizcore.pictures.frame import seen, to_frame

    array, box = enlarged(array, times), tuple(times * side for side in box)
    size = array.shape[1], array.shape[0]
    framed, visible = to_frame(torch.from_numpy(values), box, size), seen(box, size)
    return render.lay(array, framed, visible, opacity, colour_map, kind, low, high)


def enlarged(array: np.ndarray, times: int) -> np.ndarray:
    """A picture (H, W, 3) some times as large, smooth."""
    if times == 1:
        return array
    height, width = array.shape[:2]
    return np.asarray(
        Image.fromarray(array).resize((times * width, times * height), Image.Resampling.BICUBIC)
    )


def scale(low: float, high: float, colour_map: str = "viridis") -> None:
    """The legend of a map: its colours from the lowest to the highest value."""
    bar = render.png(render.legend(colour_map, height=6))
    st.image(bar, width="stretch", alt=f"colours from {low:.3g} to {high:.3g}")
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption(f"{low:.2g}", width="content")
        st.caption(f"{high:.2g}", width="content")


@st.cache_data(show_spinner=False)
def distance_chart(distances: np.ndarray, colour: tuple[int, int, int]) -> None:
    """How far each head looks, (blocks, heads) in pixels, against depth; the line is the mean of a block."""
    import altair as alt  # half a second, with pandas: no first page has a chart
    import pandas as pd

    blocks, heads = np.indices(distances.shape)
    data = pd.DataFrame(
        {"block": blocks.ravel() + 1, "head": heads.ravel(), "distance": distances.ravel().astype(float)}
    )
    base = alt.Chart(data).encode(x=alt.X("block:O", title="block", axis=alt.Axis(labelAngle=0)))
    y = alt.Y("distance:Q", title="mean distance, pixels of its input")
    paint = web_colour(colour)
    dots = base.mark_circle(size=60, color=paint, opacity=0.7).encode(
        y=y, tooltip=["block", "head", alt.Tooltip("distance", format=".1f")]
    )
    line = base.mark_line(color=paint).encode(y=alt.Y("mean(distance):Q"))
    st.altair_chart((line + dots).properties(height=280), width="stretch")
