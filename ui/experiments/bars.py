"""A network's answers as bars that stay in their places while they move, a tick where each was before."""

from __future__ import annotations

import html
import re

import numpy as np
import streamlit as st

from .. import figures
from ..answers import Side
from ..classes import class_names

ROWS = 5  # of which all but two are of the likeliest before


def rows(before: np.ndarray, now: np.ndarray, most: int = ROWS) -> list[int]:
    """Which classes are shown: the likeliest before, then those of now that aren't among them. (K,) each."""
    found = np.argsort(-before, kind="stable")[: most - 2].tolist()
    found += [index for index in np.argsort(-now, kind="stable")[:most].tolist() if index not in found]
    return found[:most]


def show(
    side: Side, before: np.ndarray, now: np.ndarray, words: str, most: int = ROWS, named: bool = True
) -> None:
    """A network's name, what is said of its answer, and its bars; one element, that is drawn anew at once.

    Args:
        most: how many bars. named: else the name stands elsewhere.
    """
    names, colour = class_names(side.model), figures.web_colour(side.colour)
    drawn = "".join(
        _row(names[index], before[index], now[index], colour) for index in rows(before, now, most)
    )
    said = f'<p class="verdict" role="status">{marked(words)}</p>'
    st.html(f'{head(side) * named}{said}<ol class="answers">{drawn}</ol>')


def head(side: Side) -> str:
    """A network's name in its colour."""
    model, colour = side.model, figures.web_colour(side.colour)
    random = f" <small>({html.escape(model.source)})</small>" if model.weights == "random" else ""
    return f'<h3 class="who" style="border-color: {colour}">{html.escape(model.title)}{random}</h3>'


def marked(words: str) -> str:
    """Words with **bold** as HTML."""
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", html.escape(words))


def _row(name: str, was: float, now: float, colour: str) -> str:
    was, now = (float(np.nan_to_num(one).clip(0, 1)) for one in (was, now))
    tick = f"linear-gradient(currentColor, currentColor) {was:.2%} 0 / 2px 100% no-repeat"
    bar = f"linear-gradient({colour}, {colour}) 0 0 / {now:.2%} 100% no-repeat"
    return (
        f'<li title="{now:.2%}, was {was:.2%}"><span>{html.escape(name)}</span><span>{now:.0%}</span>'
        f'<i class="moves" style="background: {tick}, {bar}"></i></li>'
    )
