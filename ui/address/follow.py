"""A run of the script: the address is read as it begins and written as it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import streamlit as st

from .. import streamlit_private
from . import keys
from .held import Held, held, is_default, now, query, take
from .kinds import LONGEST
from .words import LESSON, START, in_words, parse, sentence

state = st.session_state
_SIDEBAR = {"picture", "a", "b", *(f"{name}_{slot}" for name in ("weights", "seed") for slot in "ab")}
Step = Callable[[str], dict[str, Any] | None]  # a step's name -> the values of its widgets, if there is one


@contextmanager
def in_step(page: str, step: Step, pages: list) -> Iterator[None]:
    """A run of the script.

    Args:
        page: the path of the page that is shown.
        step: the values of a lesson's step by its name, or None where there is none.
        pages: those that the sidebar links to.
    """
    read(page, step)
    shown = query(lesson=False)
    with st.sidebar.container(gap=None):
        links = [link(page) for page in pages]
    with suppress(_Stop):
        yield
    if _changed_on_the_way():
        st.rerun()
    write()  # not where Streamlit ends the run: it then takes nothing more, and the next run writes
    if query(lesson=False) != shown:
        for place, page in zip(links, pages, strict=True):
            place.page_link(page, query_params=query(lesson=False))  # where it is: nothing moves
    held().linked = {name: tuple(value) for name, value in query(lesson=False).items()}


class _Stop(BaseException):
    pass


def again() -> NoReturn:
    """Run the page anew; after ``st.rerun`` alone, what code has changed would pass for a visitor's doing."""
    held().values = now()
    st.rerun()


def stop() -> None:
    """End the page here, as ``st.stop`` does, which would leave the address unwritten."""
    raise _Stop


def link(page, label: str | None = None, icon: str | None = None, **values):
    """A link to a page that keeps what was chosen; out of a lesson, to what was there before it.

    Args:
        values: of widgets there, by key, that become others.
    """
    return st.page_link(page, label=label, icon=icon, query_params=query(lesson=False) | in_words(values))


def lesson() -> str:
    """The step of a lesson that is being taken, by its name; empty where there is none."""
    return held().lesson


def left() -> tuple[str, dict[str, list[str]]]:
    """The step of a lesson that was left last, by its name, and the address that takes it up; "" for none."""
    name, values = held().left
    return name, in_words({key: values[key] for key in keys.known(values)}) | {LESSON: [name]}


def page() -> str:
    """The path of the page that is shown."""
    return held().page


def reset() -> None:
    """Everything as on a first visit; for a button."""
    own = held()
    own.lesson, own.before = "", {}
    own.forgive()
    take({})


# ---------------------------------------------------------------- read


def _browsers() -> dict[str, tuple[str, ...]]:
    return {name: tuple(st.query_params.get_all(name)) for name in st.query_params}


def _lesson(words: Mapping[str, tuple[str, ...]]) -> str:
    return words.get(LESSON, ("",))[-1]


def read(page: str, step: Step) -> None:
    """Give widgets the values of the address, where it isn't what this session wrote. Before any widget."""
    streamlit_private.drop_what_widgets_hide()
    own, found = held(), _browsers()
    if not own.seen:
        own.brought = streamlit_private.brought_along()
    if own.chosen:
        take(now() | own.chosen)
        own.chosen = {}
    history, first, moved = streamlit_private.came_by_history(), not own.seen, page != own.page
    own.page = page
    changed = now() != own.values  # by the visitor, since the last run
    # a click that was made before the last address had reached the browser comes with the one before; and the
    # sidebar's links are those of the last whole run, since when a part of the page may have written others
    late = found == own.linked or (found in own.seen and (changed or moved))
    late = late and not history and _lesson(found) == own.lesson
    if not first and moved and not history and (not found or found == own.seen[-1]):
        if own.lesson:  # left by another way than its own
            own.left = own.lesson, dict(own.values)
            take(own.before)
            own.lesson, own.before = "", {}
        own.seen.append(found)  # or Back to the step is taken for what is shown
    elif first or not (late or found == own.seen[-1]):
        own.seen.append(found)
        _follow(own, found, step)
        changed = False
        if not first and not moved and not history:
            st.query_params.from_dict(found)  # by a link to the page that is shown: the browser doesn't do it
    for name, value in own.values.items():
        if name not in state:  # a widget that wasn't drawn has lost its value
            state[name] = list(value) if isinstance(value, list) else value
    if changed:
        own.forgive()
    own.values = now()


def _changed_on_the_way() -> bool:
    """Take what a page has that lost its process between a choice and its answer: the address is older.

    Where a link was followed instead, it is the address that is newer, and no widget of its page was there.
    """
    own = held()
    brought, own.brought = own.brought, None
    if not brought:
        return False
    found = streamlit_private.as_brought(brought, keys.known(state))
    chosen = {name: value for name, value in found.items() if value != state[name]}
    here = any(name not in _SIDEBAR for name in found)
    if not chosen or own.lesson or not (here or len(chosen) == 1):
        return False
    own.chosen = chosen  # widgets that have been drawn take no other value in this run
    return True


def _follow(own: Held, found: dict[str, tuple[str, ...]], step: Step) -> None:
    """Take what an address says, with the step of a lesson that it names."""
    values, wrong = parse(found)
    lesson = ""
    for name in (LESSON, START):
        if name in found:
            words = found[name][-1]
            values_of_step = step(words) if len(words) <= LONGEST else None
            if values_of_step is None:
                wrong[name] = sentence(name, found[name], "isn't a step of any lesson")
            else:
                lesson = words
                values |= values_of_step if name == START else {}
    if lesson and not own.lesson:
        own.before = dict(own.values)
    if own.lesson and not lesson:
        own.left = own.lesson, dict(own.values)
    own.lesson = lesson
    own.refused, own.from_link = wrong, set(values)
    take(values)


# ---------------------------------------------------------------- write


def write() -> None:
    """Put what differs from the defaults into the address: all at once, and only if something changed."""
    own, found = held(), _browsers()
    own.values = now()
    values, _ = parse(found)
    same = {
        name: value
        for name, value in values.items()
        if name not in own.refused and not is_default(name, value)
    }
    if same == own.values and _lesson(found) == own.lesson and START not in found:
        return
    words = query()
    if START not in found:
        own.forgive()
    own.seen.append({name: tuple(value) for name, value in words.items()})
    st.query_params.from_dict(words)
