"""A poster of what a page shows: the picture, both maps, what they come to, and a code of the link."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from vizcore import __version__
from vizcore.drawing import poster

from .address import in_words
from .address.held import now

state = st.session_state


def say(words: str) -> None:
    """What a page comes to, to stand on its poster."""
    state["poster_words"] = words


def link() -> str:
    """The address of what is shown, "" where nobody knows under which the app is opened."""
    base, words = st.context.url or "", in_words(now())
    base = base.partition("?")[0].rstrip("/")
    return base and f"{base}/" * (not words) + f"{base}?{urlencode(words, doseq=True)}" * bool(words)


def offer(panels: dict[str, tuple[str, Callable]], slug: str, button: Callable) -> None:
    """Buttons for it, where there are maps and a link that a code has room for."""
    said, to = state.get("poster_words", ""), link()
    if len(panels) < 2 or not to or len(to) > poster.LONGEST:
        return
    made = partial(file, panels, said, to, _left_out())
    button("Poster (PDF, A3)", partial(made, "pdf"), f"sightlines-{slug}.pdf", "application/pdf")
    button("Poster (PNG)", partial(made, "png"), f"sightlines-{slug}-poster.png", "image/png")


def _left_out() -> str:
    """What of the view the link leaves out, in a sentence."""
    picture: Any = state["chosen"][0] if "chosen" in state else None
    own = picture.only_here if picture else ()
    return f"The link leaves out {' and '.join(own)}." if own else ""


def file(panels: dict[str, tuple[str, Callable]], said: str, to: str, left_out: str, form: str) -> bytes:
    """The poster, as a PNG or a PDF; runs outside of the page's script, so without st."""
    heading = " · ".join(dict.fromkeys(heading for heading, _ in panels.values()))
    made = [panels[slot][1]() for slot in sorted(panels, key=lambda slot: slot[:1])]
    words = [one for one in (said.replace("**", ""), left_out) if one]
    page = poster.poster(made, heading, words, to, f"Sightlines {__version__}")
    shown = [" ".join([f"{one.title}.", *one.words]) for one in made]
    return poster.files(page, heading, " ".join([*shown, *words, f"The code opens {to}"]))[form]
