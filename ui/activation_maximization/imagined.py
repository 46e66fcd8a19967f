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
from vizcore.imagine.gallery import load_gallery
from vizcore.pictures import textures

from .. import cards, figures, saving
from ..address import forget
from ..network_picker import Choice, title
from ..plain import plain
from .tiles import sheet

WITH = {True: "random views", False: "one view"}
COLOURS = {"Texture ResNet": render.CNN_COLOUR, "Texture ViT": render.VIT_COLOUR}
COLUMNS = 5  # of a sheet
state = st.session_state


@st.cache_resource(show_spinner=False)
def _stored():
    return load_gallery()


@st.cache_data(show_spinner=False)
def _sheet(origin: str) -> tuple[bytes, tuple[int, int]]:
    """Encoded, with its width and height."""
    rows = _rows(_stored(), origin)
    return figures.jpeg(rows), (rows.shape[1], rows.shape[0])


def _rows(found, origin: str) -> np.ndarray:
    """All classes of one network on one picture, each with its name."""
    cells = [_named(picture, name) for picture, name in
             zip(found.pictures[origin, True], found.labels, strict=True)]  # fmt: skip
    rows = [np.concatenate(cells[i : i + COLUMNS], 1) for i in range(0, len(cells), COLUMNS)]
    return np.concatenate(rows)


def _named(picture: np.ndarray, name: str, line: int = 20) -> np.ndarray:
    from PIL import Image, ImageDraw, ImageFont

    height, width = picture.shape[:2]
    cell = Image.new("RGB", (width + 6, height + line + 4), "white")
    cell.paste(Image.fromarray(picture), (3, line))
    ImageDraw.Draw(cell).text((4, line // 2), name, "black", ImageFont.load_default(14), anchor="lm")
    return np.asarray(cell)


def whose(choices: Sequence[Choice], origins: Sequence[str]) -> tuple[list[str], str]:
    """Those of the gallery's networks that are chosen, or all where none is; and what to say of others."""
    named = {
        title(one.name) if one.weights == "trained" else f"{title(one.name)} with other weights": None
        for one in choices
    }
    chosen = [name for name in named if name in origins]
    others = [name for name in named if name not in origins]
    if not others:
        return chosen, ""
    of = "of it" if len(others) == 1 else "of them"
    words = f"Nothing was imagined beforehand for {' and '.join(others)}."
    if not chosen:
        words += f" These are pictures of {' and '.join(origins)}, which come with the app."
    return chosen or list(origins), f"{words} Pictures {of} are made in a minute."


def gallery(choices: Sequence[Choice]) -> None:
    """What the bundled pair imagines for each of its classes, and whether the other one agrees."""
    found = _stored()
    every = list(dict.fromkeys(origin for origin, _ in found.pictures))
    origins, words = whose(choices, every)
    if words:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(words, width="content")
            st.button("Make your own", key="m_own", on_click=state.update, args=[{"m_part": "Make your own"}])
    forget("m_look", found.labels, found.labels[12])
    for origin, column in zip(origins, st.columns(2, gap="large"), strict=False):
        with column:
            _title(origin)
            shown, size = _sheet(origin)
            about = found.labels, COLUMNS, f"What {origin} imagines for each class:", state["m_look"]
            sheet(f"m_sheet_{saving.slug(origin)}", shown, size, *about, "m_closer", _look_at)
            caption = f"What {origin} imagines, without a picture to start from. Sightlines {__version__}"
            saving.keep(f"Imagined by {origin}", caption, partial(_rows, found, origin))
    _all_of_it(found, origins, {title(one.name): one.slot for one in choices if one.weights == "trained"})


def _look_at(name: str) -> None:
    state["m_look"] = name


def _all_of_it(found, origins: list[str], slots: dict[str, str]) -> None:
    """What such pictures are, one class of them in large, and who agrees."""
    st.caption(
        "Made from noise, by gradient ascent on the class's score: nothing was drawn or copied. Each is one "
        "of many pictures that excite the class, and none is what the network sees in a photograph; that "
        "you recognise one shows that the network knows something of what you know, not all that it knows."
    )
    with st.container(key="m_closer"):
        name = st.selectbox("One class, closer", found.labels, 12, key="m_look", width=260)
        _closer(found, origins, name)
        with st.container(horizontal=True, gap="small"):
            for origin in origins:
                if origin in slots:
                    cards.link(f"Its card, {origin}", cards.of_class(slots[origin], name))
    st.header("Do the two agree?", anchor=False)
    st.markdown(
        "Every picture was shown to both networks in 32 random views: shifted, turned, cropped, recoloured, "
        "blurred. A picture made without random views (**one view**) may be a trick on its own network."
    )
    judged(found.verdicts)
    recipe = found.recipe
    st.caption(
        f"Recipe: {recipe['parameterisation']}, {recipe['steps']} steps of {recipe['views']} views, "
        f"objective {recipe['objective']}, seed {recipe['seed']}. On your own machine "
        "`python -m benchmarks gallery` makes and judges them again."
    )


def _title(origin: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        colour = np.full((20, 20, 3), COLOURS[origin], np.uint8)
        st.image(render.png(colour), width=20, alt="its colour")
        st.subheader(origin, anchor=False, width="content")


def _closer(found, origins: list[str], name: str) -> None:
    """A class in large: drawn, and as each network imagines it, with and without random views."""
    k = found.labels.index(name)
    with st.container(horizontal=True, gap="small"):
        real = textures.single(name, 7, 256).picture
        st.image(figures.jpeg(real), f"{name}, drawn", alt=f"a drawn texture, {name}", width=166)
        for origin in origins:
            for robust in (True, False):
                words = f"{origin}, {WITH[robust]}"
                picture = figures.jpeg(found.pictures[origin, robust][k])
                st.image(picture, words, alt=f"{name} as {words} imagines it", width=166)
    for origin in origins:
        rows = [one for one in found.verdicts if (one["name"], one["origin"]) == (name, origin)]
        seen = [f"{one['judge']} in **{one['right']:.0%}**" for one in rows if one["robust"]]
        st.markdown(f"{origin}’s picture is named “{name}” by {' and by '.join(seen)} of 32 random views.")


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
