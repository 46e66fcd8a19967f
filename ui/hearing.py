"""How fast a page may speak: what it says beyond that is heard later.

Streamlit begins a thread for each click and stops the one before at its next ``st`` call. A page that clicks
fifty times a second would take half a core from all others with runs of which none ever ends.
"""

from __future__ import annotations

import asyncio
import time

from starlette.middleware import Middleware

AT_ONCE, A_SECOND = 200, 10  # messages of a page: a mark that is moved by a held key sends thirty a second


class _Heard:
    """ASGI: hands on what a page says over its connection, and leaves all else as it is.

    What waits does so in the connection: when that is full, it is the other side that has to wait.
    """

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        left, then = float(AT_ONCE), time.monotonic()

        async def heard():
            nonlocal left, then
            now = time.monotonic()
            left, then = min(AT_ONCE, left + (now - then) * A_SECOND) - 1, now
            if left < 0:
                await asyncio.sleep(-left / A_SECOND)
            return await receive()

        await self.app(scope, heard, send)


MIDDLEWARE = Middleware(_Heard)
