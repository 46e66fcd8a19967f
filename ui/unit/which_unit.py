"""Which unit a card is of."""

from __future__ import annotations

from typing import Any, NamedTuple

import streamlit as st

from ..address import forget
from ..answers import Side
from ..classes import class_names
from ..insides import heads_of, no_heads
from ..layer_names import with_depth

KINDS = {"channels": "Channel", "heads": "Head", "classes": "Class"}
state = st.session_state


class Asked(NamedTuple):
    """One unit of one network."""

    side: Side
    group: Any  # ``vizcore.inside.unit_groups.Group``
    unit: int
    heads: dict

    @property
    def model(self):
        return self.side.model

    @property
    def choice(self):
        """The same for whoever asks for this network."""
        return self.side.choice._replace(slot="")

    @property
    def words(self) -> str:
        """What it is called: "channel 12 of layer3.0"."""
        if self.group.kind == "classes":
            return f"the class “{class_names(self.model)[self.unit]}”"
        return f"{self.group.kind[:-1]} {self.unit} of {self.group.layer}"


def pick(sides: list[Side]) -> Asked | None:
    """The controls; None after a sentence where there is no such unit."""
    present = {side.slot: side for side in sides if side.model}
    which, kinds, *rest = st.columns([3.2, 2.6, 2.0, 1.2], vertical_alignment="bottom")
    with which:
        forget("u_of", list(present), next(iter(present)))
        slot = st.segmented_control(
            "Network", list(present), required=True, key="u_of",
            format_func=lambda one: f"{one.upper()}: {present[one].model.title}",
        )  # fmt: skip
    with kinds:
        kind = st.segmented_control(
            "Unit",
            list(KINDS),
            default="channels",
            required=True,
            key="u_kind",
            format_func=lambda one: KINDS[one],
        )
    side = present[str(slot)]
    own = heads_of(side.choice, side.model)
    return _PICK[str(kind)](side, own, *rest)


def _channel(side: Side, own: dict, first, second) -> Asked:
    from vizcore.inside.unit_groups import Group

    model = side.model
    blocks = [name for name in model.blocks if name.split(".")[-1].isdigit()] or model.blocks or model.layers
    forget("u_layer", model.layers, blocks[-1])
    layer = first.selectbox("Layer", model.layers, key="u_layer", format_func=with_depth(model.layers))
    group = Group("channels", layer)
    count = model.layouts[layer].channels
    with second:
        return Asked(side, group, _number(count), own)


def _head(side: Side, own: dict, first, second) -> Asked | None:
    from vizcore.inside.unit_groups import Group

    writing = [name for name, one in own.items() if one.way == "projection"] if side.model.grid else []
    if not writing:
        st.info(no_heads(own, side.model))
        return None
    forget("u_block", writing, writing[-1])
    module = first.selectbox("Attention", writing, key="u_block", format_func=with_depth(writing))
    with second:
        return Asked(side, Group("heads", module), _number(own[module].count), own)


def _class(side: Side, own: dict, first, _second) -> Asked | None:
    from vizcore.inside.unit_groups import Group

    if not side.model.num_classes:
        st.info(f"{side.model.title} has no classes.")
        return None
    names = class_names(side.model)
    forget("u_class", names, names[0])
    name = first.selectbox("Class", names, key="u_class", help="Type to search all classes.")
    return Asked(side, Group("classes"), names.index(name), own)


def _number(count: int) -> int:
    why = f"isn't one of 0 to {count - 1} here"
    forget("u_unit", range(count), 0, why)
    return int(st.number_input(f"Number, 0 to {count - 1}", 0, count - 1, key="u_unit"))


_PICK = {"channels": _channel, "heads": _head, "classes": _class}
