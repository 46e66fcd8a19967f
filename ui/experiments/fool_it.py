"""Fool it: a change of the picture, too small to be seen, that takes a network's answer away."""

from __future__ import annotations

import io
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from vizcore import judgements
from vizcore.drawing import render
from vizcore.experiments import verdicts

from .. import answers, as_seen, cant_show, figures, over_picture, posters, saving, viewer
from ..address import forget
from ..answers import Side
from ..classes import class_names, guesses
from ..jobs import forget_job, job
from ..picture_picker import of_image
from ..plain import plain
from . import bars, inquiry

SIZES = [1, 2, 4, 8, 16]
OWN, BEFORE = "Maps for each answer", "Maps for the answer before"
HEADING = "Fooled by what can’t be seen?"
TIMES = 20  # how much stronger the difference is shown


class Changed(NamedTuple):
    """A picture, what it was changed to, and a random change of it as large."""

    before: Any
    after: Any
    noise: Any


def experiment(picture, sides: list[Side]) -> None:
    """The whole of it."""
    cant_show.say(
        "Fool it",
        "can't show that a map is right or wrong: a change that was looked for by gradient tells about the "
        "network, and pictures like it don't come about by themselves. That a map hardly changes doesn't "
        "show that it is blind: the evidence may lie where it did. That a network isn't fooled here doesn't "
        "mean that it can't be: more steps, or another way to look, may do it.",
    )
    why = {side.slot: inquiry.why_not(side.model) for side in sides if side.model}
    can = [slot for slot, words in why.items() if not words]
    for words in filter(None, why.values()):
        st.info(words)
    if not can:
        return
    whom, size = _controls(sides, can)
    target = next(side for side in sides if side.slot == whom)
    verdict = over_picture.roomy("e_verdict", 3.4, 8)
    with verdict:
        found = _found(picture, target, size)
    if found is not None:
        _show(picture, sides, target, size, found, verdict, why)


def _controls(sides: list[Side], can: list[str]) -> tuple[Any, int]:
    titles = {side.slot: f"{side.model.title}" for side in sides if side.model}
    if len(set(titles.values())) < len(titles):
        titles = {slot: f"{title} ({slot.upper()})" for slot, title in titles.items()}
    forget("e_whom", can, can[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        whom = st.segmented_control(
            "Fool", can, format_func=titles.__getitem__, required=True, key="e_whom", wrap=True
        )
        size = st.segmented_control(
            "Largest change of a value, of 255", SIZES, default=2, required=True, key="e_size", wrap=True,
            help="How much each of the picture’s values may change, up or down (L∞).",
        )  # fmt: skip
    return whom, size


def _found(picture, target: Side, size: int):
    """The change, once it is found; it is looked for step by step."""
    from vizcore.experiments import trick

    index = target.top[0][0]
    question = target.choice, picture.key, "trick", index, size
    known = answers.finished(question)
    if known is not None:
        forget_job("e_fool")
        return known
    try:
        steps = job(
            "e_fool", question,
            lambda: answers.to_the_end(question, trick.tricks(target.model, picture.array, index, size)),
            _step, "Look for it", keep_all=False, start=True,
        )  # fmt: skip
    except ValueError as error:
        st.info(plain(str(error)))
        return None
    return steps[-1] if steps else None


def _step(steps: list) -> None:
    lead = f"{steps[-1].margin:+.1f}".replace("-", "−")
    st.caption(f"Its answer’s score above that of the best other: {lead}.")


def _show(picture, sides: list[Side], target: Side, size: int, found, verdict, why: dict[str, str]) -> None:
    from vizcore.experiments import trick

    title = plain(picture.title)
    after = of_image(f"{title}, changed", Image.fromarray(found.picture))
    noise = of_image(f"{title}, with noise", Image.fromarray(trick.noise(picture.array, size)))
    kept = {"masks": picture.masks, "drawn": picture.drawn}
    changed = Changed(picture, after._replace(**kept), noise._replace(**kept))
    facts = {side.slot: _facts(side, changed, why[side.slot]) for side in sides if side.model}
    other = next((one for slot, one in facts.items() if slot != target.slot), None)
    said = verdicts.fooled(facts[target.slot], other, size)
    with verdict:
        st.markdown(said)
    posters.say(said)
    words = [f"Changed for {target.model.title}, no value by more than {size} of 255."]
    draw = partial(figures.enlarged, changed.after.array)
    saving.keep_panel("", HEADING, partial(render.Panel, title, words, draw))
    left, right = st.columns([1, 3], gap="medium")
    with left:
        _pictures(changed, size)
    with right:
        names = {OWN: "", BEFORE: ""}
        viewer.picker("e_pick", "Maps", names, OWN)
        for side, column in zip(sides, viewer.row("e_two"), strict=True):
            if side.model:
                with column:
                    _side(side, changed, facts[side.slot])


def _pictures(changed: Changed, size: int) -> None:
    """The changed picture, which looks as it did, and what was changed, to be seen."""
    from vizcore.experiments import trick

    first, second = viewer.row("e_changed")
    with first:
        st.image(render.png(changed.after.array), width="stretch", alt="The changed picture")
        st.caption("What both were shown.")
    with second:
        shown = trick.difference(changed.before.array, changed.after.array, TIMES)
        words = f"The difference × {TIMES}; grey is none."
        st.image(render.png(shown), width="stretch", alt=words)
        st.caption(words)
    st.download_button(
        "Changed picture (PNG)", lambda: _file(changed.after.array), f"sightlines-fooled-{size}.png",
        "image/png", on_click="ignore", icon=":material/download:", key="e_file", width="stretch",
    )  # fmt: skip


def _file(array: np.ndarray) -> bytes:
    """Without loss: with any, the change would be gone."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def _chances(side: Side, one) -> np.ndarray:
    return inquiry.answers(side.choice, (one.key,), side.model, lambda: one.array)


def _facts(side: Side, changed: Changed, why: str) -> verdicts.Fooled:
    title = side.model.title
    if why:
        none = verdicts.Said("", 0.0)
        return verdicts.Fooled(title, none, none, none, why)
    before, after, noise = (inquiry.said(side.model, _chances(side, one)) for one in changed)
    return verdicts.Fooled(title, before, after, noise)


def _side(side: Side, changed: Changed, facts: verdicts.Fooled) -> None:
    """A network's maps and answers, before and after."""
    if facts.why_not:
        st.html(f"{bars.head(side)}<p>{bars.marked(facts.why_not)}</p>")
        return
    before, after = (_chances(side, one) for one in changed[:2])
    st.html(bars.head(side))
    place = st.container()
    bars.show(side, before, after, verdicts.control(facts), most=3, named=False)
    if guess := guesses(side, changed.before.drawn):
        st.caption(guess)
    names = class_names(side.model)
    was, now = (names[int(chances.argmax())] for chances in (before, after))
    maps, words = {}, "Its maps can't be had: no gradient leads from its score to places."
    try:
        maps = {one.key: _maps(side, one, list(dict.fromkeys([was, now]))) for one in changed}
        words = _given_away(*(maps[one.key][was] for one in changed))
    except ValueError:
        st.caption(words)
        return
    with place:
        columns = viewer.row(f"e_pair_{side.slot}")
    for what, own, one, column in zip(("Before", "After"), (was, now), changed, columns, strict=False):
        with column:
            shown = [
                _map(maps[one.key][name], one, what, label) for label, name in ((OWN, own), (BEFORE, was))
            ]
            if what == "After":
                _keep(side, maps[one.key][own], shown[0], [str(facts.after), words])
            viewer.show(f"e_{what.lower()}_{side.slot}", over_picture.picture(one), shown, OWN, lines=3)
    st.caption(words)


def _maps(side: Side, one, names: list[str]) -> dict:
    top = answers.top_classes(side.choice, one.key, side.model, one.image)
    return over_picture.cams(side._replace(top=top), one, names)


def _map(mapped, one, what: str, label: str) -> viewer.Map:
    nowhere = judgements.empty(*mapped.ends)
    words = f"{what}: **{mapped.name}**" + (f". {nowhere}" if nowhere else "")
    return over_picture.over(mapped, {}, words, name=label)


def _keep(side: Side, mapped, shown: viewer.Map, said: list[str]) -> None:
    """So that a map of the changed picture can be saved."""
    about = saving.about("Grad-CAM", side.model, mapped.picture, **{"class": mapped.name})
    draw, low_high = as_seen.keep(
        mapped, "Grad-CAM of the changed picture", about, shown, viewer.LOOK, map=mapped.map.numpy()
    )
    words = [as_seen.plainly(one) for one in (f"It says {said[0]}.", f"{shown.words}.", said[1])]
    panel = partial(render.Panel, side.model.title, words, draw, side.colour, low_high())
    saving.keep_panel(side.slot, HEADING, panel)


def _given_away(before, after, noise) -> str:
    from vizcore.truth import rank_correlation

    return verdicts.given_away(
        rank_correlation(before.map, after.map), rank_correlation(before.map, noise.map)
    )
