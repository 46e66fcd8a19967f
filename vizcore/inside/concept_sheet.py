"""Concepts as pictures: every picture painted in their colours, and the parts that hold most of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ..drawing import render
from ..model import VisionModel
from ..pictures.frame import seen, to_frame
from ..pictures.images import to_rgb
from .concepts import COLOURS, Concepts, in_colours, strongest

SIDE, PART = 112, 64  # pixels of a painted picture, and of a part
ACROSS, CROPS = 7, 5  # pictures in a row, parts of a concept
AROUND = 1  # cells about the strongest one that a part shows too


def painted(model: VisionModel, image: Image.Image, found: Concepts, picture: int) -> np.ndarray:
    """One of the pictures under the colours of its concepts, its longer side ``SIDE``: (h, w, 3) uint8."""
    small = to_rgb(image)
    small.thumbnail((SIDE, SIDE))
    box = model.preprocess.box(image.size)
    x, y = small.width / image.width, small.height / image.height
    box = box[0] * x, box[1] * y, box[2] * x, box[3] * y
    colours = in_colours(found.maps[picture], found.maps.amax((0, 2, 3)))
    visible = seen(box, small.size).numpy()
    return render.lay(np.asarray(small), to_frame(colours, box, small.size), visible, 0.75, kind="colours")


def parts_of(
    model: VisionModel, pictures: Sequence[Image.Image], found: Concepts, which: int
) -> list[np.ndarray]:
    """Of the pictures that hold most of a concept, the part about its strongest place, ``PART`` wide."""
    made, (rows, columns) = [], found.maps.shape[-2:]
    for number, row, column in strongest(found, which, CROPS):
        image = to_rgb(pictures[number])
        left, top, right, bottom = model.preprocess.box(image.size)
        wide, high = (right - left) / columns, (bottom - top) / rows
        box = (
            max(0, left + (column - AROUND) * wide),
            max(0, top + (row - AROUND) * high),
            min(image.width, left + (column + 1 + AROUND) * wide),
            min(image.height, top + (row + 1 + AROUND) * high),
        )
        if box[2] > box[0] and box[3] > box[1]:  # else the place lies in what was added around the picture
            made.append(np.asarray(image.resize((PART, PART), Image.Resampling.BICUBIC, box)))
    return made


def concept_sheet(model: VisionModel, pictures: Sequence[Image.Image], found: Concepts) -> np.ndarray:
    """All pictures in the colours of their concepts, and below them a row for each concept: (H, W, 3)."""
    lines, gap = -(-len(pictures) // ACROSS), 4
    high = lines * (SIDE + gap) + found.maps.shape[1] * (PART + gap)
    page = Image.new("RGB", (ACROSS * (SIDE + gap), high), "white")
    for k, image in enumerate(pictures):
        one = Image.fromarray(painted(model, image, found, k))
        page.paste(one, (k % ACROSS * (SIDE + gap), k // ACROSS * (SIDE + gap)))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for k in range(found.maps.shape[1]):
        top = lines * (SIDE + gap) + k * (PART + gap)
        red, green, blue = (round(255 * one) for one in COLOURS[k])
        pen.rectangle((0, top, PART, top + PART), fill=(red, green, blue))
        pen.text((PART / 2, top + PART / 2), str(k + 1), (20, 20, 20), font, anchor="mm")
        for place, part in enumerate(parts_of(model, pictures, found, k), 1):
            page.paste(Image.fromarray(part), (place * (PART + gap), top))
    return np.asarray(page)


def share_of_each(found: Concepts) -> torch.Tensor:
    """Of the places, how many each concept is the strongest at, by its own most: (K,)."""
    shares = found.maps / found.maps.amax((0, 2, 3)).clamp(min=1e-9)[None, :, None, None]
    which = shares.argmax(1)
    return torch.stack([(which == k).float().mean() for k in range(found.maps.shape[1])])
