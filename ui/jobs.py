"""Work that takes long: it shows progress, can be stopped, keeps what it has, and leaves room for others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import streamlit as st

from . import address
from .limits import run_seconds, runs_an_hour
from .streamlit_private import session_id
from .turns import turn

state = st.session_state
DRAW_EVERY = 0.4  # seconds between two drawings of a running job: pictures cost more than many a step


def job(
    key: str,
    question: Any,
    make: Callable[[], Iterator],
    draw: Callable[[list], None],
    words: str,
    *,
    keep_all: bool = True,
    start: bool = False,
) -> list:
    """A generator that runs on request, shows progress, can be stopped and goes on where it was.

    Args:
        key: of the job, and of its button (``f"{key}_button"``).
        question: what is asked; a new one forgets what was found for the last one.
        make: starts it; what it yields has ``done`` and ``total``.
        draw: shows the list of all that it has yielded so far. Drawn many times: no widgets in it.
        words: the button's.
        keep_all: False keeps only the latest of what it yields.
        start: as if the button had been pressed, where nothing has been found yet.

    Returns:
        What has been found so far, empty before the first run.
    """
    name = _name(key)
    if name in state and state[name]["question"] != question:
        del state[name]
    if start and name not in state:
        _press(name, question, make)
    with st.container(key=f"{key}_job"):
        return _at_work(key, question, make, draw, words, keep_all)


def _at_work(key: str, question: Any, make, draw: Callable[[list], None], words: str, keep_all: bool) -> list:
    """The button, what has been found, and the run that goes on."""
    name, held = _name(key), _held(key)
    bar, place = _button(key, words, held, partial(_press, name, question, make)), st.empty()
    if held["found"]:
        with place.container():
            draw(held["found"])
    if held["running"]:
        try:
            _run(held, bar, place, draw, keep_all)
        except Exception:  # a generator that failed can't go on: the next press starts anew
            del state[name]
            raise
        address.again()
    if _unfinished(held):
        bar.caption(f"Stopped at {held['found'][-1].done / held['found'][-1].total:.0%}{_why(held)}.")
    if state.pop("refused_run", "") == name:
        st.info(f"This server takes {runs_an_hour()} long runs an hour from each session: come back later.")
    return held["found"]


def _why(held: dict) -> str:
    """Why it is that a run stopped by itself, as the end of a sentence."""
    return f": a run may compute for {run_seconds():.0f} s, then others come" if held.get("ended") else ""


def _may_run() -> bool:
    """Whether the session may begin another run; if so, it has."""
    now = time.monotonic()
    begun = [then for then in state.get("runs_begun", ()) if now - then < 3600]
    if 0 < runs_an_hour() <= len(begun):
        return False
    state["runs_begun"] = [*begun, now]
    return True


def found(key: str) -> list:
    """What a job has found so far; empty before its first run."""
    return _held(key)["found"]


def forget_job(key: str) -> None:
    """As before its first run."""
    state.pop(_name(key), None)


def running(key: str) -> bool:
    """Whether a job is running, or waits for its turn."""
    return _held(key)["running"]


def any_running() -> bool:
    """Whether any job of the session is."""
    return any(str(name).startswith(_name("")) and state[name]["running"] for name in list(state))


def _name(key: str) -> str:
    """Where the session holds a job."""
    return f"job_{key}"


def _held(key: str) -> dict[str, Any]:
    return state.get(_name(key)) or {"running": False, "finished": False, "found": []}


def _unfinished(held: dict) -> bool:
    return bool(held["found"]) and not held["finished"]


def _press(name: str, question: Any, make: Callable[[], Iterator]) -> None:
    """The button: starts a job, stops it, lets it go on."""
    held = state.get(name)
    if not (held and held["running"]) and not _may_run():
        state["refused_run"] = name
        return
    if held is None or held["finished"]:
        state[name] = {
            "question": question,
            "steps": make(),
            "found": [],
            "running": True,
            "finished": False,
        }
    else:
        held.update(running=not held["running"], ended=False)


def _button(key: str, words: str, held: dict, press: Callable[[], None]):
    """The button with what it does now; returns the place beside it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        label = (
            "Stop" if held["running"]
            else "Go on" if _unfinished(held)
            else "Once more" if held["found"]
            else words
        )  # fmt: skip
        icon = ":material/stop:" if held["running"] else ":material/play_arrow:"
        st.button(label, key=f"{key}_button", on_click=press, icon=icon)
        return st.empty()


def _run(held: dict, bar, place, draw: Callable[[list], None], keep_all: bool) -> None:
    """Take the steps that are left, drawing on the way what was found."""
    bar.progress(0.0)
    drawn = 0.0
    with turn(session_id(), bar) as own:
        for step in held["steps"]:
            if not keep_all:
                held["found"].clear()
            held["found"].append(step)
            bar.progress(step.done / step.total, f"{step.done / step.total:.0%}")
            if time.monotonic() - drawn > DRAW_EVERY:
                with place.container():
                    draw(held["found"])
                drawn = time.monotonic()
            if step.done < step.total:
                if 0 < run_seconds() <= own.seconds:
                    held.update(running=False, ended=True)
                    return
                own.rest()
    held.update(finished=True, running=False)
