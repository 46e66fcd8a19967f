"""The run that can be watched: both networks in turns, the pictures as they appear, their way."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from .. import figures, jobs
from ..abreast import abreast
from .units import Asked

KEY = "m_run"  # of the job


class Found(NamedTuple):
    """What one network has made so far; pictures are (n, H, W, 3) uint8."""

    step: int
    objective: list[np.ndarray]  # (n,) a step
    film: list[tuple[int, np.ndarray]]  # (step, pictures) of some steps
    pictures: np.ndarray
    best: np.ndarray
    best_at: list[int]
    running: list[int]


class Run(NamedTuple):
    """A step of one of the networks."""

    done: int
    total: int
    found: dict[str, Found]  # by slot


def run(asked: list[Asked], recipe, seed: int) -> Iterator[Run]:
    """All networks at once."""

    from vizcore.imagine.maximise import maximise

    def imagine(one: Asked) -> Iterator:
        return maximise(one.model, one.objectives(), recipe, [seed] * len(one.targets))

    found: dict[str, Found] = {}
    total = recipe.steps * len(asked)
    for k, step in abreast([partial(imagine, one) for one in asked]):
        slot = asked[k].choice.slot
        found = {**found, slot: _kept(found.get(slot), step)}
        done = sum(one.step if one.running else recipe.steps for one in found.values())
        yield Run(done, total, found)


def _kept(before: Found | None, step) -> Found:
    objective, film = (before.objective, before.film) if before else ([], [])
    pictures = as_pictures(step.pictures)
    objective.append(step.objective.cpu().numpy())
    if step.done & (step.done - 1) == 0 or step.done % (step.total // 4) == 0:  # 1, 2, 4, …, and quarters
        film.append((step.done, pictures))
    return Found(
        step.done, objective, film, pictures, as_pictures(step.best), step.best_at.tolist(),
        step.running.tolist(),
    )  # fmt: skip


def as_pictures(images) -> np.ndarray:
    """(n, 3, H, W) tensor, 0 to 1, as (n, H, W, 3) uint8."""
    return (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def watch(asked: list[Asked], recipe, seed: int) -> dict[str, Found]:
    """The button, the pictures as they appear, and what is known when it ends or is stopped."""
    question = recipe, seed, *(one.question for one in asked)

    def draw(runs: list[Run]) -> None:
        for one, column in zip(asked, st.columns(len(asked), gap="large"), strict=True):
            with column:
                if one.choice.slot in runs[-1].found:
                    _draw(one, runs[-1].found[one.choice.slot], jobs.running(KEY))

    kept = jobs.job(KEY, question, lambda: run(asked, recipe, seed), draw, "Imagine", keep_all=False)
    return {} if not kept or jobs.running(KEY) else kept[-1].found


def _draw(one: Asked, found: Found, running: bool) -> None:
    figures.name(one.model, one.colour)
    pictures = found.pictures if running else found.best
    with st.container(horizontal=True, gap="small"):
        for i, name in enumerate(one.names):
            value = found.objective[-1][i]
            words = f"{name}: {value:.1f}" if running else f"{name}, best at step {found.best_at[i]}"
            words += "" if i in found.running or not running else ", stopped early"
            alt_text = f"what {one.model.title} imagines for {name}"
            st.image(figures.jpeg(_large(pictures[i])), words, width=_width(one), alt=alt_text)
    _curves(one, found)
    _film(one, found)


def _width(one: Asked) -> int:
    return {1: 300, 2: 240}.get(len(one.names), 140)


def _large(picture: np.ndarray) -> np.ndarray:
    """At least 256 pixels a side, so that a browser doesn't blur it."""
    times = -(-256 // picture.shape[0])
    return picture.repeat(times, 0).repeat(times, 1)


def _curves(one: Asked, found: Found) -> None:
    every = max(1, len(found.objective) // 64)
    rows = [
        {"step": step + 1, "objective": float(value), "picture": name}
        for step in range(0, len(found.objective), every)
        for value, name in zip(found.objective[step], one.names, strict=True)
    ]
    several = ["#e67800", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#b8a000"]
    palette = several if len(one.names) > 1 else [figures.web_colour(one.colour)]
    legend = alt.Legend(orient="top", title=None, columns=3, labelLimit=110) if len(one.names) > 1 else None
    chart = (
        alt.Chart(pd.DataFrame(rows), height=240)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("objective:Q", scale=alt.Scale(zero=False)),
            color=alt.Color("picture:N", scale=alt.Scale(domain=one.names, range=palette), legend=legend),
            tooltip=["picture", "step", alt.Tooltip("objective", format=".2f")],
        )
    )
    st.altair_chart(chart, width="stretch")


def _film(one: Asked, found: Found) -> None:
    """The pictures on their way, a row each, from the first step to the last."""
    frames = found.film
    if len(frames) < 2:
        return
    rows = [np.concatenate([pictures[i] for _, pictures in frames], 1) for i in range(len(one.names))]
    steps = ", ".join(str(step) for step, _ in frames)
    words = f"on the way, at steps {steps}"
    st.image(figures.jpeg(np.concatenate(rows)), words, width="stretch", alt=f"{one.model.title} {words}")
