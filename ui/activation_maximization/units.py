"""What is asked of which network: classes, or channels of a layer."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from .. import cards
from ..address import forget, forget_each
from ..answers import Side
from ..classes import class_names
from ..layer_names import with_depth
from ..network_picker import Choice

MOST = 8  # pictures of a network in one run
FIRST = ("honeycombed", "daisy")  # asked for at first: one class of the textures, one of ImageNet
state = st.session_state


class Asked(NamedTuple):
    """What one network is asked for: n pictures."""

    choice: Choice
    model: Any
    colour: tuple[int, int, int]
    names: list[str]  # in words
    targets: list[tuple]  # ("class", objective, index) or ("channel", layer, index, place or None)

    def objectives(self) -> list:
        from vizcore.objectives import CLASS_OBJECTIVES, channel

        return [
            CLASS_OBJECTIVES[rest[0]](self.model, rest[1]) if kind == "class" else channel(self.model, *rest)
            for kind, *rest in self.targets
        ]

    @property
    def question(self) -> tuple:
        return self.choice, tuple(self.targets)


def ask(sides: list[Side]) -> list[Asked]:
    """The controls: for which networks, of what. Empty where there is nothing to ask, after a sentence."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        who = st.segmented_control("Networks", ["both", "A", "B"], default="both", required=True, key="m_who")
        kind = st.segmented_control(
            "Picture of", ["a class", "a channel"], default="a class", required=True, key="m_kind",
        )  # fmt: skip
    present = [side for side in sides if side.model and (who == "both" or side.slot == who.lower())]
    return _classes(present) if kind == "a class" else _channels(present)


def _classes(present: list[Side]) -> list[Asked]:
    names = [class_names(side.model) for side in present]
    options = list(dict.fromkeys(name for own in names for name in own))
    if not options:
        st.info("These networks have no classes: ask for a channel instead.")
        return []
    first = [next((name for name in FIRST if name in own), own[0]) for own in names if own]
    forget_each("m_class", options, list(dict.fromkeys(first)))
    objectives = ["logit", "log-probability", "margin"]
    wanted = st.multiselect(
        "Classes", options, list(dict.fromkeys(first)), key="m_class",
        max_selections=MOST, placeholder="type to search",
        help=f"Up to {MOST}; each network makes those that it knows by name.",
    )  # fmt: skip
    if not wanted:
        st.info("Choose at least one class.")
    objective = state.get("m_objective", objectives[0])
    asked = []
    for side, every in zip(present, names, strict=True):
        own = [name.casefold() for name in every]
        known = [name for name in wanted if name.casefold() in own]
        model = side.model
        if not own:
            st.info(f"{model.title} has no classes; ask it for a channel.")
        elif wanted and not known:
            st.info(f"{model.title} knows none of these classes.")
        if known:
            targets = [("class", objective, own.index(name.casefold())) for name in known]
            asked.append(Asked(side.choice, model, side.colour, known, targets))
    return asked


def _channels(present: list[Side]) -> list[Asked]:
    asked = []
    for side, column in zip(present, st.columns(max(1, len(present))), strict=False):
        model, slot = side.model, side.slot
        with column:
            blocks = model.blocks or model.layers
            start = blocks[len(blocks) // 2]
            forget(f"m_layer_{slot}", model.layers, start)
            told = {"key": f"m_layer_{slot}", "format_func": with_depth(model.layers)}
            layer = st.selectbox(f"Layer of {model.title}", model.layers, **told)
            layout = model.layouts[layer]
            options = [str(number) for number in range(layout.channels)]
            key = f"m_channel_{slot}"
            forget_each(key, options, options[:2])
            channels = st.multiselect(
                f"Channels, 0 to {layout.channels - 1}", options, options[:2], key=key,
                max_selections=MOST,
            )  # fmt: skip
            whole, middle = "everywhere", "in the middle"
            where = st.segmented_control(
                "Active", [whole, middle], default=whole, required=True, key=f"m_place_{slot}",
                help="Its mean over all places, or one neuron or patch token alone.",
            )  # fmt: skip
        place = None if where == whole else (layout.grid[0] // 2, layout.grid[1] // 2)
        if channels:
            names = [f"channel {number}" for number in channels]
            targets = [("channel", layer, int(number), place) for number in channels]
            asked.append(Asked(side.choice, model, side.colour, names, targets))
    return asked


def to_cards(asked: list[Asked]) -> None:
    """Links to the cards of what was imagined."""
    with st.container(horizontal=True, gap="small"):
        for one in asked:
            slot = one.choice.slot
            for name, (kind, layer, index, *_) in zip(one.names, one.targets, strict=True):
                own = cards.of_class(slot, name) if kind == "class" else cards.of_channel(slot, layer, index)
                cards.link(f"Card of {name}, {slot.upper()}", own)
