"""A seat in a room: the code, then each question as the desk asks it, and a guess that counts once."""

from __future__ import annotations

import sqlite3
import time

import streamlit as st

from .. import brush, cookies, guesses, marks, over_picture
from ..address import drop
from ..classrooms import LENGTH, Room, read_code, rooms, wait
from ..guide import values_of
from ..lessons import LESSONS, Step
from ..picture_picker import PHOTOGRAPHS, SCENES, sample
from ..plain import plain

state = st.session_state
SEAT, FRESH = "sightlines_seat", 2.0  # what the browser keeps; seconds between two looks at the room
NONE = "No room has the code {}. It may have ended: a room is open for three hours."
FULL = "This room is full."
LATE = "Too late: the answer is shown, or another question is asked."
ONCE = "Your guess is in, and counts once. Look at the screen in front."
BROKEN = "Rooms can't be kept on this server now."


def show() -> None:
    """The whole page."""
    try:
        code = _come_in()
    except sqlite3.Error:
        st.info(BROKEN)
        return
    cookies.tell(SEAT)
    if code:
        _table(code)


# ---------------------------------------------------------------- the door


def _come_in() -> str:
    """The code of the room in which this browser has a seat; asks for one where it has none."""
    asked = read_code(state.get("room") or "")
    code, _, word = cookies.kept(SEAT).partition(".")
    if code and asked in ("", code) and rooms().find(code) and rooms().has_seat(code, word):
        cookies.keep(SEAT, f"{code}.{word}")
        state["room"] = code
        return code
    if asked and _seated(asked):
        return asked
    st.markdown("Whoever presents a lesson opens a room and shows its code. Nobody asks for your name.")
    with st.form("room_door", width=360):
        st.text_input("Code", key="room_code", max_chars=12, help=f"{LENGTH} letters and digits.")
        st.form_submit_button("Come in", type="primary", on_click=_knock)
    if words := state.pop("room_says", ""):
        st.info(words)
    return ""


def _knock() -> None:
    state["room"] = read_code(state.get("room_code") or "") or None


def _seated(code: str) -> bool:
    """Take a seat, unless there is no such room, or this session has tried too many."""
    wrong, last = state.get("room_wrong", (0, 0.0))
    if (pause := wait(wrong, last, time.monotonic())) > 0:
        _say(f"Those were {wrong} wrong codes. Try again in {pause:.0f} s.")
        return False
    if rooms().find(code) is None:
        state["room_wrong"] = wrong + 1, time.monotonic()
        _say(NONE.format(f"“{plain(code[:12])}”"))
        return False
    if (word := rooms().join(code)) is None:
        _say(FULL)
        return False
    state.pop("room_wrong", None)
    cookies.keep(SEAT, f"{code}.{word}")
    return True


def _say(words: str) -> None:
    state["room_says"] = words
    drop("room")


# ---------------------------------------------------------------- the table


@st.fragment(run_every=FRESH)
def _table(code: str) -> None:
    """What is asked now, and what this seat guesses."""
    room = rooms().find(code)
    if room is None:
        st.info("This room has ended.")
        return
    step = _step(room)
    if step is None:
        return
    word = cookies.kept(SEAT).partition(".")[2]
    mine = rooms().guessed(code, room.step, word)
    st.caption(f"Room {code} · {LESSONS[room.lesson].title} · step {room.step}")
    st.markdown(f"### {step.question}")
    if step.options:
        _options(room, step, word, mine)
    else:
        _mark(room, step, word, mine)
    if words := state.pop("room_says", ""):
        st.info(words)
    elif mine is not None and not room.revealed:
        st.success(ONCE)
    elif mine is None and room.revealed:
        st.info("The answer is shown: wait for the next question.")
    if room.revealed:
        st.markdown(step.answer)


def _step(room: Room) -> Step | None:
    lesson = LESSONS.get(room.lesson)
    return lesson.steps[room.step - 1] if lesson and 1 <= room.step <= len(lesson.steps) else None


def _guess(code: str, number: int, word: str, guess: str) -> None:
    """For a button. What doesn't count is said."""
    if not rooms().guess(code, number, word, guess):
        state["room_says"] = ONCE if rooms().guessed(code, number, word) is not None else LATE


def _options(room: Room, step: Step, word: str, mine: str | None) -> None:
    for k, option in enumerate(step.options):
        yours = " (your guess)" if mine == str(k) else ""
        label = f"**{guesses.LETTERS[k]}** {option}{yours}"
        right = ":green[:material/check:] " if room.revealed and k == step.right else ""
        st.button(
            f"{right}{label}", key=f"room_{room.step}_{k}", width="stretch",
            type="primary" if mine == str(k) else "secondary",
            disabled=mine is not None or room.revealed,
            on_click=_guess, args=(room.code, room.step, word, str(k)),
        )  # fmt: skip


def _mark(room: Room, step: Step, word: str, mine: str | None) -> None:
    """The lesson's picture, to mark on, and a button that sends it."""
    title = values_of(room.lesson, room.step).get("picture")
    if title not in (*PHOTOGRAPHS, *SCENES):
        return
    picture, key = sample(title), f"room_mark_{room.code}_{room.step}"
    mark = marks.decoded(picture, mine if mine is not None else state.get(key))

    def painted(found, _lifted: bool) -> None:
        state[key] = None if found is None else marks.coded(picture, found)

    closed = mine is not None or room.revealed
    with st.container(width=420):
        brush.board(
            "room_board", f"{room.code} {room.step}", over_picture.picture(picture), marks.grid_of(picture),
            mark, painted, look="mark", words=f"{plain(picture.title)}, to mark on", locked=closed,
        )  # fmt: skip
    st.button("Send my mark", type="primary", key=f"room_send_{room.step}", disabled=closed or mark is None,
              on_click=_guess, args=(room.code, room.step, word, state.get(key) or ""))  # fmt: skip
