"""Whose turn it is to compute: those who wait for an answer go before what takes long anyway."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count

import streamlit as st

from .limits import give_back, uploads_an_hour
from .warmup import CORES

AT_ONCE = max(2, CORES // 2)  # jobs that compute at the same time, of all sessions; later ones wait
NICE = 10  # of a long job's thread; 0 is usual, 19 the most
ASIDE = 1.0  # seconds at most that a long job waits, before each step, for those who wait for an answer

ANSWERS = CORES + 1  # pages that compute at the same time while others come
ORDER_SECONDS = 0.4
FEW = 5  # answers that a session may have had more than another before that one goes first
SLICE = 10.0  # seconds of computing that a session may be ahead of one that waits
BURST, A_SECOND = 25, 1  # runs of the script that a session may ask for at once, and each second from then on
REMEMBERED = 2000  # sessions

_queue: list[Turn] = []  # each running or waiting job of the server, in order of arrival
_queue_lock = threading.Lock()
_used: defaultdict[str, float] = defaultdict(float)  # seconds that each session's jobs have computed
_sent: dict[str, list[float]] = {}  # when each session has sent a file
_clicks: dict[str, tuple[float, float]] = {}  # what each session may still ask for, and as of when
_answered: set[str] = set()  # the sessions whose script runs, but for those with a job that computes
_answered_lock = threading.Lock()
_line: list[tuple[int, int]] = []  # those of them that wait for others to be answered: see ``_in_order``
_arrivals = count()
_moves = threading.Condition(_answered_lock)
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
        _moves.notify_all()
        if not _answered:
            _quiet.set()


def step_aside() -> None:
    """Before each step of a long job, say: let those who wait for an answer go first, for a while."""
    _quiet.wait(ASIDE)


class Turn:
    """One run: whether it computes or waits, and for whom."""

    def __init__(self, session: str, place):
        self.session, self.place, self.computes = session, place, False
        self.began = 0.0  # when it last began to compute
        self.seconds = 0.0  # that it has computed

    def wait(self) -> None:
        """Until few enough others compute and nobody waits whose session has had less."""
        while not self._begin():
            time.sleep(0.3)

    def rest(self) -> None:
        """After each step: let answers go first, and then the runs of those who have had less by now."""
        step_aside()
        with _queue_lock:
            self._count()
            waiting = [one for one in _queue if not one.computes]
            if not any(_used[one.session] + SLICE < _used[self.session] for one in waiting):
                return
            self.computes = False
        self.wait()

    def end(self) -> None:
        with _queue_lock:
            self._count()
            _queue.remove(self)
            if not any(one.session == self.session for one in _queue) and len(_used) > REMEMBERED:
                _used.pop(next(iter(_used)))

    def _count(self) -> None:
        if self.computes:
            now = time.monotonic()
            self.seconds += now - self.began
            _used[self.session] += now - self.began
            self.began = now

    def _begin(self) -> bool:
        with _queue_lock:
            waiting = [one for one in _queue if not one.computes]
            waiting.sort(key=lambda one: _used[one.session])  # among equals in order of arrival
            before = len(_queue) - len(waiting) + waiting.index(self) + 1 - AT_ONCE
            if before <= 0:
                self.computes, self.began = True, time.monotonic()
                return True
        self.place.caption(f"{before} {'run' if before == 1 else 'runs'} before yours …")
        return False


@contextmanager
def turn(session: str, place) -> Iterator[Turn]:
    """Wait until few enough jobs are before this one; then compute, after those who wait for an answer.

    Whose session has computed least goes first, whenever it came. Streamlit stops a script at its next ``st``
    call, so a tab that is closed while waiting gives up its place, and one that is closed while computing
    gives it to the next.
    """
    own = Turn(session, place)
    with _queue_lock:
        _used[session] += 0.0
        _queue.append(own)
    ends(session)
    try:
        own.wait()
        with _after_others():
            yield own
    finally:
        own.end()
        give_back()


def pace(session: str) -> None:
    """Told as a run of the script begins: who asks faster than anybody clicks lets others go first."""
    _unless_overtaken()
    now = time.monotonic()
    with _answered_lock:
        left, then = _clicks.pop(session, (BURST, now))
        left = min(BURST, left + (now - then) * A_SECOND) - 1
        _clicks[session] = max(left, -2 * A_SECOND), now
        while len(_clicks) > REMEMBERED:
            _clicks.pop(next(iter(_clicks)))
    if left < 0:
        ends(session)  # nobody waits for it
        time.sleep(min(2.0, -left / A_SECOND))
        step_aside()
        _unless_overtaken()
    else:
        _in_order(int(BURST - left))


def _unless_overtaken() -> None:
    """End a run whose visitor has clicked again meanwhile: Streamlit does so as it looks into its state."""
    st.session_state.get("anything")


def _in_order(asked: int) -> None:
    """Where many come at once, let those who asked less lately, or came before, have their answers first.

    All at once they would get in each other's way, and all be answered when the last one is. Who is first in
    the line waits for ``ORDER_SECONDS`` at most: some answers take long. Nobody is overtaken for longer than
    a few of these.
    """
    with _moves:
        own = asked // FEW, next(_arrivals)
        _line.append(own)
        try:
            _moves.wait_for(lambda: min(_line) == own, 5 * ORDER_SECONDS)
            _moves.wait_for(lambda: len(_answered) - len(_line) < ANSWERS, ORDER_SECONDS)
        finally:
            _line.remove(own)
            _moves.notify_all()


def may_send(session: str) -> bool:
    """Whether a session may send another file; if so, it has."""
    now = time.monotonic()
    sent = [then for then in _sent.pop(session, ()) if now - then < 3600]
    allowed = not 0 < uploads_an_hour() <= len(sent)
    _sent[session] = [*sent, now] if allowed else sent
    while len(_sent) > REMEMBERED:
        _sent.pop(next(iter(_sent)))
    return allowed


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
