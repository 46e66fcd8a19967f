"""What the absence of a pixel looks like: what covers a picture, (B, C, H, W) as networks get them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .model import VisionModel
from .shapes import full


def mean_colour(images: Tensor) -> Tensor:
    """The picture's own mean colour everywhere."""
    return images.mean((-2, -1), keepdim=True).expand_as(images).clone()


def blurred(images: Tensor, share: float = 1 / 14) -> Tensor:
    """A Gaussian blur whose sigma is a ``share`` of the shorter side: colours stay, texture and shape go.

    Of each picture of a batch, (B, C, H, W).
    """
    sigma = share * min(images.shape[-2:])
    blurs = [
        cv2.GaussianBlur(array, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101).reshape(array.shape)
        for array in full(images).detach().cpu().permute(0, 2, 3, 1).numpy()  # (H, W, C) each
    ]
    return torch.from_numpy(np.stack(blurs)).permute(0, 3, 1, 2).to(images)


COVERS: dict[str, Callable[[Tensor], Tensor]] = {"blur": blurred, "mean": mean_colour}


def _flat(value: int) -> Callable[[VisionModel, Tensor], Tensor]:
    def make(model: VisionModel, images: Tensor) -> Tensor:
        shade = model.preprocess(Image.new("RGB", (64, 64), (value,) * 3))[..., :1, :1]
        return shade.to(images).expand_as(images).clone()

    return make


# what a way to the picture, or a covering square, begins with: (model, images) -> images
BASELINES: dict[str, Callable[[VisionModel, Tensor], Tensor]] = {
    "black": _flat(0),
    "mean": lambda model, images: mean_colour(images),
    "blur": lambda model, images: blurred(images),
    "white": _flat(255),
}


def blank(baseline: str, model: VisionModel, images: Tensor) -> Tensor:
    """``images`` (B, C, H, W) with nothing in them, by one of ``BASELINES``.

    Raises:
        ValueError: there is none of that name.
    """
    if baseline not in BASELINES:
        raise ValueError(f"unknown baseline {baseline!r}; there are {', '.join(BASELINES)}")
    return BASELINES[baseline](model, images)
