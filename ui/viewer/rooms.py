"""The room that a viewer takes on the page, kept before its code has come: nothing moves when it does."""

from __future__ import annotations

import streamlit as st

# At the first rule of all Streamlit fetches its code for styles. Its white words can't be read on the light
# orange of the dark theme.
FIRST = ":root { --sightlines: 1; } [data-testid^=stBaseButton-primary] { color: light-dark(#fff, #111); }"
MODES_ROOM = 2.4  # rem above a picture, for the ways to lay two maps together


def styles(page: str) -> None:
    """At the beginning of a run, in one element, the rules that the last one of this page had."""
    last = st.session_state.setdefault("styles", {})
    before = last.get(page, {})
    last[page] = {}
    st.session_state["style"] = before, last[page]
    st.html(f"<style>{' '.join([FIRST, *before])}</style>")


def style(*rules: str) -> None:
    """Rules of style, in an element of their own if they are new on the page."""
    rule = " ".join(rules)
    before, now = st.session_state.get("style", ({}, {}))
    if rule not in before and rule not in now:
        st.html(f"<style>{rule}</style>")
    now[rule] = None


def room(own: str, size: tuple[int, int], lines: int, above: float = 0) -> None:
    """Keep room for a picture and for words below it.

    Args:
        own: the selector of the element. size: width and height of the picture. lines: of words.
        above: what stands above the picture, in rem.
    """
    width, height = size
    around = "{0}::before {{ margin-bottom: {1}rem; }}".format
    style(
        f"{own} {{ display: grid; grid-template-columns: minmax(0, 1fr); container-type: inline-size; }}",
        f"{own} > *, {own}::before {{ grid-area: 1 / 1; min-width: 0; }} {own} > * {{ width: 100%; }}",
        f"{own}::before {{ content: ''; aspect-ratio: {width} / {height};",
        f"width: min(100%, 70vh * {width} / {height}); }} {around(own, above + 1.35 + 1.25 * lines)}",
        f"@container (max-width: 240px) {{ {around(own, above + 1.35 + 2.5 * lines)} }}",
    )


def place(key: str, size: tuple[int, int], lines: int = 2, above: float = 0):
    """A place in which a viewer comes later than what stands below it."""
    room(f".st-key-{key}", size, lines, above)
    return st.container(key=key)


def row(key: str, count: int = 2):
    """Columns of which two stay beside each other on a phone."""
    columns = f".st-key-{key} [data-testid=stColumn]"
    narrow = f"{columns} {{ min-width: 0; flex: 1 1 40%; }} {columns} h3 {{ font-size: 1rem; padding: 0; }}"
    style(f"@media (max-width: 640px) {{ {narrow} {columns} [data-testid=stColumn] {{ min-width: 100%; }} }}")
    return st.container(key=key).columns(count, gap="small")
