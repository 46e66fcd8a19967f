"""Maps over a picture, drawn in the browser: pictures, maps and matrices go there once, as what they are.

    viewer.load()  # once a run, before the rest
    shown = viewer.picture(array, "A cat", regions={"cat": mask})
    viewer.controls("look")
    viewer.show("a", shown, [viewer.Map(cam, "Grad-CAM for “cat”", box)])
    viewer.show("b", shown, [viewer.Map(other, "Relevance for “cat”", box)])
    viewer.together("ab", shown, "a", "b")

What is drawn is what ``ui.figures.laid`` draws of ``sent(values)``. Opacity, colours, scale, zoom, the
crosshair and what lies under the pointer are the browser's; it tells the server of a pinned place, a picked
name and, if asked to, the look, once they have been left alone for a moment.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit.components.v2 import component as _component

from vizcore.drawing import render

from ..streamlit_private import of_no_room, once
from . import wire
from .rooms import MODES_ROOM as MODES_ROOM
from .rooms import place as place
from .rooms import room, styles
from .rooms import row as row
from .rooms import style as style
from .wire import LOOK
from .wire import sent as sent

FITS = 28  # letters of all names that are whole in a row on a phone; three or four make a square there, else
MODES = ("both", "difference", "swipe", "a", "b")
_CODE, _LOOKS = (Path(__file__).with_name(name).read_text("utf-8") for name in ("viewer.js", "viewer.css"))
# Streamlit sends a script with each change of its element: these wait for the code that another one brings
_STUB = """
export default (component) => {
  const wait = {};
  window.sightlines ??= Object.assign(new Promise((resolve) => (wait.arrive = resolve)), wait);
  return window.sightlines.then((viewer) => viewer.mount(component));
}
"""
_LOADER = _component("sightlines.loader", js=_CODE)
_THING = _component("sightlines.thing", js=_STUB)
_VIEWER = _component("sightlines.viewer", js=_STUB)
_PICKER = _component("sightlines.picker", js=_STUB)
_CONTROLS = _component("sightlines.controls", js=_STUB)


class Picture(NamedTuple):
    id: str  # by which the browser knows it
    size: tuple[int, int]  # width, height


class Map(NamedTuple):
    """What lies over a picture. Words and facts may have **bold**, :material/icons: and :red[colours]."""

    values: np.ndarray  # (h, w); (3, h, w) if colours; (h * w, h * w) with a grid: a row is a place's map
    words: str  # what it is
    box: tuple[float, float, float, float]  # left, top, right, bottom: what the network saw of the picture
    kind: str = "heat"  # "signed": about 0, -1 to 1 unless a range is given; "colours": (3, h, w), 0 to 1
    range: tuple[float, float] | None = None  # where its colours end; by default at its ends where it is seen
    shared: tuple[float, float] | None = None  # the same on a shared scale; by default of those of its unit
    grid: tuple[int, int] | None = None  # rows and columns of the places that can be asked for
    name: str = ""  # by which it is picked
    unit: str = ""  # of its values; maps of one kind and unit can share a scale
    region: str = ""  # which of the picture's regions holds the truth
    facts: str = ""  # what is known of it, below its words
    alt: str = ""  # for those who can't see it; by default its words, over the picture's title


# ---------------------------------------------------------------- what goes to the browser


def load(page: str = "") -> None:
    """Bring the code, at the beginning of each run of a page; the browser gets it once."""
    tables = {name: render.legend(name, height=1).tobytes() for name in render.COLOUR_MAPS}
    tables = {name: base64.b64encode(table).decode() for name, table in tables.items()}
    data = {"css": _LOOKS, "tables": tuple(tables.items()), "ends": (render.CNN_COLOUR, render.VIT_COLOUR)}
    styles(page)
    with of_no_room():
        _LOADER(key="sightlines-loader", data=data)


def picture(array: np.ndarray, title: str, regions: Mapping[str, np.ndarray] | None = None) -> Picture:
    """Send a picture, without loss, before the viewers that lay maps over it.

    Args:
        array: (H, W, 3) uint8. regions: by name, where things really are, (H, W) bool.
    """
    array = np.ascontiguousarray(array)
    masks = {name: np.ascontiguousarray(mask, bool) for name, mask in (regions or {}).items()}
    about = json.dumps([title, array.shape, *masks]).encode()
    name = wire.digest(about, array.tobytes(), *(mask.tobytes() for mask in masks.values()))
    size = array.shape[1], array.shape[0]
    head, body = _files(name, array, masks)
    _thing(name, {"size": size, "title": title, **head}, body)
    return Picture(name, size)


@st.cache_data(max_entries=32, show_spinner=False)
def _files(name: str, _array: np.ndarray, _masks: dict) -> tuple[dict, bytes]:
    return wire.picture_files(_array, _masks)


def _thing(name: str, head: dict, body: bytes) -> None:
    """An element that is there to be kept by the browser; a second one of the same is none."""
    with of_no_room(), once():
        _THING(key=f"sightlines-{name}", data=wire.packed({"id": name, **head}, body))


# ---------------------------------------------------------------- what is seen


def show(
    key: str,
    picture: Picture,
    maps: Sequence[Map] = (),
    chosen: str = "",
    point: tuple[float, float] | None = None,
    on_pin: Callable[[tuple[float, float]], None] | None = None,
    lines: int = 2,
    opacity: str = "opacity",
) -> None:
    """A picture with one of its maps over it; without any, the picture.

    Args:
        key: of the element, and for ``together``: letters, digits, - and _.
        chosen: the name of the map to begin with, by default the first.
        point: (x, y), the pinned place as shares of width and height, 0 to 1, for all viewers of the page.
        on_pin: called with the place that was clicked, before the next run.
        lines: of words for which room is kept. opacity: which one of ``LOOK`` it follows.

    Raises:
        ValueError: a map hasn't the shape that its kind asks for, or values that are no numbers.
    """
    heads, body = [], bytearray()
    for one in maps:
        head, values = wire.map_head(one, len(body))
        heads.append(head)
        if head.pop("apart", False):
            head["thing"] = head["id"]
            _thing(head["id"], {}, values)
        else:
            body += values
    head = {"maps": heads, "chosen": chosen, "point": point, "pins": on_pin is not None, "opacity": opacity}
    _viewer(key, picture, head, bytes(body), lines, **_heard(key, "pinned", wire.place, on_pin))


def together(
    key: str,
    picture: Picture,
    orange: str,
    blue: str,
    words: str = "",
    facts: Mapping[str, str] | None = None,
    mode: str = "both",
    zero: bool = True,
    lines: int = 3,
    on_mode: Callable[[str], None] | None = None,
    on_pin: Callable[[tuple[float, float]], None] | None = None,
) -> None:
    """What two viewers show, on one picture: both, their difference, or one beside the other.

    Args:
        orange, blue: the keys of the two viewers. words: after those of the two maps.
        facts: what is known of both, by the name of the map that was picked; "" for any other.
        mode: one of ``MODES`` to begin with. zero: each map from 0 to its maximum, not from its minimum.
        on_mode, on_pin: called with the mode, or the place, that was chosen, before the next run.
    """
    told = {"of": [orange, blue], "words": words, "facts": dict(facts or {}), "mode": mode, "zero": zero}
    head = {"maps": [], "tells": on_mode is not None, "pins": on_pin is not None, **told}
    calls = _heard(key, "mode", lambda said: said if said in MODES else None, on_mode)
    calls |= _heard(key, "pinned", wire.place, on_pin)
    _viewer(key, picture, head, b"", lines, above=MODES_ROOM, **calls)


def _viewer(key: str, picture: Picture, head: dict, body: bytes, lines: int, above: float = 0, **calls):
    """The element, and its place on the page, kept before its code has come: nothing moves when it does."""
    room(f".st-key-{key}", picture.size, lines, above)
    head = {"key": key, "picture": picture.id, "size": picture.size, "lines": lines, **head}
    head["id"] = wire.digest(json.dumps([head["picture"], head["maps"]]).encode(), body)
    _VIEWER(key=key, data=wire.packed(head, body), **calls)


def picker(
    key: str,
    label: str,
    names: Mapping[str, str],
    chosen: str,
    on_pick: Callable[[str], None] | None = None,
    seconds: float = 0,
) -> None:
    """Names of maps, one of which all viewers of the page show: in a row, or on a slider that plays.

    A viewer that hasn't got the map waits for it, and the server is asked at once.

    Args:
        names: and a word or number of each, or "". on_pick: called with the name, before the next run.
        seconds: for which each is seen while the slider plays; 0 for a row.
    """
    options = tuple((name, name, note) for name, note in names.items())
    data = {"label": label, "names": options, "chosen": chosen, "tells": on_pick is not None}
    square = not seconds and 2 < len(names) <= 4 and sum(map(len, names)) > FITS
    data |= {"seconds": seconds, "square": square}
    rems = 4 if seconds else 4.25 if square else 2
    narrow = f"@media (max-width: 640px) {{ .st-key-{key} {{ min-height: {rems}rem; }} }}"
    style(f".st-key-{key} {{ min-height: {2.4 if seconds else 2}rem; }}", narrow)
    known = {name: name for name in names}.get
    _PICKER(key=key, data=data, **_heard(key, "picked", lambda said: known(str(said)), on_pick))


def controls(
    key: str,
    look: Mapping[str, Any] = LOOK,
    which: Sequence[str] = ("opacity", "colours", "scale"),
    on_look: Callable[[dict], None] | None = None,
) -> None:
    """The look of all viewers of the page: some of what is in ``LOOK``."""
    data = {"look": tuple({**LOOK, **look}.items()), "controls": tuple(which), "tells": on_look is not None}
    wide = sum(one in wire.OPACITIES for one in which)
    rows = wide + (len(which) - wide + 1) // 2  # on a phone
    style(
        f".st-key-{key} {{ min-height: 2.4rem; }}",
        f"@media (max-width: 640px) {{ .st-key-{key} {{ min-height: {2.45 * rows - 0.25}rem; }} }}",
    )
    _CONTROLS(key=key, data=data, **_heard(key, "look", wire.look, on_look))


# ---------------------------------------------------------------- what the browser says


def _heard(key: str, event: str, check: Callable[[Any], Any], call: Callable | None) -> dict:
    """Options of a component that calls with what the browser said, if that can be so."""
    if (tell := call) is None:
        return {}

    def changed():
        said = check(getattr(st.session_state.get(key), event, None))
        if said is not None:
            tell(said)

    return {f"on_{event}_change": changed}
