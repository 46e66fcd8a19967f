"""What is off in a network: chosen by name, or by a click on its map."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from ..address import drop, forget, forget_each
from ..insides import heads_of, no_heads
from ..layer_names import with_depth
from ..picture_picker import SAMPLES, SCENES, sample
from .without import MEAN, ZERO, Change, others_of

PATCHES = "another picture"
FIRST = "first tokens"  # class token, distillation token, registers
KINDS = ("heads", "blocks", "channels", "places", PATCHES)
state = st.session_state


def pick_kind(picture) -> str:
    """What kind of parts, and for patches, of which picture they come."""
    kind = st.segmented_control(
        "Switch off", KINDS, default="heads", required=True, key="i_kind",
        label_visibility="collapsed", wrap=True,
    )  # fmt: skip
    if kind == PATCHES:
        titles = [one for one in (SCENES if picture.drawn else SAMPLES) if one != picture.title]
        forget("i_other", titles, titles[0])
        st.selectbox("The other picture", titles, key="i_other", width=200, label_visibility="collapsed")
    return kind


def pick(asked, kind: str) -> tuple[str, Callable | None]:
    """Choose what is off in one network; returns the layer, or "", and what a click on its map does."""
    model, slot = asked.model, asked.choice.slot
    if kind == "heads":
        _pick_heads(asked)
        return "", None
    if kind == "blocks":
        key, names = f"i_blocks_{slot}", _removable(model)
        forget_each(key, names, [])
        st.multiselect("Blocks that are off", names, key=key, placeholder="none")
        return "", None
    key, layers = f"i_layer_{slot}", model.blocks or model.layers
    forget(key, layers, _middle(model))
    first, second = st.columns([2, 3])
    layer = first.selectbox("Layer", layers, key=key, format_func=with_depth(layers))
    with second:
        if kind == "channels":
            channels = range(model.layouts[layer].channels)
            forget_each(f"i_channels_{slot}", channels, [])
            key = f"i_channels_{slot}"
            st.multiselect("Channels that are off", list(channels), key=key, placeholder="none")
            return layer, None
        return layer, _pick_places(asked, kind, layer)


def _pick_heads(asked) -> None:
    """Heads by name: block.head, counted as on the page of attention."""
    key, own = f"i_heads_{asked.choice.slot}", heads_of(asked.choice, asked.model)
    usable = ((k, found) for k, found in enumerate(own.values(), 1) if found.way)
    names = [f"{k}.{head}" for k, found in usable for head in range(found.count)]
    if not names:
        drop(key)
        st.caption(no_heads(own, asked.model))
        return
    forget_each(key, names, [])
    st.multiselect("Heads that are off (block.head)", names, key=key, placeholder="none")


def _pick_places(asked, kind: str, layer: str) -> Callable:
    """Places by a click on the map: each click takes one, or gives it back."""
    from vizcore.pictures.frame import cell_at

    model, picture, key = asked.model, asked.picture, f"i_places_{asked.choice.slot}"
    grid = model.layouts[layer].grid
    names = [f"{row}.{column}" for row in range(grid[0]) for column in range(grid[1])]
    if kind == PATCHES:
        from vizcore.inside.patching import has_first

        names = [FIRST] * has_first(model, layer) + names
    forget_each(key, names, [])
    words = "Places off (row.column)" if kind == "places" else "Places from there (row.column)"
    st.multiselect(words, names, key=key, placeholder="none: click the map")

    def toggle(place: tuple[float, float]) -> None:
        row, column = cell_at(place, model.preprocess.box(picture.size), picture.size, grid)
        chosen = set(state.get(key, [])) ^ {f"{row}.{column}"}
        state[key] = [name for name in names if name in chosen]

    return toggle


def _removable(model) -> list[str]:
    """Numbered blocks that put out as many features, of as many places, as what comes before them."""
    names, found = model.blocks or model.layers, []
    for before, name in zip(names, names[1:], strict=False):
        one, other = model.layouts[before], model.layouts[name]
        if name.split(".")[-1].isdigit() and (one.channels, one.grid) == (other.channels, other.grid):
            found.append(name)
    return found


def _middle(model) -> str:
    """A numbered block half-way, if there is one."""
    blocks = model.blocks or model.layers
    numbered = [name for name in blocks if name.split(".")[-1].isdigit()] or blocks
    return numbered[len(numbered) // 2]


# ---------------------------------------------------------------- what that comes to


def changes(asked, kind: str, layer: str) -> list[Change]:
    """What is done to a network: nothing, then parts at zero and at their mean, or patches of a picture."""
    from vizcore.inside.switched_off import Off

    slot, others = asked.choice.slot, others_of(asked.picture)
    if kind == PATCHES:
        first = FIRST in state.get(f"i_places_{slot}", [])
        change = Change(layer=layer, source=sample(state["i_other"]), places=_cells(slot), first=first)
        return [Change(), change]
    off: list[Off] = []
    if kind == "heads":
        by_module: dict[str, list[int]] = {}
        for name in state.get(f"i_heads_{slot}", []):
            block, head = map(int, name.split("."))
            by_module.setdefault(asked.model.attention[block - 1], []).append(head)
        off = [Off("heads", module, tuple(heads)) for module, heads in by_module.items()]
    elif kind == "blocks":
        off = [Off("block", name) for name in state.get(f"i_blocks_{slot}", [])]
    elif kind == "channels":
        chosen = tuple(state.get(f"i_channels_{slot}", []))
        off = [Off("channels", layer, chosen)] if chosen else []
    elif places := _cells(slot):
        off = [Off("places", layer, places)]
    return [Change(), Change(tuple(off), ZERO), Change(tuple(off), MEAN, others)]


def _cells(slot: str) -> tuple[tuple[int, int], ...]:
    pairs = (name.split(".") for name in state.get(f"i_places_{slot}", []) if name != FIRST)
    return tuple((int(row), int(column)) for row, column in pairs)


def words(change: Change) -> str | None:
    """What is changed, for a caption; None where nothing is."""
    if change.nothing:
        return None
    if change.source is not None:
        tokens = " and its first tokens" if change.first else ""
        return f"{len(change.places)} places{tokens} of {change.layer} from “{change.source.title}”"
    parts = [f"{one.kind} {', '.join(map(str, one.which))} of {one.layer}" if one.which else one.layer
             for one in change.off]  # fmt: skip
    how = "zero" if change.by == ZERO else f"the mean over {change.others.words}" if change.others else ""
    return f"{'; '.join(parts)} at {how}"
