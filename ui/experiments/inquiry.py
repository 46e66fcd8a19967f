"""What the experiments ask the networks: answers to a changed picture, and which cells a map ranks first."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import streamlit as st

from vizcore.experiments import verdicts

from .. import over_picture
from ..answers import Side
from ..classes import class_names
from ..mapped import Mapped
from ..marks import grid_of


@st.cache_data(show_spinner=False)
def answers(choice, question: tuple, _model, _made: Callable[[], np.ndarray]) -> np.ndarray:
    """A network's probabilities (K,) for a picture, which ``question`` is a name of and ``_made`` makes."""
    return answers_once(_model, _made())


def answers_once(model, picture: np.ndarray) -> np.ndarray:
    """The same, of a picture that nobody asks for twice."""
    from vizcore.experiments.cover_up import answers

    return answers(model, picture).numpy()


def said(model, chances: np.ndarray) -> verdicts.Said:
    """A network's first answer."""
    index = int(chances.argmax())
    return verdicts.Said(class_names(model)[index], float(chances[index]))


def why_not(model) -> str:
    """Why a network has no answer that could change; "" where it has one."""
    from vizcore.scores import kind_of

    classes = model.num_classes
    values = bool(classes) and kind_of(model.net, classes) == "values"
    return verdicts.no_answer(model.title, classes, values)


class Ranked(NamedTuple):
    """A network's map on the cells of a picture."""

    one: Mapped
    values: np.ndarray  # (rows, columns)
    where: np.ndarray  # (rows, columns) bool: the cells that it sees
    random: np.ndarray  # (rows, columns): a random map as coarse


def ranked(side: Side, picture, name: str) -> Ranked:
    """A network's Grad-CAM for a class, or for its own first where it has no such one, on the cells.

    Raises:
        ValueError: no gradient reaches the layer's places.
    """
    from vizcore import truth
    from vizcore.experiments import cells

    one, grid = over_picture.cams(side, picture, [name])[name], grid_of(picture)
    box = one.model.preprocess.box(picture.size)
    values, random = (
        cells.on_cells(each, box, picture.size, grid).numpy()
        for each in (one.map, truth.random_map(*one.map.shape))
    )
    return Ranked(one, values, cells.seen_cells(box, picture.size, grid).numpy(), random)


def first(values: np.ndarray, where: np.ndarray, count: int) -> np.ndarray:
    """The cells that come first, (rows, columns) bool."""
    import torch

    from vizcore.experiments import cells

    return cells.first(torch.from_numpy(values.copy()), torch.from_numpy(where), count).numpy()
