"""A part of a picture covered: by a blur of it, by its mean colour, or by another picture."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from ..baselines import COVERS
from ..model import VisionModel
from ..scores import probabilities


def ground(picture: np.ndarray, how: str = "blur", other: Image.Image | None = None) -> np.ndarray:
    """What covers a picture, all of it: (H, W, 3) uint8 -> (H, W, 3) uint8.

    Args:
        how: one of ``vizcore.baselines.COVERS``. other: a picture that covers instead, cut to the same size.

    Raises:
        ValueError: there is no such cover.
    """
    if other is not None:
        size = picture.shape[1], picture.shape[0]
        return np.asarray(ImageOps.fit(other.convert("RGB"), size, Image.Resampling.BICUBIC))
    if how not in COVERS:
        raise ValueError(f"unknown cover {how!r}; there are {', '.join(COVERS)}")
    images = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    return COVERS[how](images)[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


def pixels(mark: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mark on a grid, (rows, columns) bool, in a picture of ``size`` (width, height): (H, W) bool.

    A pixel is in the cell that its middle is in, as the browser paints it.
    """
    rows, columns = mark.shape
    down = (2 * np.arange(size[1]) + 1) * rows // (2 * size[1])
    across = (2 * np.arange(size[0]) + 1) * columns // (2 * size[0])
    return mark[down].take(across, 1)  # a quarter of the time of both at once


def covered(picture: np.ndarray, mark: np.ndarray, below: np.ndarray) -> np.ndarray:
    """A picture with its marked cells covered by ``below``, as of ``ground``; all (H, W, 3) uint8."""
    inside = pixels(mark, (picture.shape[1], picture.shape[0]))
    return np.where(inside[..., None], below, picture)


def answers(model: VisionModel, picture: np.ndarray) -> Tensor:
    """What a network says of a picture (H, W, 3) uint8, in one pass: its probabilities, (K,)."""
    with torch.no_grad():
        images = model.preprocess(Image.fromarray(picture))
        return probabilities(model.net, model.net(images))[0].cpu()
