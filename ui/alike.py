"""Networks without classes: evidence for what is like a place of the picture, in place of a class."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from . import as_seen, cant_show, figures, over_picture
from .answers import Side, last_step
from .mapped import Mapped

state = st.session_state
LIMITS = (
    "Evidence for “like this place” says what makes the picture as a whole, to this network, like the place "
    "that is marked. It is of no class, and what is most like the place may be the background around it."
)


def pick(sides: Sequence[Side]) -> None:
    """The place, by its distance from the left and from the top; only where a network has no classes."""
    if all(side.model.num_classes for side in sides if side.model):
        return
    with st.container(horizontal=True):
        st.number_input("Like the place, % from the left", 0, 100, 50, key="x", width=200)
        st.number_input("and % from the top", 0, 100, 50, key="y", width=160)


def show(side: Side, picture, key: str, method: str) -> None:
    """A map of what is like the place, by a method that takes any objective.

    Args:
        key: of the viewer.
    """
    from vizcore.methods.table import METHODS
    from vizcore.pictures.frame import cell_at

    model, layer = side.model, (side.model.blocks or side.model.layers)[-1]
    box, grid = model.preprocess.box(picture.size), model.layouts[layer].grid
    left, top = state.get("x", 50), state.get("y", 50)
    place = cell_at((left / 100, top / 100), box, picture.size, grid)
    asked = Mapped(
        side.choice, model, picture, side.colour, -1, "what is like the place", method,
        model.cam_layer if METHODS[method].layer else None, like=place,
    )  # fmt: skip
    st.info(
        f"{model.title} has no classes: this is evidence for what is like the place at {left} %, {top} %."
    )
    try:
        step = last_step(asked.question, asked)
    except ValueError as error:
        st.warning(str(error))
        return
    one = asked._replace(map=step.maps[0].cpu())
    words = f"{method} of {model.title} for “like the place at {left} %, {top} %”"
    as_seen.show(key, over_picture.picture(picture), [over_picture.over(one, {}, words)], lines=2)
    figures.origin(model)
    cant_show.say(model.title, LIMITS)
