"""A process that is told to end answers first what it was asked, then hands each page to another process.

To whoever balances it says by its health address that it takes nobody new. Where there is one process alone
(``SIGHTLINES_LEAVE_SECONDS`` is unset), it ends at once, as Streamlit does.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from functools import partial

from starlette.middleware import Middleware

from .streamlit_private import hand_over
from .warmup import is_warm

NOTICED = 1.5  # seconds until it is known that nobody new is taken
RESTED = 0.7  # seconds after an answer, in which its pictures are fetched
_told = threading.Event()


def seconds() -> float:
    """How long a process that is to end may take to answer what it was asked."""
    return float(os.environ.get("SIGHTLINES_LEAVE_SECONDS", 0))


class _Leaving:
    """ASGI: a process that is leaving, or hasn't imported all yet, isn't well; the former takes no pages."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        health = scope.get("path", "").endswith("/_stcore/health")
        if _told.is_set() and scope["type"] == "websocket":
            await receive()
            return await send({"type": "websocket.close", "code": 1012})
        if not health or not seconds() or (is_warm() and not _told.is_set()):
            return await self.app(scope, receive, send)
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


MIDDLEWARE = Middleware(_Leaving)


def leave_politely() -> None:
    """Told once, as the server imports the app: from then on an end that is asked for is a polite one."""
    if seconds() <= 0 or threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)

    def told(number, frame) -> None:
        if not callable(before):
            raise SystemExit(0)
        if _told.is_set():
            return before(number, frame)
        _told.set()
        stop = partial(before, number, frame)
        threading.Thread(target=_leave, args=(stop,), name="leaving", daemon=True).start()

    signal.signal(signal.SIGTERM, told)


def _leave(stop: Callable[[], object]) -> None:
    end, rested = time.monotonic() + seconds(), {}
    time.sleep(NOTICED)
    while hand_over(rested, RESTED) and time.monotonic() < end:
        time.sleep(0.1)
    stop()
    time.sleep(5)
    os._exit(0)  # a thread that still computes would hold it
