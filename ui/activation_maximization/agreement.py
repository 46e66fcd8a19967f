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
    from vizcore.imagine.crosseval import Made, cross_evaluate
    from vizcore.imagine.maximise import maximise

    asked, models = _told_apart(asked, judges)
    classes = {one.choice.slot: [index for _, _, index in one.targets] for one in asked}
    still, made = replace(recipe, augment=Augment(), views=1), []
    for one in asked:
        pictures = torch.tensor(found[one.choice.slot].best).permute(0, 3, 1, 2) / 255
        made.append(Made(one.model, bool(recipe.augment), classes[one.choice.slot], pictures))
    said, done = len(asked) * len(models), 0  # a verdict counts as a step
    total = said + (len(asked) * still.steps + said) * bool(recipe.augment)
    compared = None
    for compared in cross_evaluate(made, models):
        yield Crossed(said * compared.done / compared.total, total, compared)
    if not recipe.augment:
        return
    stills, done = [], said
    for one, (_, _, own, pictures) in zip(asked, made, strict=True):
        for step in maximise(one.model, one.objectives(), still, [seed] * len(own)):
            pictures = step.best
            yield Crossed(done + step.done, total, compared, "Making the pictures without random views …")
        stills.append(Made(one.model, False, own, pictures))
        done += still.steps
    for now in cross_evaluate(stills, models):
        yield Crossed(done + said * now.done / now.total, total, _together(compared, now, asked))


def _together(before, now, asked: list[Asked]):
    """What was said of both kinds of pictures, those of one network beside each other."""
    order = [one.model.title for one in asked]
    verdicts = sorted([*before.verdicts, *now.verdicts], key=lambda one: order.index(one.origin))
    return now._replace(verdicts=verdicts, unknown=list(dict.fromkeys([*before.unknown, *now.unknown])))


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
