"""Paint it out: cover what you choose, and see both networks' answers move."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render
from vizcore.experiments import cover_up, verdicts

from .. import address, as_seen, brush, cant_show, figures, marks, over_picture, saving, viewer
from ..address import forget
from ..answers import Side
from ..classes import class_names, guesses
from ..picture_picker import PHOTOGRAPHS, SCENES, sample
from ..plain import plain
from . import bars, inquiry

state = st.session_state
WITH = {"blur": "Blur", "mean": "Mean colour", "picture": "Another picture"}
COVER, MOVING, LIFTED = "e_cover", "e_moving", "e_lifted"
OPENED = "save", "show_code"  # what of the page speaks of what is painted, where it is open
LINES = 5  # of words below what a map would have covered


class Table(NamedTuple):
    """What lies before a visitor."""

    picture: Any
    sides: list[Side]
    shown: viewer.Picture
    below: np.ndarray  # what covers, (H, W, 3)
    below_shown: viewer.Picture
    cover: tuple  # by which it is known
    firsts: dict[str, inquiry.Ranked | str]  # by slot, what a network's map ranks first, or why none can


def experiment(picture, sides: list[Side]) -> None:
    """The whole of it."""
    cant_show.say(
        "Paint it out",
        "can't show that what you covered is all that an answer rests on: a covered picture is unlike those "
        "that networks learn from, and the cover itself, its edges and its colours, can change an answer. "
        "That you found no smaller cover doesn't mean that there is none, and what a network doesn't see of "
        "a picture can be covered without any effect.",
    )
    below, cover = _ground(picture)
    table = Table(
        picture, sides, over_picture.picture(picture), below,
        viewer.picture(below, f"What covers {plain(picture.title)}"), cover,
        {side.slot: _first(picture, side) for side in sides if side.model},
    )  # fmt: skip
    for left in (LIFTED, MOVING):
        state.pop(left, None)
    _table(table)


def _ground(picture) -> tuple[np.ndarray, tuple]:
    """What covers the picture, as chosen."""
    with st.container(horizontal=True, vertical_alignment="center"):
        how = st.segmented_control(
            "Cover with", list(WITH), format_func=WITH.__getitem__, default="blur", required=True,
            key="e_with", label_visibility="collapsed", wrap=True,
        )  # fmt: skip
        other = None
        if how == "picture":
            titles = [title for title in (*PHOTOGRAPHS, *SCENES) if title != picture.title]
            forget("e_other", titles, titles[0])
            other = sample(st.selectbox("The other picture", titles, key="e_other", width=220,
                                        label_visibility="collapsed"))  # fmt: skip
    cover = (how, other.key) if other else (how,)
    return _made(picture.key, cover, picture.array, other and other.image), cover


def _first(picture, side: Side) -> inquiry.Ranked | str:
    """What a network's map ranks first, asked once and not at each stroke."""
    if why := inquiry.why_not(side.model):
        return why
    try:
        return inquiry.ranked(side, picture, class_names(side.model)[side.top[0][0]])
    except ValueError as error:  # no gradient reaches its places
        return plain(str(error))


@st.cache_data(show_spinner=False)
def _made(key: str, cover: tuple, _picture: np.ndarray, _other) -> np.ndarray:
    return cover_up.ground(_picture, cover[0], _other)


@st.fragment
def _table(table: Table) -> None:
    """What is drawn anew while somebody paints: the page around it, which thirty would wait for, stays."""
    cover = marks.held(COVER, table.picture)
    moving = state.get(MOVING)
    seen = cover if moving is None else moving.get(table.picture.key)
    with st.container(key="e_easel"):
        left, right = st.columns([4, 5], gap="medium")
    with left:
        brush.board(
            "e_board", table.picture.key, table.shown, marks.grid_of(table.picture), seen,
            lambda mark, lifted: _painted(table.picture, mark, lifted),
            look="cover", under=table.below_shown, live=True,
            words=f"{plain(table.picture.title)}, to be covered",
        )  # fmt: skip
    said = {}
    with right:
        for side, column in zip(table.sides, viewer.row("e_bars"), strict=True):
            if side.model:
                with column:
                    said[side.slot] = _answers(table, side, seen, moving is None)
        with st.container(gap="small", key="e_instead"):
            st.markdown("**What would the map have covered first?**")
            for side, column in zip(table.sides, viewer.row("e_first"), strict=True):
                if side.model:
                    with column:
                        _instead(table, side, cover, said[side.slot])
    if state.pop(LIFTED, False):
        if any(map(state.get, OPENED)) or (state.get("kept") and "save" not in state):  # not on offer yet
            address.again()
        address.write()


def _painted(picture, mark: np.ndarray | None, lifted: bool) -> None:
    if not lifted:
        state[MOVING] = {picture.key: mark}
        return
    state.pop(MOVING, None)
    state[LIFTED] = True
    marks.put(COVER, picture, mark)


def _ask(table: Table, side: Side, mark: np.ndarray | None, keep: bool = True) -> np.ndarray:
    """A network's answers with some cells covered, (K,)."""

    def made() -> np.ndarray:
        array = table.picture.array
        return array if mark is None else cover_up.covered(array, mark, table.below)

    if not keep:
        return inquiry.answers_once(side.model, made())
    how = () if mark is None else (*table.cover, marks.coded(table.picture, mark))
    return inquiry.answers(side.choice, (table.picture.key, *how), side.model, made)


def _share(table: Table, mark: np.ndarray | None) -> float:
    return 0.0 if mark is None else float(cover_up.pixels(mark, table.picture.size).mean())


def _answers(table: Table, side: Side, mark: np.ndarray | None, lifted: bool) -> str:
    """A network's bars; returns what is said of its answer."""
    if why := inquiry.why_not(side.model):
        st.html(f"{bars.head(side)}<p>{bars.marked(why)}</p>")
        return why
    before, now = _ask(table, side, None), _ask(table, side, mark, keep=lifted)
    was, says = inquiry.said(side.model, before), inquiry.said(side.model, now)
    left = float(now[before.argmax()])
    share = _share(table, mark)
    said = verdicts.painted(was, says, left, share)
    bars.show(side, before, now, said)
    _smallest(table, side, mark if lifted and says.name != was.name else None, was.name)
    if words := guesses(side, table.picture.drawn):
        st.caption(words)
    return said


def _smallest(table: Table, side: Side, changes: np.ndarray | None, first: str) -> None:
    """The smallest cover that changed the answer, and a button that puts it back.

    Args:
        changes: the cover that does so now, if it does. first: the answer before.
    """
    key = f"e_best_{side.slot}"
    best = marks.held(key, table.picture)
    if best is not None and inquiry.said(side.model, _ask(table, side, best)).name == first:
        best = None  # with another cover, or of another network
    if changes is not None and (best is None or _share(table, changes) < _share(table, best)):
        best = changes
        marks.put(key, table.picture, best)
    share = None if best is None else _share(table, best)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"e_small_{side.slot}"):
        st.markdown(verdicts.smallest(share), width="stretch")
        if best is not None:
            st.button("Show", key=f"e_show_{side.slot}", on_click=_painted, args=(table.picture, best, True))


def _instead(table: Table, side: Side, mark: np.ndarray | None, said: str) -> None:
    """What a network's map ranks first, as many cells as are covered of what the network sees.

    Args:
        said: of its answer.
    """
    key, found = f"e_map_{side.slot}", table.firsts[side.slot]
    if isinstance(found, str):
        viewer.show(key, table.shown, lines=LINES)
        st.caption(found)
        return
    before = _ask(table, side, None)
    index = int(before.argmax())
    name = class_names(side.model)[index]
    inside = None if mark is None else mark & found.where
    count = 0 if inside is None else int(inside.sum())
    if nowhere := judgements.empty(*found.one.ends):
        facts = f"{nowhere} So there is nothing that it would cover first."
    elif inside is None or not count:
        facts = "" if mark is None else "You covered only what it doesn’t see."
    else:
        covers = [inside, *(inquiry.first(one, found.where, count) for one in (found.values, found.random))]
        yours, by_map, by_chance = (float(_ask(table, side, one)[index]) for one in covers)
        facts = verdicts.instead(name, float(before[index]), yours, by_map, by_chance)
        one = _marked(
            table, side, covers[1], f"In colour: the first {count} cells of Grad-CAM for **{name}**."
        )
        _keep(table, side, found, one._replace(facts=facts), said)
        viewer.show(key, table.shown, [one._replace(facts=facts)], lines=LINES)
        return
    one = over_picture.over(found.one, {}, f"Grad-CAM for **{name}**", facts)
    viewer.show(key, table.shown, [one], lines=LINES)


def _whole(table: Table) -> tuple[float, float, float, float]:
    return 0.0, 0.0, float(table.picture.size[0]), float(table.picture.size[1])


def _marked(table: Table, side: Side, mark: np.ndarray, words: str) -> viewer.Map:
    """A mark as a map: its sign is the network's colour."""
    sign = 1.0 if side.colour[0] > side.colour[2] else -1.0
    return viewer.Map(sign * mark.astype(np.float32), words, _whole(table), "signed")


def _keep(table: Table, side: Side, found: inquiry.Ranked, one: viewer.Map, said: str) -> None:
    """So that it can be saved: the cells, beside the picture as it is covered."""
    about = saving.about("What Grad-CAM would have covered first", side.model, table.picture)
    draw, _ = as_seen.keep(found.one, "First cells of Grad-CAM", about, one, viewer.LOOK)
    words = [as_seen.plainly(sentence) for sentence in (said, one.words, one.facts)]
    heading = "What changes the answer?"
    panel = partial(render.Panel, side.model.title, words, draw, side.colour)
    saving.keep_panel(side.slot, heading, panel)
    cover = marks.held(COVER, table.picture)
    words = [f"{verdicts.share_of(_share(table, cover))} of it is covered."]
    draw = partial(_drawn, table.picture.array, cover, table.below)
    saving.keep_panel("", heading, partial(render.Panel, plain(table.picture.title), words, draw))


def _drawn(array: np.ndarray, cover: np.ndarray | None, below: np.ndarray, times: int) -> np.ndarray:
    shown = array if cover is None else cover_up.covered(array, cover, below)
    return figures.enlarged(shown, times)
