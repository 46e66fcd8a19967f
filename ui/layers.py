"""The layer picker: a network's layers by stage, with a step to the next."""

from __future__ import annotations

import streamlit as st

STAGE_SHARE = 0.5  # a name that more than this share of the layers begins with is no stage


def stages(layers: list[str]) -> dict[str, str]:
    """The stage of each layer: the shortest beginnings of its name that tell the network's parts apart."""
    depth = 1
    while depth < 6:
        names = [".".join(layer.split(".")[:depth]) for layer in layers]
        commonest = max(set(names), key=names.count)
        if names.count(commonest) <= STAGE_SHARE * len(names) or len(set(names)) > 40:
            break
        depth += 1
    stages, seen_stage = {}, False
    for layer, name in zip(layers, names, strict=True):
        alone = names.count(name) == 1 and "." not in layer
        stages[layer] = ("head" if seen_stage else "stem") if alone else name
        seen_stage |= not alone
    return stages


def pick_layer(model, slot: str) -> str:
    """Choose one of ``model.layers``: by stage, by name, or by a step forward or back."""
    key, state = f"layer_{slot}", st.session_state
    stage_of = stages(model.layers)
    if state.get(key) not in (None, *model.layers):  # the layer of a model shown before
        del state[key]
    current = state.get(key) or _from_link(key, model) or _default(model)

    def step(by: int) -> None:
        order = model.blocks if current in model.blocks else model.layers
        place = order.index(current) + by
        state[key] = order[min(max(place, 0), len(order) - 1)]

    def jump() -> None:
        last = [layer for layer in model.layers if stage_of[layer] == state[f"stage_{slot}"]]
        state[key] = next((layer for layer in reversed(last) if layer in model.blocks), (last or [current])[-1])

    state[f"stage_{slot}"] = stage_of[current]
    names = list(dict.fromkeys(stage_of.values()))
    st.pills("Stage", names, key=f"stage_{slot}", on_change=jump, required=True)
    arrows = {"a": ("left", "right"), "b": ("shift+left", "shift+right")}[slot]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.button("◀", key=f"back_{slot}", on_click=step, args=(-1,), help="One block back", shortcut=arrows[0])
        layer = st.selectbox(
            "Layer",
            model.layers,
            index=model.layers.index(current) if key not in state else 0,
            format_func=lambda name: _describe(name, model.layouts[name]),
            key=key,
            bind="query-params",
        )
        st.button("▶", key=f"next_{slot}", on_click=step, args=(1,), help="One block on", shortcut=arrows[1])
    return layer


def _from_link(key: str, model) -> str | None:
    layer = st.query_params.get(key)
    return layer if layer in model.layers else None


def _default(model) -> str:
    """Deep enough for parts of objects, shallow enough for detail: two thirds of the way."""
    return model.blocks[len(model.blocks) * 2 // 3] if model.blocks else model.layers[-1]


def _describe(name: str, layout) -> str:
    return f"{name} · {layout.channels} × {layout.grid[0]} × {layout.grid[1]}"
