"""Whose turn it is to compute: those who wait for an answer go before what takes long anyway."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .limits import give_back
from .warmup import CORES

AT_ONCE = max(2, CORES // 2)  # jobs that compute at the same time, of all sessions; later ones wait
NICE = 10  # of a long job's thread; 0 is usual, 19 the most
ASIDE = 1.0  # seconds at most that a long job waits, before each step, for those who wait for an answer

_queue: list[object] = []  # one ticket for each running or waiting job of the server, in order of arrival
_queue_lock = threading.Lock()
_answered: set[str] = set()  # the sessions whose script runs, but for those with a job that computes
_answered_lock = threading.Lock()
_quiet = threading.Event()  # nobody waits for an answer
_quiet.set()


def begins(session: str) -> None:
    """Told as a session's script starts: somebody waits for its answer."""
    with _answered_lock:
        _answered.add(session)
        _quiet.clear()


def ends(session: str) -> None:
    """Told as it ends, or as a long job begins in it."""
    with _answered_lock:
        _answered.discard(session)
        if not _answered:
            _quiet.set()


def step_aside() -> None:
    """Before each step of a long job: let those who wait for an answer have theirs first, for a while."""
    _quiet.wait(ASIDE)


@contextmanager
def turn(session: str, place) -> Iterator[None]:
    """Wait until few enough jobs are before this one; then compute, after those who wait for an answer.

    Streamlit stops a script at its next ``st`` call, so a tab that is closed while waiting gives up its
    place, and one that is closed while computing gives it to the next.
    """
    ticket = object()
    with _queue_lock:
        _queue.append(ticket)
    ends(session)
    try:
        while (before := _queue.index(ticket) + 1 - AT_ONCE) > 0:
            place.caption(f"{before} {'run' if before == 1 else 'runs'} before yours …")
            time.sleep(0.3)
        with _after_others():
            yield
    finally:
        with _queue_lock:
            _queue.remove(ticket)
        give_back()


@contextmanager
def _after_others() -> Iterator[None]:
    """Let short answers go first: to the scheduler this thread, and what it begins, is of less importance.

    Linux alone has this for threads. An ordinary user can't take it back: the thread ends with its run.
    """
    if sys.platform != "linux":
        yield
        return
    thread = os.PRIO_PROCESS, threading.get_native_id()
    before = os.getpriority(*thread)
    os.setpriority(*thread, max(before, NICE))
    try:
        yield
    finally:
        with suppress(PermissionError):
            os.setpriority(*thread, before)
