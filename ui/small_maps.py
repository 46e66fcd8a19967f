"""Many small maps on one sheet, one of which can be picked: sent as what they are, a byte for each value."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection, Sequence

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.components.v2 import component

from vizcore.drawing import render

from . import figures

_SHEET = component(
    "sightlines.sheet",
    css="""
.cards { pointer-events: none; }
.cards button { justify-self: end; align-self: end; pointer-events: auto;
    border: 0; padding: 0.1rem 0.25rem; }
.cards button:hover { background: var(--st-primary-color); color: #fff; }
[role=group] { position: relative; line-height: 0; background: #808080; }
img { width: 100%; image-rendering: pixelated; user-select: none; }
div div { position: absolute; inset: 0; display: grid; grid-auto-rows: 1fr; }
button { min-width: 0; padding: 0.15rem 0.2rem; border: 2px solid #808080; background: none; cursor: pointer;
    font: 0.7rem/1 var(--st-font); color: #fff; text-align: left; vertical-align: top; overflow: hidden;
    text-shadow: 0 0 2px #000, 0 0 2px #000, 0 0 3px #000; display: flex; align-items: start;
    white-space: pre-line; }
.dark button { color: #111; text-shadow: 0 0 2px #fff, 0 0 2px #fff; }
button[aria-pressed=true] { border-color: var(--marked); }
button:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: -3px; }
@media (max-width: 640px) { button { font-size: 0.55rem; padding: 0; } .cards { display: none !important; } }
""",
    js="""
export default function({ parentElement, data, setTriggerValue }) {
  const make = (tag, parent) => parent.appendChild(document.createElement(tag));
  let group = parentElement.querySelector("[role=group]");
  if (!group) {
    group = make("div", parentElement);
    group.role = "group";
    make("img", group).alt = "";
    make("div", group);
    make("div", group).className = "cards";
  }
  const [image, grid, cards] = group.children, { labels, columns, marked } = data;
  group.ariaLabel = data.words;
  group.classList.toggle("dark", data.dark);
  image.src = data.src;
  const fill = (parent, count) => {
    parent.style.gridTemplateColumns = `repeat(${columns}, 1fr)`;
    parent.style.gridTemplateRows = `repeat(${data.rows}, 1fr)`;
    while (parent.children.length > count) parent.lastChild.remove();
    while (parent.children.length < count) make("button", parent).type = "button";
    return [...parent.children];
  };
  const open = (i) => data.cards && setTriggerValue("opened", i);
  fill(cards, data.cards ? labels.length : 0).forEach((button, i) => {
    button.textContent = "↗";
    button.title = button.ariaLabel = `The card of ${labels[i].split("\\n")[0]}`;
    button.tabIndex = -1;  // by keys: c, on the tile
    button.onclick = () => open(i);
  });
  group.style.setProperty("--marked", data.colour);
  const all = fill(grid, labels.length), at = Math.max(0, all.findIndex((one) => one.tabIndex === 0));
  all.forEach((button, i) => {
    button.textContent = labels[i];
    button.ariaPressed = String(marked.includes(i));
    button.tabIndex = i === at ? 0 : -1;  // one stop for the Tab key; arrows go on from there
    button.onclick = () => setTriggerValue("picked", i);
    button.onkeydown = (event) => {
      if (event.key === "c") return open(i);
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation();
      const next = all[i + step];
      if (!next) return;
      [button.tabIndex, next.tabIndex] = [-1, 0];
      next.focus();
    };
  });
}
""",
)


@st.cache_data(show_spinner=False)
def file(maps: np.ndarray, columns: int, colour_map: str) -> bytes:
    """Maps (n, h, w), each stretched over its own range, row by row, as a PNG with a byte for each value."""
    grey = [(render.normalise(one) * 255).round().astype(np.uint8)[..., None] for one in maps]
    image = Image.fromarray(render.mosaic(grey, columns)[..., 0])
    image.putpalette(render.legend(colour_map, height=1).tobytes())
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def cells(values: np.ndarray, end: float) -> bytes:
    """Single values (rows, columns) as signed colours, a pixel each; nan is none of them."""
    return render.png(render.diverging(np.nan_to_num(values) / end))


def sheet(
    key: str,
    image: bytes,
    labels: Sequence[str],
    columns: int,
    words: str,
    on_pick: Callable[[int], None],
    marked: Collection[int] = (),
    dark: bool = False,
    on_open: Callable[[int], None] | None = None,
) -> None:
    """Show small maps, each under its label, with some of them marked.

    Args:
        image: of ``file`` or ``cells``. labels: of each map, row by row, in one line or two.
        words: what they are. on_pick: gets the index of the one that was clicked. dark: the labels.
        on_open: the same of one whose corner was clicked, for the card of a unit.
    """

    def picked():
        index = getattr(st.session_state.get(key), "picked", None)
        if isinstance(index, int) and 0 <= index < len(labels):
            on_pick(index)

    def opened():
        index = getattr(st.session_state.get(key), "opened", None)
        if on_open and isinstance(index, int) and 0 <= index < len(labels):
            on_open(index)

    source = "data:image/png;base64," + base64.b64encode(image).decode()
    data = {"src": source, "words": words, "labels": list(labels), "columns": columns, "dark": dark}
    data |= {"rows": -(-len(labels) // columns), "marked": sorted(marked), "cards": bool(on_open)}
    data["colour"] = figures.web_colour(render.CNN_COLOUR)
    _SHEET(key=key, data=data, on_picked_change=picked, on_opened_change=opened)
