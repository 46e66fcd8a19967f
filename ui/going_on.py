"""A page that has lost its process goes on with another: it asks again, and says what couldn't come along.

All but an upload and a long run stands in the address. That these were there, the tab itself remembers.
"""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component

from . import address, jobs
from .plain import plain
from .streamlit_private import of_no_room, session_id

state = st.session_state
A_DAY = 86400

_TAB = component(
    "sightlines.tab",
    js="""
export default ({ data, setTriggerValue }) => {
  let before = {};
  try { before = JSON.parse(sessionStorage.getItem("sightlines")) ?? {}; } catch { /* nothing */ }
  const lost = before.session !== data.session && (before.photograph || before.run);
  try { sessionStorage.setItem("sightlines", JSON.stringify(data)); } catch { /* it may keep nothing */ }
  if (lost) setTriggerValue("lost", { photograph: before.photograph, run: before.run });
};
""",
)


@st.fragment(run_every=A_DAY)
def _asks_again() -> None:
    """Nothing; but a page with such a part asks anew as soon as it is connected again, and a choice whose
    answer was lost is answered. Without, Streamlit waits for the next click."""


def go_on() -> None:
    """At each run, before the page: remember, and say what is gone."""
    _asks_again()
    with of_no_room():
        uploaded = state.get("uploaded")
        _TAB(
            key="tab",
            data={
                "session": session_id(),
                "photograph": uploaded.title if uploaded else "",
                "run": jobs.any_running(),
            },
            on_lost_change=_lost,
        )
    lost = state.get("lost")
    if lost and (lost["page"] != address.page() or jobs.any_running()):
        del state["lost"]
    elif lost and lost["run"]:
        st.info("Your run has ended, and what it had found is gone: its process has. You can start it again.")


def _lost() -> None:
    """What a tab had, and this session hasn't."""
    said = state["tab"].lost or {}
    photograph, run = said.get("photograph"), said.get("run")
    name = plain(photograph[:60]) if isinstance(photograph, str) else ""
    state["lost"] = {"page": address.page(), "photograph": name, "run": bool(run)}


def lost_photograph() -> str:
    """The name of the photograph that was lost with its process, until there is another; else empty."""
    return (state.get("lost") or {}).get("photograph", "") if "uploaded" not in state else ""
