"""Local or global? How far attention looks, and what a place depends on, measured and at hand."""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from .. import as_seen, cant_show, code, figures, over_picture, saving, viewer
from ..address import forget
from ..jobs import job
from . import beforehand_claims

DEPTHS = range(0, 101, 10)  # percent of the layers
DRAWS = 4  # of signs, for one picture
COUNT = 12  # pictures of a measurement at hand
LOOK = {"opacity": "c_opacity", "colours": "c_colours"}
SECONDS = 1.0
LIMITS = (
    "can't show what is made of what a place hears. Attention's distance leaves out what a patch keeps of "
    "itself on the way past it. The gradient tells of small changes of these pictures, not of large ones. A "
    "ViT's place is a place, not what it saw. “As a whole” and “globally” are 80 % and more of looking "
    "everywhere alike."
)
state = st.session_state


class Asked(NamedTuple):
    """One network and the picture, as ``as_seen.keep`` has it."""

    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]


def show(sides: list, picture, _above, columns) -> None:
    """The whole part; ``sides`` are as of ``answers.sides``, each network has its column."""
    cant_show.say("How far it looks", LIMITS)
    for side, column in zip(sides, columns, strict=True):
        if side.model:
            with column:
                _measured(side)
    st.subheader("On this picture", anchor=False)
    _at_hand(sides, picture)


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
        st.caption(f"{trained.pictures} {beforehand_claims.SHOWN[kind]}.")
        beforehand_claims.command(kind)
        return
    st.caption("It wasn't measured beforehand; this takes some passes.")
    pictures = _pictures(side)
    steps = job(
        f"c_looks_{side.slot}", (side.choice, "looks", COUNT), lambda: _reaches(model, pictures),
        lambda steps: _so_far(side, steps[-1]), "Measure", keep_all=False,
    )  # fmt: skip
    if steps:
        found = summed_up(model, steps[-1])
        st.markdown(words.looks(found, _first(model, found.fields)))
        st.caption(
            f"{found.pictures} pictures. Choose the same network with random weights to set beside it."
        )


def _reaches(model, pictures):
    from vizcore.studies.reaches import reaches

    return reaches(model, pictures)


def _so_far(side, step) -> None:
    from vizcore.studies.reaches import summed_up

    _chart(side, summed_up(side.model, step), None)


def _pictures(side) -> list:
    from vizcore.pictures import sets
    from vizcore.pictures.quarters import with_quarters

    from ..classes import learnt_from
    from ..picture_picker import SAMPLES, sample

    if learnt_from(side) == "textures":
        return list(sets.drawn(COUNT))
    return with_quarters([sample(name).image for name in SAMPLES])[:COUNT]


def _first(model, fields) -> str:
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


# ---------------------------------------------------------------- at hand


def _at_hand(sides: list, picture) -> None:
    for key in "xy":
        over_picture.held(key)
    point = state["x"] / 100, state["y"] / 100
    forget("c_depth", DEPTHS, 0)
    st.caption("What the place at the cross depends on, by the gradient. **Click a map** to ask another one.")
    viewer.picker(
        "c_depths", "Depth, %", {str(k): "" for k in DEPTHS}, str(state["c_depth"]), _to_depth, SECONDS
    )
    shown, look = over_picture.picture(picture), over_picture.look(LOOK)
    for side, column in zip(sides, viewer.row("c_maps"), strict=True):
        if not side.model:
            continue
        with column:
            figures.name(side.model, side.colour)
            found = _found(side, picture, point)
            maps = [_map(side, picture, found, depth) for depth in DEPTHS]
            chosen = maps[list(DEPTHS).index(state["c_depth"])]
            as_seen.show(f"c_{side.slot}", shown, maps, chosen.name, point=point, on_pin=_to_point, lines=4)
            _keep(side, picture, chosen, look, point, found)
    over_picture.controls("c_look", tuple(LOOK), LOOK)


def _to_depth(name: str) -> None:
    state["c_depth"] = int(name)


def _to_point(place: tuple[float, float]) -> None:
    state["x"], state["y"] = (round(100 * share) for share in place)


def _layer(model, depth: int) -> str:
    layers = model.blocks or model.layers
    return layers[round(depth / 100 * (len(layers) - 1))]


def _at(model, picture, point: tuple[float, float]) -> tuple[float, float]:
    """The point as (y, x) in shares of what a network sees, to the nearest hundredth."""
    left, top, right, bottom = model.preprocess.box(picture.size)
    x = (point[0] * picture.size[0] - left) / (right - left)
    y = (point[1] * picture.size[1] - top) / (bottom - top)
    return tuple(round(min(max(share, 0.0), 1.0), 2) for share in (y, x))  # pyright: ignore[reportReturnType]


def _found(side, picture, point) -> dict[str, tuple[np.ndarray, float, float]]:
    layers = tuple(dict.fromkeys(_layer(side.model, depth) for depth in DEPTHS))
    at = _at(side.model, picture, point)
    return fields_of(side.choice, picture.key, layers, at, side.model, picture.image)


@st.cache_data(show_spinner="Asking each layer …")
def fields_of(choice, picture_key: str, layers: tuple[str, ...], at, _model, _image) -> dict:
    """By layer: the field on cells (h, w), the radius of 90 % of it, the share of the pixels that it has."""
    from vizcore.inside import reach

    found = reach.fields(_model, _model.preprocess(_image), list(layers), at, DRAWS)
    return {
        layer: (
            reach.on_cells(field.energy)[0].numpy(),
            float(reach.radius(reach.rings(field))[0]),
            float((field.energy > 0).float().mean()),
        )
        for layer, field in found.items()
    }


def _map(side, picture, found: dict, depth: int) -> viewer.Map:
    layer = _layer(side.model, depth)
    values, radius, share = found[layer]
    inside = "It depends on nothing: nothing here changes it." if np.isnan(radius) else (
        f"90 % within **{radius:.0f} pixels** of its input; at all on {_percent(share)} of its pixels."
    )  # fmt: skip
    box = side.model.preprocess.box(picture.size)
    alt_words = f"What the place depends on behind {layer} of {side.model.title}, over {picture.title}"
    return viewer.Map(values, f"Behind {layer}", box, name=str(depth), facts=inside, alt=alt_words)


def _percent(share: float) -> str:
    return "less than 1 %" if share < 0.01 else f"{share:.0%}"


def _keep(side, picture, seen: viewer.Map, look: dict, point, found: dict) -> None:
    asked, layer = Asked(side.choice, side.model, picture, side.colour), _layer(side.model, int(seen.name))
    what = "What a place depends on"
    made = code.HEATS["field"].format(layer=layer, at=_at(side.model, picture, point), draws=DRAWS)
    about = saving.about(what, side.model, picture, layer=layer)
    draw, low_high = as_seen.keep(asked, what, about, seen, look, made, map=found[layer][0])
    words = [f"{seen.words}.", seen.facts]
    as_seen.keep_for_slide(asked, "What does a place depend on?", words, draw, low_high, look["colours"])
