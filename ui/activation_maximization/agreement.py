"""Does the other network agree? The pictures before every network, beside ones made without random views."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import streamlit as st

from ..abreast import abreast
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
    compared: Any  # ``crosseval.Compared``
    doing: str = ""  # what takes longer than a verdict, in words


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
        if compared.verdicts:
            judged([one._asdict() for one in compared.verdicts])
        for judge, name in compared.unknown:
            st.caption(f"{judge} has no class “{plain(name)}”, or more than one, so it is not asked.")
        if runs[-1].doing:
            st.caption(runs[-1].doing)

    job(
        "m_cross", question, lambda: _crossed(asked, judges, found, recipe, seed), draw, "Ask the networks",
        keep_all=False,
    )  # fmt: skip


def _crossed(
    asked: list[Asked], judges: list[Side], found: dict[str, Found], recipe, seed: int
) -> Iterator[Crossed]:
    """First what is said of the pictures that are there, which is soon known, then of those made now."""
    import torch

    from vizcore.imagine.augment import Augment
    from vizcore.imagine.crosseval import Compared, Made, without_norms
    from vizcore.imagine.maximise import maximise

    asked, models = _told_apart(asked, judges)
    shown = [torch.tensor(found[one.choice.slot].best).permute(0, 3, 1, 2) / 255 for one in asked]
    quick = {id(model): without_norms(model, shown[0]) for model in models}
    asked, models = [one._replace(model=quick[id(one.model)]) for one in asked], list(quick.values())
    still, made = replace(recipe, augment=Augment(), views=1), []
    for one, pictures in zip(asked, shown, strict=True):
        made.append(Made(one.model, bool(recipe.augment), [index for _, _, index in one.targets], pictures))
    said = sum(len(one.targets) for one in asked) * len(models)  # a verdict counts as a step
    total = said + (len(asked) * still.steps + said) * bool(recipe.augment)
    compared = nothing = Compared(0, said, [], [])
    for compared in _said(made, models, nothing):
        yield Crossed(compared.done, total, compared)
    if not recipe.augment:
        return

    def again(k: int) -> Iterator:
        return maximise(made[k].model, asked[k].objectives(), still, [seed] * len(made[k].classes))

    stills, done = [one._replace(robust=False) for one in made], [0] * len(made)
    for k, step in abreast([partial(again, k) for k in range(len(made))]):
        stills[k], done[k] = (
            stills[k]._replace(pictures=step.best),
            step.done if len(step.running) else still.steps,
        )
        yield Crossed(said + sum(done), total, compared, "Making the pictures without random views …")
    for now in _said(stills, models, compared):
        yield Crossed(len(made) * still.steps + now.done, total, now)


def _said(made: list, models: list, before) -> Iterator:
    """What all models say of the pictures, all models at once, beside what was said ``before``."""
    from vizcore.imagine.crosseval import cross_evaluate

    own = [before._replace(done=0, verdicts=[], unknown=[])] * len(models)
    order = [one.model.title for one in made], [model.title for model in models]
    for k, now in abreast([partial(cross_evaluate, made, [model]) for model in models]):
        own[k] = now
        verdicts = [*before.verdicts, *(one for some in own for one in some.verdicts)]
        verdicts.sort(key=lambda one: (order[0].index(one.origin), not one.robust, order[1].index(one.judge)))
        unknown = [*before.unknown, *(one for some in own for one in some.unknown)]
        done = before.done + sum(one.done for one in own)
        yield before._replace(done=done, verdicts=verdicts, unknown=list(dict.fromkeys(unknown)))


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
