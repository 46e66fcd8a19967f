"""What is slow about a new server's first answer, done once and before anybody has to wait for it."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable

from .limits import give_back

_ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
CORES = int(os.environ.get("SIGHTLINES_CORES") or _ALL)  # its share, where several processes have one machine

# Read when torch is loaded. Each run of the script is a thread, for which OpenMP makes helpers of its own. On
# two cores a picture of EfficientNet-Lite0 takes 55 ms with two threads and 40 ms with one, at two thirds of
# the processor's time; only large networks lose (ViT-B 1.6 times as long). And helpers that spin while they
# wait take the cores from other sessions.
os.environ.setdefault("OMP_NUM_THREADS", str(max(1, CORES // 2)))
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Activations of many megabytes come from the system at each pass and go back to it, above all in a thread. In
# pages of 2 MB instead of 4 KB a pass of four pictures takes 0.7 of the time, one of 32 half of it.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

TIDY_SECONDS = 5.0  # between two collections of garbage while the server is busy
FIRST_SECONDS = 3.0  # in which whoever waits for the server's start is shown what needs no import

_log = logging.getLogger(__name__)
_started = threading.Lock()
_sent = threading.Event()
_wanted = threading.Event()
_dirty = threading.Event()
_thread: threading.Thread | None = None


def warm_up(rehearse: Callable[[], None] | None = None, load: Callable[[], None] | None = None) -> None:
    """Import torch and timm in the background, once for each server.

    It begins when they are needed, or when the first page has had its time: to import takes the interpreter
    from all that a page is made of, and from the files of Streamlit's that a browser fetches.

    Args:
        rehearse: what can be done for the first page, while a browser reads the code that it is drawn by.
        load: what is to be loaded then.
    """
    global _thread
    if _started.acquire(blocking=False):
        _thread = threading.Thread(target=_import, args=(rehearse, load), name="warm-up", daemon=True)
        _thread.start()
        threading.Thread(target=_tidy, name="tidy", daemon=True).start()


def page_sent() -> None:
    """Told as a page has gone out: its visitor waits for his own browser now."""
    _sent.set()


def warm() -> None:
    """Wait until everything is imported: two threads amid one import can get in each other's way."""
    warm_up()
    _wanted.set()
    if _thread:
        _thread.join()


def is_warm() -> bool:
    """Whether everything is imported, and asked beforehand, so that nobody would have to wait for it."""
    return _thread is not None and not _thread.is_alive()


def _import(rehearse: Callable[[], None] | None, load: Callable[[], None] | None) -> None:
    sys.setswitchinterval(0.0005)  # seconds, a tenth of what is usual: files and answers go out meanwhile
    one_of_several = "SIGHTLINES_LEAVE_SECONDS" in os.environ  # it may come in place of one that died
    if one_of_several and sys.platform == "linux":  # the others answer its people now
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    if not one_of_several:
        _for_the_first_page(rehearse)
    import vizcore.networks.load  # noqa: F401  with it come torch, torchvision and timm

    if one_of_several:
        from . import first_asked

        try:
            first_asked.ask()
        except Exception:  # a page will say what is wrong to whoever meets it
            _log.exception("What a first visit asks could not be asked beforehand")
    # A collection of garbage looks at every object while all others wait. With the half million of these
    # imports that takes 280 ms; frozen, they aren't looked at.
    gc.collect()
    gc.freeze()
    threading.Thread(target=_rest, args=(load,), name="first networks", daemon=True).start()


def _for_the_first_page(rehearse: Callable[[], None] | None) -> None:
    _sent.wait(FIRST_SECONDS)  # imports before would hold up the page itself
    if rehearse:
        rehearse()
    _wanted.wait(FIRST_SECONDS)


def _rest(load: Callable[[], None] | None) -> None:
    try:
        if load:
            load()
    finally:
        sys.setswitchinterval(0.005)


def leaves_garbage() -> None:
    """Told by each run of the script, that what it leaves may be collected some time after."""
    _dirty.set()


def _tidy() -> None:
    """Collect garbage, at most every few seconds and for all sessions at once.

    Streamlit would after each run: about 80 ms with a few networks in memory, before the browser has heard
    the end of the answer, and everybody else waits too.
    """
    if _thread:
        _thread.join()
    while True:
        _dirty.wait()
        time.sleep(TIDY_SECONDS)
        _dirty.clear()
        gc.collect()
        give_back()
