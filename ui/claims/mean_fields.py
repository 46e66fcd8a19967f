"""What the middle place of layers depends on in the mean over pictures, as pictures beside random weights."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from vizcore import __version__
from vizcore.drawing import render

from .. import code, saving, viewer
from ..insides import why_not_anew

OWN, BEGAN = "as it is", "random weights"


class Both(NamedTuple):
    """A network, and then the same with random weights, after some pictures."""

    done: int
    total: int
    own: Any  # ``vizcore.studies.reaches.Reach``
    began: Any  # None before it begins, or where nothing is set beside it


def both(model, pictures, layers: list[str]) -> Iterator[Both]:
    """Look at pictures with a network as it is, and then with all its weights drawn anew."""
    from vizcore.studies.reaches import reaches
    from vizcore.truth.randomised import randomised

    beside = not why_not_anew(model)
    total, own = len(pictures) * (1 + beside), None
    for own in reaches(model, pictures, layers):
        yield Both(own.done, total, own, None)
    if beside:
        *_, (_, anew) = randomised(model)
        for began in reaches(anew, pictures, layers):
            yield Both(len(pictures) + began.done, total, own, began)


def show(side, own, began, what: str, pictures: str, anew: str) -> None:
    """The pictures of some layers, and so that they can be saved.

    Args:
        own, began: a ``reaches.Summary`` each, or None. what: the pictures, in words. pictures: in Python.
        anew: how the random weights were made, "drawn" by their name or "randomised".
    """
    from vizcore.drawing.fields import fields_sheet, some_of_layers

    rows = {title: one.cells for title, one in ((OWN, own), (BEGAN, began)) if one and one.cells}
    if OWN not in rows:
        return
    layers = some_of_layers(list(own.cells))
    viewer.style(
        ".fields { display: grid; gap: 0.25rem; align-items: center; }",
        ".fields img { width: 100%; display: block; image-rendering: pixelated; }",
        ".fields span { font-size: 0.7rem; line-height: 0.9rem; text-align: center; }",
        ".fields span { overflow-wrap: anywhere; }",
    )
    cells = "".join(_row(side, title, found, layers) for title, found in rows.items())
    names = "".join(
        f'<span title="{html.escape(layer)}">{html.escape(_short(layer))}</span>' for layer in layers
    )
    columns = f"3.6rem repeat({len(layers)}, minmax(0, 1fr))"
    style = f"grid-template-columns: {columns}"
    st.html(f'<div class="fields" style="{style}">{cells}<span></span>{names}</div>')
    st.caption(
        f"What the middle place behind some layers depends on, in the mean of {own.pictures} pictures: the "
        "fourth root of the gradient's energy, each from 0 to its own largest, so that what is faint is seen."
    )
    title = side.model.title
    raw = {f"{name.replace(' ', '_')}_{layer}": found[layer]
           for name, found in rows.items() for layer in layers}  # fmt: skip
    beside = ", above; below with random weights" if BEGAN in rows else ""
    about = (
        f"What the middle place behind some layers of {title} ({side.model.source}) depends on, in the mean "
        f"over {own.pictures} {what}{beside}. Sightlines {__version__}"
    )
    made = code.mean_fields(side.choice, pictures, layers, anew if BEGAN in rows else "")
    draw = partial(fields_sheet, rows, layers)
    saving.keep(f"Fields of {title}, {side.slot.upper()}", about, draw, made, **raw)


def _short(layer: str) -> str:
    """A layer's name, of a long one its end."""
    return layer if len(layer) < 14 else "…" + ".".join(layer.split(".")[-2:])


def _row(side, title: str, found: dict, layers: list[str]) -> str:
    from vizcore.drawing.fields import field_picture

    cells = [f"<span>{title}</span>"]
    for layer in layers:
        data = base64.b64encode(render.png(field_picture(found[layer]))).decode()
        alt = html.escape(f"What a place behind {layer} of {side.model.title} depends on, {title}")
        cells.append(f'<img src="data:image/png;base64,{data}" alt="{alt}">')
    return "".join(cells)
