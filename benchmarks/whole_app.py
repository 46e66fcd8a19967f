"""The whole app in this process, without a browser: a page opened by a link, and what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parent.parent


@contextmanager
def whole_app() -> Iterator[Callable[[str, dict], AppTest]]:
    """Opens a page by its name and the query of a link: (page, query) -> AppTest that has run."""
    start = PagesManager.__init__

    def without_folder(self, *args, **kwargs):
        start(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False  # as on a server, once st.navigation has run there

    def visit(page: str, query: dict) -> AppTest:
        test = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=120)
        test.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            test.query_params[name] = value
        return test.run()

    PagesManager.__init__ = without_folder
    try:
        yield visit
    finally:
        PagesManager.__init__ = start
