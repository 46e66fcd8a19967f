"""A sheet of pictures, one of each class, whose tiles are buttons: a press opens the class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st
from streamlit.components.v2 import component

from ..viewer import style

_TILES = component(
    "sightlines.tiles",
    html='<div class="tiles" role="group"></div>',
    css="""
.tiles { display: grid; width: 100%; }
button { padding: 0; border: 0; background: none; cursor: pointer; font-size: 0; }
button:hover, button[aria-pressed=true] { outline: 3px solid var(--st-primary-color); outline-offset: -3px; }
button:focus-visible { outline: 4px solid var(--st-primary-color); outline-offset: -4px; }
""",
    js="""
export default function({ parentElement, data, setTriggerValue }) {
  const tiles = parentElement.querySelector(".tiles");
  tiles.ariaLabel = data.label;
  tiles.style.aspectRatio = data.shape;
  tiles.style.gridTemplateColumns = `repeat(${data.columns}, 1fr)`;
  tiles.replaceChildren(...data.names.map((name) => {
    const tile = document.createElement("button");
    tile.title = tile.ariaLabel = name;
    tile.ariaPressed = name === data.chosen;
    tile.onclick = () => {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      document.querySelector(`.st-key-${data.opens}`)?.scrollIntoView(
        { block: "nearest", behavior: still ? "auto" : "smooth" });
      setTriggerValue("picked", name);
    };
    return tile;
  }));
}
""",
)


def sheet(
    key: str,
    image: bytes,
    size: tuple[int, int],
    names: Sequence[str],
    columns: int,
    words: str,
    chosen: str,
    opens: str,
    on_pick: Callable[[str], None],
) -> None:
    """A picture of equal tiles, row by row, each a button.

    Args:
        image: encoded. size: its width and height. names: of the tiles. words: what they show.
        chosen: the name that is marked. opens: the key of the place where a press is answered.
        on_pick: called with the name, before the next run.
    """
    over = f"{key}_tiles"
    style(
        f".st-key-{key} {{ position: relative; }}",
        f".st-key-{key} > :has(.st-key-{over}), .st-key-{over} {{ position: absolute; inset: 0; }}",
    )
    with st.container(key=key):
        st.image(image, width="stretch", alt=f"{words} {', '.join(names)}")

        def picked() -> None:
            said = getattr(st.session_state.get(over), "picked", None)
            if said and said in names:
                on_pick(said)

        told = {"names": list(names), "columns": columns, "shape": "{} / {}".format(*size), "opens": opens}
        _TILES(key=over, data={**told, "label": words, "chosen": chosen}, on_picked_change=picked)
