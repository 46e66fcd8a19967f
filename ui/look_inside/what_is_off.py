"""What is off in a network: chosen by name, or by a click on its map."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from PIL import Image

from vizcore.drawing.encoding import jpeg

from ..address import drop, forget, forget_each
from ..insides import heads_of, no_heads
from ..layer_names import with_depth
from ..picture_picker import SAMPLES, SCENES, sample
from .without import MEAN, ZERO, Change, others_of

PATCHES = "another picture"
FIRST = "first tokens"  # class token, distillation token, registers
OFF = "heads", "blocks", "channels", "places"
KINDS = *OFF, PATCHES
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
        title = st.selectbox(
            "The other picture", titles, key="i_other", width=200, label_visibility="collapsed"
        )
        st.image(jpeg(sample(title).array), alt=f"{title}, the other picture", width=64)
    return kind


def pick(asked, kind: str) -> tuple[str, Callable | None]:
    """Choose what is off in one network; returns the layer, and what a click on its map does.

    Parts of all kinds that were chosen are off together; those of the other kinds are told below.
    """
    model, slot = asked.model, asked.choice.slot
    layers, heads, blocks = model.blocks or model.layers, _heads(asked), _removable(model)
    forget(f"i_layer_{slot}", layers, _middle(model))
    layer = state[f"i_layer_{slot}"]
    for key, names in (("heads", heads), ("blocks", blocks)):
        forget_each(f"i_{key}_{slot}", names, [])
    forget_each(f"i_channels_{slot}", range(model.layouts[layer].channels), [])
    forget_each(f"i_places_{slot}", _places(asked, layer, True), [])
    on_pin = None
    if kind == "heads":
        if heads:
            _several("Heads that are off (block.head)", heads, f"i_heads_{slot}")
        else:
            st.caption(no_heads(heads_of(asked.choice, model), model))
    elif kind == "blocks":
        if blocks:
            _several("Blocks that are off", blocks, f"i_blocks_{slot}")
        else:
            st.caption(f"In {model.title} no block puts out what has the shape of what it is given.")
    else:
        first, second = st.columns([2, 3])
        layer = first.selectbox("Layer", layers, key=f"i_layer_{slot}", format_func=with_depth(layers))
        with second:
            if kind == "channels":
                channels = list(range(model.layouts[layer].channels))
                _several("Channels that are off", channels, f"i_channels_{slot}")
            else:
                on_pin = _pick_places(asked, kind, layer)
    if kind != PATCHES:
        _told(slot, kind, layer)
    return layer, on_pin


def _several(label: str, names: list, key: str, nothing: str = "none") -> None:
    st.multiselect(label, names, key=key, placeholder=nothing)


def _heads(asked) -> list[str]:
    """Heads by name: block.head, counted as on the page of attention."""
    own = heads_of(asked.choice, asked.model)
    usable = ((k, found) for k, found in enumerate(own.values(), 1) if found.way)
    return [f"{k}.{head}" for k, found in usable for head in range(found.count)]


def _places(asked, layer: str, first: bool) -> list[str]:
    """Places of a layer by row and column, behind the tokens that are none, if it has any."""
    rows, columns = asked.model.layouts[layer].grid
    names = [f"{row}.{column}" for row in range(rows) for column in range(columns)]
    return [FIRST] * (first and _has_first(asked.choice, layer, asked.model)) + names


@st.cache_data(show_spinner=False)
def _has_first(choice, layer: str, _model) -> bool:
    from vizcore.inside.patching import has_first

    return has_first(_model, layer, _model.preprocess(Image.new("RGB", (256, 256))))


def _pick_places(asked, kind: str, layer: str) -> Callable:
    """Places by a click on the map: each click takes one, or gives it back."""
    from vizcore.pictures.frame import cell_at

    model, picture, key = asked.model, asked.picture, f"i_places_{asked.choice.slot}"
    names = _places(asked, layer, kind == PATCHES)
    forget_each(key, names, [])
    words = "Places off (row.column)" if kind == "places" else "Places from there (row.column)"
    _several(words, names, key, "none: click the map")

    def toggle(place: tuple[float, float]) -> None:
        grid = model.layouts[layer].grid
        row, column = cell_at(place, model.preprocess.box(picture.size), picture.size, grid)
        chosen = set(state.get(key, [])) ^ {f"{row}.{column}"}
        state[key] = [name for name in names if name in chosen]

    return toggle


def _told(slot: str, kind: str, layer: str) -> None:
    """What else is off, of other kinds, with a button that switches all of it on again."""
    where = {"channels": f" of {layer}", "places": f" of {layer}"}
    count = {
        one: sum(name != FIRST for name in state.get(f"i_{one}_{slot}", [])) for one in OFF if one != kind
    }
    said = [
        f"{many} {one if many > 1 else one[:-1]}{where.get(one, '')}" for one, many in count.items() if many
    ]
    if not said:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Off too: {', '.join(said)}.", width="content")
        st.button("All on again", key=f"i_on_{slot}", on_click=_all_on, args=(slot,), type="tertiary")


def _all_on(slot: str) -> None:
    for one in OFF:
        drop(f"i_{one}_{slot}")


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
    by_module: dict[str, list[int]] = {}
    for name in state.get(f"i_heads_{slot}", []):
        block, head = map(int, name.split("."))
        by_module.setdefault(asked.model.attention[block - 1], []).append(head)
    off = [Off("heads", module, tuple(heads)) for module, heads in by_module.items()]
    off += [Off("block", name) for name in state.get(f"i_blocks_{slot}", [])]
    of_layer = {"channels": tuple(state.get(f"i_channels_{slot}", [])), "places": _cells(slot)}
    off += [Off(one, layer, which) for one, which in of_layer.items() if which]
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
