"""Feature maps: what each layer of a CNN and of a ViT computes from one picture."""

import streamlit as st

from ui import figures
from ui.answers import block_attention, layer_maps, top_classes
from ui.choices import chosen, load
from ui.layers import pick_layer
from vizcore import render

TILES = 48  # channels on one sheet, 8 in a row
OVERLAYS = {"cnn": render.CNN_COLOUR, "vit": render.VIT_COLOUR}
CHANNELS, COLOURS, ALIKE, CHANGE, ATTENTION = "Channels", "PCA colours", "Similar places", "Change", "Attention"
state = st.session_state


def point_at(x: float, y: float) -> None:
    """A click asks about that place: the attention of its patch, or where the features are like it."""
    state["x"], state["y"] = round(100 * x), round(100 * y)
    for slot in "ab":
        if state.get(f"view_{slot}") == ATTENTION:
            state[f"query_{slot}"] = "the point"
        else:
            state[f"view_{slot}"] = ALIKE


def channels(slot, maps, _cell, _ask):
    from vizcore.features import by_strength, strength

    with st.container(horizontal=True, vertical_alignment="bottom"):
        order = st.segmented_control(
            "Order", ["strongest", "index"], default="strongest", required=True, key=f"order_{slot}",
            bind="query-params",
        )  # fmt: skip
        pages = -(-len(maps) // TILES)
        page = st.number_input("Sheet", 1, pages, key=f"sheet_{slot}", width=120) if pages > 1 else 1
    ranked = by_strength(maps) if order == "strongest" else list(range(len(maps)))
    sheet = ranked[(page - 1) * TILES : page * TILES]
    picked = [c for c in state.get(f"channels_{slot}", []) if c < len(maps)]

    def toggle(x, y):
        rows = -(-len(sheet) // 8)
        place = int(y * rows) * 8 + int(x * 8)
        if place < len(sheet):
            state[f"channels_{slot}"] = sorted(set(picked) ^ {sheet[place]})

    marked = {i for i, channel in enumerate(sheet) if channel in picked}
    figures.pointer(
        render.tiles(maps[sheet], [str(c) for c in sheet], 8, marked=marked),
        f"{len(sheet)} of {len(maps)} channels; click on some to lay them over the picture",
        f"sheet_of_{slot}", toggle,
    )  # fmt: skip
    state[f"channels_{slot}"] = picked
    picked = st.multiselect(
        "Channels over the picture", list(range(len(maps))), key=f"channels_{slot}",
        placeholder="all of them: mean absolute activation", bind="query-params",
    )  # fmt: skip
    if not picked:
        return strength(maps), "mean absolute activation of all channels"
    chosen_maps = [maps[c] - maps[c].min() for c in picked]
    heat = sum(m / m.max().clamp(min=1e-12) for m in chosen_maps) / len(picked)
    return heat, f"channel{'s' * (len(picked) > 1)} {', '.join(map(str, picked))}"
