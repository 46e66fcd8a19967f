"""Takes a person through a lesson: links to its steps, and a slim guide above the page of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import streamlit as st

from . import address
from .choices import PICTURELESS
from .lessons import LESSONS
from .network_picker import Choice, title


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


def link(label: str, key: str, number: int, icon: str | None = None) -> None:
    """A link to a step: its page, and in the address all that its widgets show."""
    link_to(LESSONS[key].steps[number - 1].page, label, values_of(key, number), numbered(key, number), icon)


def link_to(page: str, label: str, values: dict[str, Any], step: str, icon: str | None = None) -> None:
    query = {**address.in_words(values), address.LESSON: step}
    st.page_link(page, label=label, icon=icon, query_params=query)


def opened(name: str) -> dict[str, Any] | None:
    """Every widget that a step sets, by the step's name in a link; None where there is no such step.

    ``start=`` in a short address, typed by hand, stands for them all. It then becomes ``lesson=``, which sets
    nothing by itself: whoever gets the address sees what its sender saw.
    """
    found = find(name)
    return values_of(*found) if found else None


def guide() -> None:
    """The step that is being taken, above its page: what to do, what to watch, a question, back and next."""
    found = find(address.lesson())
    if not found:
        return
    key, number = found
    lesson = LESSONS[key]
    step = lesson.steps[number - 1]
    last = number == len(lesson.steps)
    with st.container(border=True, key="lesson_guide", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f":material/school: **{lesson.title}** · step {number} of {len(lesson.steps)}")
            with st.container(horizontal=True, width="content", gap="small"):
                if number > 1:
                    link("Back", key, number - 1, ":material/arrow_back:")
                if not last:
                    link("Next", key, number + 1, ":material/arrow_forward:")
                words = "More lessons" if last else "Leave"
                address.link("pages/lessons.py", words, ":material/close:")
        if others := _others(key, number):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f":material/info: {others}", width="content")
                link("Show what it speaks of", key, number, ":material/replay:")
        st.markdown(f"**Do:** {step.do}  \n**Watch:** {step.watch}")
        with st.expander(step.question, icon=":material/help:", key=f"answer_{numbered(key, number)}"):
            st.markdown(step.answer)


def _others(key: str, number: int) -> str:
    """That a step's text is of another picture, network or page than what is shown; "" where it isn't.

    Whatever else a step sets is left out: its text asks to change it, or whoever did sees that.
    """
    values, (_, *choices) = values_of(key, number), st.session_state["chosen"]
    page = PurePosixPath(LESSONS[key].steps[number - 1].page).stem
    looked_at = page not in PICTURELESS
    parts = {
        "page": address.page() != page,
        "picture": looked_at and st.session_state["picture"] != values["picture"],
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
