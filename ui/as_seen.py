"""Maps over the picture as their viewers show them, to be saved: the one place that decides how they look."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from vizcore.drawing import render

from . import answers, code, figures, loops, saving, viewer
from .classes import class_names, guesses
from .mapped import Mapped

state = st.session_state
MARKS = re.compile(r":material/\w+:|\*\*|:\w+\[(.*?)\]")  # of what is said on a page


def show(
    key: str, shown: viewer.Picture, maps: Sequence[viewer.Map], chosen: str = "", moving: str = "", **how
) -> None:
    """``viewer.show``; what is seen counts for a shared scale. moving: of its key, while it grows."""
    loops.seen(maps)
    seen = next((one for one in maps if one.name == chosen), maps[0])
    state.setdefault("seen", {})[key] = seen, shown.size
    viewer.show(f"{key}{moving}", shown, maps, chosen, **how)


def ends(
    one: viewer.Map, size: tuple[int, int], look: Mapping, seen: Mapping[str, tuple] | None = None
) -> tuple[float, float]:
    """From where to where a map's colours go, as the viewer has it.

    Args:
        size: (width, height) of the picture. look: as ``viewer.LOOK``. seen: all maps of the page, see
            ``show``; those of one kind and unit share a scale.
    """
    if look["scale"] != "shared":
        return _own(one, size)
    if one.shared:
        return one.shared
    alike = [
        other for other in (seen or {}).values() if (other[0].kind, other[0].unit) == (one.kind, one.unit)
    ]
    lows, highs = zip(*(_own(*other) for other in alike or [(one, size)]), strict=True)
    return min(lows), max(highs)


def _own(one: viewer.Map, size: tuple[int, int]) -> tuple[float, float]:
    import torch

    from vizcore.pictures.frame import seen, to_frame

    if one.range or one.kind == "signed":
        return one.range or (-1.0, 1.0)
    inside = to_frame(torch.from_numpy(viewer.sent(one.values)), one.box, size)[..., seen(one.box, size)]
    return (float(inside.min()), float(inside.max())) if inside.numel() else (0.0, 0.0)


def laid(
    picture, one: viewer.Map, look: Mapping, low_high: tuple[float, float], opacity="opacity", times: int = 1
) -> np.ndarray:
    """A map over a page's picture, (times * H, times * W, 3).

    Args:
        low_high: where its colours end. opacity: which one of ``look`` it follows.
        times: how many times as large as the picture.
    """
    how = one.kind, *low_high, look[opacity] / 100, look["colours"], times
    shown = figures.laid(picture.array, viewer.sent(one.values), one.box, *how)
    mask = picture.masks.get(one.region) if look["region"] else None
    return shown if mask is None else render.contour(shown, mask.repeat(times, 0).repeat(times, 1))


def keep(
    one, what: str, about: str, shown: viewer.Map, look: Mapping, made: str = "", opacity="opacity", **maps
) -> tuple[Callable[[int], np.ndarray], Callable[[], tuple[float, float]]]:
    """So that a network's map can be saved; returns what draws it, and what tells where its colours end.

    Args:
        one: has its ``choice``, ``model`` and ``picture``. what: it is. about: it, as a caption.
        look: as ``viewer.LOOK``. made: the lines of code that make it; "" where there are none.
        maps: raw values, by name.
    """
    picture = one.picture
    low_high = partial(ends, shown, picture.size, look, state.setdefault("seen", {}))

    def draw(times: int = 1) -> np.ndarray:
        return laid(picture, shown, look, low_high(), opacity, times)

    def script() -> str:  # at the page's end, when all maps that share a scale are there
        given = low_high() if look["scale"] == "shared" and shown.kind == "heat" else (None, None)
        return code.over(one, made, shown, look, given, opacity)

    def frame(other: viewer.Map) -> tuple[np.ndarray, str]:
        shown = laid(picture, other, look, ends(other, picture.size, look), opacity)
        return shown, f"{one.model.title}: {plainly(other.words)}"

    name = f"{what} of {one.model.title}, {one.choice.slot.upper()}"
    loops.keep(name, loops.Film(shown, about, frame))
    saving.keep(name, about, draw, script if made else "", **maps)
    return draw, low_high


def keep_method(one: Mapped, shown: viewer.Map, look: Mapping, slide: bool = True) -> None:
    """The same of a method's map, with its code, and on a slide."""
    _keep_method(one, shown, look, slide, one.how.knows_class)


def keep_of_class(one: Mapped, shown: viewer.Map, look: Mapping) -> None:
    """The same of a method that is told a class; torch needn't be there."""
    _keep_method(one, shown, look, True, True)


def _keep_method(one: Mapped, shown: viewer.Map, look: Mapping, slide: bool, knows_class: bool) -> None:
    asked = one.name if one.other is None else f"{one.name}, not {class_names(one.model)[one.other]}"
    of_class = {"class": asked} if knows_class else {}
    facts = saving.about(
        one.method, one.model, one.picture, layer=one.layer, **of_class, **dict(one.settings)
    )
    made = code.heat(one.method, one.index, asked, one.other, **one.told)
    draw, low_high = keep(one, one.method, facts, shown, look, made, map=np.asarray(one.map))
    if slide:
        heading = f"Where is the evidence for “{asked}”?" if of_class else one.method
        what = f"{one.method} for “{asked}”." if of_class else f"{one.method}, of no class."
        keep_for_slide(one, heading, [what, shown.facts], draw, low_high, look["colours"])


def keep_for_slide(
    one,
    heading: str,
    words: Sequence[str],
    draw: Callable[[int], np.ndarray],
    low_high: Callable[[], tuple[float, float]] | None = None,
    colours: str = "",
    part: str = "",
) -> None:
    """So that what both networks show can be saved beside the picture, with what each of them answers.

    Args:
        one: has its ``choice``, ``model``, ``picture`` and ``colour``. words: on it, a sentence each.
        draw: how many times as large -> it. low_high, colours: where its colours end, and which they are:
            a colour map, "signed", or none that are a scale. part: which of several of one network.
    """
    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    said = [plainly(sentence) for sentence in words]
    key = f"{one.choice.slot}{part}"
    if top and not any(other[0] == key[0] for other in state.get("panels", {}) if other not in ("", key)):
        labels = class_names(one.model)
        says = ", ".join(f"{labels[index]} {probability:.0%}" for index, probability in top[:3])
        said += [f"It says: {says}.", guesses(one, one.picture.drawn)]
    saving.keep_panel("", heading, partial(_picture_panel, one.picture))
    panel = partial(_panel, one.model, one.colour, list(filter(None, said)), draw, low_high, colours)
    saving.keep_panel(key, heading, panel)


def plainly(words: str) -> str:
    """What is said on a page without its **bold**, :material/icons: and :red[colours]."""
    return MARKS.sub(lambda found: found[1] or "", words).strip()


def _picture_panel(picture) -> render.Panel:
    return render.Panel(picture.title, (), partial(figures.enlarged, picture.array))


def _panel(model, colour, words: Sequence[str], draw, low_high: Any, colours: str) -> render.Panel:
    weights = f" ({model.source})" if model.weights == "random" else ""
    scale = low_high() if low_high and colours else None
    return render.Panel(f"{model.title}{weights}", words, draw, colour, scale, colours or "viridis")
