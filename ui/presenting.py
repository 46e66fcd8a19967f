"""A lesson in front of a class: large type, the question and the maps, and a room in which all guess."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from urllib.parse import urlsplit

import numpy as np
import streamlit as st

from vizcore.drawing import render
from vizcore.drawing.poster import qr
from vizcore.experiments import verdicts

from . import address, answers, cookies, guesses, marks, over_picture
from .classrooms import Room, rooms
from .lessons import Step
from .shared_networks import load

state = st.session_state
DESK, FRESH = "sightlines_desk", 1.5  # what the browser keeps; seconds between two looks at the room
NO_ROOMS = "Rooms can't be kept on this server now. The lesson can be presented without one."
FULL = "There are too many rooms on this server now; one ends by itself after three hours."
LOCAL = (
    "Phones can't reach this address. Open the app by this machine's address in the network, then the lesson."
)


def open_room(lesson: str, step: int = 1) -> None:
    """For a button: a room, whose desk is this browser. One that it had ends."""
    state["l_present"] = True
    try:
        if old := desk():
            rooms().end(old.code)
        made = rooms().open(lesson, step)
    except sqlite3.Error:
        state["no_room"] = NO_ROOMS
        return
    if made is None:
        state["no_room"] = FULL
        return
    cookies.keep(DESK, ".".join(made))


def desk() -> Room | None:
    """The room whose desk this browser is."""
    code, _, word = cookies.kept(DESK).partition(".")
    if not code:
        return None
    try:
        return rooms().find(code) if rooms().is_desk(code, word) else None
    except sqlite3.Error:
        return None


def close_room(code: str) -> None:
    rooms().end(code)
    cookies.keep(DESK, "")


# ---------------------------------------------------------------- what is seen


def panel(lesson: str, number: int, step: Step) -> None:
    """The question, what there is to guess, the answer once it is shown; and the room, where there is one."""
    cookies.tell(DESK)
    room = desk()
    room = room if room and room.lesson == lesson else None
    shown = bool(guesses.said(step, number))
    if room:
        rooms().ask(room.code, number)
        if shown:
            rooms().reveal(room.code, number)
    st.markdown(f"## {step.question}")
    if room:
        _asked(room.code, number, step, shown)
    else:
        _options(step, shown, {})
    if shown:
        st.markdown(step.answer)
    st.button("Show the answer", key="l_reveal", shortcut="a", type="primary", disabled=shown,
              on_click=_reveal, args=(room.code if room else "", number, step))  # fmt: skip
    if words := state.pop("no_room", ""):
        st.info(words)
    if room:
        _door(room, shown)
    else:
        words = "Everybody guesses on a phone; the counts stand here."
        st.button("Open a room", icon=":material/groups:", key="l_room", on_click=open_room,
                  args=(lesson, number), help=words)  # fmt: skip


def _reveal(code: str, number: int, step: Step) -> None:
    """For the button: the answer is shown, here and on all phones. What a class marked becomes the guess."""
    if code:
        rooms().reveal(code, number)
    guesses.say(number, guesses.SHOWN)
    if step.options:
        return
    picture = state["chosen"][0]
    heat = _marked(picture, rooms().guesses(code, number)) if code else None
    if heat is not None:
        marks.put("e_guess", picture, heat >= max(heat.max() / 2, 1))
    state["e_open"] = bool(state.get("e_guess"))


def _marked(picture, found: dict[str, int]) -> np.ndarray | None:
    """How many have marked each cell, (rows, columns); None where nobody has."""
    masks = [(marks.decoded(picture, word), count) for word, count in found.items()]
    heats = [count * mask.astype(int) for mask, count in masks if mask is not None]
    return np.sum(heats, 0) if heats else None


@st.fragment(run_every=FRESH)
def _asked(code: str, number: int, step: Step, shown: bool) -> None:
    """How many have guessed, and once the answer is shown, what, beside the networks."""
    found = rooms().guesses(code, number)
    count = sum(found.values())
    _options(step, shown, found if shown else {})
    st.markdown(f"**{count}** of {rooms().seats(code)} have guessed.")
    if not shown:
        return
    if step.options:
        right = found.get(str(step.right), 0)
        st.markdown(verdicts.class_chose(right, count, len(step.options)))
    else:
        st.markdown(_beside_networks(found))


def _options(step: Step, shown: bool, found: dict[str, int]) -> None:
    count = max(sum(found.values()), 1)
    for k, option in enumerate(step.options):
        right = ":green[:material/check:] " if shown and k == step.right else ""
        line = f"{right}**{guesses.LETTERS[k]}** {option}"
        if not found:
            st.markdown(line)
            continue
        votes = found.get(str(k), 0)
        st.progress(votes / count, f"{line}: **{votes}**")
    if not step.options and not found:
        st.markdown("Mark it on the picture.")


def _beside_networks(found: dict[str, int]) -> str:
    """What the class marked, beside the maps of both networks, where it is known where the thing is."""
    from vizcore import truth
    from vizcore.experiments.cover_up import pixels

    picture, *choices = state["chosen"]
    name = state.get("e_class") or ""
    mask = picture.masks.get(name.casefold())
    if mask is None:
        return ""
    networks = {}
    for side in answers.sides(picture, choices, {choice.slot: load(choice) for choice in choices}):
        if side.model and side.model.num_classes:
            one = over_picture.cams(side, picture, [name])[name]
            networks[side.model.title] = float(truth.energy(one.framed(), mask))
    heat, share = _marked(picture, found), None
    if heat is not None:
        shares = [pixels(heat >= level, picture.size) for level in range(1, int(heat.max()) + 1)]
        share = float(sum((one & mask).sum() for one in shares) / max(sum(one.sum() for one in shares), 1))
    return verdicts.class_marked(name, share, networks, float(mask.mean()))


def _door(room: Room, shown: bool) -> None:
    """How phones come in: the code, and a picture of the link, which stays in view; not beside an answer."""
    to = door_link(room.code)
    with st.container(border=True, gap="small", key="l_shut" if shown else "l_door"):
        picture, words = st.columns([150, 220], gap="small") if to and not shown else (None, st)
        if picture:
            picture.image(render.png(qr(to, 260)), width=150, alt=f"A QR code of {to}")
        with words.container(gap="xsmall"):
            st.markdown(f"Join with the code **{room.code}**")
            if not shown:
                st.caption(to)
            with st.popover("About this room", type="tertiary"):
                if urlsplit(to).hostname in ("localhost", "127.0.0.1", "::1"):
                    st.caption(f":material/warning: {LOCAL}")
                ends = datetime.fromtimestamp(room.ends).strftime("%H:%M")
                st.caption(f"Nobody’s name is asked. The room ends by itself at {ends}.")
                st.button("End the room", key="l_end", on_click=close_room, args=(room.code,))


def door_link(code: str) -> str:
    """The address under which phones come into a room; "" where the app's own isn't known."""
    base = app_address()
    return base and f"{base}/room?room={code}"


def app_address() -> str:
    """The address under which the app is opened, without a page; "" where nobody knows it."""
    base = (st.context.url or "").partition("?")[0].rstrip("/")
    return base.removesuffix(f"/{address.page()}") if address.page() else base
