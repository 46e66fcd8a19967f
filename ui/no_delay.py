"""Small answers leave at once: of the socket that Streamlit makes for its server asyncio doesn't see to it.

What is sent in two parts, as each answer's head and body are, would wait for the other side to confirm the
first, which it does after 40 ms.
"""

from __future__ import annotations

import importlib
import socket
from contextlib import suppress
from typing import Any

PROTOCOLS = {  # of uvicorn's, by what is installed
    "uvicorn.protocols.http.h11_impl": "H11Protocol",
    "uvicorn.protocols.http.httptools_impl": "HttpToolsProtocol",
}


def no_delay() -> None:
    """Told as the server starts: ``TCP_NODELAY`` for every connection from now on, WebSockets too."""
    for module, name in PROTOCOLS.items():
        with suppress(ImportError):
            _told_of_connections(getattr(importlib.import_module(module), name))


def _told_of_connections(kind: Any) -> None:
    made = kind.connection_made
    if getattr(made, "without_delay", False):
        return

    def connection_made(self, transport) -> None:
        own = transport.get_extra_info("socket")
        if own is not None:
            with suppress(OSError):  # a Unix socket has no such delay
                own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made(self, transport)

    connection_made.without_delay = True
    kind.connection_made = connection_made
