"""What a unit imagines: from the gallery, or made now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import streamlit as st

from vizcore import __version__

from .. import figures, jobs, saving
from ..over_picture import roomy
from . import scripts
from .which_unit import Asked

KEY, RECIPE, SEED = "u_imagine", "fast", 0
WIDTH = 256


class Imagined(NamedTuple):
    """How far it is, and the picture by then."""

    done: int
    total: int
    picture: np.ndarray  # (H, W, 3)


@st.cache_resource(show_spinner=False)
def _gallery():
    from vizcore.imagine.gallery import load_gallery

    return load_gallery()


def show(asked: Asked) -> None:
    """A stored picture, or a button that makes one."""
    st.markdown("What it imagines")
    if asked.group.kind == "heads":
        st.caption("Nothing: what a head writes depends on all places, and no picture is made for it here.")
        return
    place = roomy("u_imagined", 19, 19)
    with place:
        stored = _stored(asked)
        if stored is not None:
            _draw(asked, stored, "From the gallery: made from noise, with random views.")
            return
        question = asked.choice, asked.group, asked.unit
        found = jobs.job(
            KEY, question, lambda: _made(asked), lambda steps: _draw(asked, steps[-1].picture, ""),
            "Imagine it", keep_all=False,
        )  # fmt: skip
    if found:
        words = f"What {asked.model.title} ({asked.model.source}) imagines for {asked.words}: recipe "
        words += f"{RECIPE}, seed {SEED}, {found[-1].done} steps. Sightlines {__version__}"
        saving.keep(
            "Imagined", words, lambda picture=found[-1].picture: picture, _code(asked, found[-1].done)
        )


def _stored(asked: Asked) -> np.ndarray | None:
    model, found = asked.model, _gallery()
    if asked.group.kind != "classes" or model.weights != "trained":
        return None
    name = model.label(asked.unit)
    cells = found.pictures.get((model.title, True))
    return cells[found.labels.index(name)] if cells is not None and name in found.labels else None


def _objective(asked: Asked):
    from vizcore.objectives import channel, logit

    model, unit = asked.model, asked.unit
    return logit(model, unit) if asked.group.kind == "classes" else channel(model, asked.group.layer, unit)


def _made(asked: Asked) -> Iterator[Imagined]:
    from vizcore.imagine.maximise import RECIPES, maximise

    for step in maximise(asked.model, [_objective(asked)], RECIPES[RECIPE], [SEED]):
        picture = (step.best[0] * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        yield Imagined(step.done, step.total, picture)


def _code(asked: Asked, done: int) -> str:
    kind = "logit" if asked.group.kind == "classes" else "channel"
    of = repr(asked.unit) if kind == "logit" else f"{asked.group.layer!r}, {asked.unit!r}"
    return scripts.unit_imagined(asked.side.choice, f"{kind}(model, {of})", RECIPE, SEED, done)


def _draw(asked: Asked, picture: np.ndarray, words: str) -> None:
    times = -(-WIDTH // picture.shape[0])
    large = picture.repeat(times, 0).repeat(times, 1)
    alt = f"what {asked.model.title} imagines for {asked.words}"
    st.image(figures.jpeg(large), words or None, width=WIDTH, alt=alt)
