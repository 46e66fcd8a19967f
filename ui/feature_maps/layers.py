"""The layer picker: a network's layers by stage, with a step to the next."""

from __future__ import annotations

import streamlit as st

from ..address import forget
from ..layer_names import with_depth


def stages(layers: list[str]) -> dict[str, str]:
    """The stage of each layer: the shortest beginnings of its name that tell the network's parts apart."""
    for depth in range(1, 6):
        names = [".".join(layer.split(".")[:depth]) for layer in layers]
        if max(map(names.count, names)) <= len(names) / 2:
            break
    large = {name for name in names if names.count(name) > 2} or set(names)
    result, current = {}, "stem"
    for layer, name in zip(layers, names, strict=True):
        if name in large:
            current = name
        elif current != "stem" and not current.startswith(f"{layer}."):  # not the list that ends here
            current = "head"
        result[layer] = current
    return result


def pick_layer(model, slot: str) -> str:
    """Choose one of ``model.layers``: by name, or by a step forward or back."""
    key, state = f"layer_{slot}", st.session_state
    forget(key, model.layers, _default(model))
    current = state[key]

    def step(by: int) -> None:
        order = model.blocks if current in model.blocks else model.layers
        place = order.index(current) + by
        state[key] = order[min(max(place, 0), len(order) - 1)]

    arrows = {"a": ("left", "right"), "b": ("j", "k")}[slot]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key=f"line_{slot}"):
        st.button(
            "",
            icon=":material/chevron_left:",
            key=f"back_{slot}",
            on_click=step,
            args=(-1,),
            help="One block back",
            shortcut=arrows[0],
        )
        layer = st.selectbox("Layer", model.layers, key=key, format_func=with_depth(model.layers))
        st.button(
            "",
            icon=":material/chevron_right:",
            key=f"next_{slot}",
            on_click=step,
            args=(1,),
            help="One block on",
            shortcut=arrows[1],
        )
    seen = state.get(f"seen_{slot}", (layer, layer))
    state[f"seen_{slot}"] = seen if seen[1] == layer else (seen[1], layer)  # for the view of what changed
    return layer


def pick_stage(model, slot: str) -> None:
    """The same by stage: its last block."""
    key, state = f"layer_{slot}", st.session_state
    stage_of, current = stages(model.layers), state[key]

    def jump() -> None:
        last = [layer for layer in model.layers if stage_of[layer] == state[f"stage_{slot}"]]
        state[key] = next(
            (layer for layer in reversed(last) if layer in model.blocks), (last or [current])[-1]
        )

    state[f"stage_{slot}"] = stage_of[current]
    names = list(dict.fromkeys(stage_of.values()))
    st.pills("Stage", names, key=f"stage_{slot}", on_change=jump, required=True, wrap=True)


def left_out(model) -> str:
    """Which layers are not on offer, and why, in a sentence; "" where the remark says it or all are."""
    if not model.left_out or model.remark:
        return ""
    from vizcore.networks.left_out import by_reason

    listed = [
        f"{layers[0]}{f' and {len(layers) - 1} more' if layers[1:] else ''} ({reason})"
        for reason, layers in by_reason(model.left_out, model.left_out).items()
    ]
    return f"Not on offer, tried with changed squares of a picture: {'; '.join(listed)}."


def _default(model) -> str:
    """The deepest block that still has detail: a ViT's last, a CNN's last of 14 cells or more."""
    blocks = model.blocks or model.layers
    fine = [name for name in blocks if min(model.layouts[name].grid) >= 14]
    return (
        (fine or blocks)[-1]
        if model.family == "cnn"
        else next((name for name in reversed(blocks) if name.split(".")[-1].isdigit()), blocks[-1])
    )
