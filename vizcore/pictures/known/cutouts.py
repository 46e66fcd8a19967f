"""Cut-outs: things with a transparent surround on any ground; where they are is known to the pixel."""

from __future__ import annotations

import io
from collections.abc import Collection, Mapping

import numpy as np
from PIL import Image

from ..images import FORMATS, FRAME_SIDE, PictureError, read_picture, to_rgb, upright
from ..textures.scenes import Scene

SOLID = 128  # the alpha from which on a pixel belongs to the thing
TRIES = 200  # of places, before it is given up
MARGIN = 1 / 16  # of the frame, in which nothing is put: some networks don't see it


def cut(image: Image.Image) -> Image.Image:
    """A thing that stands free, as RGBA, cut to where it isn't transparent.

    Raises:
        PictureError: the picture has no transparent surround, or nothing in it can be seen.
    """
    if not image.has_transparency_data:
        raise PictureError("The picture has no transparent surround, so nothing is cut out.")
    image = image.convert("RGBA")
    solid = np.asarray(image)[..., 3] >= SOLID
    if not solid.any():
        raise PictureError("The picture is transparent everywhere: there is no thing in it.")
    if solid.all():
        raise PictureError("The picture is opaque everywhere: there is no surround to cut away.")
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    return image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def read_cutout(data: bytes, max_side: int = FRAME_SIDE) -> Image.Image:
    """An uploaded file with its transparency, RGBA; otherwise as ``read_picture``.

    Raises:
        PictureError: as ``read_picture``.
    """
    opaque = read_picture(data, max_side)  # whatever is wrong with it, in a sentence
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        if not opened.has_transparency_data:
            return opaque.convert("RGBA")
        image = upright(opened.convert("RGBA"), opened)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return image


def round_cut(image: Image.Image) -> Image.Image:
    """The middle of a photograph as an ellipse that stands free, RGBA: for one that has no transparency."""
    image = to_rgb(image)
    y, x = (np.abs(np.arange(side) + 0.5 - side / 2) / (side / 2) for side in (image.height, image.width))
    inside = np.hypot(x[None], y[:, None]) <= 1
    return cut(Image.fromarray(np.dstack([np.asarray(image), 255 * inside]).astype(np.uint8)))


def noise(side: int, seed: int = 0) -> np.ndarray:
    """A ground of no thing: coloured noise with a photograph's spectrum (1 / f), (side, side, 3) uint8."""
    draw = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    frequency[0, 0] = 1
    grey, *colours = (
        np.fft.ifft2(np.fft.fft2(draw.standard_normal((side, side))) / frequency).real for _ in range(4)
    )
    values = np.stack([grey / grey.std() + 0.3 * one / one.std() for one in colours], -1)
    return (128 + 40 * values).clip(0, 255).astype(np.uint8)


def place(
    ground: np.ndarray,
    things: Mapping[str, Image.Image],
    seed: int = 0,
    size: tuple[float, float] = (0.35, 0.5),
    turn: float = 0.0,
    overlap: float = 0.0,
    shown: Collection[str] | None = None,
) -> Scene:
    """Things on a ground, each at a place, of a size and at an angle drawn by lot.

    Args:
        ground: (H, W, 3) uint8.
        things: by name, RGBA as of ``cut``; a later one lies over an earlier one.
        size: of its longer side, in shares of the frame's shorter one, from and to.
        turn: up to so many degrees either way.
        overlap: the most of a thing that the others may cover together, 0 to below 1.
        shown: those of the things that are there; the others leave their places empty. All of them if None.

    Returns:
        The picture, and where of each thing can be seen.

    Raises:
        ValueError: no size or overlap of this kind, or no place is found for them.
    """
    if not (0 < size[0] <= size[1] <= 1 and 0 <= overlap < 1):
        raise ValueError(f"sizes are shares from 0 to 1 and overlap below 1, not {size} and {overlap}")
    draw = np.random.default_rng(seed)
    for _ in range(TRIES):
        laid = {name: _laid(thing, ground.shape, draw, size, turn) for name, thing in things.items()}
        whole = {name: layer[..., 3] >= SOLID for name, layer in laid.items()}
        masks, above = {}, np.zeros(ground.shape[:2], bool)
        for name in reversed(laid):
            masks[name], above = whole[name] & ~above, above | whole[name]
        if all(masks[name].sum() >= max(1, (1 - overlap) * whole[name].sum()) for name in laid):
            picture = Image.fromarray(ground)
            for layer in (laid[name] for name in laid if shown is None or name in shown):
                picture.paste(Image.fromarray(layer[..., :3]), mask=Image.fromarray(layer[..., 3]))
            return Scene(np.asarray(picture), {name: masks[name] for name in laid})
    raise ValueError(f"there is no room for {len(things)} things of this size; make them smaller")


def _laid(
    thing: Image.Image,
    frame: tuple[int, ...],
    draw: np.random.Generator,
    size: tuple[float, float],
    turn: float,
) -> np.ndarray:
    """A thing somewhere on an empty layer, (H, W, 4); out of the margin, if it can be helped."""
    height, width = frame[:2]
    longer = draw.uniform(*size) * min(height, width)
    if turn:  # colours of what can't be seen have no say
        turned = (
            thing.convert("RGBa")
            .convert("RGBA")
            .rotate(draw.uniform(-turn, turn), Image.Resampling.BICUBIC, expand=True)
        )
        thing = turned.crop(turned.getchannel("A").getbbox())
    scale = longer / max(thing.size)
    sides = max(1, round(thing.width * scale)), max(1, round(thing.height * scale))
    # Pillow weighs the colours of RGBA by their alpha as it resizes
    small = np.asarray(thing.resize(sides, Image.Resampling.LANCZOS))
    layer = np.zeros((height, width, 4), np.uint8)
    left, top = (_start(draw, room, length) for room, length in zip((width, height), sides, strict=True))
    layer[top : top + sides[1], left : left + sides[0]] = small
    return layer


def _start(draw: np.random.Generator, room: int, length: int) -> int:
    margin = min(round(room * MARGIN), (room - length) // 2)
    return int(draw.integers(margin, room - length - margin + 1))
