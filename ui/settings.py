"""What methods can be told: a widget for each setting, by what the method says of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from .address import forget
from .address.keys import PREFIX


def ask(page: str) -> dict[str, Any]:
    """The settings of all methods of a page, by name, as the methods are told them.

    The same for both networks, so that their maps can be compared.
    """
    from vizcore.methods.table import on_page

    settings = {name: one for method in on_page(page).values() for name, one in method.settings.items()}
    if not settings:
        return {}
    with st.popover("Settings of the methods", icon=":material/tune:"):
        return {name: one.value(_widget(f"{PREFIX[page]}{name}", one)) for name, one in settings.items()}


def _widget(key: str, one) -> Any:
    """A row of words, a list where they are long, or a slider."""
    options, words = list(one.options), one.help or None
    forget(key, options, one.default)
    if not isinstance(options[0], str):
        if isinstance(one.options, range):
            return st.slider(one.label, options[0], options[-1], one.default, key=key, help=words)
        return st.select_slider(one.label, options, one.default, key=key, help=words)
    if sum(map(len, options)) > 25:
        return st.selectbox(one.label, options, options.index(one.default), key=key, help=words)
    return st.segmented_control(one.label, options, default=one.default, required=True, key=key, help=words)


def of(method, chosen: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Those of the chosen settings that a method has."""
    return tuple((name, chosen[name]) for name in method.settings if name in chosen)
