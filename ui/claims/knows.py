"""Shape or texture? What networks still know pictures by, measured, and on the picture at hand."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore import __version__
from vizcore.experiments.altered import CHANGES, Given
from vizcore.experiments.cover_up import ground

from .. import cant_show, code, figures, over_picture, saving, viewer
from ..address import forget
from ..classes import class_names, guesses
from ..picture_picker import SAMPLES, SCENES, of_image, sample
from . import level_curves, measured

SEED = 1
LIMITS = (
    "can't show by what a network names a picture, only what it can do without. No change is pure: shuffled "
    "patches have edges of their own, a blur takes fine shapes along, and none of these pictures is like "
    "those that it learnt from: that alone may lose an answer."
)
state = st.session_state


class Asked(NamedTuple):
    """What is done to the picture."""

    name: str  # of ``CHANGES``
    level: int
    given: Given
    thing: str  # whose outline is known
    other: Any  # another picture, or None

    @property
    def key(self) -> tuple:
        mask = self.given.mask  # may be another under the same picture and name: regions are marked by hand
        digest = "" if mask is None else hashlib.sha256(np.packbits(mask).tobytes()).hexdigest()
        return self.name, self.thing, digest, self.other and self.other.key

    def made(self, array: np.ndarray, level: int) -> np.ndarray:
        change = CHANGES[self.name]
        return change.make(array, change.levels[level], self.given)


def show(sides: list, picture, above, columns) -> None:
    """The whole part; ``sides`` are as of ``answers.sides``, each network has its column."""
    cant_show.say("Shape or texture", LIMITS)
    with above:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            asked = _ask(picture)
        after = _pictures(picture, asked)
    _at_hand(sides, picture, asked, after, columns)
    st.subheader("Measured", anchor=False)
    measured.show(sides, asked.name)


# ---------------------------------------------------------------- what is done to the picture


def _ask(picture) -> Asked:
    there = {"mask": bool(picture.masks), "other": True}
    names = [name for name, change in CHANGES.items() if all(there[need] for need in change.needs)]
    why = "needs a picture in which it is known where a thing is"
    forget("c_change", names, names[0], why)
    name = st.selectbox("Change", names, key="c_change", width=230)
    change = CHANGES[name]
    levels = range(len(change.levels))
    forget("c_level", levels, min(3, levels[-1]))
    level = st.slider("How much; 0 is as it is", 0, levels[-1], key="c_level", width=300)
    thing, other = "", None
    if "mask" in change.needs:
        things = list(picture.masks)
        forget(
            "c_thing", things, picture.asked.casefold() if picture.asked.casefold() in things else things[0]
        )
        thing = st.selectbox("Thing", things, key="c_thing", width=200)
    if "other" in change.needs:
        others = [one for one in (SCENES if picture.drawn else SAMPLES) if one != picture.title]
        forget("c_other", others, others[0])
        other = sample(st.selectbox("Another picture", others, key="c_other", width=220))
    mask = picture.masks.get(thing)
    strange = None if other is None else ground(picture.array, other=other.image)
    return Asked(name, level, Given(SEED, mask, strange), thing or "", other)


# ---------------------------------------------------------------- on this picture


def _pictures(picture, asked: Asked):
    """The picture as it is and as it is changed; returns that one."""
    change = CHANGES[asked.name]
    words = change.named(change.levels[asked.level])
    after = of_image(f"{picture.title}, {words}", _image(asked.made(picture.array, asked.level)))
    for one, key, said, column in zip(
        (picture, after), ("c_before", "c_after"), ("As it is.", f"Changed: {words}."),
        viewer.row("c_pictures"), strict=True,
    ):  # fmt: skip
        with column:
            viewer.show(key, over_picture.picture(one._replace(masks={})), lines=0)
            st.caption(said)
    return after


def _at_hand(sides: list, picture, asked: Asked, after, columns) -> None:
    curves = {}
    for side, column in zip(sides, columns, strict=True):
        if not side.model:
            continue
        with column:
            if not side.model.num_classes:
                figures.name(side.model, side.colour)
                st.info(f"{side.model.title} has no classes, so there is nothing that it could stop knowing.")
                continue
            curves[side.slot] = _one(side, picture, asked)
    _keep(sides, picture, asked, after)
    if curves:
        _chart_of_one(sides, asked, curves)


def _image(array: np.ndarray):
    from PIL import Image

    return Image.fromarray(array)


@st.cache_data(show_spinner=False)
def chances(choice, picture_key: str, key: tuple, _model, _array, _asked) -> np.ndarray:
    """What a network says of a picture at each level of a change, (levels, K)."""
    import torch

    from vizcore.scores import probabilities

    levels = range(len(CHANGES[_asked.name].levels))
    images = torch.cat([_model.preprocess(_image(_asked.made(_array, level))) for level in levels])
    with torch.no_grad():
        return probabilities(_model.net, _model.net(images)).cpu().numpy()


def _one(side, picture, asked: Asked) -> np.ndarray:
    """A network's answers; returns its probability of its own first answer by level."""
    from vizcore.studies.claims_in_words import lost_points

    found = chances(side.choice, picture.key, asked.key, side.model, picture.array, asked)
    now, names = found[asked.level], class_names(side.model)
    own = int(found[0].argmax())
    best = np.argsort(-now, kind="stable")[:3]
    figures.predictions(side.model, [(int(k), float(now[k])) for k in best], side.colour)
    if words := guesses(side, picture.drawn):
        st.caption(words)
    st.markdown(lost_points(float(found[0, own]), float(now[own]), names[own], names[int(best[0])]))
    return found[:, own]


def _chart_of_one(sides: list, asked: Asked, curves: dict[str, np.ndarray]) -> None:
    change = CHANGES[asked.name]
    rows = []
    for side in sides:
        for k, value in enumerate(curves.get(side.slot, ())):
            rows.append({"level": change.named(change.levels[k]), "network": level_curves.title(sides, side),
                         "value": float(value)})  # fmt: skip
    level_curves.show(rows, sides, "probability of its first answer")
    saving.keep_table("This picture, by level", rows)


def _keep(sides: list, picture, asked: Asked, after) -> None:
    """So that the changed picture can be saved, with the code that makes it and asks a network."""
    change = CHANGES[asked.name]
    side = next(side for side in sides if side.model)
    region = picture.regions.get(asked.thing, "None")
    strange = f"ground(np.asarray(image), other={asked.other.code})" if asked.other else "None"
    made = code.FIGURES["altered"].format(
        seed=SEED, mask=region, other=strange, name=asked.name, level=change.levels[asked.level]
    )
    known = asked.thing == "" or asked.thing in picture.regions
    caption = f"{after.title}: {asked.name}. Sightlines {__version__}"
    array = after.array
    written = code.script(side.choice, picture, made) if known else ""
    saving.keep("The changed picture", caption, lambda: array, written, picture=array)
