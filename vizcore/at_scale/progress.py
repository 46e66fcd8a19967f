"""How far a study is: what is left, and pictures a second."""

from __future__ import annotations

import sys
import time

from .shards import Rank

EVERY = 5.0  # seconds between two lines where no terminal can be written over


class Progress:
    """Lines on stderr; in a terminal one line that is written over."""

    def __init__(self, total: int, rank: Rank, what: str = "pictures"):
        self.total, self.rank, self.what = total, rank, what
        self.done, self.before, self.begun, self.last = 0, 0, time.monotonic(), 0.0

    def there(self, count: int) -> None:
        """So many were made by an earlier run, or by another process."""
        self.done, self.before = self.done + count, self.before + count

    def add(self, count: int) -> None:
        self.done += count
        self.show()

    def words(self) -> str:
        """One line: what is done, what is left, how fast."""
        made, seconds = self.done - self.before, max(time.monotonic() - self.begun, 1e-9)
        speed, left = made / seconds, self.total - self.done
        wait = f", about {_time(left / speed)}" if made and left else ""
        who = f"process {self.rank.rank + 1} of {self.rank.world}: " if self.rank.world > 1 else ""
        rate = f"{speed:.1f} {self.what} a second" if made else "nothing made here yet"
        return f"{who}{self.done} of {self.total} {self.what}, {left} left{wait}; {rate}"

    def show(self, last: bool = False) -> None:
        terminal, now = sys.stderr.isatty(), time.monotonic()
        if not last and not terminal and now - self.last < EVERY:
            return
        self.last = now
        end = "\n" if last or not terminal else ""
        print(f"{chr(13) * terminal}{self.words()}{'   ' * terminal}", end=end, file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    )
