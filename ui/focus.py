"""While a step of a lesson is taken, only what it needs of its page is seen, beside the guide."""

from __future__ import annotations

import streamlit as st

from .lessons import Step

KEPT = "lesson_guide", "complaints"
WIDGETS = "stSelectbox", "stSlider", "stNumberInput", "stTextInput", "stPopover", "stCheckbox"
WHOLE = "l_whole"  # the switch that shows the whole page


def focus(step: Step, guessed: bool, presenting: bool) -> None:
    """Rules of style: all but what the step needs is hidden, and what it asks for is marked."""
    keys = [*KEPT, *step.shows, *([] if presenting else ["header"])]
    if step.asked and step.asked not in keys and not presenting:
        keys.append(step.asked)
    kept = f":is({', '.join(f'.st-key-{key}' for key in keys)})"
    parts = ":is([data-testid=stElementContainer], [data-testid=stLayoutWrapper], [data-testid=stColumn])"
    hidden = f"{parts}:not({kept}, {kept} *, :has({kept}, [data-testid=stAlert], [data-testid=stException]))"
    rules = []
    widgets = f":is({', '.join(f'[data-testid={name}]' for name in WIDGETS)})"
    alike = "[class*=st-key-line_]" if step.asked.startswith("line_") else ".none"  # of the other network
    theirs = ", ".join([alike, *(f".st-key-{key}" for key in ("lesson_guide", step.asked or "none"))])
    if not st.session_state.get(WHOLE):
        rules.append(
            f".stApp [data-testid=stMainBlockContainer] [data-testid=stElementContainer]:has({widgets})"
            f":not(:is({theirs}), :is({theirs}) *) {{ display: none; }}"
        )
        rules.append(f".stApp [data-testid=stMainBlockContainer] {hidden} {{ display: none; }}")
        rules.append(".stApp [data-testid=stMainBlockContainer] [data-testid=stAlert] { display: flex; }")
    if step.asked and not guessed:
        rules.append(f".stApp .st-key-{step.asked} {{ outline: 3px solid #e67800; outline-offset: 4px; ")
        rules[-1] += "border-radius: 0.4rem; }"
    if step.covered and not guessed:
        shown = ", ".join(f".stApp .st-key-{key}" for key in step.shows)
        rules.append(
            f"{shown} {{ position: relative; }} :is({shown}) > * {{ visibility: hidden; opacity: 0; }}"
        )
        words = "Covered until you have guessed."
        rules.append(f".stApp .st-key-{step.shows[0]}::after {{ content: '{words}'; position: absolute; ")
        rules[-1] += (
            "inset: 0; display: grid; place-items: center; border: 1px dashed; border-radius: 0.4rem; }"
        )
    st.html(f"<style>{' '.join(rules)}</style>")
