"""Several long runs at once, a thread for each: two networks on two cores take little longer than one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Any

from .warmup import CORES

_END = object()


def abreast(makes: Sequence[Callable[[], Iterator]]) -> Iterator[tuple[int, Any]]:
    """What several generators yield, as it comes: (number of the generator, value).

    A generator takes its next step once its last one was taken from here, so who stops, or waits for others,
    lets all of them wait. Threads are of no more importance than the one that asks. On one core the
    generators take their steps in turns.

    Raises:
        Exception: that of the first of them that fails; the others end with their step.
    """
    if CORES < 2 or len(makes) < 2:
        yield from _in_turns({k: iter(make()) for k, make in enumerate(makes)})
        return
    out, over, may = SimpleQueue(), Event(), [Semaphore(1) for _ in makes]
    for k, make in enumerate(makes):
        Thread(target=_work, args=(k, make, out, over, may[k]), name=f"abreast-{k}", daemon=True).start()
    left = len(makes)
    try:
        while left:
            k, value, error = out.get()
            if error is not None:
                raise error
            if value is _END:
                left -= 1
                continue
            yield k, value
            may[k].release()
    finally:
        over.set()
        for one in may:
            one.release()


def _in_turns(going: dict[int, Iterator]) -> Iterator[tuple[int, Any]]:
    while going:
        for k, steps in list(going.items()):
            if (value := next(steps, _END)) is _END:
                del going[k]
            else:
                yield k, value


def _work(k: int, make: Callable[[], Iterator], out: SimpleQueue, over: Event, may: Semaphore) -> None:
    """One generator, in its thread, step by step as it may."""
    try:
        steps = iter(make())
        while may.acquire() and not over.is_set():
            value = next(steps, _END)
            out.put((k, value, None))
            if value is _END:
                return
    except BaseException as error:  # whoever asks raises it
        out.put((k, _END, error))
