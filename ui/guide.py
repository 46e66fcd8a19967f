"""Takes a person through a lesson: links to its steps, and a slim guide above the page of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from . import address, focus, guesses, worksheets
from .choices import PICTURELESS
from .lessons import LESSONS
from .network_picker import Choice, title
from .presenting import app_address, open_room
from .presenting import panel as presenting_panel

state = st.session_state
GOES_ALONG = guesses.SAID, "l_present"  # from step to step


def numbered(lesson: str, number: int) -> str:
    """A step's name in a link."""
    return f"{lesson}.{number}"


def find(name: str | None) -> tuple[str, int] | None:
    """The lesson and the number of its step, from 1, that a link names; None where there is no such step."""
    key, _, number = (name or "").partition(".")
    if key in LESSONS and number.isdecimal() and 1 <= int(number) <= len(LESSONS[key].steps):
        return key, int(number)
    return None


def values_of(key: str, number: int) -> dict[str, Any]:
    """Every widget that a step sets, by key."""
    lesson = LESSONS[key]
    return {**lesson.values, **lesson.steps[number - 1].values}


def query_of(key: str, number: int) -> dict[str, Any]:
    """The address of a step: all that its widgets show, and how far somebody is in the lesson."""
    going = find(address.lesson())
    kept = {name: state[name] for name in GOES_ALONG if state.get(name)} if going and going[0] == key else {}
    return {**address.in_words(values_of(key, number) | kept), address.LESSON: numbered(key, number)}


def link(label: str, key: str, number: int, icon: str | None = None) -> None:
    """A link to a step."""
    st.page_link(
        LESSONS[key].steps[number - 1].page, label=label, icon=icon, query_params=query_of(key, number)
    )


def turn(label: str, key: str, number: int, icon: str, shortcut: str) -> None:
    """A button that a key presses, to a step."""
    if st.button(label, icon=icon, shortcut=shortcut, key=f"l_to_{label}"):
        st.switch_page(LESSONS[key].steps[number - 1].page, query_params=query_of(key, number))


def opened(name: str) -> dict[str, Any] | None:
    """Every widget that a step sets, by the step's name in a link; None where there is no such step.

    ``start=`` in a short address, typed by hand, stands for them all. It then becomes ``lesson=``, which sets
    nothing by itself: whoever gets the address sees what its sender saw.
    """
    found = find(name)
    return values_of(*found) if found else None


def guide() -> None:
    """The step that is being taken, beside its page: what to do, a question to guess at, its answer."""
    found = find(address.lesson())
    if not found:
        return
    key, number = found
    step, presenting = LESSONS[key].steps[number - 1], bool(state.get("l_present"))
    guessed = bool(guesses.said(step, number))
    focus.focus(step, guessed, presenting)
    with st.container(border=True, key="lesson_guide", gap="small"):
        _head(key, number, presenting)
        if others := _others(key, number):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/info: {others}", width="content")
                link("Show what it speaks of", key, number, ":material/replay:")
        if presenting:
            with st.container(key="l_presented", gap="small"):
                presenting_panel(key, number, step)
            return
        st.markdown(f"{step.do}  \n**Watch** {step.watch}")
        with st.container(key="l_question", gap="xsmall"):
            st.markdown(f":material/help: **{step.question}**")
            guesses.options(step, number)
            if guessed:
                st.markdown(step.answer)
        st.toggle("Show the whole page", key=focus.WHOLE)


def _head(key: str, number: int, presenting: bool) -> None:
    """Where in the lesson this is; back, next, and out of it."""
    lesson = LESSONS[key]
    last = number == len(lesson.steps)
    st.markdown(f":material/school: **{lesson.title}** · step {number} of {len(lesson.steps)}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="l_way"):
        for to, label, icon, shortcut in (
            (number - 1, "Back", ":material/arrow_back:", "b"),
            (number + 1, "Next", ":material/arrow_forward:", "n"),
        ):
            if 1 <= to <= len(lesson.steps):
                turn(label, key, to, icon, shortcut) if presenting else link(label, key, to, icon)
        address.link("pages/lessons.py", "More lessons" if last else "Leave", ":material/close:")


def _others(key: str, number: int) -> str:
    """That a step's text is of another picture, network or page than what is shown; "" where it isn't.

    Whatever else a step sets is left out: its text asks to change it, or whoever did sees that.
    """
    values, (_, *choices) = values_of(key, number), state.get("chosen", (None,))
    page = PurePosixPath(LESSONS[key].steps[number - 1].page).stem
    looked_at = page not in PICTURELESS
    parts = {
        "page": address.page() != page,
        "picture": looked_at and state.get("picture") != values["picture"],
    } | {f"Model {choice.slot.upper()}": _is_another(choice, values) for choice in choices}
    others = [part for part, is_another in parts.items() if is_another]
    if not others:
        return ""
    of = [f"“{values['picture']}”"] * looked_at + [_called(choice.slot, values) for choice in choices]
    return f"**Another {_listed(others)}** than this step is about: its text speaks of {_listed(of)}."


def _is_another(choice: Choice, values: Mapping[str, Any]) -> bool:
    """Whether a network that is chosen is another than a step sets."""
    slot = choice.slot
    wanted = values[slot], values[f"weights_{slot}"], values.get(f"seed_{slot}", 0)
    return (choice.name, choice.weights, choice.seed) != wanted


def _called(slot: str, values: Mapping[str, Any]) -> str:
    """How a network that a step sets is called."""
    return title(values[slot]) + " with random weights" * (values[f"weights_{slot}"] == "random")


def _listed(words: Sequence[str]) -> str:
    """Two or more with "and" before the last."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def first() -> None:
    """A link to the first step of the first lesson."""
    key = next(iter(LESSONS))
    link("First lesson", key, 1, ":material/school:")


def cards(items: list, kind: str) -> Iterator[tuple[Any, Any]]:
    """Each item, and a card to draw it on; three in a row. Their looks are in ``ui/arrival/page.css``."""
    for start in range(0, len(items), 3):
        for k, (item, column) in enumerate(zip(items[start : start + 3], st.columns(3), strict=False), start):
            yield item, column.container(border=True, height="stretch", key=f"card_{kind}_{k}")


def shelf() -> None:
    """A card for each lesson."""
    for (key, lesson), card in cards(list(LESSONS.items()), "lesson"):
        with card:
            link(f"**{lesson.title}**", key, 1, ":material/school:")
            st.markdown(lesson.about)
            st.caption(f"{len(lesson.steps)} steps, about {lesson.minutes} minutes, on the bundled networks")


def take_up() -> None:
    """A link to where somebody was in the lesson that was left last."""
    name, words = address.left()
    if found := find(name):
        key, number = found
        lesson = LESSONS[key]
        label = f"Go on with **{lesson.title}**, step {number} of {len(lesson.steps)}"
        page = lesson.steps[number - 1].page
        st.page_link(page, label=label, icon=":material/resume:", query_params=words)


def for_a_class() -> None:
    """For whoever teaches: a lesson in front of a class, and a room in which everybody guesses."""
    st.header("For a class", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom", key="l_class"):
        titles = {key: lesson.title for key, lesson in LESSONS.items()}
        key = st.selectbox("Lesson", list(titles), format_func=titles.__getitem__, key="l_lesson", width=320)
        to = LESSONS[key].steps[0].page, {**query_of(key, 1), "l_present": "true"}
        st.page_link(to[0], label="Present it", icon=":material/present_to_all:", query_params=to[1])
        if st.button(
            "Open a room", icon=":material/groups:", on_click=open_room, args=(key,), type="primary"
        ):
            st.switch_page(to[0], query_params=to[1])
        address.link("pages/room.py", "Come into a room", ":material/login:")
        base = app_address()
        to_it = base and f"{base}/{PurePosixPath(to[0]).stem}?start={numbered(key, 1)}"
        for answers, label in ((False, "Worksheet"), (True, "Answer key")):
            made = partial(_printed, key, to_it, answers)
            name = f"sightlines-{key}-{label.split()[0].lower()}.html"
            st.download_button(label, made, name, "text/html", on_click="ignore", icon=":material/print:")
    st.caption(
        "Presented, a lesson shows the question and the maps in large type: N goes on, B goes back, A shows "
        "the answer. In a room everybody guesses on a phone; nobody’s name is asked."
    )


def _printed(key: str, link: str, answers: bool) -> bytes:
    return worksheets.worksheet(LESSONS[key], link, answers).encode()
