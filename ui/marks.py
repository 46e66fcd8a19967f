"""What is painted, as the address holds it: the cells of a coarse grid, and of which picture they are."""

from __future__ import annotations

import numpy as np
import streamlit as st

from . import brush
from .address import drop, forget

state = st.session_state
GRID = 32  # cells of the picture's longer side: a mark of 1,024 bits has its place in a link


def grid_of(picture) -> tuple[int, int]:
    return brush.grid_of(picture.size, GRID)


def coded(picture, mark: np.ndarray) -> str:
    """A mark (rows, columns) bool as a word of the address, of at most 178 characters."""
    text = brush.encode(mark).rstrip("=").replace("+", "-").replace("/", "_")
    return f"{picture.key[:6]}.{text}"


def decoded(picture, word: str | None) -> np.ndarray | None:
    """What a word of the address marks on a picture; None where that can't be, or is nothing."""
    of, _, text = str(word or "").partition(".")
    if of != picture.key[:6]:
        return None
    text = text.replace("-", "+").replace("_", "/")
    found = brush.decode(text + "=" * (-len(text) % 4), grid_of(picture))
    return found if found is not None and coded(picture, found) == word else None  # a mark has one word


def held(key: str, picture) -> np.ndarray | None:
    """What the address marks on a picture under a key; what it says in vain is named, and forgotten."""
    found = decoded(picture, state.get(key))
    forget(key, () if found is None else (state[key],), why="marks nothing on this picture")
    return found


def put(key: str, picture, mark: np.ndarray | None) -> None:
    if mark is None:
        drop(key)
    else:
        state[key] = coded(picture, mark)
