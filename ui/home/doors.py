"""The doors on the home page: each page's question, and a small live picture of what it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import streamlit as st

from vizcore.drawing import render

from .. import address, answers, figures, over_picture
from ..answers import Side
from ..classes import class_names
from ..first_answers import kept
from ..guide import cards
from ..held_passes import inputs
from ..mapped import Mapped
from ..shared_networks import in_the_box
from ..warmup import warm

OPACITY = 0.7
WIDTH, HEIGHT = 480, 267
IMAGINED = "honeycombed", "spiralled", "zigzagged", "chequered"


class Door(NamedTuple):
    page: str
    title: str
    question: str
    miniature: Callable  # (cnn, vit, picture, names) -> (H, W, 3), of the pair in the box that knows its kind
    of_picture: bool = True  # else the same for every picture, and of no network


def _colours(cnn: Side, _vit, picture, _names):
    from vizcore.methods.features import pca_colours
    from vizcore.methods.table import in_frame

    model = cnn.model
    layer = next(name for name in reversed(model.blocks) if min(model.layouts[name].grid) >= 14)
    features = answers.layer_maps(cnn.choice, picture.key, layer, model, picture.image)
    small = _small(picture)
    colours = in_frame(model, small.image, pca_colours(features))
    laid = render.blend(small.array, 255 * render.to_array(colours).transpose(1, 2, 0), 0.85)
    return np.where(_visible(cnn, small)[..., None], laid, small.array)


def _small(picture):
    """The picture, no larger than a door is painted: what is drawn over a photograph costs by its pixels."""
    width, height = picture.size
    scale = max(WIDTH / width, HEIGHT / height)
    if scale >= 1:
        return picture
    image = picture.image.resize((round(width * scale), round(height * scale)), reducing_gap=2)
    return picture._replace(image=image, array=np.asarray(image))


def _visible(side: Side, picture) -> np.ndarray:
    """(H, W) bool: what of a picture a network sees."""
    from vizcore.pictures.frame import seen

    return seen(side.model.preprocess.box(picture.size), picture.size).numpy()


def _class(side: Side, picture) -> int:
    """The class that pages ask for first: of a thing that is there, or else the likeliest."""
    names = class_names(side.model)
    return names.index(picture.asked) if picture.asked in names else side.top[0][0]


def _heat(side: Side, picture, found):
    """Any map (h, w) of a network over the picture."""
    from vizcore.methods.table import in_frame

    small = _small(picture)
    framed = in_frame(side.model, small.image, found)
    return render.lay(small.array, framed, _visible(side, small), OPACITY)


def _rollout(_cnn, vit: Side, picture, _names):
    from vizcore.methods.rollout import rollout
    from vizcore.methods.tokens import readout

    model = vit.model
    blocks = answers.all_attention(vit.choice, picture.key, model, picture.image)
    start = readout(model.net, model.grid, model.num_prefix_tokens)
    row = rollout(blocks, start, prefix=model.num_prefix_tokens)[-1, 0, 0]
    return _heat(vit, picture, row[model.num_prefix_tokens :].reshape(model.grid))


def _cam(side: Side, picture, names) -> Mapped:
    name = class_names(side.model)[_class(side, picture)]
    return over_picture.cams(side, picture, names if name in names else [name])[name]


def _evidence(cnn: Side, _vit, picture, names):
    return _heat(cnn, picture, _cam(cnn, picture, names).map)


def _gradients(_cnn, vit: Side, picture, _names):  # the smaller network of the two for photographs
    index = _class(vit, picture)
    name = class_names(vit.model)[index]
    asked = Mapped(vit.choice, vit.model, picture, vit.colour, index, name, "gradient")
    found = answers.last_step(asked.question, asked).pixels
    images = inputs(vit.choice, picture.key, vit.model, picture.image)
    pixels = render.to_array(found * images[0].cpu())  # gradient × input
    return render.centred(pixels, render.end_of_scale(pixels))


def _imagined(*_):
    """Stored pictures: the CNN's above the ViT's."""
    from vizcore.imagine.gallery import load_gallery

    found = load_gallery()
    places = [found.labels.index(name) for name in IMAGINED]
    return np.vstack(
        [np.hstack(list(cells[places])) for (_, robust), cells in found.pictures.items() if robust]
    )


def _similarity(*_):
    """The stored CKA of all blocks of the texture pair, the input at the lower left."""
    from vizcore.studies.stored_cka import load_stored

    colours = render.colourise(np.nan_to_num(load_stored().found.cka["unbiased"][::-1]).clip(0, 1))
    return cv2.resize(colours, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)


def _tried(cnn: Side, _vit, picture, names):
    """The picture with what the CNN's map ranks first painted out."""
    from vizcore.experiments import cells, cover_up

    small, grid = _small(picture), (18, 32)
    size, box = small.size, cnn.model.preprocess.box(small.size)
    values = cells.on_cells(_cam(cnn, picture, names).map, box, size, grid)
    where = cells.seen_cells(box, size, grid)
    mark = cells.first(values, where, int(where.sum()) // 6)
    return cover_up.covered(small.array, mark.numpy(), cover_up.ground(small.array, "mean"))


DOORS = [
    Door(
        "pages/experiments.py",
        "Experiments",
        "What changes an answer? Paint the picture out, guess first, fool a network.",
        _tried,
    ),
    Door(
        "pages/feature_maps.py",
        "Feature maps",
        "What does each layer compute, and which places look alike to it?",
        _colours,
    ),
    Door(
        "pages/attention_rollout.py",
        "Attention rollout",
        "Where does attention lead, from the answer back to the patches?",
        _rollout,
    ),
    Door(
        "pages/grad_cam.py",
        "Grad-CAM",
        "Where is the evidence for a class, and is the map true?",
        _evidence,
    ),
    Door(
        "pages/saliency.py",
        "Saliency",
        "Which pixels would change the answer?",
        _gradients,
    ),
    Door(
        "pages/activation_maximization.py",
        "Activation maximisation",
        "What would the network like to see, and does the other one agree?",
        _imagined,
        of_picture=False,
    ),
    Door(
        "pages/similarity.py",
        "Similarity",
        "Do a CNN and a ViT learn the same things, layer by layer?",
        _similarity,
        of_picture=False,
    ),
]


def doors(picture, names: Sequence[str]) -> None:
    """A card for each page.

    Args:
        names: of the classes whose maps are asked for above, so that they are at hand.
    """
    for door, card in cards(DOORS, "door"):
        with card:
            of = (picture.key, picture.asked) if door.of_picture else ()
            small = _miniature(door.page, of, picture, names)
            st.image(small, width="stretch", alt=f"{door.title}, in small")
            address.link(door.page, f"**{door.title}**")
            st.markdown(door.question)


@st.cache_data(show_spinner=False)
@kept
def _miniature(page: str, of: tuple, _picture, _names) -> bytes:
    """A door's picture, of the pair in the box that knows such a picture, as a JPEG.

    It asks what the pages behind the doors ask first, so that these find their answers there.
    """
    pair: list[Any] = [None, None]
    if of:
        warm()
        pair = answers.sides(_picture, *in_the_box(_picture.drawn))
    made = next(door for door in DOORS if door.page == page).miniature(*pair, _picture, _names)
    height, width = made.shape[:2]
    tall, wide = min(height, round(width / 1.8)), min(width, round(height * 1.8))
    top, left = (height - tall) // 2, (width - wide) // 2
    cut = made[top : top + tall, left : left + wide]
    return figures.jpeg(cv2.resize(cut, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
