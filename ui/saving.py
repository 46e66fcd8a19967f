"""What a page shows, to take away: figures with captions, raw maps, tables, and the code that makes them.

A page tells what it shows while it draws (``keep``, ``keep_table``) and ends with ``offer``. Files are made
when somebody asks for them, so a page that nobody saves costs nothing more.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vizcore import __version__
from vizcore.drawing import render

from . import loops, on_a_folder, posters

state = st.session_state
_WHERE = (
    "The same figures in a notebook, from the folder of this project. Anywhere else, after `pip install` of "
    "it, put a picture of your own in the place of those from `samples/`."
)
TIMES = 2, 4  # how much larger a slide is than its picture


class Kept(NamedTuple):
    caption: str
    draw: Callable[[], np.ndarray]  # () -> (H, W, 3); runs outside of the page's script, so without st
    maps: dict[str, np.ndarray]  # raw, by name
    code: Any  # that makes the same figure in a notebook, "" where there is none; once offered, a str


def about(what: str, model, picture, **facts) -> str:
    """A caption that says all that is needed to make a figure again: ``facts`` such as layer and class."""
    listed = "".join(f", {name} {value}" for name, value in facts.items() if value is not None)
    return f"{what}: {model.title} ({model.source}){listed}, over “{picture.title}”. Sightlines {__version__}"


def keep(
    name: str, caption: str, draw: Callable[[], np.ndarray], code: str | Callable[[], str] = "", **maps
) -> None:
    """Tell what a figure is, so that it can be saved; a later one of the same name replaces it.

    Code that depends on what comes later on the page is a function, called at its end.
    """
    state.setdefault("kept", {})[name] = Kept(caption, draw, maps, code)


def keep_both(what: str, words: str, picture, draw: Callable[[], np.ndarray]) -> None:
    """The maps of both networks on one picture."""
    name = "The difference of both maps" if what == "difference" else "Both maps"
    keep(name, f"{words} Over “{picture.title}”. Sightlines {__version__}", draw)


def keep_panel(slot: str, heading: str, make: Callable[[], render.Panel]) -> None:
    """A picture of the slide that shows both networks beside each other, in the order of slots."""
    state.setdefault("panels", {})[slot] = heading, make


def keep_table(name: str, rows: list[dict]) -> None:
    state.setdefault("tables", {})[name] = rows


def offer(page: str) -> None:
    """The button beside the title under which everything lies, and at the page's end the code."""
    kept, tables, panels = (dict(state[name]) for name in ("kept", "tables", "panels"))
    if not kept:
        on_a_folder.offer()
        return
    kept = {
        name: one._replace(code=one.code() if callable(one.code) else one.code) for name, one in kept.items()
    }
    state["kept"] = kept
    button = partial(st.download_button, on_click="ignore", icon=":material/download:", width="stretch")
    # both are filled once they are opened: they would be a fifth of what a page sends at each click
    with state["tools"].popover("Save", icon=":material/download:", key="save", on_change="rerun") as save:
        if save.open:
            name = f"sightlines-{slug(page)}.zip"
            button("Everything (ZIP)", partial(bundle, kept, tables), name, type="primary")
            for times in TIMES if len(panels) > 1 else ():
                file = f"sightlines-{slug(page)}-{times}x.png"
                button(f"For a slide, {times} × (PNG)", partial(slide_file, panels, times), file, "image/png")
            posters.offer(panels, slug(page), button)
            loops.offer(slug(page), button)
            for name, one in kept.items():
                button(f"{name} (PNG)", partial(picture_file, one), f"{slug(name)}.png", "image/png")
            if any(one.maps for one in kept.values()):
                button("Raw maps (NPZ)", partial(maps_file, kept), f"{slug(page)}-maps.npz")
            for name, rows in tables.items():
                button(f"{name} (CSV)", partial(table_file, rows), f"{slug(name)}.csv", "text/csv")
    written = {name: one.code for name, one in kept.items() if one.code}
    if written:
        title, icon = "Show the code", ":material/code:"
        with st.expander(title, icon=icon, key="show_code", on_change="rerun") as code:
            if code.open:
                st.markdown(_WHERE)
                for tab, lines in zip(st.tabs(list(written)), written.values(), strict=True):
                    tab.code(lines, wrap_lines=True)
    on_a_folder.offer()


# ---------------------------------------------------------------- files


def slug(name: str) -> str:
    """A name for a file: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:80] or "figure"


def picture_file(one: Kept) -> bytes:
    """A PNG at full size, with its caption below and inside."""
    info = PngInfo()
    info.add_itxt("Description", one.caption)
    info.add_text("Software", f"Sightlines {__version__}")
    buffer = io.BytesIO()
    Image.fromarray(render.captioned(one.draw(), one.caption)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def slide_file(panels: dict[str, tuple[str, Callable[[], render.Panel]]], times: int) -> bytes:
    """The picture and both networks' maps beside each other, some times as large, as a PNG."""
    heading = " · ".join(dict.fromkeys(heading for heading, _ in panels.values()))
    made = [panels[slot][1]() for slot in sorted(panels, key=lambda slot: slot[:1])]
    buffer = io.BytesIO()
    Image.fromarray(render.slide(made, heading, f"Sightlines {__version__}", times)).save(buffer, "PNG")
    return buffer.getvalue()


def maps_file(kept: dict[str, Kept]) -> bytes:
    """All raw maps as an NPZ: on each layer's own grid, unnormalised; keys are figure.map."""
    maps = {f"{slug(name)}.{key}": value for name, one in kept.items() for key, value in one.maps.items()}
    buffer = io.BytesIO()
    save: Any = np.savez_compressed  # its one option, which no figure is called, hides the names' type
    save(buffer, **maps)
    return buffer.getvalue()


def table_file(rows: list[dict]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")  # the mark by which spreadsheets know the encoding


def bundle(kept: dict[str, Kept], tables: dict[str, list[dict]]) -> bytes:
    """Everything on a page as a ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, one in kept.items():
            file.writestr(f"figures/{slug(name)}.png", picture_file(one))
            if one.code:
                file.writestr(f"code/{slug(name)}.py", one.code)
        file.writestr("maps.npz", maps_file(kept))
        for name, rows in tables.items():
            file.writestr(f"tables/{slug(name)}.csv", table_file(rows))
        captions = "\n\n".join(f"{slug(name)}.png\n{one.caption}" for name, one in kept.items())
        file.writestr("README.txt", captions + "\n")
    return buffer.getvalue()
