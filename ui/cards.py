"""The way to a unit's card, from wherever one is shown."""

from __future__ import annotations

from typing import Any

import streamlit as st

from . import address

PAGE, ICON = "pages/unit.py", ":material/badge:"
state = st.session_state
WANTED = "card_wanted"  # that a card is to be opened, in the session


def of_channel(slot: str, layer: str, channel: int) -> dict[str, Any]:
    """What the widgets of the page show for a channel, by key."""
    return {"u_of": slot, "u_kind": "channels", "u_layer": layer, "u_unit": channel}


def of_head(slot: str, module: str, head: int) -> dict[str, Any]:
    return {"u_of": slot, "u_kind": "heads", "u_block": module, "u_unit": head}


def of_class(slot: str, name: str) -> dict[str, Any]:
    return {"u_of": slot, "u_kind": "classes", "u_class": name}


def link(label: str, values: dict[str, Any]) -> None:
    """A link to a card, as one of these says."""
    address.link(PAGE, label, ICON, **values)


def want(values: dict[str, Any]) -> None:
    """Open a card in the next run; for a widget's callback, which can't leave the page itself."""
    state.update(values)
    state[WANTED] = True


def go() -> None:
    """Before a page is drawn: to the card that is wanted, if one is."""
    if state.pop(WANTED, False):
        st.switch_page(PAGE)
