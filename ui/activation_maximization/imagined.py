"""Pictures imagined beforehand, and the tables of who is convinced by them. Needs no network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from math import isnan

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from vizcore import __version__, judgements
from vizcore.drawing import render
from vizcore.imagine.gallery import Gallery
from vizcore.pictures import textures

from .. import cards, figures, saving
from ..address import forget
from ..network_picker import Choice, name_of, take, title
from ..plain import plain
from .galleries import galleries, origins_of, whose
from .tiles import sheet

WITH = {True: "random views", False: "one view"}
COLOURS = {
    "Texture ResNet": render.CNN_COLOUR, "Texture ViT": render.VIT_COLOUR,
    "EfficientNet-Lite0": render.CNN_COLOUR, "Photo ViT": render.VIT_COLOUR,
}  # fmt: skip
FIRST = ("honeycombed", "goldfish")  # looked at first, where there is such a class
TILE = 128  # pixels of a picture on the sheet
state = st.session_state


@st.cache_data(show_spinner=False)
def _sheet(origin: str) -> tuple[bytes, tuple[int, int]]:
    """Encoded, with its width and height."""
    rows = _rows(next(found for found in galleries() if origin in origins_of(found)), origin)
    return figures.jpeg(rows), (rows.shape[1], rows.shape[0])


def _columns(found: Gallery) -> int:
    """Of a sheet, so that its last row is full."""
    return next(columns for columns in (5, 6, 4, 1) if len(found.labels) % columns == 0)


def _rows(found, origin: str) -> np.ndarray:
    """All classes of one network on one picture, each with its name."""
    pictures = zip(found.pictures[origin, True], found.labels, strict=True)
    cells = [_named(picture, name) for picture, name in pictures]
    columns = _columns(found)
    rows = [np.concatenate(cells[i : i + columns], 1) for i in range(0, len(cells), columns)]
    return np.concatenate(rows)


def _named(picture: np.ndarray, name: str, line: int = 20) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture)
    image.thumbnail((TILE, TILE))  # so that names can be read
    width, height = image.size
    cell = Image.new("RGB", (width + 6, height + line + 4), "white")
    cell.paste(image, (3, line))
    ImageDraw.Draw(cell).text((4, line // 2), name, "black", ImageFont.load_default(14), anchor="lm")
    return np.asarray(cell)


def gallery(choices: Sequence[Choice]) -> None:
    """What the networks chosen imagine for each class of their gallery, and whether the other one agrees."""
    shown, origins, words = whose(choices, [origins_of(one) for one in galleries()])
    found = galleries()[shown]
    with st.container(horizontal=True, vertical_alignment="center"):
        if words:
            st.markdown(words, width="content")
            st.button("Make your own", key="m_own", on_click=state.update, args=[{"m_part": "Make your own"}])
        for other in (one for one in galleries() if one is not found):
            names = origins_of(other)
            pair = dict(zip("ab", map(name_of, names), strict=True))
            take(f"What {' and '.join(names)} imagine", f"m_turn_{pair['a']}", pair)
    forget("m_look", found.labels, next(name for name in (*FIRST, *found.labels) if name in found.labels))
    for origin, column in zip(origins, st.columns(2, gap="large"), strict=False):
        with column:
            _title(origin)
            encoded, size = _sheet(origin)
            about = found.labels, _columns(found), f"What {origin} imagines for each class:", state["m_look"]
            sheet(f"m_sheet_{saving.slug(origin)}", encoded, size, *about, "m_closer", _look_at)
            caption = f"What {origin} imagines, without a picture to start from. Sightlines {__version__}"
            saving.keep(f"Imagined by {origin}", caption, partial(_rows, found, origin))
    _all_of_it(found, origins, {title(one.name): one.slot for one in choices if one.weights == "trained"})


def _look_at(name: str) -> None:
    state["m_look"] = name


def _all_of_it(found: Gallery, origins: list[str], slots: dict[str, str]) -> None:
    """What such pictures are, one class of them in large, and who agrees."""
    st.caption(
        "Made from noise, by gradient ascent on the class's score: nothing was drawn or copied. Each is one "
        "of many pictures that excite the class, and none is what the network sees in a photograph; that "
        "you recognise one shows that the network knows something of what you know, not all that it knows."
    )
    with st.container(key="m_closer"):
        name = st.selectbox("One class, closer", found.labels, key="m_look", width=260)
        _closer(found, origins, name)
        with st.container(horizontal=True, gap="small"):
            for origin in origins:
                if origin in slots:
                    cards.link(f"Its card, {origin}", cards.of_class(slots[origin], name))
    st.header("Do the two agree?", anchor=False)
    st.markdown(
        "Every picture was shown to both networks in 32 random views: shifted, turned, cropped, recoloured, "
        "blurred."
        + " A picture made without random views (**one view**) may be a trick on its own network."
        * any(not robust for _, robust in found.pictures)
    )
    judged(found.verdicts)
    if found.real:
        st.markdown(photographed(found.real))
    recipe, pair = found.recipe, "" if found.labels == textures.LABELS else " --pair photographs"
    st.caption(
        f"Recipe: {recipe['parameterisation']}, {recipe['steps']} steps of {recipe['views']} views, "
        f"objective {recipe['objective']}, seed {recipe['seed']}. On your own machine "
        f"`python -m benchmarks gallery{pair}` makes and judges them again."
    )


def _title(origin: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        colour = np.full((20, 20, 3), COLOURS[origin], np.uint8)
        st.image(render.png(colour), width=20, alt="its colour")
        st.subheader(origin, anchor=False, width="content")


def _closer(found: Gallery, origins: list[str], name: str) -> None:
    """A class in large: drawn, if it is a texture, and as each network imagines it; and who names it so."""
    k = found.labels.index(name)
    with st.container(horizontal=True, gap="small"):
        if name in textures.LABELS:
            real = textures.single(name, 7, 256).picture
            st.image(figures.jpeg(real), f"{name}, drawn", alt=f"a drawn texture, {name}", width=166)
        for origin in origins:
            for robust in (robust for own, robust in found.pictures if own == origin):
                words = f"{origin}, {WITH[robust]}"
                picture = figures.jpeg(found.pictures[origin, robust][k])
                st.image(picture, words, alt=f"{name} as {words} imagines it", width=166)
    for origin in origins:
        rows = [one for one in found.verdicts if (one["name"], one["origin"]) == (name, origin)]
        seen = [f"{one['judge']} in **{one['right']:.0%}**" for one in rows if one["robust"]]
        st.markdown(f"{origin}’s picture is named “{name}” by {' and by '.join(seen)} of 32 random views.")
    told = [one for one in found.real if one["name"] == name]
    if told:
        seen = [f"{one['judge']} in **{one['right']:.0%}**" for one in told]
        st.markdown(f"Of views of {told[0]['pictures']} real photographs of it, by {' and by '.join(seen)}.")


def photographed(real: list[dict]) -> str:
    """What the judges say of real photographs of the same classes."""
    shares = {judge: [one["right"] for one in real if one["judge"] == judge] for judge in
              dict.fromkeys(one["judge"] for one in real)}  # fmt: skip
    said = [f"{judge} in **{sum(own) / len(own):.0%}**" for judge, own in shares.items()]
    most = max(one["pictures"] for one in real)
    return (
        f"Of views of real photographs of these classes, up to {most} of each, that the Photo ViT never saw, "
        f"the class is named by {' and by '.join(said)}."
    )


def judged(verdicts: list[dict]) -> None:
    """The table of origin, views and judge; what it says about random views; and the matrix over classes."""
    silent = Counter(one["judge"] for one in verdicts if isnan(one["right"]))
    for judge, count in silent.most_common():
        st.warning(f"{plain(judge)} has no verdict on {count} of the pictures: its output is not a number.")
    data = pd.DataFrame(
        {**one, "made for": one["origin"], "made with": WITH[bool(one["robust"])]}
        for one in verdicts
        if not isnan(one["right"])
    )
    if data.empty:
        return
    groups = data.groupby(["made for", "made with", "judge"], sort=False)
    table = groups.agg(
        classes=("right", lambda shares: f"{(shares > 0.5).sum()} of {len(shares)}"),
        right=("right", "mean"),
        probability=("probability", "mean"),
        rank=("rank", "mean"),
    ).reset_index()
    columns = {
        "judge": "judged by",
        "classes": st.column_config.TextColumn(
            "classes right", help="most of the views are named as what the picture was made for"
        ),
        "right": st.column_config.NumberColumn("views right", format="percent"),
        "probability": st.column_config.NumberColumn("mean probability", format="%.3f"),
        "rank": st.column_config.NumberColumn("mean rank", format="%.2f"),
    }
    st.dataframe(table, hide_index=True, column_config=columns)
    for words in conclusions(verdicts):
        st.markdown(words)
    _matrix(data)


def conclusions(verdicts: list[dict]) -> list[str]:
    """Whether pictures made with one view convince the other network less, over the classes of both kinds."""
    from vizcore.truth import paired

    shares: dict[tuple[str, str], dict[bool, dict[str, float]]] = {}
    for one in verdicts:
        if one["origin"] != one["judge"]:
            kinds = shares.setdefault((one["origin"], one["judge"]), {True: {}, False: {}})
            kinds[bool(one["robust"])][one["name"]] = one["right"]
    found = []
    for (origin, judge), kinds in shares.items():
        names = [name for name in kinds[True] if name in kinds[False]]
        if names:
            robust, plain = (sum(kinds[kind][name] for name in names) / len(names) for kind in (True, False))
            interval = paired([kinds[True][name] - kinds[False][name] for name in names])
            found.append(judgements.transfer(origin, judge, robust, plain, interval))
    return found


@st.cache_data(show_spinner=False)
def _matrix(data: pd.DataFrame) -> None:
    """Share of views that each judge names right, by class."""
    data = data.assign(asked=data["made for"] + ", " + data["made with"] + " → " + data["judge"])
    order = list(dict.fromkeys(data["asked"]))
    axis = alt.Axis(labelAngle=-90, labelLimit=340, labelOverlap=False, title=None)
    base = alt.Chart(data).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelOverlap=False)),
        x=alt.X("asked:N", sort=order, axis=axis),
    )
    cells = base.mark_rect().encode(
        color=alt.Color(
            "right:Q",
            scale=alt.Scale(domain=[0, 1], scheme="viridis"),
            legend=alt.Legend(title="views right", format="%", orient="top"),
        ),
        tooltip=[
            alt.Tooltip("name", title="class"),
            "asked",
            alt.Tooltip("right", format=".0%", title="views right"),
            alt.Tooltip("probability", format=".3f"),
            alt.Tooltip("rank", format=".2f"),
        ],
    )
    st.altair_chart(cells.properties(height=alt.Step(20)), width="stretch")
