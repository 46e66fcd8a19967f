"""The answer before and after, class by class."""

from __future__ import annotations

import html

import numpy as np
import streamlit as st

from vizcore.inside import sayings

from .. import figures, saving
from ..classes import class_names
from .without import Answer

MOST = 5  # classes of each answer
SHADES = 1.0, 0.6, 0.35  # of a network's colour: as it is, then as it is changed


def show(asked, answers: dict[str, Answer]) -> None:
    """The likeliest classes, and the one that is asked for, each with a bar for every answer."""
    names = class_names(asked.model)
    classes = list(dict.fromkeys(
        [asked.index, *(int(k) for one in answers.values() for k in _likeliest(one.chances))]
    ))[: MOST + 2]  # fmt: skip
    rows = [
        {"class": names[k]} | {way: float(one.chances[k]) for way, one in answers.items()} for k in classes
    ]
    rows.sort(key=lambda row: -np.nan_to_num([row[way] for way in answers]).max())
    saving.keep_table(f"Answers before and after, {asked.model.title}, {asked.choice.slot.upper()}", rows)
    st.markdown(f"**{asked.model.title}** says ({' · '.join(answers)}):")
    st.html("".join(_row(row, list(answers), figures.web_colour(asked.colour)) for row in rows))


def _likeliest(chances: np.ndarray) -> np.ndarray:
    """The first classes of an answer; none of one that is no numbers."""
    return np.argsort(-chances)[: 0 if np.isnan(chances).any() else MOST]


def _row(row: dict, ways: list[str], colour: str) -> str:
    shares = " · ".join("no number" if np.isnan(row[way]) else sayings.percent(row[way]) for way in ways)
    wide = {way: f"{min(max(float(np.nan_to_num(row[way])), 0.0), 1.0):.2%}" for way in ways}
    strips = "".join(
        f'<i title="{html.escape(way)}" style="display:block;height:0.3rem;margin-top:1px;'
        f'width:{wide[way]};background:{colour};opacity:{shade}"></i>'
        for way, shade in zip(ways, SHADES, strict=False)
    )
    name = html.escape(row["class"])
    words = f'<span>{name}</span><span style="white-space:nowrap">{shares}</span>'
    line = "display:flex;justify-content:space-between;gap:0.5rem;font-size:0.9rem"
    return f'<div style="margin-bottom:0.35rem"><div style="{line}">{words}</div>{strips}</div>'
