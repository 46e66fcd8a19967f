"""The address of a view: every widget that it holds, read at the start of a run and written at its end.

What a visitor has chosen is kept in the session, by the widgets' keys, for all pages; the address names what
differs from the defaults. Where the address isn't what was last written (a link, Back, Forward), it wins:
what it doesn't name returns to its default. It is written at most once for an action: Back undoes that one.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import streamlit as st

from vizcore.drawing.render import COLOUR_MAPS

from . import streamlit_private
from .plain import plain

state = st.session_state
LONGEST = 200  # characters of a value
MOST = 2048  # values of a list
LESSON, START = "lesson", "start"  # a step that is being taken; one to be started, in a short link


class Key(NamedTuple):
    """One widget's key: how its value is read from an address, and what it is if nothing is said.

    ``read`` takes the words of the address and raises ValueError with what they should have been. Where the
    default is None, it depends on the networks: ``forget`` is told.
    """

    read: Callable[[list[str]], Any]
    default: Any = None


# ---------------------------------------------------------------- kinds of values


def _one(words: list[str]) -> str:
    if len(words) != 1:
        raise ValueError("may be named only once")
    if not words[0].strip():
        raise ValueError("is empty")
    if len(words[0]) > LONGEST:
        raise ValueError("is too long")
    return words[0]


def text(default: str | None = None) -> Key:
    """Any words: what they name is looked up where the widget is drawn."""
    return Key(_one, default)


def _each(one: Callable[[list[str]], Any], most: int) -> Callable[[list[str]], list]:
    """Reads several values, each once; one empty value for none of them."""

    def read(words: list[str]) -> list:
        if words == [""]:
            return []
        found = list(dict.fromkeys(one([word]) for word in words[: MOST + 1]))
        if len(found) > most:
            raise ValueError(f"names more than {most}")
        return found

    return read


def texts(most: int = MOST) -> Key:
    """Several words, looked up where the widget is drawn."""
    return Key(_each(_one, most))


def choice(*options, default=None) -> Key:
    """One of these words or numbers."""

    def read(words: list[str]):
        word = _one(words)
        for option in options:
            if word == str(option) or (not isinstance(option, str) and _as_number(word) == option):
                return option
        raise ValueError(f"isn't one of {', '.join(map(str, options))}")

    return Key(read, default)


def several(*options: str, default: list[str] | None = None) -> Key:
    """Some of these words."""
    return Key(_each(choice(*options).read, MOST), default)


def whole(low: int, high: int, default: int | None = None) -> Key:
    def read(words: list[str]) -> int:
        found = _as_number(_one(words))
        if found is None or found != int(found) or not low <= found <= high:
            raise ValueError(f"isn't a whole number from {low} to {high}")
        return int(found)

    return Key(read, default)


def wholes(low: int, high: int) -> Key:
    return Key(_each(whole(low, high).read, MOST), [])


def number(low: float, high: float, default: float) -> Key:
    def read(words: list[str]) -> float:
        found = _as_number(_one(words))
        if found is None or not low <= found <= high:
            raise ValueError(f"isn't a number from {low} to {high}")
        return found

    return Key(read, default)


def flag(default: bool | None = False) -> Key:
    def read(words: list[str]) -> bool:
        word = _one(words).lower()
        if word not in ("true", "false"):
            raise ValueError("isn't true or false")
        return word == "true"

    return Key(read, default)


def _as_number(word: str) -> float | None:
    return float(word) if re.fullmatch(r"[+-]?[0-9]{1,9}(\.[0-9]{0,9})?", word) else None


# ---------------------------------------------------------------- the table

TESTS = "Curves", "Cross-test", "Randomised weights", "Noise"
VIEWS = "Attention", "Channels", "PCA colours", "Similar places", "Change"
OPACITY = whole(0, 100, 70)
PARTS = "jitter", "crop", "rotation", "perspective", "flip", "colour", "blur"

EACH = {  # of either network: its slot follows
    "weights": choice("trained", "random", default="trained"),
    "seed": whole(0, 9999, 0),
    "layer": text(),
    "view": choice(*VIEWS),
    "opacity": OPACITY,
    "order": choice("strongest", "index", default="strongest"),
    "sheet": whole(1, 99999, 1),
    "channels": wholes(0, 99999),
    "query": text(),
    "head": text(),
    "g_method": text(),
    "g_layer": text(),
    "s_method": text(),
    "m_layer": text(),
    "m_channel": texts(8),
    "m_place": choice("everywhere", "in the middle", default="everywhere"),
}
KEYS: dict[str, Key] = {
    "picture": text(),
    "a": text(),
    "b": text(),
    "x": whole(0, 100, 50),
    "y": whole(0, 100, 50),
    **{f"{name}_{slot}": key for name, key in EACH.items() for slot in "ab"},
    "h_class": text(),
    # attention rollout
    "r_class": text(),
    "r_query": choice("the answer", "the point", default="the answer"),
    "r_residual": whole(0, 100, 50),
    "r_discard": whole(0, 95, 0),
    "r_fusion": choice("mean", "max", "min", default="mean"),
    "r_prefix": flag(True),
    "r_head": text(),
    "r_method": choice("Chefer et al.", "gradient-weighted rollout", default="Chefer et al."),
    "r_opacity": OPACITY,
    "r_colours": choice(*COLOUR_MAPS, default=next(iter(COLOUR_MAPS))),
    "r_scale": choice("own", "shared", default="own"),
    "r_block": whole(1, 9999),
    "r_proof": flag(),
    "r_heads": flag(),
    # Grad-CAM
    "g_class": text(),
    "g_over": choice("both", "difference", default="both"),
    "g_opacity": OPACITY,
    "g_region": flag(True),
    "g_five": flag(),
    "g_others": flag(),
    "g_part": choice(*TESTS, default=TESTS[0]),
    "g_baseline": choice("blur", "mean", default="blur"),
    "g_steps": choice(8, 16, 32, default=16),
    "g_left": whole(5, 60, 25),
    "g_depth": whole(0, 9999),
    "g_noise": whole(1, 30, 5),
    # saliency
    "s_class": text(),
    "s_not": text(),
    "s_view": choice("colours", "greyscale", "positive", "negative", "over the picture", default="colours"),
    "s_opacity": OPACITY,
    "s_region": flag(True),
    "s_baseline": text("black"),
    "s_steps": choice(25, 50, 100, 200, 400, 800, 1600, default=50),
    "s_rule": text(),
    "s_noise": whole(1, 50, 15),
    "s_draws": choice(5, 10, 25, 50, 100, default=25),
    "s_window": whole(4, 50, 12),
    "s_sheet": flag(),
    "s_first": flag(),
    "s_part": choice(*TESTS, default=TESTS[0]),
    "s_rows": texts(),
    "s_rows_model": text(),
    # activation maximisation
    "m_part": choice("Gallery", "Make your own", default="Gallery"),
    "m_look": text(),
    "m_who": choice("both", "A", "B", default="both"),
    "m_kind": choice("a class", "a channel", default="a class"),
    "m_class": texts(8),
    "m_recipe": choice("clean", "fast", "classic", default="clean"),
    "m_paint": choice("Fourier", "pixels"),
    "m_objective": choice("logit", "log-probability", "margin", default="logit"),
    "m_seed": whole(0, 9999, 0),
    "m_parts": several(*PARTS),
    "m_steps": choice(16, 32, 48, 64, 128, 256, 512),
    "m_views": choice(1, 2, 4, 8),
    "m_l2": choice(0.0, 0.3, 1.0, 3.0, 10.0),
    "m_tv": choice(0.0, 0.3, 1.0, 3.0, 10.0),
    "m_stop": flag(None),
    "m_real": flag(),
    # similarity
    "k_data": text(),
    "k_n": whole(1, 2048, 128),
    "k_seed": whole(0, 999, 0),
    "k_layers": choice("blocks", "all", default="blocks"),
    "k_features": choice("all values", "mean over places", default="all values"),
    "k_kernel": choice("linear", "RBF", default="linear"),
    "k_bandwidth": number(0.1, 2.0, 0.5),
    "k_control": flag(True),
    "k_biased": flag(),
}
MOVING = {"r_block": "r_playing"}  # what moves by itself while the other is on, and isn't written then


def as_words(value) -> list[str]:
    """A widget's value as an address holds it."""
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, list):
        return [str(item) for item in value] or [""]
    return [str(value)]


def parse(words: dict[str, list[str]]) -> tuple[dict[str, Any], dict[str, str]]:
    """The values that an address names, and for each key that it names in vain, a sentence."""
    values, wrong = {}, {}
    for name, key in KEYS.items():
        if name in words:
            try:
                values[name] = key.read(list(words[name]))
            except ValueError as error:
                wrong[name] = _sentence(name, words[name], str(error))
    return values, wrong


def _sentence(name: str, words, why: str) -> str:
    shown = " ".join(", ".join(words).split())
    shown = plain(shown[:40]) + "…" * (len(shown) > 40)
    return f"In this link, {name} is “{shown}”, which {why}; the default is shown instead."


# ---------------------------------------------------------------- what a session holds


@dataclass
class Held:
    values: dict[str, Any] = field(default_factory=dict)  # that differ from their defaults
    defaults: dict[str, Any] = field(default_factory=dict)  # those that depend on the networks
    lesson: str = ""
    before: dict[str, Any] = field(default_factory=dict)  # the values when the lesson began
    page: str = ""
    seen: deque = field(default_factory=lambda: deque(maxlen=12))  # addresses, as lately read or written
    from_link: set[str] = field(default_factory=set)  # keys that no widget has looked at since
    refused: dict[str, str] = field(default_factory=dict)  # keys of the link -> sentences
    box: Any = None  # where sentences are shown


def _held() -> Held:
    return state.setdefault("address", Held())


def _browsers() -> dict[str, tuple[str, ...]]:
    return {name: tuple(st.query_params.get_all(name)) for name in st.query_params}


@contextmanager
def in_step(page: str, step: Callable[[str], dict[str, Any] | None], pages: list) -> Iterator[None]:
    """A run of the script: the address is read as it begins and written as it ends.

    Args:
        page: the path of the page that is shown.
        step: the values of a lesson's step by its name, or None where there is none.
        pages: those that the sidebar links to.
    """
    read(page, step)
    place, shown = st.sidebar.empty(), query(lesson=False)
    _links(place, pages)
    with suppress(_Stop):
        yield
    write()  # not where Streamlit ends the run: it then takes nothing more, and the next run writes
    if query(lesson=False) != shown:
        _links(place, pages)


class _Stop(BaseException):
    pass


def stop() -> None:
    """End the page here, as ``st.stop`` does, which would leave the address unwritten."""
    raise _Stop


def _links(place, pages: list) -> None:
    with place.container(gap="xsmall"):
        for page in pages:
            link(page)


def read(page: str, step: Callable[[str], dict[str, Any] | None]) -> None:
    """Give widgets the values of the address, where it isn't what this session wrote. Before any widget."""
    held, found = _held(), _browsers()
    history, first, moved = streamlit_private.came_by_history(), not held.seen, page != held.page
    held.page = page
    changed = now() != held.values  # by the visitor, since the last run
    # a click that was made before the last address had reached the browser comes with the one before
    late = found in held.seen and not history and (changed or moved) and _lesson(found) == held.lesson
    if not first and moved and not history and (not found or found == held.seen[-1]):
        if held.lesson:  # left by another way than its own
            _take(held.before)
            held.lesson, held.before = "", {}
    elif first or not (late or found == held.seen[-1]):
        held.seen.append(found)
        _follow(held, found, step)
        changed = False
        if not first and not moved and not history:
            st.query_params.from_dict(found)  # by a link to the page that is shown: the browser doesn't do it
    for name, value in held.values.items():
        if name not in state:  # a widget that wasn't drawn has lost its value
            state[name] = list(value) if isinstance(value, list) else value
    if changed:
        _forgive(held)
    held.values = now()


def _forgive(held: Held) -> None:
    """What is wrong with a link is said until something is changed."""
    held.refused = {}
    held.from_link.clear()


def lesson() -> str:
    """The step of a lesson that is being taken, by its name; empty where there is none."""
    return _held().lesson


def _lesson(words: dict) -> str:
    return words.get(LESSON, ("",))[-1]


def _follow(held: Held, found: dict, step: Callable) -> None:
    values, wrong = parse(found)
    lesson = ""
    for name in (LESSON, START):
        if name in found:
            words = found[name][-1]
            values_of_step = step(words) if len(words) <= LONGEST else None
            if values_of_step is None:
                wrong[name] = _sentence(name, found[name], "isn't a step of any lesson")
            else:
                lesson = words
                values |= values_of_step if name == START else {}
    if lesson and not held.lesson:
        held.before = dict(held.values)
    held.lesson = lesson
    held.refused, held.from_link = wrong, set(values)
    _take(values)


def _take(values: dict[str, Any]) -> None:
    """These values, and the default of everything else."""
    held = _held()
    held.values = {name: value for name, value in values.items() if name in KEYS}
    for name, key in KEYS.items():
        if name in held.values:
            state[name] = held.values[name]
        elif name in state:
            if key.default is None:
                del state[name]
            else:
                state[name] = key.default


def write() -> None:
    """Put what differs from the defaults into the address: all at once, and only if something changed."""
    held = _held()
    held.values = now()
    found = _browsers()
    same, _ = parse({name: words for name, words in found.items() if name not in held.refused})
    same = {name: value for name, value in same.items() if not _is_default(name, value)}
    if same == held.values and _lesson(found) == held.lesson and START not in found:
        return
    words = query()
    if START not in found:
        _forgive(held)
    held.seen.append({name: tuple(value) for name, value in words.items()})
    st.query_params.from_dict(words)


def write_fragment() -> None:
    """The same at the end of a fragment, where nothing else of the page runs."""
    if streamlit_private.in_fragment_run():
        write()


def now() -> dict[str, Any]:
    """All values that differ from their defaults, of this page's widgets and of those last seen on others."""
    values = dict(_held().values)
    for name in KEYS:
        if name in state and not (name in MOVING and state.get(MOVING[name])):
            values[name] = state[name]
            if _is_default(name, state[name]):
                del values[name]
    return values


def _is_default(name: str, value) -> bool:
    held, own = _held(), KEYS[name].default
    if own is None and name in held.from_link:  # asked for, and the networks' default isn't known yet
        return False
    return value is None or value == held.defaults.get(name, own)


def query(lesson: bool = True) -> dict[str, list[str]]:
    """The address of what is shown; without the lesson, of what was there before it."""
    held = _held()
    values = held.values if lesson or not held.lesson else held.before
    words = {name: as_words(values[name]) for name in KEYS if name in values}
    return words | ({LESSON: [held.lesson]} if lesson and held.lesson else {})


def reset() -> None:
    """Everything as on a first visit; for a button."""
    held = _held()
    held.lesson, held.before = "", {}
    _forgive(held)
    _take({})


# ---------------------------------------------------------------- told by those who draw widgets


def forget(key: str, unless_in=(), default=None, why: str = "isn't to be had here") -> None:
    """Drop a widget's value where it is not among what can be chosen now, so that its default returns.

    Call it before the widget is drawn; ``default`` where that depends on the networks. A value that came by a
    link is not dropped without a word.
    """
    if key in state and state[key] not in unless_in:
        _refuse(key, state[key], why)
        drop(key)
    offer(key, default)


def forget_each(key: str, options: list, default: list) -> None:
    """The same for several values: those that can be chosen now stay; without any, the default returns."""
    if key in state:
        known = [value for value in state[key] if value in options]
        if known != state[key]:
            _refuse(key, [value for value in state[key] if value not in known], "isn't to be had here")
            drop(key)
            if known:
                state[key] = known
    offer(key, default)


def drop(key: str) -> None:
    """Forget a widget's value; its default returns."""
    state.pop(key, None)
    _held().values.pop(key, None)


def _refuse(key: str, value, why: str) -> None:
    held = _held()
    if key in held.from_link:
        held.refused[key] = _sentence(key, as_words(value), why)
        if held.box is not None:
            held.box.warning(held.refused[key])


def offer(key: str, default) -> None:
    """The default of a widget that is about to be drawn, where it depends on the networks."""
    held = _held()
    linked = key in held.from_link
    held.from_link.discard(key)
    if default is None:
        return
    was = held.defaults.get(key)
    held.defaults[key] = default
    if key not in state or (was != default and state[key] == was and not linked):  # nobody chose it
        state[key] = list(default) if isinstance(default, list) else default  # or a browser keeps its own


def complaints() -> None:
    """What is wrong with the link, where the page begins."""
    held = _held()
    held.box = st.container()
    for sentence in held.refused.values():
        held.box.warning(sentence)


def link(page, label: str | None = None, icon: str | None = None) -> None:
    """A link to a page that keeps what was chosen; out of a lesson, to what was there before it."""
    st.page_link(page, label=label, icon=icon, query_params=query(lesson=False))
