"""Rooms of a class: who opened one, what is asked in it now, and what everybody guesses.

Nothing in here knows who anybody is: a desk and each seat are words drawn at random. All of it is in SQLite,
in memory; where ``SIGHTLINES_ROOMS`` names a file, several processes on one machine share it.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another
LENGTH = 6  # letters of a code: one in 887 million
HOURS = 3  # after which a room ends
MOST, SEATS, LONGEST = 100, 200, 200  # rooms at once, seats of a room, characters of a guess
FILE = "SIGHTLINES_ROOMS"
TABLES = """
create table if not exists rooms (
    code text primary key, desk text, lesson text, step integer, opened real, ends real
) without rowid;
create table if not exists seats (code text, seat text, primary key (code, seat)) without rowid;
create table if not exists revealed (code text, step integer, primary key (code, step)) without rowid;
create table if not exists guesses (
    code text, step integer, seat text, guess text, primary key (code, step, seat)
) without rowid;
"""


class Room(NamedTuple):
    code: str
    lesson: str
    step: int  # that is asked now, from 1
    revealed: bool  # the answer of that step is shown
    ends: float  # in seconds since the epoch


class Rooms:
    """All rooms of a process, or of a file. Its methods may be called from any thread."""

    def __init__(self, file: str = ":memory:", now: Callable[[], float] = time.time):
        """
        Raises:
            sqlite3.Error: the file can't be opened, or is no database.
        """
        self.now, self.lock = now, threading.Lock()
        self.base = sqlite3.connect(file, timeout=10, isolation_level=None, check_same_thread=False)
        if file != ":memory:":
            self.base.execute("pragma journal_mode = wal")
        self.base.executescript(TABLES)

    def _do(self, words: str, *values) -> list[tuple]:
        with self.lock:
            return self.base.execute(words, values).fetchall()

    # ------------------------------------------------------------ the desk

    def open(self, lesson: str, step: int = 1) -> tuple[str, str] | None:
        """The code of a new room, and the word by which its desk is known; None where there are too many."""
        self._sweep()
        code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
        desk, now = secrets.token_urlsafe(16), self.now()
        made = self._do(
            "insert or ignore into rooms select ?, ?, ?, ?, ?, ? where (select count(*) from rooms) < ? "
            "returning code",
            code, desk, lesson, step, now, now + 3600 * HOURS, MOST,
        )  # fmt: skip
        return (code, desk) if made else None

    def _sweep(self) -> None:
        """Forget rooms that have ended and, where there is no room for another, the first to which nobody
        has come."""
        for (code,) in self._do("select code from rooms where ends <= ?", self.now()):
            self._forget(code)
        if self._do("select count(*) from rooms")[0][0] >= MOST:
            empty = (
                "select code from rooms where code not in (select code from seats) order by opened limit 1"
            )
            for (code,) in self._do(empty):
                self._forget(code)

    def _forget(self, code: str) -> None:
        for table in ("guesses", "revealed", "seats", "rooms"):
            self._do(f"delete from {table} where code = ?", code)

    def is_desk(self, code: str, desk: str) -> bool:
        """Whether who says this word has opened the room."""
        found = self._do("select desk from rooms where code = ? and ends > ?", code, self.now())
        return bool(found) and secrets.compare_digest(found[0][0].encode(), desk.encode())

    def ask(self, code: str, step: int) -> None:
        """Ask the question of another step. For the desk, as all down to ``end``."""
        self._do("update rooms set step = ? where code = ? and step != ?", step, code, step)

    def reveal(self, code: str, step: int) -> None:
        """Show the answer of a step: from now on a guess is late."""
        self._do("insert or ignore into revealed select code, ? from rooms where code = ?", step, code)

    def end(self, code: str) -> None:
        self._forget(code)

    # ------------------------------------------------------------ everybody

    def find(self, code: str) -> Room | None:
        """The room of a code; None where there is none, or none any more."""
        found = self._do(
            "select code, lesson, step, exists (select 1 from revealed where code = rooms.code and "
            "step = rooms.step), ends from rooms where code = ? and ends > ?",
            code, self.now(),
        )  # fmt: skip
        return next((Room(*one)._replace(revealed=bool(one[3])) for one in found), None)

    def join(self, code: str) -> str | None:
        """The word by which a new seat of a room is known; None where it is full."""
        seat = secrets.token_urlsafe(9)
        taken = self._do(
            "insert into seats select code, ? from rooms where code = ? and "
            "(select count(*) from seats where code = rooms.code) < ? returning seat",
            seat, code, SEATS,
        )  # fmt: skip
        return seat if taken else None

    def has_seat(self, code: str, seat: str) -> bool:
        return bool(self._do("select 1 from seats where code = ? and seat = ?", code, seat))

    def guess(self, code: str, step: int, seat: str, guess: str) -> bool:
        """Whether a guess counts: the first of its seat, of a step that is asked now and not yet answered."""
        return len(guess) <= LONGEST and bool(
            self._do(
                "insert or ignore into guesses select rooms.code, rooms.step, seats.seat, ? from rooms "
                "join seats on seats.code = rooms.code and seat = ? where rooms.code = ? and step = ? and "
                "ends > ? and not exists (select 1 from revealed where code = rooms.code and "
                "step = rooms.step) returning seat",
                guess,
                seat,
                code,
                step,
                self.now(),
            )  # fmt: skip
        )

    def guessed(self, code: str, step: int, seat: str) -> str | None:
        """What a seat has guessed of a step; None where it hasn't."""
        words = "select guess from guesses where code = ? and step = ? and seat = ?"
        return next((guess for (guess,) in self._do(words, code, step, seat)), None)

    def seats(self, code: str) -> int:
        """How many have come."""
        return self._do("select count(*) from seats where code = ?", code)[0][0]

    def guesses(self, code: str, step: int) -> dict[str, int]:
        """How often each guess was made of a step."""
        words = "select guess, count(*) from guesses where code = ? and step = ? group by guess"
        return dict(self._do(words, code, step))


@cache
def rooms() -> Rooms:
    """Those of this process, or of the file that several share.

    Raises:
        sqlite3.Error: as of ``Rooms``.
    """
    return Rooms(os.environ.get(FILE) or ":memory:")


def read_code(words: str) -> str:
    """A code as it was typed, without what people put into it: "abc 23d" is ABC23D."""
    return "".join(letter for letter in words[:40].upper() if letter.isalnum())


def wait(wrong: int, last: float, now: float) -> float:
    """Seconds that somebody who typed wrong codes has to wait yet: none up to ten, then longer each time.

    Args:
        wrong: how many. last: when the last of them was.
    """
    pause = 2.0 ** min(wrong - 9, 9) if wrong >= 10 else 0.0
    return max(last + pause - now, 0.0)
