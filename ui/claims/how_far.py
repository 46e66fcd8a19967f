"""Local or global? How far attention looks, and what a place depends on, measured and at hand."""

from __future__ import annotations

from collections.abc import Iterable

import altair as alt
import pandas as pd
import streamlit as st

from .. import cant_show, figures, saving
from ..insides import SAMPLE_CODE, sample_set, why_not_anew
from ..jobs import job
from . import beforehand_claims, mean_fields, place_at_hand
from .mean_fields import both

COUNT = 12  # pictures of a measurement at hand
MOST = 16  # layers of it
LIMITS = (
    "can't show what is made of what a place hears. Attention's distance leaves out what a patch keeps of "
    "itself on the way past it. The gradient tells of small changes of these pictures, not of large ones. A "
    "ViT's place is a place, not what it saw. “As a whole” and “globally” are 80 % and more of looking "
    "everywhere alike."
)


def show(sides: list, picture, _above, columns) -> None:
    """The whole part; ``sides`` are as of ``answers.sides``, each network has its column."""
    cant_show.say("How far it looks", LIMITS)
    for side, column in zip(sides, columns, strict=True):
        if side.model:
            with column:
                _measured(side)
    st.subheader("On this picture", anchor=False)
    place_at_hand.show(sides, picture)


# ---------------------------------------------------------------- measured


def _measured(side) -> None:
    from vizcore.studies import claims_in_words as words
    from vizcore.studies.reaches import summed_up

    model, kind = side.model, beforehand_claims.kind_of(side)
    figures.name(model, side.colour)
    stored = beforehand_claims.measured().get(kind)
    if stored and side.choice.name in stored.looks:
        own = stored.looks[side.choice.name]
        trained, random = own["trained"], own["random"]
        first = _first(model, trained.fields)
        st.markdown(words.looks(trained, first, beforehand_claims.STEM.get(side.choice.name, "")))
        st.caption(words.began(random, first))
        _chart(side, trained, random)
        code = beforehand_claims.PICTURES[kind]
        mean_fields.show(side, trained, random, beforehand_claims.SHOWN[kind], code, "drawn")
        st.caption(f"{trained.pictures} {beforehand_claims.SHOWN[kind]}.")
        beforehand_claims.command(kind)
        return
    st.caption("It wasn't measured beforehand; this takes some passes.")
    what, pictures, code = _pictures(side)
    steps = job(
        f"c_looks_{side.slot}", (side.choice, "looks", COUNT), lambda: both(model, pictures, _asked(model)),
        lambda steps: _so_far(side, steps[-1]), "Measure", keep_all=False,
    )  # fmt: skip
    if steps:
        found, began = (one and summed_up(model, one) for one in (steps[-1].own, steps[-1].began))
        first = _first(model, found.fields)
        st.markdown(words.looks(found, first))
        st.caption(words.began(began, first) if began else why_not_anew(model))
        mean_fields.show(side, found, began, what, code, "randomised")
        st.caption(f"{found.pictures} {what}.")


def _asked(model) -> list[str]:
    """Layers from the first to the last; each costs a way back for every picture, and some have hundreds."""
    from vizcore.drawing.fields import some_of_layers

    layers = model.blocks or model.layers
    kept = {*some_of_layers(layers, MOST), _first(model, layers)}
    return [layer for layer in layers if layer in kept]


def _so_far(side, step) -> None:
    from vizcore.studies.reaches import summed_up

    _chart(side, *(one and summed_up(side.model, one) for one in (step.own, step.began)))


def _pictures(side) -> tuple[str, list, str]:
    """What is shown to a network that wasn't measured: in words, as pictures, and in Python."""
    from vizcore.pictures import sets

    from ..classes import learnt_from

    if learnt_from(side) == "textures":
        return "drawn textures", list(sets.drawn(COUNT)), f"sets.drawn({COUNT})"
    step = len(sample_set()) // COUNT  # some of each sample, whole and in quarters
    code = f"{SAMPLE_CODE}[::{step}][:{COUNT}]"
    return "photographs, of the samples and their quarters", sample_set()[::step][:COUNT], code


def _first(model, fields: Iterable[str]) -> str:
    """The layer behind the first block that attends; of a network without attention, the first block."""
    if not model.attention:
        return next(iter(fields))
    inside = [name for name in fields if model.attention[0].startswith(f"{name}.")]
    return inside[-1] if inside else next(iter(fields))


def _chart(side, trained, random) -> None:
    """The radius by depth, and for heads their distance, as shares of looking everywhere alike."""
    rows = []
    for what, found in (("as it is", trained), ("as it began", random)):
        if found is None:
            continue
        for k, (layer, radii) in enumerate(found.fields.items()):
            share = radii[1].value / found.even_radius[1]
            rows.append({"layer": f"{k + 1} {layer}", "what": f"depends on, {what}", "share": share,
                         "pixels": radii[1].value, "low": radii[1].low, "high": radii[1].high})  # fmt: skip
        names = [f"{k + 1} {layer}" for k, layer in enumerate(found.fields)]
        places = _of_blocks(side.model, list(found.fields))
        for place, own in zip(places, found.blocks, strict=False):
            share = own.value / found.even_distance
            rows.append({"layer": names[place], "what": f"attends to, {what}", "share": share,
                         "pixels": own.value, "low": own.low, "high": own.high})  # fmt: skip
    frame = pd.DataFrame(rows)
    order = list(dict.fromkeys(frame["what"]))
    paint = figures.web_colour(side.colour)
    colours = ["#999999" if "began" in one else paint for one in order]
    dashes = [[3, 3] if one.startswith("attends") else [1, 0] for one in order]
    chart = (
        alt.Chart(frame, height=360)
        .mark_line(point=True)
        .encode(
            x=alt.X("layer:N", sort=None, title=None, axis=alt.Axis(labelAngle=-60, labelLimit=110)),
            y=alt.Y("share:Q", title="of looking everywhere alike", axis=alt.Axis(format="%"),
                    scale=alt.Scale(domain=[0, 1.1])),
            color=alt.Color("what:N", scale=alt.Scale(domain=order, range=colours),
                            legend=alt.Legend(orient="top", title=None, columns=1, labelLimit=400)),
            strokeDash=alt.StrokeDash("what:N", scale=alt.Scale(domain=order, range=dashes), legend=None),
            tooltip=["layer", "what", *(alt.Tooltip(one, format=".1f") for one in ("pixels", "low", "high"))],
        )
    )  # fmt: skip
    st.altair_chart(chart, width="stretch")
    saving.keep_table(f"How far {side.model.title} looks, {side.slot.upper()}", rows)


def _of_blocks(model, layers: list[str]) -> list[int]:
    """Which of the layers each attention module stands in."""
    found = []
    for module in model.attention:
        inside = [k for k, name in enumerate(layers) if module.startswith(f"{name}.")]
        found += inside[-1:]
    return found
