"""Does the other network agree? The pictures before every network, beside ones made without random views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import streamlit as st

from ..answers import Side
from ..jobs import job
from ..plain import plain
from .imagined import judged
from .runs import Found
from .units import Asked


class Crossed(NamedTuple):
    """How far it is, and what the networks have said by then."""

    done: float
    total: int
    compared: Any = None  # ``crosseval.Compared``


def cross(asked: list[Asked], judges: list[Side], found: dict[str, Found], recipe, seed: int) -> None:
    """The pictures, and ones made without random views, before every network."""
    if any(one.targets[0][0] != "class" for one in asked):
        st.info("Only pictures of classes can be shown to another network: channels have no counterpart.")
        return
    st.markdown(
        "Shows the pictures above to every network here, in 32 random views each, beside pictures made with "
        "the same recipe **without** random views (those are made now)."
    )
    question = recipe, seed, *(one.question for one in asked), *(found[s].step for s in found)

    def draw(runs: list[Crossed]) -> None:
        compared = runs[-1].compared
        if compared is None:
            st.caption("Making the pictures without random views …")
            return
        if compared.verdicts:
            judged([one._asdict() for one in compared.verdicts])
        for judge, name in compared.unknown:
            st.caption(f"{judge} has no class “{plain(name)}”, or more than one, so it is not asked.")

    job(
        "m_cross", question, lambda: _crossed(asked, judges, found, recipe, seed), draw, "Ask the networks",
        keep_all=False,
    )  # fmt: skip


def _crossed(
    asked: list[Asked], judges: list[Side], found: dict[str, Found], recipe, seed: int
) -> Iterator[Crossed]:
    import torch

    from vizcore.imagine.augment import Augment
    from vizcore.imagine.crosseval import Made, cross_evaluate
    from vizcore.imagine.maximise import maximise

    asked, models = _told_apart(asked, judges)
    made, done = [], 0
    still = replace(recipe, augment=Augment(), views=1)
    total = (still.steps + 2 * len(models)) * len(asked)
    for one in asked:
        classes = [index for _, _, index in one.targets]
        pictures = torch.tensor(found[one.choice.slot].best).permute(0, 3, 1, 2) / 255
        if recipe.augment:
            made.append(Made(one.model, True, classes, pictures))
            for step in maximise(one.model, one.objectives(), still, [seed] * len(classes)):
                pictures = step.best
                yield Crossed(done + step.done, total)
        made.append(Made(one.model, False, classes, pictures))
        done += still.steps
    for compared in cross_evaluate(made, models):
        yield Crossed(done + (total - done) * compared.done / compared.total, total, compared)


def _told_apart(asked: list[Asked], judges: list[Side]) -> tuple[list[Asked], list]:
    """What is asked, and the models that judge, each by a name of its own: trained and random share one."""
    models = [side.model for side in judges]
    if len({model.title for model in models}) == len(models):
        return asked, models
    named = {
        id(side.model): replace(
            side.model, title=f"{side.slot.upper()}: {side.model.title}, {side.model.source}"
        )
        for side in judges
    }
    return [one._replace(model=named[id(one.model)]) for one in asked], list(named.values())
