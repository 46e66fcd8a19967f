"""What is guessed at in a lesson's steps: held in the address, so that a link takes a lesson up where it was.

``l_said`` has a word for each step: its number, and which option, "m" for a mark on the picture, or "r" where
a presenter has shown the answer.
"""

from __future__ import annotations

import re

import streamlit as st

from .lessons import Step

state = st.session_state
SAID, SHOWN, MARKED = "l_said", "r", "m"
LETTERS = "ABCDEFGH"  # of options, as they are called in a room


def all_said() -> dict[int, str]:
    """By step, from 1; what is no word of a step is left out."""
    found = (re.fullmatch(r"([1-9]\d?)\.(\d|m|r)", word) for word in state.get(SAID) or [])
    return {int(one[1]): one[2] for one in found if one}


def words(said: dict[int, str]) -> list[str]:
    return [f"{number}.{word}" for number, word in sorted(said.items())]


def said(step: Step, number: int) -> str:
    """What is guessed of a step; "" where that is yet to come."""
    word = all_said().get(number, "")
    if not step.options:
        if state.get("e_open") and state.get("e_guess"):
            return MARKED
        return word if word in (MARKED, SHOWN) else ""
    return word if word == SHOWN or (word.isdigit() and int(word) < len(step.options)) else ""


def say(number: int, word: str) -> None:
    state[SAID] = words(all_said() | {number: word})


def options(step: Step, number: int) -> None:
    """What can be guessed, a button each; once it is, which was, and which is right."""
    guess = said(step, number)
    if not step.options:
        if guess and all_said().get(number) != guess:
            say(number, guess)
        return
    with st.container(key="l_options", gap="xsmall"):
        for k, option in enumerate(step.options):
            if not guess:
                st.button(option, key=f"l_option_{k}", on_click=say, args=(number, str(k)), width="stretch")
                continue
            right, mine = k == step.right, str(k) == guess
            icon = (
                ":green[:material/check:]"
                if right
                else ":red[:material/close:]"
                if mine
                else ":material/remove:"
            )
            yours = " (your guess)" if mine else ""
            st.markdown(f"{icon} **{option}**{yours}" if right or mine else f"{icon} {option}")
