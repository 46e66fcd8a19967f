"""What stands beside the maps of the Grad-CAM page: both on one picture, other classes, other methods."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from .. import answers, figures, saving
from ..classes import class_names
from ..mapped import Mapped
from .cams import draw


def _tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values.copy())


def together(mapped: list[Mapped], look: dict) -> None:
    """Both maps on one picture, or their difference, and how far they agree."""
    from vizcore import truth

    maps = [render.normalise(one.framed(), 0, max(one.ends[1], 1e-12)) * one.seen() for one in mapped]
    picture, both = mapped[0].picture, mapped[0].seen() & mapped[-1].seen()
    if look["over"] == "difference" and len(mapped) == 2:
        change = (maps[0] - maps[1]) * both
        sign = 1 if figures.colour_name(mapped[0].colour) == "Orange" else -1
        shown = render.tint(picture.array, [])
        shown = render.blend(shown, render.diverging(sign * change), np.abs(change) * look["opacity"])
    else:
        laid = [(heat, one.colour, look["opacity"]) for heat, one in zip(maps, mapped, strict=True)]
        shown = render.tint(picture.array, laid)
    mask = look["masks"].get(mapped[0].name) if look["region"] else None
    shown = shown if mask is None else render.contour(shown, mask)
    figures.picture(shown, f"both maps over {picture.title}")
    words = [f"{figures.colour_name(one.colour)}: {one.model.title} for “{one.name}”" for one in mapped]
    words = "; ".join(words) + (". Each map from 0 to its own maximum." if len(words) > 1 else ".")
    st.caption(words)
    if len(mapped) == 2:
        saving.keep_both(look["over"], words, picture, shown)
    if len(mapped) == 2:
        a, b = (_tensor(heat[both]) for heat in maps)
        rank, shared = truth.rank_correlation(a, b), truth.overlap(a[None], b[None])
        flat = not _varies(mapped[0]), not _varies(mapped[1])
        alike = mapped[0].name.casefold() == mapped[1].name.casefold()
        st.markdown(judgements.agreement(rank, shared, flat, alike))
        st.caption("Agreement can't show that either is right, nor disagreement that one is wrong.")


def _varies(one: Mapped) -> bool:
    low, high = one.ends
    return high > low


def likeliest(one: Mapped, look: dict) -> None:
    """The five likeliest classes, one small map each, from one forward pass."""
    from vizcore.methods.cam import CAMS, default_layer
    from vizcore.truth import rank_correlation

    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    many = one.method in CAMS  # several classes from one pass
    method, layer = (
        (one.method, one.layer or default_layer(one.model))
        if many
        else ("Grad-CAM", default_layer(one.model))
    )
    classes = (one.index, *(index for index, _ in top if index != one.index))
    maps = answers.class_cams(
        one.choice, one.picture.key, method, layer, classes, one.model, one.picture.image
    )
    figures.heading(one.model, one.colour)
    names = class_names(one.model)
    for column, (index, probability) in zip(st.columns(5), top, strict=False):
        heat = maps[classes.index(index)]
        alike = rank_correlation(_tensor(heat), _tensor(maps[0]))
        known = "no correlation, one map is flat" if np.isnan(alike) else f"correlation {alike:.2f}"
        same = "the class asked for" if index == one.index else known
        same = "no positive evidence" if not heat.any() else same
        framed = one._replace(map=_tensor(heat)).framed()
        shown = render.lay(one.picture.array, framed, one.seen(), look["opacity"])
        with column:
            figures.picture(
                shown, f"{method} for {names[index]}", f"{names[index]} {probability:.0%}; {same}"
            )
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
        found = answers.heatmap(
            one.choice, one.picture.key, method, layer, one.index, one.model, one.picture.image
        )
        with column:
            st.markdown(f"**{method[0].upper()}{method[1:]}**")
            draw(one._replace(method=method, layer=layer, map=_tensor(found)), look)
