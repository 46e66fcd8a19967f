"""What the networks themselves call each part of a picture that was put together: what they are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.pictures.textures import LABELS as TEXTURES

from . import answers
from .classes import class_names
from .made_pictures import Thing
from .network_picker import Choice, uploads
from .picture_picker import Picture
from .plain import plain
from .shared_networks import network
from .warmup import warm

LEAST = 0.2  # the probability from which on a network's first answer is taken for a name


def with_names(picture: Picture, choices: Sequence[Choice]) -> Picture:
    """A picture with a mask for each class that a network, or the visitor, has for one of its things."""
    if not picture.things:
        return picture
    typed = st.text_input(
        "Names, if you know better",
        key="p_names",
        help="A class for each part, with commas between them, in their order above; nothing between two "
        "commas leaves a part to the networks.",
    )
    own = [name.strip() for name in (typed or "").split(",")]
    own += [""] * len(picture.things)
    models = [model for choice in choices if (model := _known(choice)) is not None]
    masks: dict[str, np.ndarray] = {}
    regions: dict[str, str] = {}
    for thing, name in zip(picture.things, own, strict=False):
        said = {name: []} if name else _called(thing, models, masks)
        st.caption(judgements.named(plain(thing.title), said))
        for one in said:
            folded = one.casefold()
            regions[folded] = (
                " | ".join(filter(None, [regions.get(folded), thing.code])) if thing.code else ""
            )
            masks[folded] = masks[folded] | thing.mask if folded in masks else thing.mask
    return picture._replace(masks=masks, regions=regions)


def _known(choice: Choice):
    """A chosen network, if it can be had and learnt photographs' names; pages say why it can't."""
    warm()
    from vizcore.networks.load import ModelError

    if choice in st.session_state.get("failures", {}) or choice.weights == "random":
        return None
    try:
        with st.spinner("Asking the networks what each part is …"):
            model = network(choice._replace(slot=""), uploads(choice))
    except ModelError:
        return None
    knows = model.num_classes and not (model.labels and set(model.labels) <= set(TEXTURES))
    return (choice, model) if knows else None


def _called(thing: Thing, models: list, masks: dict) -> dict[str, list[tuple[str, float]]]:
    """A thing's names, and who calls it so and how surely; a name that another thing has already is none."""
    said: dict[str, list[tuple[str, float]]] = {}
    for choice, model in models:
        index, probability = answers.top_classes(choice._replace(slot=""), thing.key, model, thing.alone)[0]
        name = class_names(model)[index]
        if probability >= LEAST and name.casefold() not in masks:
            said.setdefault(name, []).append((model.title, probability))
    return said
