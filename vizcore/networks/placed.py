"""Does a transform bring a picture's places where its box says? It is tried on squares, not believed.

Maps return to the picture through the resizing and cropping of a transform. One that pads, mirrors, turns or
cuts by other steps would have every map drawn in the wrong place, and nobody would see it.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ..pictures.frame import Preprocess
from .checkpoints import ModelError, first_line

SIZE = 300, 200  # of the picture that it is tried on: width, height
PLACES = ((0.3, 0.35), (0.35, 0.7), (0.7, 0.65))  # of the squares in the box, down and across
TRIES = 20  # of one picture: a coin tossed for each falls alike once in half a million times
SIDE = 16  # of a square, in the picture's pixels
NEAR = 0.03  # of the box's side: half of a square, and what resizing blurs
STRONG = 0.25  # of the largest change, above which a change counts as the square's own


def check_placed(preprocess: Preprocess, title: str) -> Tensor:
    """Try a transform on squares of a random picture; and a black picture, 256 by 256, as it comes out.

    Raises:
        ModelError: it fails, does something else each time or for another shape, or squares don't come where
            its box says.
    """
    try:
        found = _check(preprocess, title)
        black = preprocess(Image.new("RGB", (256, 256)))
    except ModelError:
        raise
    except Exception as error:  # whatever a transform of somebody's raises
        raise ModelError(f"The transform of {title} fails on a picture ({first_line(error)}).") from error
    if black.shape[2:] != found.shape[1:]:
        (rows, columns), (height, width) = black.shape[2:], found.shape[1:]
        raise ModelError(
            f"The transform of {title} makes {rows} × {columns} pixels of one picture and {height} × {width} "
            "of another, and the layers of a network lie as one size makes them: resize both sides to a "
            "fixed size, or crop to one behind the resizing."
        )
    return black


def _check(preprocess: Preprocess, title: str) -> Tensor:
    """The first of the pictures that it was tried on, (3, H, W), as it comes out."""
    width, height = SIZE
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    first, *others = (preprocess(Image.fromarray(pixels))[0].float() for _ in range(TRIES))
    if not all(map(first.equal, others)):
        raise ModelError(
            f"The transform of {title} draws by lot what it does to a picture: maps would be of another one "
            "each time. Give the one that is used for evaluation."
        )
    left, top, right, bottom = preprocess.box(SIZE)
    for down, across in PLACES:
        y, x = round(top + down * (bottom - top)), round(left + across * (right - left))
        if not (SIDE <= y <= height - SIDE and SIDE <= x <= width - SIDE):
            continue  # in what it pads
        changed, half = pixels.copy(), SIDE // 2
        square = slice(y - half, y + half), slice(x - half, x + half)
        changed[square] = 255 - changed[square]
        found = _middle((preprocess(Image.fromarray(changed))[0].float() - first).square().sum(0))
        wanted = (y - top) / (bottom - top), (x - left) / (right - left)
        if found is None:
            raise ModelError(
                f"The transform of {title} hands on only a part of what its resizing and cropping leave of a "
                "picture, or nothing of it, so maps would lie where the network sees nothing."
            )
        if max(abs(a - b) for a, b in zip(found, wanted, strict=True)) > NEAR:
            raise ModelError(
                f"The transform of {title} moves the picture by other steps than resizing and cropping in "
                "the middle (it pads, mirrors, turns or cuts it), so no map would lie where it belongs."
            )
    return first


def _middle(change: Tensor) -> tuple[float, float] | None:
    """Where a change (H, W) lies, as shares of the sides; None where there is none."""
    strong = change * (change > STRONG * change.max())
    total = strong.sum().item()
    if not total > 0:
        return None
    y, x = (
        (strong.sum(1 - axis).cpu() @ ((torch.arange(side) + 0.5) / side)).item() / total
        for axis, side in enumerate(change.shape)
    )
    return y, x
