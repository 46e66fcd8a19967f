"""The whole app in this process, without a browser: a page opened by a link, and what stands on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from ui import turns

ROOT = Path(__file__).parent.parent


@contextmanager
def whole_app() -> Iterator[Callable[[str, dict], AppTest]]:
    """Opens a page by its name and the query of a link: (page, query) -> AppTest that has run."""
    start = PagesManager.__init__

    def without_folder(self, *args, **kwargs):
        start(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False  # as on a server, once st.navigation has run there

    def visit(page: str, query: dict) -> AppTest:
        turns._clicks.clear()  # each is another visitor, for whom AppTest has one name
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


def viewer_maps(element) -> list[dict]:
    """What a viewer says of each of its maps, or of two that it lays together; nothing of another element."""
    if getattr(element.proto, "component_name", "") != "sightlines.viewer":
        return []
    data = element.proto.bytes
    head = json.loads(data[4 : 4 + int.from_bytes(data[:4], "little")])
    both = [
        {"name": name, "words": "", "facts": facts, "alt": "", "mode": head["mode"], "chosen": head["of"][0]}
        for name, facts in head.get("facts", {}).items()
    ]
    return [{"key": head["key"], "chosen": head.get("chosen")} | one for one in head["maps"] + both]


def all_maps(at: AppTest) -> list[dict]:
    """What all viewers of a page say of their maps."""
    found = [one for element in at.get("bidi_component") for one in viewer_maps(element)]
    chosen = {one["key"]: one["chosen"] for one in found}  # what lays two together shows what they show
    return [one | {"chosen": chosen.get(one["chosen"], one["chosen"])} for one in found]


def all_words(at: AppTest) -> str:
    """What stands on a page: its text, and what is said of the maps that are seen."""
    seen = [f"{one['words']}\n{one['facts']}" for one in all_maps(at) if one["name"] == one["chosen"]]
    return "\n".join([*(one.value for one in [*at.markdown, *at.caption]), *seen])


def viewer_look(at: AppTest) -> dict:
    """How the maps of a page look at first: what its controls are told."""
    data = [
        one.proto for one in at.get("bidi_component") if one.proto.component_name == "sightlines.controls"
    ]
    return dict(json.loads(data[0].json)["look"])
