"""A little noise on the picture: does the map stay as it was?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Objective, probability
from ..shapes import one_picture
from .likeness import similarity
from .randomised import Heatmap


class Shaken(NamedTuple):
    """The map of a picture with a little noise."""

    done: int
    total: int
    heatmap: Tensor  # (h, w)
    rank: float  # similarity to the map without noise; nan where one is flat
    ssim: float
    probability: float  # of the class, with the noise


@in_any_mode
def stability(
    model: VisionModel,
    images: Tensor,
    heatmap: Heatmap,
    target: Objective | int,
    *,
    noise: float = 0.05,
    draws: int = 8,
    seed: int = 0,
) -> Iterator[Shaken]:
    """The map recomputed under noise that leaves the picture, to us, as it is.

    Args:
        target: what the probability is of: a class by its index, or any ``Objective``.
        noise: its standard deviation, as a share of the range of the picture's values.
    """
    one_picture(images)
    generator = torch.Generator().manual_seed(seed)
    first, spread = heatmap(model, images), noise * (images.max() - images.min())
    for done in range(1, draws + 1):
        shaken = images + spread * torch.randn(images.shape, generator=generator).to(images)
        with torch.no_grad():
            chance = probability(model.net, shaken, target).item()
        now = heatmap(model, shaken)
        yield Shaken(done, draws, now, *similarity(first, now), chance)
