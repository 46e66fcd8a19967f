"""What stands beside the maps of the Grad-CAM page: both on one picture, other classes, other methods."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from .. import answers, as_seen, cant_show, figures, over_picture, saving, viewer
from ..classes import class_names
from ..mapped import Mapped
from .cams import flips, show

COARSE = 96  # places across a picture, at least, at which two maps are compared


def _tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values.copy())


def together(found: list[dict[str, Mapped]], look: dict) -> None:
    """Both maps on one picture, and how far they agree, for each class that both have a map of."""
    mapped = [own[look["asked"]] for own in found]
    one = mapped[0]
    keys = [f"g_{own.choice.slot}" for own in mapped]
    if len(mapped) < 2:
        st.caption("With a second map, both could be laid on one picture.")
        return
    orange, blue = keys if figures.colour_name(one.colour) == "Orange" else keys[::-1]
    facts = {name: _agreement(found[0][name], found[1][name]) for name in found[0] if name in found[1]}
    each = "Each map from 0 to its own maximum."
    shown = over_picture.picture(one.picture)
    viewer.together("g_ab", shown, orange, blue, each, facts, look["over"], lines=7, on_mode=_over)
    cant_show.say("Agreement", "can't show that either is right, nor disagreement that one is wrong.")
    words = [f"{figures.colour_name(own.colour)}: {own.model.title} for “{own.name}”" for own in mapped]
    saving.keep_both(look["over"], f"{'; '.join(words)}. {each}", one.picture, partial(both, mapped, look))


def _over(mode: str) -> None:
    st.session_state["g_over"] = mode


def _agreement(a: Mapped, b: Mapped) -> str:
    """How far two maps agree, in a sentence."""
    rank, shared = _likeness(a.question, b.question, (a, b))
    alike = a.name.casefold() == b.name.casefold()
    return judgements.agreement(rank, shared, (not _varies(a), not _varies(b)), alike)


@st.cache_data(show_spinner=False)
def _likeness(a: tuple, b: tuple, _mapped: tuple[Mapped, Mapped]) -> tuple[float, float]:
    """The rank correlation of two maps where both networks saw, and what their top fifths share.

    On a frame as coarse as is enough for both: ten pairs of maps come with one answer.
    """
    from vizcore import truth
    from vizcore.pictures.frame import seen, to_frame

    size = _mapped[0].picture.size
    every = max(1, min(size) // COARSE)
    coarse = size[0] // every, size[1] // every
    boxes = [
        tuple(side * coarse[k % 2] / size[k % 2] for k, side in enumerate(one.model.preprocess.box(size)))
        for one in _mapped
    ]
    both = seen(boxes[0], coarse) & seen(boxes[1], coarse)
    first, second = (
        to_frame(one.map.float(), box, coarse)[both] for one, box in zip(_mapped, boxes, strict=True)
    )
    return truth.rank_correlation(first, second), truth.overlap(first[None], second[None])


def both(mapped: list[Mapped], look: dict) -> np.ndarray:
    """Both maps on one picture, or their difference, to be saved."""
    maps = [render.normalise(one.framed(), 0, max(one.ends[1], 1e-12)) * one.seen() for one in mapped]
    picture, seen = mapped[0].picture, mapped[0].seen() & mapped[-1].seen()
    if look["over"] == "difference":
        change = (maps[0] - maps[1]) * seen
        sign = 1 if figures.colour_name(mapped[0].colour) == "Orange" else -1
        shown = render.tint(picture.array, [])
        shown = render.blend(shown, render.diverging(sign * change), np.abs(change) * look["opacity"] / 100)
    else:
        laid = [(heat, one.colour, look["opacity"] / 100) for heat, one in zip(maps, mapped, strict=True)]
        shown = render.tint(picture.array, laid)
    mask = look["masks"].get(mapped[0].name.casefold()) if look["region"] else None
    return shown if mask is None else render.contour(shown, mask)


def _varies(one: Mapped) -> bool:
    low, high = one.ends
    return high > low


def likeliest(one: Mapped, look: dict) -> None:
    """The five likeliest classes, one small map each, from one forward pass."""
    from vizcore.methods.cam import default_layer
    from vizcore.truth import rank_correlation

    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    method, layer = (
        (one.method, one.layer or one.model.cam_layer)
        if flips(one)
        else ("Grad-CAM", default_layer(one.model))
    )
    classes = (one.index, *(index for index, _ in top if index != one.index))
    maps = answers.class_cams(
        one.choice, one.picture.key, method, layer, classes, one.model, one.picture.image
    )
    figures.heading(one.model, one.colour)
    names, shown = class_names(one.model), over_picture.picture(one.picture)
    for k, (column, (index, probability)) in enumerate(zip(st.columns(5), top, strict=False)):
        heat = maps[classes.index(index)]
        alike = rank_correlation(_tensor(heat), _tensor(maps[0]))
        known = "no correlation, one map is flat" if np.isnan(alike) else f"correlation {alike:.2f}"
        same = "the class asked for" if index == one.index else known
        same = "no positive evidence" if not heat.any() else same
        each = one._replace(map=_tensor(heat), index=index, name=names[index], method=method, layer=layer)
        with column:
            small = over_picture.over(each, look["masks"], f"{names[index]} {probability:.0%}", same)
            as_seen.show(f"g_five_{one.choice.slot}-{k}", shown, [small])
    st.caption(
        f"{method} at `{layer}`, each on its own scale. Correlation is that of its ranks with the map of the "
        f"class asked for (“{one.name}”): near 1, the map says little about this class in particular."
    )


def others(one: Mapped, look: dict) -> None:
    """What else a network with attention has to say about the same picture and class."""
    from vizcore.methods.cam import default_layer

    shown = {"Grad-CAM": default_layer(one.model), "relevance": None, "rollout": None, "attention": None}
    figures.heading(one.model, one.colour)
    for (method, layer), column in zip(shown.items(), st.columns(4), strict=True):
        own = one._replace(method=method, layer=layer, settings=())
        own = own._replace(map=answers.last_step(own.question, own).maps[0])
        with column:
            st.markdown(f"**{method[0].upper()}{method[1:]}**")
            show(f"g_other_{one.choice.slot}-{method}", {"": own}, "", look)
