"""What is slow about a new server's first answer, done once and before anybody has to wait for it."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time

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

_started = threading.Lock()
_dirty = threading.Event()
_thread: threading.Thread | None = None


def warm_up() -> None:
    """Begin to import torch and timm in the background, once for each server."""
    global _thread
    if _started.acquire(blocking=False):
        _thread = threading.Thread(target=_import, name="warm-up", daemon=True)
        _thread.start()
        threading.Thread(target=_tidy, name="tidy", daemon=True).start()


def warm() -> None:
    """Wait until everything is imported: two threads amid one import can get in each other's way."""
    warm_up()
    if _thread:
        _thread.join()


def is_warm() -> bool:
    """Whether everything is imported, so that nobody would have to wait for it."""
    return _thread is not None and not _thread.is_alive()


def _import() -> None:
    if "SIGHTLINES_LEAVE_SECONDS" in os.environ and sys.platform == "linux":
        # one of several, which may come in place of one that died: the others answer its people now
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
    import vizcore.networks.load  # noqa: F401  with it come torch, torchvision and timm

    # A collection of garbage looks at every object while all others wait. With the half million of these
    # imports that takes 280 ms; frozen, they aren't looked at.
    gc.collect()
    gc.freeze()


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
