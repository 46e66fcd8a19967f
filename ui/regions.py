"""A picture with masks: painted, a rectangle, a file beside it, a zip of both, or COCO's annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from vizcore.pictures import known
from vizcore.pictures.images import PictureError, to_rgb
from vizcore.pictures.known.masks import UNNAMED

from . import brush
from .address import forget
from .limits import UPLOAD_MB
from .picture_picker import PHOTOGRAPHS, Picture, Source, Thing, of_image
from .plain import plain
from .uploads import uploader

state = st.session_state
BRUSH = "p_brush"
PAINTED, MASKS = "the region that you painted", "the masks that you uploaded"
MARKS = ["png", "webp", "bmp", "gif", "tif", "tiff", "zip", "json"]
MOST = 9  # things of one picture: each is shown to the networks
HELP = (
    "A mask has its picture's proportions, and white, or what is opaque, is inside. A zip holds dog.jpg with "
    "dog_mask.png, or dog_mask_NAME.png for each thing in it; or pictures with COCO's JSON. A JSON alone is "
    "about the pictures here, by the names of their files."
)


def region(sources: dict[str, Source]) -> Picture:
    """The widgets, and the picture with a mask for each thing that is marked.

    Raises:
        PictureError: what was sent can't be read, or marks nothing.
    """
    above = st.container()
    file = uploader(
        "Masks: a picture, a zip of pictures and masks, or COCO's JSON",
        MARKS,
        "image/*",
        key="p_mask",
        max_upload_size=UPLOAD_MB,
        help=HELP,
    )
    if file is None:
        return _marked_here(above, sources)
    st.caption("These masks count; they are in no link.")
    if file.name.lower().endswith((".zip", ".json")):
        found = _annotated(file, sources)
        with above:
            title, image, masks, code = found[_one(list(found))]
    else:
        source = _source(above, sources)
        title, image, code = source.title, to_rgb(source.image), source.code
        masks = {UNNAMED: known.read_mask(file.getvalue(), image.size)}
    picture = _of_masks(plain(title[-60:]), image, masks)
    return picture._replace(code=code or picture.code, marked=True, only_here=(MASKS,))


def _one(titles: list[str]) -> str:
    own = [title for title in titles if title not in PHOTOGRAPHS]
    forget("p_one", titles, (own or titles)[0])
    return st.selectbox("Picture", titles, key="p_one")


def _source(place, sources: dict[str, Source]) -> Source:
    with place:
        return sources[_one(list(sources))]


# ---------------------------------------------------------------- files of several masks


def _annotated(file, sources: dict[str, Source]) -> dict[str, tuple[str, Image.Image, dict, str]]:
    """By title: the title, a picture, its masks, and the code of the picture; read once for the same files.

    Raises:
        PictureError: in a sentence, what is wrong with it.
    """
    question = file.file_id, *((title, source.file) for title, source in sources.items())
    if state.get("p_marked", ("", ""))[0] != question:
        try:
            if file.name.lower().endswith(".zip"):
                found: Any = {
                    name: (name, Image.fromarray(scene.picture), scene.masks, "")
                    for name, scene in known.read_pairs(file.getvalue()).items()
                }
            else:
                found = _beside(file.getvalue(), sources)
        except PictureError as error:
            found = str(error)
        state["p_marked"] = question, found
    found = state["p_marked"][1]
    if isinstance(found, str):
        raise PictureError(found)
    return found


def _beside(data: bytes, sources: dict[str, Source]) -> dict[str, tuple[str, Image.Image, dict, str]]:
    """COCO's annotations of pictures that are here, which they name by their files."""
    read = known.read_coco(data, {source.file for source in sources.values()})
    files = known.matched({title: source.file for title, source in sources.items()}, read)
    found = {}
    for source in (sources[title] for title in files):
        image = to_rgb(source.image)
        if masks := known.fitted(read[files[source.title]], image.size):
            found[source.title] = source.title, image, masks, source.code
    if not found:
        raise PictureError(
            "The JSON marks nothing in the pictures here: upload those that it is about, under the names "
            "that it gives them."
        )
    return found


def _of_masks(title: str, image: Image.Image, masks: Mapping[str, np.ndarray]) -> Picture:
    """A picture with its largest things; where there are several, networks are shown each of them alone."""
    largest = sorted(masks, key=lambda name: -masks[name].sum())[:MOST]
    if len(masks) > MOST:
        st.caption(f"The {MOST} largest of its {len(masks)} things.")
    things = []
    for name in sorted(largest, key=list(masks).index):
        alone = _cropped(image, masks[name]) if len(masks) > 1 else image
        things.append(Thing(name[:60], of_image("", alone).key, alone, masks[name], ""))
    return of_image(title, image)._replace(things=tuple(things))


def _cropped(image: Image.Image, mask: np.ndarray) -> Image.Image:
    """What lies around a mask, a square where there is room for one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    half = max(rows[-1] - rows[0], columns[-1] - columns[0], 32) * 0.6
    y, x = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
    left, top = int(max(x - half, 0)), int(max(y - half, 0))
    return image.crop((left, top, int(min(x + half + 1, image.width)), int(min(y + half + 1, image.height))))


# ---------------------------------------------------------------- painted, or a rectangle


def _marked_here(above, sources: dict[str, Source]) -> Picture:
    source = _source(above, sources)
    image = to_rgb(source.image)
    picture = of_image(source.title, image)
    painted = brush.painted(BRUSH, picture.key)
    place = st.container()
    edges = _edges(disabled=painted is not None)
    with place:
        brush.show(BRUSH, picture.key, image, edges)
    if painted is None:
        mask = known.rectangle(image.size, *edges)
        code = source.code and f"known.rectangle(image.size, {', '.join(map(repr, edges))})"
    else:
        mask, code = known.of_grid(painted, image.size), ""
    thing = Thing(UNNAMED, picture.key, image, mask, code)
    own = () if painted is None else (PAINTED,)
    return picture._replace(things=(thing,), code=source.code or picture.code, marked=True, only_here=own)


def _edges(disabled: bool) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a rectangle, as shares of the picture."""
    first = "What you painted counts; it is in no link. Clear it for a rectangle"
    first = first if disabled else "Drag on the picture to paint, or keep a rectangle"
    st.caption(f"{first}, in percent of the picture:")
    sides = {"left": 25, "right": 75, "top": 25, "bottom": 75}
    shares = {}
    for pair in (("left", "right"), ("top", "bottom")):
        for side, column in zip(pair, st.columns(2), strict=True):
            low = int(side in ("right", "bottom"))
            with column:
                shares[side] = st.number_input(
                    side.capitalize(), low, 99 + low, sides[side], key=f"p_{side}", disabled=disabled
                )
    return shares["left"] / 100, shares["top"] / 100, shares["right"] / 100, shares["bottom"] / 100
