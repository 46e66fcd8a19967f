"""The files of Streamlit's that a page is made of, on the quickest way to a browser.

Streamlit hands each of a hundred to another thread, several times, while it has a page to compute.
"""

from __future__ import annotations

import mimetypes
import re
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

FOLDER = Path(st.__file__).parent / "static"
CACHED = b"public, immutable, max-age=31536000"  # as Streamlit says itself: the names change with the files
_FILE = re.compile(r"/static/((?:js|css|media)/\w[\w.-]*)")
_AS_IT_WAS = {b"range", b"if-none-match", b"if-modified-since"}


class _Quick:
    """ASGI: answers for Streamlit's own files, whole and unasked for, and leaves all else as it is."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        path = _file(scope)
        if path is None:
            return await self.app(scope, receive, send)
        data = path.read_bytes()  # from the system's memory, mostly: less than to ask another thread for it
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        kind = "application/javascript" if path.suffix == ".js" else kind
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(data)).encode()),
            (b"cache-control", CACHED),
            (b"x-content-type-options", b"nosniff"),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": data})


def _file(scope) -> Path | None:
    """The file that is asked for, if it is one of Streamlit's and nothing else is asked about it."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    base = st.get_option("server.baseUrlPath").strip("/")
    asked = scope["path"].removeprefix(f"/{base}" if base else "")
    found = _FILE.fullmatch(asked)
    if not found or any(name.lower() in _AS_IT_WAS for name, _ in scope["headers"]):
        return None
    path = FOLDER / "static" / found[1]
    return path if path.is_file() else None


MIDDLEWARE = Middleware(_Quick)
