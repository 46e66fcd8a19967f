"""How much a class falls without each head, beside other pictures and heads in random order."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from vizcore.inside import sayings

from .. import cards, code, figures, jobs, saving, small_maps
from ..insides import heads_of
from . import heads_beside
from .without import MEAN, ZERO, means_of_heads, others_of

AT_ONCE = 60  # heads up to which all are tried without a press
state = st.session_state


def show(everyone: list) -> None:
    """For each network with heads, all of them; a click switches one off or on."""
    some = [one for one in everyone if _switchable(heads_of(one.choice, one.model))]
    if not some:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader("Every head", anchor=False, width="content")
        by = st.segmented_control("Each alone at", [ZERO, MEAN], default=ZERO, required=True, key="i_each",
                                  format_func=lambda way: "at zero" if way == ZERO else "at its mean",
                                  label_visibility="collapsed")  # fmt: skip
    columns = st.columns(2, gap="large")
    for place, asked in enumerate(some):
        with columns[place]:
            found = _one(asked, by)
        if found:
            with columns[1 if len(some) == 1 else place]:
                heads_beside.show(asked, *found, _sheet)


def _switchable(own: dict) -> bool:
    return bool(own) and all(one.way in ("projection", "matrix") for one in own.values())


@st.cache_data(show_spinner="Each head in turn …")
def tried_at_once(choice, picture_key: str, index: int, by: str, _model, _images, _heads: dict, _means):
    """All heads in turn, as ``vizcore.inside.heads_in_turn.Tried``."""
    from vizcore.inside.heads_in_turn import each_head

    *_, last = each_head(_model, _images, index, _heads, _means)
    return last


def _one(asked, by: str):
    """One network's map of all heads; returns what it found, its heads and their means, or None."""
    from vizcore.inside.heads_in_turn import each_head

    model, slot = asked.model, asked.choice.slot
    own = heads_of(asked.choice, model)
    count = sum(one.count for one in own.values())
    figures.name(model, asked.colour)
    try:
        means = means_of_heads(asked, own) if by == MEAN else None
    except ValueError as error:
        st.info(str(error))
        return None
    images = model.preprocess(asked.picture.image)
    question = asked.choice, asked.picture.key, asked.index, by
    if count > AT_ONCE:
        steps = jobs.job(
            f"i_every_{slot}", question, lambda: each_head(model, images, asked.index, own, means), _so_far,
            f"Try all {count} heads", keep_all=False,
        )  # fmt: skip
        if not steps:
            return None
        last = steps[-1]
    else:
        last = tried_at_once(*question, model, images, own, means)
    found, where = (
        last.falls,
        "at zero" if by == ZERO else f"at its mean over {others_of(asked.picture).words}",
    )
    if np.isnan(found).all():
        st.info(f"What {model.title} says without its heads is not a number, so nothing is compared.")
        return None
    _sheet(f"i_sheet_{slot}", asked, found, f"How much “{asked.name}” falls without each head")
    stopped = "" if last.done == last.total else f" Of the first {last.done} of {last.total} modules alone."
    st.caption(
        f"How much “{asked.name}” ({sayings.percent(last.chance)}) falls with each head alone {where}, in "
        "points of probability: orange falls, blue rises. Blocks from left to right, heads downwards; click "
        f"one to switch it off, ↗ for its card.{stopped}"
    )
    _keep(asked, found, where, by, last.done == last.total)
    return (found, own, means, question) if last.done == last.total else None


def _so_far(steps: list) -> None:
    st.caption(f"{steps[-1].done} of {steps[-1].total} attention modules.")


def _keep(asked, found: np.ndarray, where: str, by: str, whole: bool) -> None:
    """So that it can be saved, with its code and its numbers."""
    from vizcore.drawing.signed_table import signed_table

    slot, (blocks, heads) = asked.choice.slot.upper(), found.shape
    rows = [
        {"block": k + 1, "head": head, "falls": float(found[k, head])}
        for k, head in np.ndindex(*found.shape)
        if not np.isnan(found[k, head])
    ]
    saving.keep_table(f"Without each head, {asked.model.title}, {slot}", rows)
    title = (
        f"Points by which “{asked.name}” falls with each head {'at zero' if by == ZERO else 'at its mean'}"
    )
    names = [str(k) for k in range(heads)], [str(k + 1) for k in range(blocks)]
    draw = partial(signed_table, 100 * found.T, *names, title, ("head", "block"))
    about = saving.about("Without each head", asked.model, asked.picture, each=where, **{"class": asked.name})
    over = others_of(asked.picture).code if by == MEAN else ""
    made = code.every_head(asked, asked.index, title, over) if whole else ""
    saving.keep(f"Without each head of {asked.model.title}, {slot}", about, draw, made, falls=found)


def points(value: float, among: np.ndarray) -> str:
    """A share as points of a hundred, with as many digits as the largest of them asks for."""
    digits = max(0, -int(np.floor(np.log10(max(100 * float(np.nanmax(np.abs(among))), 1e-6)))))
    said = f"{100 * float(value):+.{digits}f}"
    return said if any(one in said for one in "123456789") else "0"


def _sheet(key: str, asked, found: np.ndarray, words: str) -> None:
    """Blocks (across) by heads (down) with their values, in points of probability; a click toggles."""
    slot, (blocks, heads) = asked.choice.slot, found.shape
    modules = list(heads_of(asked.choice, asked.model))
    cells = [(block, head) for head in range(heads) for block in range(blocks)]
    names = [f"{block + 1}.{head}" for block, head in cells]
    values = ["" if np.isnan(found[cell]) else f"\n{points(found[cell], found)}" for cell in cells]
    chosen = f"i_heads_{slot}"
    off = state.get(chosen, [])

    def card(index: int) -> None:
        block, head = cells[index]
        if values[index]:
            cards.want(cards.of_head(slot, modules[block], head))

    def toggle(index: int) -> None:
        if values[index]:
            both = set(state.get(chosen, [])) ^ {names[index]}
            state[chosen] = sorted(both, key=lambda one: [int(part) for part in one.split(".")])

    file = small_maps.cells(found.T, float(max(np.nanmax(np.abs(found)), 1e-6)))
    labels = [name + value if value else "" for name, value in zip(names, values, strict=True)]
    marked = [k for k, name in enumerate(names) if name in off]
    words = f"{words}, {blocks} blocks by {heads} heads"
    small_maps.sheet(key, file, labels, blocks, words, toggle, marked, dark=True, on_open=card)
