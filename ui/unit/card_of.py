"""The card itself."""

from __future__ import annotations

from functools import partial

import streamlit as st

from vizcore import __version__
from vizcore.inside import unit_sayings
from vizcore.pictures.images import PictureError

from .. import saving
from ..classes import guesses
from ..plain import plain
from . import facts, imagining, scripts, shown
from .favourites import look_through
from .sets_of import DRAWN, STORED, Source
from .which_unit import Asked

LIMITS = (
    "can't show all that a unit is for: it may be excited by several unlike things, and six pictures show "
    "the top of one set alone. What excites it is no proof that the answer depends on it: switch it off on "
    "the page Look inside. The box tells where small changes of the pixels count, near that picture."
)


def show(asked: Asked, source: Source) -> None:
    """Everything about one unit and one set."""
    left, right = st.columns([1, 3], gap="medium")
    with right:
        step = _looked(asked, source)
    with left:
        st.markdown(f"**{asked.words[0].upper()}{asked.words[1:]}**")
        imagining.show(asked)
    if step is None:
        return
    with right:
        for words in step.left_out[:1]:
            st.warning(f"{len(step.left_out)} left out. {plain(words)}")
        if step.done < step.total:
            st.caption(f"Of the first {step.done} of {step.total} pictures alone.")
        found = step.found[asked.group]
        value = float(found.most.values[asked.unit, 0])
        if value != value:
            st.warning(f"What {asked.words} says of some of these pictures is not a number.")
            return
        if found.silent(asked.unit):
            st.info(unit_sayings.silent(asked.words, value, step.done - len(step.left_out)))
            return
        try:
            rows = shown.crops_of(
                asked.choice, source.key, asked.group, asked.unit, step.done, asked, source, step
            )
        except (ValueError, PictureError) as error:
            st.warning(plain(str(error)))
            return
        shown.show(asked, source, rows)
        if words := guesses(asked.side, source.kind in (DRAWN, STORED)):
            st.caption(words)
    first, second = st.columns(2, gap="large")
    with first:
        liked = facts.spread(asked, source, step)
    with second:
        facts.speaks(asked, source, step, liked)
    _keep(asked, source, step, rows)


def _looked(asked: Asked, source: Source):
    try:
        return look_through(asked, source)
    except (ValueError, PictureError) as error:  # of a folder, or of a network that can't be asked
        st.error(plain(str(error)))
        return None


def _keep(asked: Asked, source: Source, step, rows: dict) -> None:
    """So that the pictures can be saved, with their code, and the numbers."""
    model, found = asked.model, step.found[asked.group]
    caption = (
        f"What excites {asked.words} of {model.title} ({model.source}): above the most of {source.words}, "
        f"below three by lot and the three that do least. Sightlines {__version__}"
    )
    raw = {
        f"{kind}_{part}": getattr(getattr(found, kind), part)[asked.unit].numpy()
        for kind in ("most", "by_lot", "least")
        for part in ("values", "pictures", "places")
    }
    whole = step.done == step.total
    made = scripts.card(asked, source.code) if whole else ""
    saving.keep(f"Card of {asked.words}", caption, partial(shown.sheet, rows), made, **raw)
    table = [
        {"kind": kind, "picture": one.number + 1, "class": source.names[one.number] if source.names else "",
         "value": one.value, "box": "" if one.box is None else " ".join(f"{side:.0f}" for side in one.box),
         "energy in the box": one.within}
        for kind, cells in rows.items() for one in cells
    ]  # fmt: skip
    saving.keep_table("Pictures of the card", table)
