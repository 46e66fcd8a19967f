"""What a network answers without some of its parts: computed once for the same question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore.pictures import sets

from ..insides import OF_EACH, SAMPLE_CODE, heads_of, sample_set
from ..picture_picker import SAMPLES

ZERO, MEAN = "zero", "mean"
DRAWN = 20  # textures, one of each, over which a mean is taken


class Pictures(NamedTuple):
    """Other pictures of the kind that is looked at."""

    key: str
    words: str
    code: str

    def images(self) -> Sequence:
        return _images(self.key)


@st.cache_resource(show_spinner=False, max_entries=2)
def _images(key: str) -> list:
    if key == "drawn":
        return list(sets.drawn(DRAWN))
    return sample_set()


def others_of(picture) -> Pictures:
    """Over which pictures a mean is taken beside a picture of its kind."""
    if picture.drawn:
        return Pictures("drawn", f"{DRAWN} drawn textures", f"sets.drawn({DRAWN})")
    count = OF_EACH * len(SAMPLES)
    return Pictures("samples", f"{count} photographs: the samples, whole and in quarters", SAMPLE_CODE)


class Change(NamedTuple):
    """What is done to a network: parts that are off, or places that come from another picture."""

    off: tuple[Any, ...] = ()  # of ``switched_off.Off``
    by: str = ZERO  # what becomes of them
    others: Pictures | None = None  # over which the mean is taken
    layer: str = ""  # where places come from another picture
    source: Any = None  # that picture
    places: tuple[tuple[int, int], ...] = ()
    first: bool = False  # the tokens that are no patch come from it too

    @property
    def key(self) -> tuple:
        others, source = self.others and self.others.key, self.source and self.source.key
        return self.off, self.by, others, self.layer, source, self.places, self.first

    @property
    def nothing(self) -> bool:
        return not self.off and not (self.source and (self.places or self.first))


def made(asked, change: Change):
    """The network as it is changed."""
    from vizcore.inside.patching import patched
    from vizcore.inside.switched_off import switched_off

    model = asked.model
    if change.nothing:
        return model
    if change.source is not None:
        other = model.preprocess(change.source.image)
        return patched(model, other, change.layer, list(change.places), change.first)
    own = heads_of(asked.choice, model)
    means = _means_of(asked, change.off, change.others, own) if change.by == MEAN and change.others else None
    return switched_off(model, change.off, own, means)


def _means_of(asked, off: tuple, others: Pictures, own: dict) -> dict:
    """The means of what is off: of heads for all modules at once, so that the next head needs no pass."""
    from vizcore.inside.switched_off import Off

    found = {}
    for one in off:
        group = (one._replace(which=()),)
        if one.kind == "heads" and own[one.layer].way == "projection":
            group = tuple(Off("heads", name) for name, head in own.items() if head.way == "projection")
        found |= _means(asked.choice, others.key, group, asked.model, others, own)
    return found


@st.cache_data(show_spinner="Taking the mean over other pictures …")
def _means(choice, others_key: str, off: tuple, _model, _others: Pictures, _heads: dict) -> dict:
    from vizcore.inside.switched_off import means_over

    pictures = (_model.preprocess(image) for image in _others.images())
    return {key: values.cpu() for key, values in means_over(_model, pictures, off, _heads).items()}


class Answer(NamedTuple):
    """What a network says, and where it finds a class."""

    chances: np.ndarray  # (K,)
    cam: np.ndarray | None  # (h, w), Grad-CAM of the class that is asked for; None where there is none
    why_not: str  # why, in a sentence


@st.cache_data(show_spinner=False)
def answer(choice, picture_key: str, index: int, key: tuple, _asked, _change: Change) -> Answer:
    """The answer of a network as ``_change`` makes it.

    Raises:
        ValueError: what is to be off can't be.
    """
    import torch

    from vizcore.methods.cam import default_layer
    from vizcore.methods.table import METHODS
    from vizcore.scores import probabilities

    changed = made(_asked, _change)
    images = _asked.model.preprocess(_asked.picture.image)
    with torch.no_grad():
        chances = probabilities(changed.net, changed.net(images))[0].cpu().numpy()
    try:
        cam = METHODS["Grad-CAM"].make(changed, images, index, layer=default_layer(_asked.model))
        return Answer(chances, cam.cpu().numpy(), "")
    except ValueError as error:
        return Answer(chances, None, str(error))


def asked_for(asked, change: Change) -> Answer:
    """``answer`` of what is asked."""
    return answer(asked.choice, asked.picture.key, asked.index, change.key, asked, change)


def means_of_heads(asked, own: dict) -> dict:
    """What all heads are in the mean over other pictures, by ``vizcore.inside.switched_off.means_over``.

    Raises:
        ValueError: what a network's heads put out can't be seen.
    """
    from vizcore.inside.switched_off import Off

    others, every = others_of(asked.picture), tuple(Off("heads", name) for name in own)
    return _means(asked.choice, others.key, every, asked.model, others, own)
