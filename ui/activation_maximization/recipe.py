"""How the pictures are made: a recipe of the table, and what was changed of it."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from ..address import drop, offer
from ..address.keys import PARTS

OPTIONS = ("paint", "objective", "steps", "views", "l2", "tv", "parts", "stop", "seed")


def pick_recipe():
    """A recipe of the table, and what was changed of it: (its name, recipe, seed)."""
    from vizcore.imagine.maximise import RECIPES

    name = st.segmented_control(
        "Recipe", list(RECIPES), default="clean", required=True, key="m_recipe",
        on_change=_reset,
        help="clean: Fourier with decorrelated colours, random views. vivid: the colours and "
        "frequencies of photographs, and larger steps. fast: fewer steps. classic: pixels "
        "through a sigmoid, every kind of view, L2, early stopping.",
    )  # fmt: skip
    with st.expander("Options of the recipe", icon=":material/tune:", key="m_options"):
        recipe, seed = _options(RECIPES[name])
    return name, recipe, seed


def _reset() -> None:
    """The recipe's own options return."""
    for option in OPTIONS:
        drop(f"m_{option}")


def _options(base):
    """A recipe as it was changed, and the seed."""
    from vizcore.imagine.parameterise import PARAMETERISATIONS
    from vizcore.objectives import CLASS_OBJECTIVES

    on = [part for part in PARTS if getattr(base.augment, part)]
    own = {"paint": base.parameterisation, "parts": on, "steps": base.steps, "views": base.views}
    own |= {"l2": base.l2, "tv": base.tv, "stop": bool(base.patience)}
    for option, value in own.items():
        offer(f"m_{option}", value)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        paint = st.segmented_control(
            "Made of", list(PARAMETERISATIONS), default=base.parameterisation, key="m_paint", required=True
        )
        st.segmented_control(
            "Objective, of classes", list(CLASS_OBJECTIVES), default="logit", key="m_objective", required=True
        )
        seed = st.number_input("Seed", 0, 9999, 0, key="m_seed", width=120)
    parts = st.pills(
        "Random views: parts that are on", PARTS, selection_mode="multi", wrap=True, key="m_parts",
        default=on,
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        steps = st.select_slider(
            "Steps", [16, 32, 48, 64, 128, 256, 512], base.steps, key="m_steps", width=200
        )
        views = st.select_slider("Views a step", [1, 2, 4, 8], base.views, key="m_views", width=200)
        weights = [0.0, 0.3, 1.0, 3.0, 10.0]
        l2 = st.select_slider("L2", weights, base.l2, key="m_l2", width=200)
        tv = st.select_slider("Total variation", weights, base.tv, key="m_tv", width=200)
        stop = st.toggle("Stop a picture early", bool(base.patience), key="m_stop")
    recipe = replace(
        base, parameterisation=paint, steps=steps, views=views, l2=l2, tv=tv,
        patience=(base.patience or 40) if stop else 0, augment=_augment(base.augment, parts),
    )  # fmt: skip
    return recipe, int(seed)


def _augment(base, parts: list[str]):
    """Random views of these parts, as strong as a recipe has them, or else as one that has them all."""
    from vizcore.imagine.augment import Augment
    from vizcore.imagine.maximise import ALL_VIEWS

    amounts = {part: getattr(base, part) or getattr(ALL_VIEWS, part) for part in parts}
    hue = {"hue": base.hue or ALL_VIEWS.hue} if "colour" in parts else {}
    return Augment(**amounts, **hue)
