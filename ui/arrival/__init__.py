"""A page is shown once its parts are there, so that nothing moves under the eyes of who begins to read.

Streamlit puts a page together in the browser, part by part, each as its code arrives. The few lines here go
into the head of the HTML that it serves, and hide what isn't complete: without scripts, after
an error, or when it takes long, the page is seen as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

from starlette.middleware import Middleware

from ..limits import STUDIES
from ..warmup import page_sent
from . import static_files

_FILES = [
    Path(__file__).with_name(name).read_text("utf-8")
    for name in ("arrival.css", "page.css", "lesson.css", "arrival.js")
]


def _parts() -> str:
    """The names of scripts, as data: a policy of what a page may run knows its own script by a hash."""
    parts = {"parts": static_files.parts()}
    if os.environ.get(STUDIES):
        parts["later"] = static_files.parts(names=static_files.LATER)
    return "".join(f'<meta name="{when}" content="{" ".join(names)}">' for when, names in parts.items())


_LOOKS = "<style>{}</style><style>{}</style><style>{}</style><script>{}</script>".format(*_FILES)
HEAD = (_parts() + _LOOKS).encode()
_UNTOLD = {
    b"accept-encoding",
    b"range",
    b"if-none-match",
    b"if-modified-since",
}  # else it comes in no one piece
_CHANGED = {b"content-length", b"etag", b"last-modified", b"accept-ranges"}


class _Arrival:
    """ASGI: puts ``HEAD`` into pages, and leaves all else as it is."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if not _is_page(scope):
            return await self.app(scope, receive, send)
        told = [(name, value) for name, value in scope["headers"] if name.lower() not in _UNTOLD]
        await self.app({**scope, "headers": told}, receive, _with_head(send))
        page_sent()


def _is_page(scope) -> bool:
    asked = dict(scope["headers"]).get(b"accept", b"") if scope["type"] == "http" else b""
    return b"text/html" in asked and scope["method"] == "GET"


def _with_head(send):
    """``send`` for a whole answer, which has the lines in its head if it is a page."""
    start, parts = {}, []

    async def collect(message):
        if message["type"] == "http.response.start":
            start.update(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts)
        headers = list(start["headers"])
        if dict(headers).get(b"content-type", b"").startswith(b"text/html") and b"</head>" in body:
            body = body.replace(b"</head>", HEAD + b"</head>", 1)
            headers = [one for one in headers if one[0] not in _CHANGED]
            headers.append((b"content-length", str(len(body)).encode()))
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return collect


MIDDLEWARE = Middleware(_Arrival)
