"""Guess first: mark where you would look, then uncover both maps, with your overlap beside random's."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render
from vizcore.experiments import cover_up, verdicts

from .. import as_seen, brush, cant_show, figures, marks, over_picture, saving, viewer
from ..address import drop, forget
from ..answers import Side
from ..classes import ask, guesses, several
from ..plain import plain
from . import inquiry

state = st.session_state
GUESS, REGION = "e_guess", "your guess"
LINES = 5  # of words below a map
TINT = (255, 214, 0)


def experiment(picture, sides: list[Side]) -> None:
    """The whole of it."""
    cant_show.say(
        "Guess first",
        "can't show who is right: a person and a map may share a place for different reasons, and a network "
        "may be right for reasons that lie elsewhere. What you share depends on how much you mark.",
    )
    guess = marks.held(GUESS, picture)
    forget("e_open", (True, False) if guess is not None else (False,), False, "needs a guess first")
    opened = bool(state.get("e_open"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="e_of"):
        with st.container(width=320):
            asked = [side for side in sides if side.model]
            name, indices = ask(asked, "e_class", "Evidence for", there=picture.there)
        place = st.container(horizontal=True, width="content")
    if not name:
        st.info("Neither network has classes to be asked for.")
        return
    with st.container(key="e_table" if opened else "e_covered"):  # on a phone what is uncovered comes first
        left, right = st.columns([1, 2], gap="medium")
    with left:
        st.markdown(f"**Where would you look for “{name}”?**")
        words = f"{plain(picture.title)}, to mark where you would look for {name}"
        brush.board(
            "e_guessing", f"{picture.key} {name}", over_picture.picture(picture), marks.grid_of(picture),
            guess, lambda mark, _lifted: marks.put(GUESS, picture, mark), look="mark", words=words,
            locked=opened,
        )  # fmt: skip
    panels = {}
    with right:
        columns = viewer.row("e_maps")
    for side, column in zip(sides, columns, strict=True):
        if side.model:
            with column:
                figures.name(side.model, side.colour)
                _side(side, picture, name, indices[side.slot], guess if opened else None, panels)
    with place:
        _buttons(guess is not None, opened, picture, name, panels if opened else {}, guess)


def _buttons(marked: bool, opened: bool, picture, name: str, panels: dict, guess) -> None:
    if not opened:
        why = None if marked else "Mark first where you would look."
        st.button("Uncover both maps", type="primary", disabled=not marked, help=why, key="e_uncover",
                  on_click=state.update, args=({"e_open": True},))  # fmt: skip
        return
    st.button("Guess again", key="e_again", on_click=_again)
    if panels:
        heading = f"Where is the evidence for “{name}”?"
        share = float(cover_up.pixels(guess, picture.size).mean())
        you = render.Panel(
            "You", [f"Marked: {verdicts.share_of(share)} of the picture."], partial(_yours, picture, guess)
        )
        for slot, one in ({"": you} | panels).items():
            saving.keep_panel(slot, heading, partial(_same, one))
        card = dict(state["panels"])
        st.download_button(
            "Card (PNG)", partial(saving.slide_file, card, 2), "sightlines-guess.png", "image/png",
            on_click="ignore", icon=":material/download:", key="e_card",
            help="You and both networks on one picture, to be shown to somebody. Nothing of it is kept here.",
        )  # fmt: skip


def _same(one):
    return one


def _again() -> None:
    state["e_open"] = False
    drop(GUESS)


def _yours(picture, guess: np.ndarray, times: int) -> np.ndarray:
    inside = cover_up.pixels(guess, picture.size).repeat(times, 0).repeat(times, 1)
    shown = render.blend(figures.enlarged(picture.array, times), np.array(TINT), 0.45 * inside)
    return render.contour(shown, inside)


def _side(side: Side, picture, name: str, index: int | None, guess: np.ndarray | None, panels: dict) -> None:
    """One network's map and what you share with it; without a guess, the picture alone."""
    key = f"e_seen_{side.slot}"
    if not side.model.num_classes:
        viewer.show(key, over_picture.picture(picture), lines=LINES)
        st.markdown("No map: it has no classes to be asked for.")
        return
    if guess is None:
        viewer.show(key, over_picture.picture(picture), lines=0)
        st.caption("Its map is covered until you have guessed.")
        return
    try:
        found = inquiry.ranked(side, picture, name)
    except ValueError as error:  # no gradient reaches its places
        st.markdown(plain(str(error)))
        return
    seen = picture._replace(masks={REGION: cover_up.pixels(guess, picture.size)})
    facts = []
    if index is None:
        facts.append(judgements.instead(side.model.title, name, found.one.name, several(side.model, name)))
    facts += filter(None, [shared(found, guess), guesses(side, picture.drawn)])
    one = over_picture.over(found.one, {}, f"Grad-CAM for **{found.one.name}**. The line is your guess.")
    one = one._replace(region=REGION, facts=" ".join(facts))
    as_seen.show(key, over_picture.picture(seen), [one], lines=LINES)
    look: dict[str, Any] = dict(viewer.LOOK)
    about = saving.about("Grad-CAM", side.model, picture, **{"class": found.one.name}, guess="outlined")
    draw, low_high = as_seen.keep(
        found.one._replace(picture=seen), "Grad-CAM", about, one, look, map=found.one.map.numpy()
    )
    said = [as_seen.plainly(words) for words in facts]
    panels[side.slot] = render.Panel(side.model.title, said, draw, side.colour, low_high(), look["colours"])


def shared(found: inquiry.Ranked, guess: np.ndarray) -> str:
    """What a guess shares with a map, in a sentence; or why that can't be said."""
    if nowhere := judgements.empty(*found.one.ends):
        return f"{nowhere} So there is nothing that a guess could share."
    inside = guess & found.where
    if not inside.any():
        return "You marked only what it doesn’t see."
    return _shared(found.one.question, inside.tobytes(), found, inside)


@st.cache_data(show_spinner=False)
def _shared(question: tuple, marked: bytes, _found: inquiry.Ranked, _inside: np.ndarray) -> str:
    import torch

    from vizcore.experiments import cells

    values, where, inside = (torch.from_numpy(one.copy()) for one in (_found.values, _found.where, _inside))
    share, size = cells.overlap(inside, values, where), _found.one.picture.size
    box, (rows, columns) = _found.one.model.preprocess.box(size), _found.one.map.shape
    random = cells.by_chance(inside, box, size, (rows, columns))
    beyond = float(np.mean(np.array(random) >= share))
    area = float(inside.sum() / where.sum())
    return verdicts.guessed(share, area, beyond, int((values[where] > 0).sum()) < int(inside.sum()))
