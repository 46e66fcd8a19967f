"""The files of Streamlit's that a page is made of, on the quickest way to a browser.

Streamlit hands each of a hundred to another thread, several times, while it has a page to compute.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

FOLDER = Path(st.__file__).parent / "static"
CACHED = b"public, immutable, max-age=31536000"  # as Streamlit says itself: the names change with the files
# What home's elements are drawn by. Where a later Streamlit calls one otherwise, it comes as late as before.
PARTS = (
    "BidiComponent", "Button", "ButtonGroup", "FileUploader", "Html", "ImageList", "PageLink", "Selectbox",
    "TextInput",
)  # fmt: skip
LATER = ("DataFrame",)  # what tables on other pages are drawn by: a third of a second, for the first of them
BEGINNING = 8192  # characters: what a script needs stands at its beginning
_FROM = re.compile(r'(?:from|import)"\./(\w[\w.-]*\.js)"')
_FILE = re.compile(r"/static/((?:js|css|media)/\w[\w.-]*)")
_AS_IT_WAS = {b"range", b"if-none-match", b"if-modified-since"}


def parts(folder: Path = FOLDER, names: Sequence[str] = PARTS) -> list[str]:
    """Scripts of which a browser hears from what is on a page, and not before: their file names.

    Args:
        names: of Streamlit's elements; what is on home by default.
    """
    scripts, found = folder / "static" / "js", dict[str, None]()
    waiting = [path.name for part in names for path in sorted(scripts.glob(f"{part}.*.js"))]
    page = folder / "index.html"
    known = page.read_text("utf-8") if page.is_file() else ""
    while waiting:
        name = waiting.pop()
        if name not in found and name not in known and (scripts / name).is_file():
            found[name] = None
            with (scripts / name).open(encoding="utf-8") as script:
                waiting += _FROM.findall(script.read(BEGINNING))
    return [*found]


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
    before = f"/{base}" if base else ""
    found = scope["path"].startswith(before) and _FILE.fullmatch(scope["path"][len(before) :])
    if not found or any(name.lower() in _AS_IT_WAS for name, _ in scope["headers"]):
        return None
    path = FOLDER / "static" / found[1]
    return path if path.is_file() else None


MIDDLEWARE = Middleware(_Quick)
