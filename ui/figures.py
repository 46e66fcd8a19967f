"""How the pages show things: pictures, a picture to point at, bars, legends."""

from __future__ import annotations

import base64

import altair as alt
import cv2
import numpy as np
import pandas as pd
import streamlit as st

from vizcore import render

_POINTER = st.components.v2.component(
    "sightlines.pointer",
    html='<div class="frame" tabindex="0" role="application"><img draggable="false"><i></i></div>',
    css="""
.frame { position: relative; line-height: 0; cursor: crosshair; border-radius: 0.5rem; overflow: hidden; }
.frame:focus-visible { outline: 3px solid var(--st-primary-color); }
img { width: 100%; user-select: none; }
i { position: absolute; width: 18px; height: 18px; margin: -9px 0 0 -9px; border-radius: 50%; display: none;
    border: 2px solid #fff; box-shadow: 0 0 0 2px #000, inset 0 0 0 1px #000; pointer-events: none; }
""",
    js="""
export default function({ parentElement, data, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame"), img = frame.querySelector("img");
  const mark = frame.querySelector("i");
  img.src = data.src;
  img.alt = frame.ariaLabel = data.alt;
  if (data.point) {
    mark.style.display = "block";
    mark.style.left = 100 * data.point[0] + "%";
    mark.style.top = 100 * data.point[1] + "%";
  }
  const send = (x, y) => setTriggerValue("clicked", [x, y].map((v) => Math.min(0.999, Math.max(0, v))));
  img.onclick = (event) => {
    const box = img.getBoundingClientRect();
    send((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
  };
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  frame.onkeydown = (event) => {
    const step = steps[event.key];
    if (!step || !data.point) return;
    event.preventDefault();
    event.stopPropagation();
    send(data.point[0] + step[0] * data.step[0], data.point[1] + step[1] * data.step[1]);
  };
}
""",
)


def jpeg(array: np.ndarray) -> bytes:
    """For blended photographs: a fifth of a PNG's size and time, without colour subsampling."""
    options = [cv2.IMWRITE_JPEG_QUALITY, 92]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return cv2.imencode(".jpg", cv2.cvtColor(array, cv2.COLOR_RGB2BGR), options)[1].tobytes()


def picture(array: np.ndarray, alt_text: str, caption: str | None = None) -> None:
    """Show a blended photograph as wide as its column."""
    st.image(jpeg(array), caption=caption, alt=alt_text, width="stretch")


def pointer(array: np.ndarray, alt_text: str, key: str, on_click, point=None, step=(0.05, 0.05)) -> None:
    """A picture to click on, or to walk over with the arrow keys.

    ``on_click(x, y)`` gets shares of its width and height, 0 to 1; ``point`` is where the mark is, and
    ``step`` how far an arrow key moves it.
    """

    def clicked():
        place = getattr(st.session_state.get(key), "clicked", None)
        if isinstance(place, list) and len(place) == 2:
            on_click(*(min(max(float(value), 0.0), 0.999) for value in place))

    source = "data:image/jpeg;base64," + base64.b64encode(jpeg(array)).decode()
    data = {"src": source, "alt": alt_text, "point": point, "step": step}
    _POINTER(key=key, data=data, on_clicked_change=clicked)


def legend(colour_map: str, low: float, high: float) -> None:
    """The colour map with the values at its ends."""
    st.image(render.png(render.legend(colour_map)), width="stretch", alt=f"colours from {low:.3g} to {high:.3g}")
    left, right = st.columns(2)
    left.caption(f"{low:.3g}")
    right.caption(f"{high:.3g}", text_alignment="right")


def bars(labels: list[str], probabilities: list[float], colour: tuple[int, int, int]) -> None:
    """Top predictions, the best at the top."""
    data = pd.DataFrame({"class": labels, "probability": probabilities})
    base = alt.Chart(data).encode(
        y=alt.Y("class:N", sort=None, title=None, axis=alt.Axis(labelLimit=150, ticks=False, domain=False)),
        tooltip=[alt.Tooltip("class:N"), alt.Tooltip("probability:Q", format=".1%")],
    )
    scale = alt.Scale(domain=[0, 1.15])
    bar = base.mark_bar(color="#{:02x}{:02x}{:02x}".format(*colour), cornerRadiusEnd=3).encode(
        x=alt.X("probability:Q", scale=scale, axis=None)
    )
    text = base.mark_text(align="left", dx=4).encode(
        x=alt.X("probability:Q", scale=scale), text=alt.Text("probability:Q", format=".0%")
    )
    st.altair_chart((bar + text).properties(height=26 * len(labels)), width="stretch")
