"""Score-CAM: a class activation map that needs no gradient, but a pass for each channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..batch_size import batch_size
from ..capture import capture
from ..model import VisionModel, check_layer
from ..modes import in_any_mode
from ..networks.folded import folded
from ..objectives import Objective, Target, all_values, objective
from .cam import SLACK, default_layer
from .features import batch_maps
from .method import Method, Step


class Scored(NamedTuple):
    """Score-CAM so far."""

    done: int  # channels scored
    total: int
    maps: Tensor  # (K, B, h, w), as of ``cams``, from those channels
    weights: Tensor  # (K, B, C), sums to 1; 0 for channels that are not scored yet


@in_any_mode
def score_cams(
    model: VisionModel,
    images: Tensor,
    targets: Sequence[Target],
    layer: str | None = None,
    chunk: int | None = None,
) -> Iterator[Scored]:
    """Channels weighted by the score of the picture seen through each of them (Wang et al., CVPR-W 2020).

    A channel, stretched over 0 to 1 and over the picture, is a mask; the class's scores of the masked
    pictures, through a softmax over the channels, are the weights. Any number of classes costs the same. The
    channels that vary most go first, so what there is after half of them is already the gist.

    Args:
        targets: K classes by index or name, or ``Objective``s.
        chunk: how many masked pictures go through the network at once; ``batch_size`` if None.

    Yields:
        What is known after each chunk; the last is the whole. Otherwise as ``cams``: all 0 where the class
        scores alike whatever channel the picture is seen through.
    """
    wanted = [objective(model, target) for target in targets]
    layer = layer or default_layer(model)
    layout = check_layer(model, layer)
    with torch.no_grad():
        seen = capture(model.net, images, [layer]).layers[layer]
        maps = batch_maps(seen, layout).contiguous()  # (B, C, h, w)
    net = folded(model.net, images[:1], [name for one in wanted for name in one.layers])
    order = (maps.amax((-2, -1)) - maps.amin((-2, -1))).sum(0).argsort(descending=True)
    scores = maps.new_full((len(wanted), *maps.shape[:2]), -torch.inf)  # (K, B, C)
    done = 0
    for channels in order.split(max(1, (chunk or batch_size(images.device)) // len(images))):
        with torch.no_grad():
            mask = F.interpolate(maps[:, channels], images.shape[-2:], mode="bilinear")  # (B, n, H, W)
            mask = mask - mask.amin((-2, -1), keepdim=True)
            mask = mask / (mask.amax((-2, -1), keepdim=True) + 1e-8)
            seen = images[:, None] * mask[:, :, None].to(images)
            answers = all_values(net, seen.flatten(0, 1), wanted).to(maps)  # (B * n, K)
            scores[..., channels] = answers.view(len(images), len(channels), -1).permute(2, 0, 1)
            weights = scores.softmax(-1)
            found = torch.einsum("kbc,bchw->kbhw", weights, maps).relu()
        done += len(channels)
        yield Scored(done, len(order), found.masked_fill(_alike(scores[..., order[:done]]), 0), weights)


def _alike(scores: Tensor) -> Tensor:
    """Whether no channel's score (K, B, n) differs from another's beyond rounding: (K, B, 1, 1).

    All weights are 1 / n then: the mean of the channels, which says nothing about any class.
    """
    spread = scores.amax(-1) - scores.amin(-1)
    slack = max(SLACK[0] * torch.finfo(scores.dtype).eps, SLACK[1])
    silent = (spread <= slack * scores.abs().amax(-1)) & (scores.shape[-1] > 1)
    return silent[..., None, None]


def _steps(
    model: VisionModel, images: Tensor, wanted: Objective, layer: str | None = None, chunk: int | None = None
) -> Iterator[Step]:
    for found in score_cams(model, images, [wanted], layer, chunk):
        yield Step(found.done, found.total, found.maps[0])


ROWS: dict[str, Method] = {
    "Score-CAM": Method(
        _steps,
        "Asks about masked pictures, unlike those that networks learn from.",
        page="grad_cam",
        passes=500,
        layer=True,
    ),
}
