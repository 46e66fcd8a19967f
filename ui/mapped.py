"""The noun of three pages: one network's map, by one method, of what it is asked about a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.pictures import textures
from vizcore.pictures.visible import visible

from . import answers
from .classes import class_names
from .first_answers import kept
from .held_passes import inputs
from .jobs import forget_job, job

BY_ITSELF = 512  # passes up to which a method begins without a press


class Mapped(NamedTuple):
    """One network's map for one class; without a ``map``, what is asked for it."""

    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]
    index: int  # of the class
    name: str  # the class's
    method: str  # of ``vizcore.methods.table.METHODS``
    layer: str | None = None  # where the method is told one
    map: Any = None  # (h, w) tensor over what the model sees; an array where it is only shown
    other: int | None = None  # the class that it is asked against
    settings: tuple[tuple[str, Any], ...] = ()  # of the method
    like: tuple[int, int] | None = (
        None  # the place (row, column) that it is asked for, where there is no class
    )

    @property
    def question(self) -> tuple:
        what = self.index, self.other, self.like
        return self.choice, self.picture.key, self.method, self.layer, *what, self.settings

    @property
    def how(self):
        """The method itself."""
        from vizcore.methods.table import METHODS

        return METHODS[self.method]

    @property
    def told(self) -> dict[str, Any]:
        """What the method is told, by name."""
        return dict(self.settings) | ({"layer": self.layer} if self.layer else {})

    def target(self, model):
        """What a network is asked: the class, or the class and not the other; or what is like a place."""
        from vizcore.objectives import like_place, logit

        if self.like is not None:
            return like_place(model, self.model.preprocess(self.picture.image), self.like)
        asked = logit(model, self.index)
        return asked if self.other is None else asked - logit(model, self.other)

    def steps(self) -> Iterator:
        """The method's steps."""
        images = inputs(self.choice, self.picture.key, self.model, self.picture.image)
        return self.how.steps(self.model, images, self.target(self.model), **self.told)

    def make(self, model, images):
        """The same method on other weights or another picture."""
        return self.how.make(model, images, self.target(model), **self.told).cpu()

    def framed(self):
        """(H, W), in the picture's pixels."""
        from vizcore.methods.table import in_frame

        return in_frame(self.model, self.picture.image, self.map)

    def seen(self) -> np.ndarray:
        from vizcore.pictures.frame import seen

        return seen(self.model.preprocess.box(self.picture.size), self.picture.size).numpy()

    @property
    def ends(self) -> tuple[float, float]:
        """The lowest and the highest value of the map."""
        return float(self.map.min()), float(self.map.max())


def found(asked: Mapped, key: str, draw: Callable[[Any], None], words: str, passes: int) -> Any:
    """What a method says: at once, or step by step where it takes many passes; None where it hasn't yet.

    A run begins by itself, waits for its turn among those of others, and can be stopped; what one visitor's
    has come to is there for all.

    Args:
        key: of the job that a long method is. draw: shows one of its steps. words: of the button that starts
            it, where it was stopped before it had anything, or has more passes than ``BY_ITSELF``.
        passes: how many it takes here.

    Raises:
        ValueError: the method can't be asked this.
    """
    question = asked.question
    known = answers.finished(question) if asked.how.slow else answers.last_step(question, asked)
    if known is not None:
        forget_job(key)
        draw(known)
        return known
    steps = job(
        key,
        question,
        lambda: answers.to_the_end(question, asked.steps()),
        lambda steps: draw(steps[-1]),
        words,
        keep_all=False,
        start=passes <= BY_ITSELF,
    )
    return steps[-1] if steps else None


def judged(one: Mapped, mask: np.ndarray) -> tuple[bool, str]:
    """Whether the map points to where the class is known to be, (H, W) bool; and in a sentence."""
    return told_of(one.picture, one.model, one.map, one.name, mask)


def share_seen(picture, model, mask: np.ndarray) -> float:
    """The share of what a network sees of a picture that lies in a region, (H, W) bool; 0 to 1."""
    return float(mask[visible(model.preprocess.box(picture.size), picture.size)].mean())


def told_of(picture, model, heatmap, name: str, mask: np.ndarray) -> tuple[bool, str]:
    """The same of any map (h, w) of a network over what it sees of a picture.

    On a picture that was put together it also says what lies on another thing: the sharper question.
    """
    heatmap, box = np.asarray(heatmap), model.preprocess.box(picture.size)
    parts = [
        heatmap,
        mask,
        *picture.masks.values(),
    ]  # masks may change under the same picture, with its names
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(one).tobytes() for one in parts)).hexdigest()
    question = picture.key, box, name, heatmap.shape, tuple(picture.masks), digest
    return _told(question, picture, model, heatmap, name, mask)


@st.cache_data(show_spinner=False, max_entries=512)
@kept
def _told(
    question: tuple, _picture, _model, _heatmap: np.ndarray, _name: str, _mask: np.ndarray
) -> tuple[bool, str]:
    import torch

    from vizcore import truth
    from vizcore.methods.table import in_frame

    heatmap, masks = torch.as_tensor(_heatmap), _picture.masks
    framed = in_frame(_model, _picture.image, heatmap)
    share, hit = truth.energy(framed, _mask), truth.pointing(framed, _mask)
    ends, thing = (float(heatmap.min()), float(heatmap.max())), textures.NOUNS.get(_name.casefold(), _name)
    of_seen = share_seen(_picture, _model, _mask)
    words = [judgements.pointing(*ends, hit, share, float(_mask.mean()), thing, of_seen)]
    if not _picture.drawn and not judgements.empty(*ends) and 0 < of_seen < 1:
        others = {name: other for name, other in masks.items() if not (other & _mask).any()}
        spelt = {name.casefold(): name for name in class_names(_model)}
        shares = {str(spelt.get(name, name)): truth.energy(framed, one) for name, one in others.items()}
        words.append(judgements.elsewhere(shares))
    return bool(hit), " ".join(filter(None, words))
