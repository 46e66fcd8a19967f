"""The pictures of a card, each with the part that the unit's value comes from."""

from __future__ import annotations

import base64
import html

import numpy as np
import streamlit as st

from vizcore.inside import unit_sayings

from .. import figures, viewer
from ..plain import plain
from .sets_of import Source
from .which_unit import Asked

TITLES = {"most": "Excite it most", "by_lot": "By lot", "least": "Excite it least"}
WIDTH = 160  # pixels of a cell


@st.cache_data(show_spinner="Where in the pictures it comes from …")
def crops_of(choice, source_key: tuple, group, unit: int, done: int, _asked: Asked, _source: Source, _step):
    """By kind, ``vizcore.inside.crops.Crop`` of a unit's pictures.

    Raises:
        ValueError: no gradient leads through the network.
    """
    from vizcore.inside.crops import COUNTS, crops

    found = _step.found[group]
    return {
        kind: crops(_asked.model, _source.pictures, group, unit, getattr(found, kind), count, _asked.heads)
        for kind, count in COUNTS.items()
    }


def show(asked: Asked, source: Source, rows: dict) -> None:
    """All of them, and what the boxes are."""
    from vizcore.inside.crops import is_token

    viewer.style(
        ".unit { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 0.5rem 0.5rem; }",
        ".unit h4 { grid-column: 1 / -1; margin: 0.5rem 0 0; padding: 0; font-size: 1rem; }",
        ".unit figure { margin: 0; min-width: 0; } .unit .half { grid-column: span 3; }",
        ".unit img { width: 100%; aspect-ratio: 1 / 2; display: block; }",
        ".unit figcaption { font-size: 0.75rem; line-height: 1.1rem; height: 2.2rem; overflow: hidden; }",
        "@media (max-width: 640px) { .unit { grid-template-columns: repeat(3, minmax(0, 1fr)); } }",
    )
    parts = []
    for kind in TITLES:
        cells = "".join(_cell(asked, source, one) for one in rows[kind])
        parts.append((f"<h4>{TITLES[kind]}</h4>", cells))
    whole = f'<div class="unit">{"".join(title + cells for title, cells in parts[:1])}</div>'
    pair = "".join(f'<div class="unit">{title}{cells}</div>' for title, cells in parts[1:])
    st.html(whole + f'<div class="units">{pair}</div>')
    viewer.style(
        ".units { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0.5rem; }",
        ".units .unit { grid-template-columns: repeat(3, minmax(0, 1fr)); }",
        "@media (max-width: 640px) { .units { grid-template-columns: minmax(0, 1fr); } }",
    )
    if is_token(asked.model, asked.group):
        words = unit_sayings.heard([one.within for one in rows["most"]])
        st.markdown(f"Boxes: the patch of the highest value. {words}")
    else:
        about = (
            "the energy's own middle" if asked.group.kind == "classes" else "the place of the highest value"
        )
        st.markdown(
            f"Boxes, and the parts below: the smallest square about {about} that holds 90 % of the "
            "gradient's energy. No box: no pixel changes the value there."
        )


def _cell(asked: Asked, source: Source, one) -> str:
    name = plain(source.names[one.number]) if source.names else f"picture {one.number + 1}"
    words = html.escape(f"{name}: {one.value:.3g}")
    data = base64.b64encode(figures.jpeg(one.cell)).decode()
    alt = html.escape(
        f"{name}, to {asked.words} of {asked.model.title} {one.value:.3g}; below, the part in the box"
    )
    caption = f"{html.escape(name)}<br>{one.value:.3g}"
    return (
        f'<figure title="{words}"><img src="data:image/jpeg;base64,{data}" alt="{alt}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def sheet(rows: dict) -> np.ndarray:
    """The same as one picture."""
    from vizcore.inside.crops import sheet as laid

    return laid(rows)
