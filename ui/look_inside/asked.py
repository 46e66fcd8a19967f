"""What is asked of one network on this page, and the answers that are kept."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore import judgements

from ..classes import class_names, several


class Room(NamedTuple):
    """The places of a view on the page."""

    controls: Any  # in a row: what is asked
    above: Any  # below that row, above the maps
    columns: Any  # for each network's map
    maps: Any  # below both maps
    beside: Any  # what the maps come to


class Asked(NamedTuple):
    """One network, the picture, and a class of its own."""

    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]
    index: int  # of the class
    name: str
    note: str  # that it isn't the class asked for, in a sentence; "" where it is


def asked_of(side, picture, index: int | None, name: str) -> Asked:
    """The class that is asked for, or the network's own first where it has no such one."""
    own = side.top[0][0] if index is None else index
    title, called = side.model.title, class_names(side.model)[own]
    note = judgements.instead(title, name, called, several(side.model, name)) if index is None else ""
    return Asked(side.choice, side.model, picture, side.colour, own, called, note)


@st.cache_data(show_spinner=False)
def chain_of(choice, _model):
    """Which of its blocks can be read or replaced, as ``vizcore.inside.chain`` has it."""
    from vizcore.inside.chain import chain

    return chain(_model)


class Found(NamedTuple):
    """What the places of one network say, by block."""

    layers: tuple[str, ...]
    chance: np.ndarray  # (blocks, h, w): of the class asked for
    likeliest: np.ndarray  # (blocks, h, w): the index of a class
    surest: np.ndarray  # (blocks, h, w): its probability
    first: list[
        list[tuple[int, float]]
    ]  # by block, what each token that is no patch says first, and how surely
    stopped: list[tuple[int, float]]  # by block, the answer if the blocks behind were left out
    answer: int  # the final one

    def shares(self) -> list[float]:
        """Of the places, how many say the final answer, by block; nan where no class is likelier."""
        return [
            float((own == self.answer).mean()) if sure.max() > 0 else float("nan")
            for own, sure in zip(self.likeliest, self.surest, strict=True)
        ]


@st.cache_data(show_spinner=False)
def what_places_say(choice, picture_key: str, index: int, _model, _image, _chain) -> Found:
    """The lens on one picture, for a class by its index."""
    return _read(_model, _model.preprocess(_image), index, _chain)


@st.cache_data(show_spinner=False)
def what_random_places_say(choice, picture_key: str, index: int, _model, _image, _chain) -> Found:
    """The same with all weights drawn anew."""
    from vizcore.truth.randomised import randomised

    *_, (_, anew) = randomised(_model)
    return _read(anew, _model.preprocess(_image), index, _chain)


def _read(model, images, index: int, chain) -> Found:
    from vizcore.inside.lens import chances, lens
    from vizcore.scores import probabilities

    layers, chance, likeliest, surest, first, stopped = [], [], [], [], [], []
    for said in lens(model, images, chain):
        own = chances(model, said)  # (K, h, w)
        best = said.places.argmax(0)
        flat = said.places.amax(0) == said.places.amin(0) if len(own) > 1 else said.places.isnan().all(0)
        layers.append(said.layer)
        chance.append(own[index].cpu().numpy())
        likeliest.append(best.cpu().numpy())
        surest.append(own.gather(0, best[None])[0].masked_fill(flat, 0).cpu().numpy())
        rows = probabilities(model.net, said.first)
        first.append([(int(row.argmax()), float(row.max())) for row in rows])
        whole = probabilities(model.net, said.stopped)
        stopped.append((int(whole.argmax()), float(whole.max())))
    chances_of, names, sure = np.stack(chance), np.stack(likeliest), np.stack(surest)
    return Found(tuple(layers), chances_of, names.astype(np.int32), sure, first, stopped, stopped[-1][0])
