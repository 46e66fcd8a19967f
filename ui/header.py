"""A page's title, and beside it what to do with what it shows: copy its link, save it."""

from __future__ import annotations

import streamlit as st
from streamlit.components.v2 import component

from . import cant_show
from .streamlit_private import CLOSE_SIDEBAR

_LINK = component(
    "sightlines.link",
    html="""
<button type="button">
  <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3.9 12a3.1 3.1 0 0 1 3.1-3.1h4V7H7a5 5 0 0 0 0
  10h4v-1.9H7A3.1 3.1 0 0 1 3.9 12ZM8 13h8v-2H8v2Z
  m9-6h-4v1.9h4a3.1 3.1 0 0 1 0 6.2h-4V17h4a5 5 0 0 0 0-10Z"/></svg>
  <span aria-live="polite">Copy link</span></button>
<input type="text" readonly aria-label="The address of this view" hidden>
<p role="status" hidden></p>
""",
    css="""
button { display: inline-flex; align-items: center; gap: 0.4rem; min-height: 2.5rem; padding: 0.25rem 0.75rem;
    font: inherit; white-space: nowrap; color: inherit; background: none; cursor: pointer;
    border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, 0.5rem); }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 3px solid var(--st-primary-color); }
svg { width: 1.2rem; height: 1.2rem; fill: currentColor; }
:host { position: relative; }
p { position: absolute; z-index: 1; top: 100%; right: 0; width: max-content; max-width: 15rem;
    margin: 0.25rem 0 0; padding: 0.4rem 0.6rem; font-size: 0.875rem; background: var(--st-background-color);
    border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius, 0.5rem); }
[hidden] { display: none; }
input { font: inherit; width: 100%; color: inherit; background: none; margin-top: 0.25rem; }
""",
    js="""
export default function({ data, parentElement }) {
"""
    + CLOSE_SIDEBAR
    + """
  const button = parentElement.querySelector("button"), input = parentElement.querySelector("input");
  const words = button.querySelector("span");
  const status = parentElement.querySelector("p"), { without } = data;
  button.title = "The address of this view, for another browser; "
    + (without ? `it leaves out ${without}` : "what you upload stays here");
  if (!without) status.hidden = true;
  button.onclick = async () => {
    const address = window.location.href;
    status.textContent = `The link leaves out ${without}.`;
    status.hidden = !without;
    setTimeout(() => { status.hidden = true; }, 6000);
    try {
      await navigator.clipboard.writeText(address);
      words.textContent = "Copied";
      setTimeout(() => { words.textContent = "Copy link"; }, 2000);
    } catch {  // no permission, or a page that isn't served securely: select it, to be copied by hand
      input.hidden = false;
      input.value = address;
      input.focus();
      input.select();
    }
  };
}
""",
)


def _only_here() -> str:
    """What of this view is in no link, in words; "" where all of it is."""
    if "chosen" not in st.session_state:
        return ""
    picture, *choices = st.session_state["chosen"]
    own = list(picture.only_here)
    if any(choice.weights == "checkpoint" for choice in choices):
        own.append("the checkpoint that you uploaded")
    return " and ".join(own)


def header(title: str) -> None:
    """The title of a page, with its tools at the right; what is saved is told to ``saving`` later."""
    with st.container(horizontal=True, vertical_alignment="center", key="header"):
        st.title(title, anchor=False)
        cant_show.begin()
        row = {"horizontal": True, "vertical_alignment": "center", "horizontal_alignment": "right"}
        with st.container(**row, width=240, key="tools"):  # room also for what comes last
            _LINK(key="copy_link", data={"without": _only_here()})
            st.session_state["tools"] = st.empty()
    st.session_state.update({"kept": {}, "tables": {}, "panels": {}, "seen": {}, "poster_words": ""})
    st.session_state.update({"flips": [], "films": {}})
