"""What a page of the app may load and run: the content security policy that the proxy sends with it."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from pathlib import Path

# Streamlit's styles are written by its scripts, and a component's script comes as a blob of the page's own;
# pictures that are drawn in the browser are blobs or data.
RULES = {
    "default-src": "'self'",
    "script-src": "'self' blob:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' blob: data:",
    "font-src": "'self' data:",
    "media-src": "'self' blob:",
    "connect-src": "'self'",
    "worker-src": "'self' blob:",
    "frame-src": "'self'",
    "frame-ancestors": "'self'",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}


def policy(app: Path) -> str:
    """The policy, in which a script that stands in the page itself is known by its hash.

    Args:
        app: the app's main script; beside it lies what the app adds to a page's head.
    """
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in page_scripts(app))
    return "; ".join(f"{rule} {said}{f' {hashes}' * (rule == 'script-src')}" for rule, said in RULES.items())


def page_scripts(app: Path) -> list[str]:
    """The scripts in the page itself: Streamlit's, and the app's."""
    found = importlib.util.find_spec("streamlit")  # without running its code, which takes a second
    folder = Path((found.submodule_search_locations or [""])[0]) if found else Path()
    page = (folder / "static" / "index.html").read_text("utf-8")
    arrival = (app.parent / "ui" / "arrival" / "arrival.js").read_text("utf-8")
    return [*re.findall(r"<script>(.*?)</script>", page, re.DOTALL), arrival]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
