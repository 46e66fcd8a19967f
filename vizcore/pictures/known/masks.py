"""A picture of one's own with a mask: a file beside it, a rectangle, or a zip of both."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import PurePosixPath

import numpy as np
from PIL import Image

from .. import sets
from ..images import FORMATS, PictureError, read_picture, to_rgb, upright
from ..textures.scenes import Scene
from .coco import matched, read_coco

RATIO = 0.03  # how far a mask's proportions may be off the picture's
UNNAMED = "the region"


def check_masks(masks: Mapping[str, np.ndarray], shape: tuple[int, int]) -> None:
    """That every mask is of the picture's shape (H, W) and holds something.

    Raises:
        PictureError: one doesn't, in a sentence.
    """
    for name, mask in masks.items():
        if mask.shape != shape:
            raise PictureError(
                f"The mask of {name} has {mask.shape[1]} × {mask.shape[0]} pixels, the picture "
                f"{shape[1]} × {shape[0]}."
            )
        if not mask.any():
            raise PictureError(f"The mask of {name} is empty: no map can point into it.")


def rectangle(size: tuple[int, int], left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """(H, W) bool: a rectangle of a picture of ``size`` (width, height); edges as shares, 0 to 1.

    Raises:
        PictureError: it holds no pixel.
    """
    width, height = size
    mask = np.zeros((height, width), bool)
    mask[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = True
    check_masks({"the rectangle": mask}, (height, width))
    return mask


def read_mask(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """An uploaded mask for a picture of ``size`` (width, height): (H, W) bool.

    What is opaque is inside, in a picture with transparency; else what is brighter than half of its
    brightest. Another size of the same proportions is brought to the picture's.

    Raises:
        PictureError: no picture, other proportions, or nothing inside.
    """
    read_picture(data)  # whatever is wrong with it, in a sentence
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        layer = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
        if layer is None or layer.getextrema()[0] == 255:
            values = image.mode.startswith(("I", "F")) or (image.mode == "P" and _numbered(image))
            layer = image.copy() if values else to_rgb(image).convert("L")
        layer = upright(layer, image)
    _check_proportions(layer.size, size)
    values = np.asarray(layer.resize(size, Image.Resampling.NEAREST)).astype(float)
    mask = values * 2 > values.max()
    check_masks({"the picture": mask}, (size[1], size[0]))
    return mask


def _numbered(image: Image.Image) -> bool:
    """Whether a palette's colours are 0 and one other: then the number says more than its colour."""
    return set(np.unique(np.asarray(image)).tolist()) <= {0, 1, 255}


def fitted(masks: Mapping[str, np.ndarray], size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Masks of a picture as it was, brought to the size (width, height) in which it is kept.

    One of which nothing is left then is left out.

    Raises:
        PictureError: one has other proportions.
    """
    found = {}
    for name, mask in masks.items():
        _check_proportions((mask.shape[1], mask.shape[0]), size)
        found[name] = np.asarray(Image.fromarray(mask).resize(size, Image.Resampling.NEAREST))
    return {name: mask for name, mask in found.items() if mask.any()}


def of_grid(grid: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask on a coarse grid (rows, columns) bool, of a picture of ``size`` (width, height): (H, W) bool."""
    return np.asarray(Image.fromarray(grid).resize(size, Image.Resampling.NEAREST))


def _check_proportions(mask: tuple[int, int], size: tuple[int, int]) -> None:
    if abs(mask[0] * size[1] / (mask[1] * size[0]) - 1) > RATIO:
        raise PictureError(
            f"The mask has {mask[0]} × {mask[1]} pixels and the picture {size[0]} × {size[1]}: "
            "their proportions differ."
        )


def read_pairs(data: bytes) -> dict[str, Scene]:
    """A zip of pictures and masks: dog.jpg with dog_mask.png, or dog_mask_NAME.png for each thing in it.

    A mask without a name has that of the picture's folder, if there is one. With a JSON file in it, that is
    a file of COCO's, and says where things are: pictures without a thing are left out.

    Returns:
        By the picture's name, each with its masks.

    Raises:
        PictureError: the zip is refused, a mask lacks its picture or a picture its mask, or one is empty.
    """
    pictures: dict[str, Image.Image] = {}
    masks: dict[str, dict[str, bytes]] = {}
    names: dict[str, str] = {}  # with their endings
    annotations: list[bytes] = []
    for name, content in sets.read_zip(data, (".json",)):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.suffix.lower() == ".json":
            annotations.append(content)
            continue
        found = re.fullmatch(r"(.+)_mask(?:_(.+))?", path.stem)
        folder = "" if path.parent.name == "." else path.parent.name
        if found:
            key, label = str(path.with_name(found[1])), found[2] or folder or UNNAMED
            if label in masks.setdefault(key, {}):
                raise PictureError(f"The zip holds two masks of {label} for {key[-60:]}; one is enough.")
            masks[key][label] = content
        else:
            key = str(path.with_suffix(""))
            if key in pictures:
                raise PictureError(
                    f"The zip holds two pictures called {key[-60:]}: a mask is of one of them."
                )
            pictures[key], names[key] = read_picture(content, sets.SIDE), str(path)
    if annotations:
        return _annotated(pictures, names, annotations)
    for what, lonely in (("mask", pictures.keys() - masks), ("picture", masks.keys() - pictures)):
        if lonely:
            raise PictureError(f"There is no {what} for {sorted(lonely)[0][-60:]} in the zip.")
    return {
        name: Scene(
            np.asarray(picture), {label: read_mask(one, picture.size) for label, one in masks[name].items()}
        )
        for name, picture in pictures.items()
    }


def _annotated(
    pictures: Mapping[str, Image.Image], names: Mapping[str, str], annotations: list[bytes]
) -> dict[str, Scene]:
    """Pictures by their path without its ending, with what one of COCO's files says of them."""
    if len(annotations) > 1:
        raise PictureError("The zip holds several JSON files, and one of COCO's is enough.")
    of_files = read_coco(annotations[0])
    files = matched(names, of_files)
    scenes = {}
    for name, picture in pictures.items():
        if name in files and (masks := fitted(of_files[files[name]], picture.size)):
            scenes[name] = Scene(np.asarray(picture), masks)
    if not scenes:
        raise PictureError("The JSON file in the zip marks nothing in any of the zip's pictures.")
    return scenes
