"""What excites a unit, in pictures: each with a box around what the value comes from, and that part alone.

In a CNN the box holds nine tenths of the gradient's energy. A token of a Vision Transformer has heard from
all others: its box is its patch, which is a place and not what it saw, and beside it stands how much of the
energy comes from there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw

from ..model import VisionModel
from ..pictures.images import to_rgb
from .exciting_part import Box, box_of, centre_of, energy, place_box, share_in
from .extremes import Found, Shown
from .projections import Heads
from .unit_groups import Group

SIDE = 160  # pixels of a cell's picture, and of the part below it
COUNTS = {"most": 6, "by_lot": 3, "least": 3}  # pictures of each kind on a card
LINE = (255, 255, 255), (0, 0, 0)  # of a box: seen on any ground
AT_ONCE = 2  # pictures in a pass and back


class Crop(NamedTuple):
    """One picture of a set and the part of it that a unit's value comes from."""

    number: int  # in the set
    value: float
    box: tuple[float, float, float, float] | None  # in the picture's pixels; None where there is no energy
    within: float  # the share of the energy that lies in the box, 0 to 1; nan where there is none
    cell: np.ndarray  # (2 * SIDE, SIDE, 3): the picture with its box, and below it that part


def is_token(model: VisionModel, group: Group) -> bool:
    """Whether a unit's places are tokens, which have heard from others wherever these are."""
    return group.kind == "heads" or (group.kind == "channels" and model.layouts[group.layer].kind == "tokens")


def crops(
    model: VisionModel,
    pictures: Sequence[Image.Image],
    group: Group,
    unit: int,
    shown: Shown,
    count: int,
    heads: Heads | None = None,
) -> list[Crop]:
    """The first ``count`` pictures of a unit, as ``extremes`` found them; fewer where there are fewer.

    Raises:
        ValueError: no such unit; or no gradient leads through the network.
    """
    numbers, places = shown.pictures[unit, :count].tolist(), shown.places[unit, :count]
    images = [to_rgb(pictures[number]) for number in numbers]
    if not images:
        return []
    inputs = torch.cat([model.preprocess(image) for image in images])
    found = torch.cat(  # what a picture's pass leaves for the way back is 60 MB of EfficientNet-Lite0's
        [
            energy(model, inputs[k : k + AT_ONCE], group, unit, places[k : k + AT_ONCE].long(), heads)
            for k in range(0, len(inputs), AT_ONCE)
        ]
    )
    made, size = [], (inputs.shape[2], inputs.shape[3])
    for k, (image, number) in enumerate(zip(images, numbers, strict=True)):
        box, within = _box(model, group, found[k], int(places[k]), size)
        framed = box and _in_frame(box, model.preprocess.box(image.size), size, image.size)
        made.append(Crop(number, float(shown.values[unit, k]), framed, within, _cell(image, framed)))
    return made


def _box(
    model: VisionModel, group: Group, found: torch.Tensor, place: int, size: tuple[int, int]
) -> tuple[Box | None, float]:
    if is_token(model, group):
        box = place_box(model, group, place, size)
    else:
        centre = None if group.kind == "classes" else centre_of(model, group, place, size)
        box = box_of(found, centre)
    return box, math.nan if box is None else share_in(found, box)


def _in_frame(
    box: Box, seen: tuple[float, float, float, float], size: tuple[int, int], picture: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box of the input, of ``size`` (height, width), in pixels of a picture (width, height), within it."""
    left, top, right, bottom = seen
    x, y = (right - left) / size[1], (bottom - top) / size[0]
    sides = left + box[0] * x, top + box[1] * y, left + box[2] * x, top + box[3] * y
    ends = (*picture, *picture)
    found = [min(max(side, 0.0), float(end)) for side, end in zip(sides, ends, strict=True)]
    return found[0], found[1], found[2], found[3]


def _cell(image: Image.Image, box: tuple[float, float, float, float] | None) -> np.ndarray:
    cell = Image.new("RGB", (SIDE, 2 * SIDE), (128, 128, 128))
    times = SIDE / max(image.size)
    small = image.resize([max(1, round(side * times)) for side in image.size], Image.Resampling.BICUBIC)
    left, top = (SIDE - small.width) // 2, (SIDE - small.height) // 2
    cell.paste(small, (left, top))
    if box is not None and box[2] > box[0] and box[3] > box[1]:
        edges = [round(side * times) + place for side, place in zip(box, (left, top) * 2, strict=True)]
        draw = ImageDraw.Draw(cell)
        for inset, colour in enumerate(LINE):
            x0, y0, x1, y1 = edges[0] + inset, edges[1] + inset, edges[2] - 1 - inset, edges[3] - 1 - inset
            if x1 > x0 and y1 > y0:
                draw.rectangle((x0, y0, x1, y1), outline=colour)
        wide, high = box[2] - box[0], box[3] - box[1]
        scale = (SIDE - 4) / max(wide, high)
        fit = max(1, round(wide * scale)), max(1, round(high * scale))
        part = image.resize(fit, Image.Resampling.BICUBIC, box)
        cell.paste(part, ((SIDE - fit[0]) // 2, SIDE + 2 + (SIDE - 4 - fit[1]) // 2))
    return np.asarray(cell)


def card(
    model: VisionModel,
    pictures: Sequence[Image.Image],
    group: Group,
    unit: int,
    found: Found,
    heads: Heads | None = None,
) -> np.ndarray:
    """The pictures of a unit's card on one sheet, (H, W, 3): the most exciting, then by lot and the least."""
    rows = {
        kind: crops(model, pictures, group, unit, getattr(found, kind), count, heads)
        for kind, count in COUNTS.items()
    }
    return sheet(rows)


def sheet(rows: dict[str, list[Crop]], gap: int = 4) -> np.ndarray:
    """Crops of each kind, as ``card`` lays them."""
    first, second = rows["most"], [*rows["by_lot"], *rows["least"]]
    wide = max(len(first), COUNTS["by_lot"] + COUNTS["least"] if second else 0)
    whole = np.full((2 * (2 * SIDE + gap), wide * (SIDE + gap), 3), 255, np.uint8)
    for line, cells in enumerate((first, second)):
        for k, one in enumerate(cells):
            top, left = line * (2 * SIDE + gap), k * (SIDE + gap)
            whole[top : top + 2 * SIDE, left : left + SIDE] = one.cell
    return whole
