"""A study in fixed parts that any number of processes make, each part once, whole or not at all.

Which pictures are in a part depends on how many there are and on nothing else. A part is written beside its
place and moved there when it is whole, under a lock that ends with its process, so that whatever is killed
leaves nothing half-made, and what is left over of a killed run can't write into the next.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

try:
    import fcntl
except ImportError:  # Windows: one process there
    fcntl = None

MOST, LEAST = 32, 4  # pictures in a part
PARTS = 64  # that a study of few pictures is divided into, so that several processes have as much to do
FINISH = 1 << 30  # the byte of the lock that stands for what follows the last part
WAIT = 0.2  # seconds


class StudyError(ValueError):
    """A study that can't be made or read; the message is a sentence for the person who asked for it."""


class Rank(NamedTuple):
    """Which of how many processes this is; as torchrun says."""

    rank: int = 0
    world: int = 1
    local: int = 0  # among those of this machine


def own_rank() -> Rank:
    """From the environment that torchrun sets; one process without it.

    Raises:
        StudyError: the environment contradicts itself.
    """
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
    try:
        found = Rank(
            *(int(os.environ.get(name, standard)) for name, standard in zip(names, "010", strict=True))
        )
    except ValueError as error:
        raise StudyError(f"{', '.join(names)} of the environment must be whole numbers.") from error
    if not 0 <= found.rank < found.world:
        raise StudyError(f"RANK is {found.rank}, which is none of WORLD_SIZE = {found.world} processes.")
    return found


def parts_of(count: int) -> list[range]:
    """The pictures of each part, by number: at most ``MOST``, fewer where there are few in all.

    >>> [len(part) for part in parts_of(10)], len(parts_of(10_000)), len(parts_of(10_000)[0])
    ([4, 4, 2], 313, 32)
    """
    size = min(MOST, max(LEAST, -(-count // PARTS)))
    return [range(start, min(start + size, count)) for start in range(0, count, size)]


class Locks:
    """One file, a byte of it for each part: whoever has locked the byte makes the part.

    The system gives a lock back when its process ends, however it ends.
    """

    def __init__(self, path: Path):
        self.file: IO[bytes] = open(path, "ab")  # noqa: SIM115  open for as long as the study runs

    @contextlib.contextmanager
    def taken(self, byte: int) -> Iterator[bool]:
        """Whether nobody else has it; it is given back at the end."""
        if fcntl is None:
            yield True
            return
        try:
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            fcntl.lockf(self.file, fcntl.LOCK_UN, 1, byte)

    def close(self) -> None:
        self.file.close()


def written(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """A file, whole or not at all: written beside its place, brought to the disk, then moved there."""
    host = socket.gethostname().replace(".", "_")
    beside = path.with_name(f".{path.name}.{host}-{os.getpid()}")
    try:
        with open(beside, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # Windows has no handle of a folder
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def swept(path: Path) -> None:
    """Take away what killed processes left beside a file; whoever calls holds its lock."""
    for left in path.parent.glob(f".{path.name}.*"):
        left.unlink(missing_ok=True)


def swept_below(folder: Path) -> None:
    """The same for every file of a study that is whole; hidden files of others stay."""
    for left in folder.rglob(".*"):
        name, _, writer = left.name[1:].rpartition(".")
        if re.fullmatch(r".+-\d+", writer) and (left.parent / name).is_file():
            left.unlink(missing_ok=True)


def alone(started_by: int) -> bool:
    """Whether the process that started this one has gone: what is left of a killed run ends by itself."""
    return os.getppid() != started_by


def to_do(locks: Locks, parts: int, there: Callable[[int], bool], rank: Rank) -> Iterator[int]:
    """The parts that this process has to make, one at a time, each locked until the next is asked for.

    Its own first, every ``world``-th. One that another process has (of a run that was killed, say) is waited
    for.
    """
    left, told = list(range(rank.rank, parts, rank.world)), False
    while left:
        busy = []
        for part in left:
            if there(part):
                continue
            with locks.taken(part) as mine:
                if mine and not there(part):  # it may have come meanwhile
                    yield part
                elif not mine:
                    busy.append(part)
        if busy == left:
            if not told:
                print(
                    f"waiting for another process, which has {len(busy)} parts", file=sys.stderr, flush=True
                )
            told = True
            time.sleep(WAIT)
        left = busy
