"""What is slow about a new server's first answer, done once and before anybody has to wait for it."""

from __future__ import annotations

import gc
import os
import threading

# With thirty sessions on two cores, threads that spin while they wait take the cores from those that have
# something to do: 0.20 s of processor time an answer, against 0.17 s. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_started = threading.Lock()
_thread: threading.Thread | None = None


def warm_up() -> None:
    """Begin to import torch and timm in the background, once for each server."""
    global _thread
    if _started.acquire(blocking=False):
        _thread = threading.Thread(target=_import, name="warm-up", daemon=True)
        _thread.start()


def warm() -> None:
    """Wait until everything is imported: two threads amid one import can get in each other's way."""
    warm_up()
    if _thread:
        _thread.join()


def _import() -> None:
    import vizcore.networks.load  # noqa: F401  with it come torch, torchvision and timm

    # Streamlit collects garbage after every run of the script, while every other thread waits. With the half
    # million objects of these imports that takes 280 ms, most of an answer; frozen, they aren't looked at.
    gc.collect()
    gc.freeze()
