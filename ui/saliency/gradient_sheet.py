"""Beside the saliency page's maps: a row for each of many pictures, and the filters of the first layer."""

from __future__ import annotations

import streamlit as st

from vizcore.drawing import render

from .. import figures
from ..address import forget, forget_each
from ..classes import guesses
from ..picture_picker import PHOTOGRAPHS, SAMPLES, SCENES, sample


def rows(sides: list) -> None:
    """The picture, coloured gradients and greyscale saliency of any set of pictures, as one picture.

    Args:
        sides: of the networks that have classes.
    """
    from vizcore.pictures.images import PictureError, read_picture

    from ..limits import UPLOAD_MB
    from ..plain import plain
    from ..uploads import PICTURES, uploader

    if not sides:
        st.info("Neither network has classes, so there is nothing to differentiate.")
        return
    titles = [f"{side.slot.upper()}: {side.model.title}" for side in sides]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        forget("s_rows_model", titles, titles[0])
        title = st.selectbox("Model", titles, key="s_rows_model", width=220)
        forget_each("s_rows", [*PHOTOGRAPHS, *SCENES], list(SAMPLES)[:3])
        names = st.multiselect("Pictures", [*PHOTOGRAPHS, *SCENES], list(SAMPLES)[:3], key="s_rows")
    files = uploader(
        "And your own", PICTURES, "image/*", accept_multiple_files=True, key="s_rows_files",
        max_upload_size=UPLOAD_MB,
    )  # fmt: skip
    chosen = [(name, sample(name).image) for name in names]
    for file in files[: MOST_ROWS - len(chosen)]:
        try:
            chosen.append((plain(file.name[:60]), read_picture(file.getvalue())))
        except PictureError as error:
            st.error(f"{plain(file.name[:60])}: {error}")
    if len(names) + len(files) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} pictures are shown.")
    if not chosen:
        st.caption("Choose some pictures.")
        return
    choice, model, *_ = sides[titles.index(title)]
    data = _sheet(choice, tuple((name, _digest(image)) for name, image in chosen), model, chosen)
    kinds = {name in SCENES for name in names} | ({False} if files else set())
    for words in filter(None, (guesses(sides[titles.index(title)], kind) for kind in sorted(kinds))):
        st.caption(words)
    st.image(
        data, width="stretch", alt=f"{len(chosen)} pictures, their coloured gradients and their saliency"
    )
    st.download_button("Save as one picture", data, "saliency.png", "image/png", icon=":material/download:")


MOST_ROWS = 12


@st.cache_data(show_spinner="A pass and back for each picture …")
def _sheet(choice, pictures: tuple, _model, _pictures) -> bytes:
    from vizcore.studies.gradient_rows import rows

    return render.png(rows(_model, _pictures))


def _digest(image) -> str:
    import hashlib

    return hashlib.sha1(image.tobytes()).hexdigest()[:16]


def first_layer(model, colour) -> None:
    """The filters that read the picture's colours."""
    from vizcore.methods.filters import first_filters, principal, tiles

    figures.heading(model, colour)
    found = first_filters(model)
    if found is None:
        st.info(
            f"The first layer of {model.title} does not read red, green and blue: no filter has a colour."
        )
        return
    count, _, height, width = found.weight.shape
    if model.grid:
        shown, shares = principal(found.weight, 28)
        words = (
            f"`{found.name}`: the first {len(shown)} principal components of its {count} filters of "
            f"{height} × {width} pixels, {shares.sum():.0%} of their variance. Each patch is "
            "described by what it has of these; what single filters do can't be seen from them."
        )
    else:
        shown = found.weight
        words = (
            f"`{found.name}`: its {count} filters of {height} × {width} pixels. What a filter "
            "reacts to most; it can't show what the layers behind make of it."
        )
    picture = tiles(shown, 7 if model.grid else 8)
    st.image(render.png(picture), width="stretch", alt=f"the first filters of {model.title}, in colour")
    st.caption(words + " Mid-grey is 0; each on its own scale.")
