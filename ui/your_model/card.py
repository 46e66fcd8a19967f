"""Your own model: what was recognised, what can be changed of it, what it says, and where to use it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from vizcore.drawing.render import CNN_COLOUR, VIT_COLOUR

from .. import brought
from ..address import again, drop
from ..answers import top_classes
from ..brought import Brought
from ..classes import class_names
from ..figures import predictions
from ..network_picker import Choice
from ..plain import plain
from ..shared_networks import network
from ..warmup import warm

state = st.session_state
SEVERAL = 6  # names of classes that are listed


def card(one: Brought, picture, choices) -> None:
    """All of it, or the one sentence why there is nothing to show."""
    warm()
    from vizcore.networks.checkpoints import ModelError

    changed = state.setdefault("y_changed", {})
    wanted = one._replace(preprocessing=changed.get(one.key))
    choice = Choice("", wanted.key, "checkpoint", 0, wanted.key)
    try:
        with st.spinner("Loading it …"):
            model = network(choice, wanted)
    except ModelError as error:
        st.error(plain(str(error)))
        if wanted.preprocessing is not None:
            st.button("Its own preprocessing", key="y_own", on_click=changed.pop, args=[one.key])
        return
    wanted = wanted._replace(title=wanted.title or model.title)
    with st.container(border=True, key="y_card"):
        st.success(works(model), icon=":material/check:")
        left, right = st.columns(2, gap="large")
        with left:
            _facts(model)
            if one.kind == "probe":
                st.caption("Its preprocessing is the one that the probe was made with.")
            else:
                _preprocessing(one, model)
        with right:
            top = top_classes(choice, picture.key, model, picture.image)
            predictions(model, top, VIT_COLOUR if model.family == "vit" else CNN_COLOUR)
            st.caption(f"Of the picture that is chosen: {plain(picture.title)}.")
        _use(wanted, choices)


def works(model) -> str:
    """What can be asked of a network, in a sentence or two."""
    count = model.num_classes
    classes = f"{count} class{'es' * (count != 1)}" if count else "no classes, but features"
    ways = ["feature maps", *(["Grad-CAM", "saliency"] if count else [])]
    ways += ["rollout"] * bool(model.attention) + ["relevance"] * bool(model.attention and count)
    words = f"It works: {classes}, {', '.join(ways)}."
    return words if model.attention else f"{words} No rollout: {_small(plain(model.no_rollout))}"


def _small(words: str) -> str:
    return words[:1].lower() + words[1:]


def _facts(model) -> None:
    """What was recognised."""
    names = class_names(model)
    more = f" and {len(names) - SEVERAL} more" if len(names) > SEVERAL else ""
    height, width = _size(model)
    rows = {
        "Architecture": f"{plain(model.title)}: its places learn of each other by {model.mixing}",
        "Weights": plain(model.source),
        "Classes": ", ".join(names[:SEVERAL]) + more if names else "none",
        "Gets": f"{height} × {width} pixels",
        "Layers": f"{len(model.layers)} with maps, the last of {len(model.blocks)} blocks {_grid(model)}",
    }
    st.markdown("\n".join(f"- **{name}**: {words}" for name, words in rows.items()))


def _grid(model) -> str:
    rows, columns = model.layouts[(model.blocks or model.layers)[-1]].grid
    return f"{rows} × {columns}"


def _size(model) -> tuple[int, int]:
    from PIL import Image

    height, width = model.preprocess(Image.new("RGB", (256, 256))).shape[2:]
    return height, width


def _preprocessing(one: Brought, model) -> None:
    """What is done to a picture before the network sees it; each number can be changed."""
    from vizcore.networks.checkpoints import ModelError
    from vizcore.networks.preprocessing import INTERPOLATIONS, Preprocessing, check, preprocessing_of

    found = preprocessing_of(model)
    with st.expander("Its preprocessing", icon=":material/tune:"):
        if found is None:
            st.caption("It has other steps than resizing, cropping and normalising, so it stays as it is.")
            return
        with st.form(f"y_form_{one.key}", border=False):
            mean = st.text_input("Mean of red, green, blue", _words(found.mean))
            std = st.text_input("Deviation of red, green, blue", _words(found.std))
            with st.container(horizontal=True):
                rows = st.number_input("Rows", 16, 1024, found.size[0], width=120)
                columns = st.number_input("Columns", 16, 1024, found.size[1], width=120)
                crop = st.number_input("Share kept", 0.1, 1.0, found.crop, 0.025, "%.3f", width=130)
            how = st.selectbox("Interpolation", INTERPOLATIONS, INTERPOLATIONS.index(found.interpolation))
            squash = st.toggle("Whole picture, whatever its proportions", found.squash)
            if not st.form_submit_button("Apply"):
                return
            try:
                size = int(rows), int(columns)
                wanted = Preprocessing(_three(mean), _three(std), size, float(crop), how, squash)
                check(wanted)
            except ModelError as error:
                st.error(plain(str(error)))
                return
        state["y_changed"][one.key] = wanted
        again()


def _words(values) -> str:
    return ", ".join(f"{value:.7g}" for value in values)


def _three(words: str) -> Any:
    from vizcore.networks.checkpoints import ModelError

    try:
        red, green, blue = (float(part) for part in words.replace(";", ",").split(","))
    except ValueError as error:
        raise ModelError(
            f"Three numbers are expected, as in 0.485, 0.456, 0.406, not {words[:40]!r}."
        ) from error
    return red, green, blue


# ---------------------------------------------------------------- what is kept


def _use(one: Brought, choices) -> None:
    """The buttons by which all pages look at it."""
    with st.container(horizontal=True):
        for choice in choices:
            used, slot = choice.name == one.key, choice.slot
            st.button(
                f"In use as Model {slot.upper()}" if used else f"Use it as Model {slot.upper()}",
                key=f"y_use_{slot}",
                on_click=_take,
                args=[one, slot],
                disabled=used,
                icon=":material/check:" if used else ":material/login:",
            )
    if words := state.pop("y_said", ""):
        st.error(words)


def _take(one: Brought, slot: str) -> None:
    words = brought.keep(one)
    if words:
        state["y_said"] = words
    else:
        state[slot] = one.key


def all_kept() -> None:
    """What is in this session, each with a button that takes it out."""
    kept = brought.titles()
    if not kept:
        return
    st.subheader("In this session", anchor=False)
    for name, title in kept.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            size = brought.all_brought()[name].size / 1e6
            st.markdown(f"{plain(title)} · {size:.1f} MB", width="content")
            words = "Take it out"
            st.button(words, key=f"y_out_{name}", on_click=_out, args=[name], icon=":material/delete:")


def _out(name: str) -> None:
    brought.take_out(name)
    for slot in "ab":
        if state.get(slot) == name:
            drop(slot)
