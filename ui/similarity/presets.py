"""Comparisons at one click: they choose the networks in the sidebar and start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ..answers import Side
from ..network_picker import Choice
from ..plain import plain

state = st.session_state
START = "k_go"  # that a comparison is to begin, in the session
STUDY = {  # each is compared, trained, with its own random weights
    "ResNet-18": "resnet18",
    "ResNet-34": "resnet34",
    "ResNet-50": "resnet50",
    "Lambda ResNet-26": "lambda_resnet26t",
    "Lambda ResNet-38": "lambda_resnet38t",
    "Lambda ResNet-50": "lambda_resnet50ts",
    "ViT-L/32": "vit_large_patch32_224",
}
UNTRAINED = ("lambda_resnet38t",)  # nobody has published weights


def _ask(**widgets) -> None:
    """Choose in the sidebar, and run."""
    for key, value in widgets.items():
        state[key] = value
    state[START] = True


def _against_random(name: str) -> None:
    if name in UNTRAINED:
        _ask(a=name, b=name, weights_a="random", weights_b="random", seed_a=0, seed_b=1)
    else:
        _ask(a=name, b=name, weights_a="trained", weights_b="random", seed_b=0)


def asked_for() -> bool:
    """Whether a comparison at one click is to begin; once."""
    return state.pop(START, False)


def presets(a: Choice) -> None:
    """Comparisons at one click; they choose the networks in the sidebar and start."""
    if any(state.get(f"checkpoint_{slot}") for slot in "ab"):
        st.caption(
            "Comparisons at one click are for networks without an uploaded checkpoint: remove it first."
        )
        return
    itself = {"b": a.name, "weights_b": a.weights, "seed_b": a.seed}
    with st.container(horizontal=True, gap="small"):
        st.button("Trained against random", on_click=_against_random, args=(a.name,), key="k_random",
                  icon=":material/casino:",
                  help=f"{plain(a.name)} against its own random weights")  # fmt: skip
        st.button("A against itself", on_click=_ask, kwargs=itself, key="k_itself",
                  icon=":material/grid_on:",
                  help=f"{plain(a.name)}: which of its layers are alike?")  # fmt: skip
        pair = {"a": "texture_resnet", "b": "texture_vit", "weights_a": "trained", "weights_b": "trained"}
        st.button("CNN against ViT", on_click=_ask, kwargs=pair, key="k_pair",
                  icon=":material/compare_arrows:", help="The two that know textures")  # fmt: skip
        with st.popover("A study’s networks", icon=":material/science:"):
            st.caption("Each trained against its own random weights; trained weights are downloaded.")
            for title, name in STUDY.items():
                words = f"{title}, two random ones" if name in UNTRAINED else title
                st.button(words, on_click=_against_random, args=(name,), key=f"k_{name}", width="stretch")


def offer_random(sides: Sequence[Side]) -> None:
    """A way on where trained weights are unavailable: the user's choice, and labelled."""
    missing = [side for side in sides if side.model is None]
    widgets: dict[str, Any] = {f"weights_{side.slot}": "random" for side in missing}
    widgets |= {f"seed_{side.slot}": "ab".index(side.slot) for side in missing}
    if any(side.choice.weights == "trained" for side in missing):
        words = f"Take random weights for {' and '.join(side.slot.upper() for side in missing)}"
        st.button(words, on_click=_ask, kwargs=widgets, key="k_anyway", icon=":material/casino:")
