"""While a step of a lesson is taken, only what it needs of its page is seen, beside the guide."""

from __future__ import annotations

import streamlit as st

from .lessons import Step

GUIDE = "lesson_guide"
WIDGETS = "stSelectbox", "stSlider", "stNumberInput", "stTextInput", "stPopover", "stCheckbox"
TOLD = "e_instead", "e_bars"  # what networks say while somebody paints
WHOLE = "l_whole"  # the switch that shows the whole page
PAGE = ".stApp [data-testid=stMainBlockContainer]"


def focus(step: Step, guessed: bool, presenting: bool) -> None:
    """Rules of style: all but what the step needs is hidden, and what it asks for is marked.

    Args:
        guessed: so that the answer is open. presenting: to a class, by whom all else is left out.
    """
    rules = [] if st.session_state.get(WHOLE) else _alone(step, presenting)
    if step.asked and not guessed:
        look = "outline: 3px solid #e67800; outline-offset: 4px; border-radius: 0.4rem;"
        rules.append(f".stApp .st-key-{step.asked} {{ {look} }}")
    if not guessed:
        rules.append(".stApp { --facts: hidden; }")  # what is said below a map could give the answer away
        rules.append(".stApp .st-key-m_closer [data-testid=stMarkdown] { visibility: hidden; opacity: 0; }")
        rules += _covered(step.shows if step.covered else TOLD * bool(step.options))
    st.html(f"<style>{' '.join(rules)}</style>")


def _covered(keys: tuple[str, ...]) -> list[str]:
    """What hides some of a page's parts, and says so in the last of them."""
    if not keys:
        return []
    shown = ", ".join(f".stApp .st-key-{key}" for key in keys)
    box = "position: absolute; inset: 0; display: grid; place-items: center; border: 1px dashed;"
    words = f"content: 'Covered until you have guessed.'; {box} border-radius: 0.4rem;"
    return [
        f"{shown} {{ position: relative; }}",
        f":is({shown}) > * {{ visibility: hidden; opacity: 0; }}",
        f".stApp .st-key-{keys[-1]}::after {{ {words} }}",
    ]


def _alone(step: Step, presenting: bool) -> list[str]:
    """What hides the rest of the page: all parts, and in those that are kept all controls but one."""
    asked = [] if presenting or not step.asked else [step.asked]
    keys = [GUIDE, *step.shows, *asked, *([] if presenting else ["header"])]
    kept = f":is({', '.join(f'.st-key-{key}' for key in keys)})"
    parts = ":is([data-testid=stElementContainer], [data-testid=stLayoutWrapper], [data-testid=stColumn])"
    told = "[data-testid=stAlert], [data-testid=stException]"
    controls = f":is({', '.join(f'[data-testid={name}]' for name in WIDGETS)})"
    theirs = [".st-key-lesson_guide", ".st-key-header", *(f".st-key-{key}" for key in asked)]
    if step.asked.startswith("line_"):
        theirs.append("[class*=st-key-line_]")  # and that of the other network
    own = f":is({', '.join(theirs)})"
    return [
        f"{PAGE} {parts}:not({kept}, {kept} *, :has({kept}, {told})) {{ display: none; }}",
        f"{PAGE} [data-testid=stElementContainer]:has({controls}):not({own}, {own} *) {{ display: none; }}",
    ]
