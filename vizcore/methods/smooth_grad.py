"""SmoothGrad: the gradient's mean over a neighbourhood of the picture."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Target, objective
from ..shapes import full, one_picture
from .gradients import differentiate
from .method import Method, Partial, Setting, of_pixels, strongest
from .passes import there_and_back


@in_any_mode
def smooth_grad(
    model: VisionModel, images: Tensor, target: Target, *, noise: float = 0.15, draws: int = 25, seed: int = 0
) -> Iterator[Partial]:
    """The mean gradient of noisy copies of the picture (Smilkov et al., 2017).

    Args:
        images: (1, 3, H, W).
        target: a class's index or name, or any ``Objective``.
        noise: its standard deviation, as a share of the range of the picture's values.

    Yields:
        The mean of what was drawn so far.
    """
    wanted = objective(model, target)
    one_picture(images)
    noises = _noises(images, noise, seed)
    total = torch.zeros_like(full(images))
    chunk, done = there_and_back(model.net, images, wanted), 0
    while done < draws:
        some = torch.cat([next(noises) for _ in range(min(chunk, draws - done))])
        total += differentiate(model.net, images + some, wanted).sum(0)
        done += len(some)
        yield Partial(done, draws, total / done)


def _noises(images: Tensor, noise: float, seed: int) -> Iterator[Tensor]:
    """Draw after draw; one at a time, so that the chunk makes no difference."""
    generator, spread = torch.Generator().manual_seed(seed), noise * (images.max() - images.min())
    while True:
        yield spread * torch.randn(images.shape, generator=generator).to(images)


ROWS: dict[str, Method] = {
    "SmoothGrad": Method(
        of_pixels(smooth_grad, strongest),
        "Shows a neighbourhood of the picture, not the picture: other noise gives another map.",
        page="saliency",
        passes=50,
        settings={
            "noise": Setting("Noise of SmoothGrad, % of the range", 15, range(1, 51), unit=0.01),
            "draws": Setting("Draws of SmoothGrad", 25, (5, 10, 25, 50, 100)),
        },
    ),
}
