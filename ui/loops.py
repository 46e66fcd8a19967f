"""Loops of what a page's maps go through: the classes that are asked for, the blocks that build up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from vizcore.drawing import loop

state = st.session_state
MOST = 24  # frames


class Film(NamedTuple):
    """One network's maps, of which one is seen at a time."""

    shown: Any  # the map that is kept
    caption: str
    frame: Callable[[Any], tuple[Any, str]]  # a map -> (H, W, 3), and what it is in plain words


def seen(maps: Sequence) -> None:
    """Tell what can be gone through in a viewer."""
    if len(maps) > 1:
        state.setdefault("flips", []).append(list(maps))


def keep(name: str, film: Film) -> None:
    """Tell how a map of them is drawn."""
    state.setdefault("films", {})[name] = film


def offer(slug: str, button: Callable) -> None:
    """A button for it, where a viewer of each network has several maps."""
    given(state.get("films", {}), state.get("flips", []), slug, button)


def given(films: dict[str, Film], flips: list[list], slug: str, button: Callable) -> None:
    """The same, of what a page has told."""
    found = []
    for film in films.values():
        maps = next((own for own in flips if any(one is film.shown for one in own)), None)
        if maps:
            found.append((film, maps))
    if found:
        button("Loop (animated WebP)", partial(file, found), f"sightlines-{slug}-loop.webp", "image/webp")


def file(found: list[tuple[Film, list]]) -> bytes:
    """All networks beside each other, map by map; runs outside of the page's script, so without st."""
    count = min(max(len(maps) for _, maps in found), MOST)
    frames, words = [], []
    for k in range(count):
        now = [(film, maps[min(k, len(maps) - 1)]) for film, maps in found]
        pictures, said = zip(*(film.frame(one) for film, one in now), strict=True)
        frames.append(loop.beside(pictures))
        words.append(" | ".join(said))
    return loop.loop(frames, words, " ".join(film.caption for film, _ in found))
