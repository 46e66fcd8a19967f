"""What each concept comes to: parts of pictures, what the class loses without it, and random weights."""

from __future__ import annotations

import base64
import html

import streamlit as st

from vizcore.inside import sayings

from .. import figures, saving, viewer
from ..insides import why_not_anew
from .concept_pictures import Shown


def show(asked, layer: str, pictures: Shown, last) -> None:
    """A row for each concept, and every picture in their colours."""
    from vizcore.inside.concept_sheet import painted, parts_of, share_of_each
    from vizcore.inside.concepts import COLOURS

    model, own = asked.model, last.own
    viewer.style(
        ".concept { display: flex; gap: 0.35rem; align-items: center; margin: 0.2rem 0; }",
        ".concept b { min-width: 1.6rem; height: 1.6rem; line-height: 1.6rem; text-align: center; }",
        ".concept b { color: #111; } .concept img { width: 13%; } .concept span { font-size: 0.75rem; }",
        ".painted { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 0.2rem; }",
        ".painted img { width: 100%; }",
    )
    st.markdown(f"**{model.title}**, {layer}: {pictures.words}.")
    shares, rows = share_of_each(own), []
    lines = []
    for k in range(own.maps.shape[1]):
        red, green, blue = (round(255 * one) for one in COLOURS[k])
        fall = None if last.falls is None else float(last.falls[k])
        points = "" if fall is None else f"{-100 * fall:+.1f}"
        cells = "".join(_image(part, f"Part with most of concept {k + 1}")
                        for part in parts_of(model, pictures.images, own, k))  # fmt: skip
        paint = figures.web_colour((red, green, blue))
        lines.append(f'<div class="concept"><b style="background:{paint}">{k + 1}</b>{cells}'
                     f"<span>{points}</span></div>")  # fmt: skip
        rows.append({"concept": k + 1, "share of places": float(shares[k]), "falls": fall})
    st.html("".join(lines))
    if last.falls is not None:
        st.caption(f"Numbers: points by which “{asked.name}” moves if that concept alone is taken out, the "
                   "mean over the pictures.")  # fmt: skip
    if last.random:
        st.markdown(sayings.concepts_beside(own.explained, last.random.explained))
    elif why := why_not_anew(model):
        st.caption(why)
    cells = [_image(painted(model, one, own, k), f"Picture {k + 1} in the colours of its concepts")
             for k, one in enumerate(pictures.images)]  # fmt: skip
    if last.random:
        title = "With random weights"
        anew = [_image(painted(model, one, last.random, k), f"{title}, picture {k + 1}")
                for k, one in enumerate(pictures.images[:5])]  # fmt: skip
    else:
        title, anew = "", []
    st.html(f'<div class="painted">{"".join(cells)}</div>')
    if anew:
        st.caption(f"{title}, the first of them:")
        st.html(f'<div class="painted">{"".join(anew)}</div>')
    saving.keep_table(f"Concepts, {model.title}, {asked.choice.slot.upper()}", rows)


def _image(array, words: str) -> str:
    data = base64.b64encode(figures.jpeg(array)).decode()
    return f'<img src="data:image/jpeg;base64,{data}" alt="{html.escape(words)}">'
