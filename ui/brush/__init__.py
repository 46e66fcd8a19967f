"""A brush: a region of a picture, painted in the browser with a mouse, a finger or keys.

    brush.show("paint", key, image, (0.25, 0.25, 0.75, 0.75))
    brush.painted("paint", key)  # from the next run on, once something was painted

What is painted is a mask on a coarse grid, a bit a cell; the server hears of it when a stroke has ended.
``board`` is for those who hold the mask themselves, and may ask to hear of it while a stroke goes on.
"""

from __future__ import annotations

import base64
import binascii
import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.components.v2 import component as _component

from ..viewer import Picture
from ..viewer.rooms import room

CELLS = 128  # of the grid's longer side
SHOWN = 512  # pixels of the picture's longer side, as it is painted on
_CODE, _LOOKS = (Path(__file__).with_name(name).read_text("utf-8") for name in ("brush.js", "brush.css"))
_BRUSH = _component("sightlines.brush", js=_CODE, css=_LOOKS)


def grid_of(size: tuple[int, int], cells: int = CELLS) -> tuple[int, int]:
    """Rows and columns of the grid for a picture of ``size`` (width, height)."""
    longer = max(size)
    return max(round(cells * size[1] / longer), 1), max(round(cells * size[0] / longer), 1)


def encode(mask: np.ndarray) -> str:
    """A mask (rows, columns) bool as it goes to the browser."""
    return base64.b64encode(np.packbits(mask).tobytes()).decode()


def decode(said: Any, grid: tuple[int, int]) -> np.ndarray | None:
    """What the browser said, as a mask (rows, columns) bool; None where it can't be that, or is empty."""
    cells = grid[0] * grid[1]
    size = math.ceil(cells / 8)
    if not isinstance(said, str) or len(said) != 4 * math.ceil(size / 3):
        return None
    try:
        bits = np.frombuffer(base64.b64decode(said, validate=True), np.uint8)
    except (binascii.Error, ValueError):
        return None
    if len(bits) != size:
        return None
    mask = np.unpackbits(bits)[:cells].astype(bool).reshape(grid)
    return mask if mask.any() else None


def painted(key: str, of: str) -> np.ndarray | None:
    """The mask (rows, columns) bool that was painted on a picture, by the picture's key; None without one."""
    about, _, mask = st.session_state.get(f"{key}_mask", ("", 0, None))
    return mask if about == of else None


def clear(key: str) -> None:
    """Nothing is painted; the browser's own goes as it hears of it."""
    st.session_state.pop(f"{key}_mask", None)


def show(key: str, of: str, image: Image.Image, edges: tuple[float, float, float, float]) -> None:
    """The picture to paint on, with a rectangle (left, top, right, bottom, as shares) until that is done.

    Args:
        of: the picture's key, which ``painted`` is asked for.
    """
    grid, state = grid_of(image.size), st.session_state

    def changed() -> None:
        said = getattr(state.get(key), "painted", None)
        if isinstance(said, dict) and said.get("of") == of and isinstance(said.get("turn"), int):
            state[f"{key}_mask"] = of, said["turn"], decode(said.get("mask"), grid)

    mask, turn = painted(key, of), state.get(f"{key}_mask", ("", 0, None))[1]
    data = {"of": of, "picture": _picture(of, image), "grid": grid, "edges": edges, "turn": turn}
    data |= {"mask": "" if mask is None else encode(mask), "look": "spot"}
    _BRUSH(key=key, data=data, on_painted_change=changed)


def board(
    key: str,
    of: str,
    picture: Picture,
    grid: tuple[int, int],
    mask: np.ndarray | None,
    on_painted: Callable[[np.ndarray | None, bool], None],
    *,
    look: str,
    words: str,
    under: Picture | None = None,
    live: bool = False,
    locked: bool = False,
) -> None:
    """A picture to paint on, whose mask the caller holds.

    Args:
        of: what is painted: another begins anew, with ``mask``. picture, under: that the viewer has sent.
        mask: (rows, columns) bool; None for nothing. words: what it is, for those who can't see it.
        look: of what is painted: "mark", yellow, or "cover", where ``under`` lies over the picture.
        on_painted: called before the next run with the mask, None for nothing, and whether the stroke has
            ended. live: also while it goes on, the newest as soon as the last is answered.
        locked: nothing can be painted.
    """
    state = st.session_state

    def changed() -> None:
        said = getattr(state.get(key), "painted", None)
        if not isinstance(said, dict) or said.get("of") != of or type(said.get("turn")) is not int or locked:
            return
        state[f"{key}_heard"] = of, said["turn"]
        on_painted(decode(said.get("mask"), grid), bool(said.get("lifted")))

    about, turn = state.get(f"{key}_heard", ("", 0))
    room(f".st-key-{key}", picture.size, lines=4)
    data = {"of": of, "picture": picture.id, "under": under and under.id, "size": picture.size, "grid": grid}
    data |= {"edges": (0, 0, 1, 1), "words": words}
    data |= {"turn": turn if about == of else 0, "mask": "" if mask is None else encode(mask)}
    _BRUSH(key=key, data=data | {"look": look, "live": live, "locked": locked}, on_painted_change=changed)


@st.cache_data(show_spinner=False, max_entries=16)
def _picture(of: str, _image: Image.Image) -> str:
    small = _image.copy()
    small.thumbnail((SHOWN, SHOWN))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
