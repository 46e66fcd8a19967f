"""One network's half of the saliency page: a method's pixels, what they rest on, and what they can't show."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from .. import alike, answers, as_seen, cant_show, code, figures, over_picture, saving, settings
from ..address.keys import PREFIX
from ..answers import Side
from ..classes import NOTHING, class_names, several
from ..jobs import found as steps_of
from ..jobs import running
from ..mapped import Mapped, found, judged
from .looks import Look, pick_method
from .painting import OVER, over, paint, painted, signed, tensor

state = st.session_state
LEGENDS = {
    "colours": "Mid-grey is 0; where a colour shows, more of it {speaks} for the class.",
    "greyscale": "Black is 0: the largest absolute value of the three colours, for and against alike.",
    "positive": "Only what {speaks} for the class, from black.",
    "negative": "Only what {speaks} against it, from black.",
    OVER: "The largest absolute value of the three colours.",
}
ORANGE = "Orange spoke for the class, blue against it."


def panel(
    side: Side, picture, asked_for: tuple[str, int | None], against: tuple[str, int | None], look: Look
) -> Mapped | None:
    """One model's map, with its controls; None where there is none to show.

    Args:
        asked_for, against: a class's name, and its index in this model or None.
    """
    model = side.model
    figures.name(model, side.colour)
    figures.remark(model)
    if not model.num_classes:
        alike.show(side, picture, f"s_alike_{side.slot}", "gradient")
        return None
    method = pick_method(model, side.slot)
    index, other, note = _classes(side, asked_for, against)
    asked = Mapped(
        side.choice, model, picture, side.colour, index, class_names(model)[index], method, other=other
    )
    asked = asked._replace(settings=settings.of(asked.how, look.settings))
    look = look._replace(note=note + look.note)
    run, passes = _run_key(side.slot), asked.how.passes
    step = found(asked, run, lambda step: draw(asked, look, step), f"Run {method}", passes)
    if step is None:
        st.caption(f"{method} takes many passes through the network.")
        return None
    figures.origin(model)
    words, finer = step.finer
    if words:
        icon, how = ":material/speed_2x:", {"on_click": _finer, "args": (finer,)}
        st.button(words, key=f"{run}_double", icon=icon, **how)
    return _with_map(asked, step, look.view)


def _classes(
    side: Side, asked_for: tuple[str, int | None], against: tuple[str, int | None]
) -> tuple[int, int | None, str]:
    """The class to ask this network for, the one to ask it against, and what to know of both, in words."""
    model, note = side.model, ""
    (name, index), (not_name, other) = asked_for, against
    if index is None:
        index = side.top[0][0]
        own = class_names(model)[index]
        note = judgements.instead(model.title, name, own, several(model, name)) + " "
    if not_name != NOTHING and other is None:
        doubled = several(model, not_name)
        also = " either" if note and not doubled else ""
        note += f"{judgements.lacks('It', not_name, doubled)}{also}, so nothing is taken away. "
    if other == index:
        other, note = None, f"{note}A class is not asked against itself. "
    return index, other, note


def _run_key(slot: str) -> str:
    return f"s_run_{slot}"


def _finer(told: dict[str, Any]) -> None:
    """Settings are those of both panels, so both begin again."""
    for name, value in told.items():
        state[f"{PREFIX['saliency']}{name}"] = value


def _with_map(asked: Mapped, step, view: str) -> Mapped:
    """With the map that is tested: what the view shows of the method's pixels."""
    from vizcore.methods.method import PARTS

    told = tuple({**dict(asked.settings), **step.settings}.items())  # also what a run came to by itself
    if view in PARTS:
        return asked._replace(map=PARTS[view](step.pixels.cpu()), settings=(*told, ("part", view)))
    return asked._replace(map=step.maps[0].cpu(), settings=told)


def draw(asked: Mapped, look: Look, step) -> None:
    """A method's pixels, their legend, what is known of their truth, and what they can't show."""
    one, pixels = _with_map(asked, step, look.view), step.pixels.cpu().numpy()
    names = class_names(one.model)
    words = one.name if one.other is None else f"{one.name}, not {names[one.other]}"
    mask = look.masks.get(one.name.casefold())
    facts = {"class": words, "view": look.view, **dict(asked.settings)}
    about = saving.about(one.method, one.model, one.picture, **facts)
    if look.view == OVER:
        end, *drawn = _over(one, words, look, about, pixels)
    else:
        made = code.pixels(asked, look.view, look.region) if step.done == step.total else ""
        end, *drawn = _painted(one, words, look, step.done, about, pixels, made)
    with st.container(horizontal=True, gap="small"):
        st.badge(f"for {words}", color="green")
        if one.how.failed:
            st.badge(one.how.failed, color="red", icon=":material/warning:")
    known = "" if end else ":red[Every pixel gets 0.]"
    if known:
        st.caption(known)
    legend = f"{look.note}{_legend(one, look.view, len(pixels))}"
    st.caption(legend)
    cant_show.say(one.method, one.how.limits)
    if step.note:
        st.markdown(step.note)
    if one.how.failed:
        _failed(one)
    truth = "" if mask is None else judged(one, mask)[1]
    if truth:
        st.markdown(truth)
    method = one.method[0].upper() + one.method[1:]
    heading = f"Which pixels count for “{words}”?"
    as_seen.keep_for_slide(one, heading, [f"{method}, {look.view}.", known, legend, truth], *drawn)


def _painted(one: Mapped, words: str, look: Look, done: int, about: str, pixels, made: str) -> tuple:
    """A picture of their own; the end of its scale, and what draws it to be saved."""
    mask = look.masks.get(one.name.casefold()) if look.region else None

    def whole(times: int = 1) -> np.ndarray:
        array = paint(one, pixels, look.view)[0]
        return figures.enlarged(array if mask is None else render.contour(array, mask), times)

    saving.keep(
        f"{one.method} of {one.model.title}, {one.choice.slot.upper()}", about, whole, made, pixels=pixels
    )
    shown, end = painted(one.question, done, look.view, one, pixels)
    shown = shown if mask is None else figures.jpeg(whole())
    st.image(shown, width="stretch", alt=f"{one.method} of {one.model.title} for {words}: {look.view}")
    return end, whole


def _over(one: Mapped, words: str, look: Look, about: str, pixels) -> tuple:
    """The map over the picture; the end of its scale, and what draws it to be saved, with its colours."""
    values, kind, ends, end = over(one)
    run = _run_key(one.choice.slot)
    moving = f"-{steps_of(run)[-1].done}" if running(run) else ""  # on the way, a viewer for each step
    told = over_picture.over(one, one.picture.masks, f"{one.method} for {words}")
    told = told._replace(values=values, kind=kind, range=ends)
    key, shown = f"s_{one.choice.slot}", over_picture.picture(one.picture)
    as_seen.show(key, shown, [told], moving=moving, lines=1)
    drawn = as_seen.keep(one, one.method, about, told, look.over, pixels=pixels)
    return end, *drawn, kind if kind == "signed" else look.over["colours"]


def _legend(one: Mapped, view: str, channels: int) -> str:
    """What the colours mean, in words; a bar where they are a scale."""
    if view == "colours" and channels == 1:
        return f"Mid-grey is 0, or not asked yet. {ORANGE}"
    if view == OVER and signed(one):
        return ORANGE
    return LEGENDS[view].format(speaks="spoke" if one.how.shares_out else "would speak")


# ---------------------------------------------------------------- controls that a method is known to fail


@st.cache_data(show_spinner=False)
def controls(question: tuple, second: int, _one: Mapped) -> dict[str, list]:
    """By method, this one and the gradient: its map for another class and with a random classifier.

    Each with its likeness to the map that it is a control of.
    """
    from vizcore.methods.table import METHODS
    from vizcore.truth import randomised, similarity

    model, kept = _one.model, {}
    images = model.preprocess(_one.picture.image)
    _, forgetful = next(randomised(model))
    for name in (_one.method, "gradient"):
        make = METHODS[name].make
        true = make(model, images, _one.target(model))
        maps = make(model, images, second), make(forgetful, images, _one.target(forgetful))
        kept[name] = [(one.cpu().numpy(), similarity(true, one)[0]) for one in maps]
    return kept


def _failed(one: Mapped) -> None:
    """The two controls that a method is known to fail, beside the gradient's."""
    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    second = next((index for index, _ in top if index not in (one.index, one.other)), None)
    if second is None:
        return
    kept = controls(one.question, second, one)
    titles = f"for “{class_names(one.model)[second]}”", "with a random classifier"
    for column, title, (heat, rank), (_, plain) in zip(
        st.columns(2), titles, kept[one.method], kept["gradient"], strict=True
    ):
        control = one._replace(map=tensor(heat))
        with column:
            array, _ = paint(control, heat[None], "greyscale")
            figures.picture(array, f"{one.method} {title}")
            st.caption(f"{title}: rank correlation **{rank:.2f}** with the map above (gradient: {plain:.2f})")
