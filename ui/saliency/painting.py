"""A method's pixels as a picture: in colours, in grey, or over the picture."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizcore.drawing import render

from .. import figures
from ..mapped import Mapped


@st.cache_data(show_spinner=False)
def painted(
    question: tuple, done: int, view: str, opacity: float, _one: Mapped, _pixels
) -> tuple[bytes, float]:
    """A view of a method's pixels in the frame, as a JPEG, and the value at the end of its scale."""
    array, end = paint(_one, _pixels, view, opacity)
    return figures.jpeg(array), end


def paint(one: Mapped, values: np.ndarray, view: str, opacity: float) -> tuple[np.ndarray, float]:
    from vizcore.methods.method import strongest
    from vizcore.methods.table import in_frame

    whole = tensor(values)
    if view == "over the picture":
        end = render.end_of_scale(one.map.numpy())
        heat = (render.to_array(one.framed()) / (end or 1)).clip(-1, 1)
        alpha = opacity * one.seen()
        if signed(one):  # on grey, and by the root, for single pixels are small
            shown = render.blend(
                render.tint(one.picture.array, []), render.diverging(heat), alpha * np.sqrt(np.abs(heat))
            )
        else:
            shown = render.blend(one.picture.array, render.colourise(heat), alpha)
    else:
        if view == "greyscale":
            whole = strongest(whole)[None]
        elif view == "negative":
            whole = -whole
        end = render.end_of_scale(whole.numpy())
        framed = render.to_array(in_frame(one.model, one.picture.image, whole))
        shown = (render.centred if view == "colours" else render.from_black)(framed, end)
    return render.outline(shown, one.seen()), end


def signed(one: Mapped) -> bool:
    return float(one.map.min()) < 0


def tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values.copy())
