"""A method's pixels as a picture of their own, in colours or in grey, and as a map over the picture."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizcore.drawing import render

from .. import figures
from ..mapped import Mapped

OVER = "over the picture"


@st.cache_data(show_spinner=False)
def painted(question: tuple, done: int, view: str, _one: Mapped, _pixels) -> tuple[bytes, float]:
    """A view of a method's pixels in the frame, as a JPEG, and the value at the end of its scale."""
    array, end = paint(_one, _pixels, view)
    return figures.jpeg(array), end


def paint(one: Mapped, values: np.ndarray, view: str) -> tuple[np.ndarray, float]:
    from vizcore.methods.method import strongest
    from vizcore.methods.table import in_frame

    whole = tensor(values)
    if view == "greyscale":
        whole = strongest(whole)[None]
    elif view == "negative":
        whole = -whole
    end = render.end_of_scale(whole.numpy())
    framed = render.to_array(in_frame(one.model, one.picture.image, whole))
    shown = (render.centred if view == "colours" else render.from_black)(framed, end)
    return render.outline(shown, one.seen()), end


def over(one: Mapped) -> tuple[np.ndarray, str, tuple[float, float], float]:
    """A method's map for the viewer: values, kind, the ends of its colours, and of its own scale.

    Where it speaks for and against, by the root of its shares of that scale, for single pixels are small.
    """
    values = one.map.numpy()
    end = render.end_of_scale(values)
    if signed(one):
        shares = (values / (end or 1)).clip(-1, 1)
        return np.sign(shares) * np.sqrt(np.abs(shares)), "signed", (-1.0, 1.0), end
    return values.clip(0, end or None), "heat", (0.0, end or 1.0), end


def signed(one: Mapped) -> bool:
    return float(one.map.min()) < 0


def tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values.copy())
