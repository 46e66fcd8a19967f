"""The door of a process: as many sessions as it may have are inside, and others wait in order of arrival."""

from __future__ import annotations

import threading
import time

import streamlit as st

from .limits import sessions_at_once
from .streamlit_private import connected, session_id

AWAY = 15.0  # seconds that a place is kept for who has lost the connection
_came: dict[str, float] = {}  # session -> when it was last seen, in order of arrival
_lock = threading.Lock()


def line(session: str, here: set[str], most: int, now: float) -> int:
    """The place of a session among those who wait, from 1; 0 for who is inside."""
    with _lock:
        _came.setdefault(session, now)
        for one in here & _came.keys():
            _came[one] = now
        for one in [one for one, seen in _came.items() if now - seen > AWAY]:
            del _came[one]
        return max(0, list(_came).index(session) + 1 - most)


def closed() -> bool:
    """Whether this session has to wait; then the page says so, and goes on by itself once it hasn't."""
    if not sessions_at_once() or not _place():
        return False
    _waits()
    return True


def _place() -> int:
    own = session_id()
    return line(own, connected() | {own}, sessions_at_once(), time.monotonic())


@st.fragment(run_every=2)
def _waits() -> None:
    place = _place()
    if not place:
        st.rerun()
    st.title("Sightlines")
    before = f"{place - 1} {'person waits' if place == 2 else 'people wait'} before you" if place > 1 else ""
    st.info(
        f"All {sessions_at_once()} places of this server are taken{before and f', and {before}'}. "
        "This page opens by itself as soon as it is your turn."
    )
