"""Every method that says where, by name: a network, a picture and a class become one map."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from . import attention, cam
from .frame import to_frame
from .models import VisionModel

Make = Callable[
    [VisionModel, Tensor, int], Tensor
]  # (model, (1, 3, H, W), class) -> (h, w) over what it sees


class Method(NamedTuple):
    make: Make
    knows_class: bool  # False: it is the same map whatever class is asked for
    needs_attention: bool  # over the whole picture, as ``VisionModel.attention``

    def applies(self, model: VisionModel) -> bool:
        return bool(model.attention or not self.needs_attention) and bool(
            model.num_classes or not self.knows_class
        )


def cam_at(layer: str | None, method: str) -> Make:
    """A method of ``cam`` at a layer of one's choice."""
    return lambda model, images, target: cam.cam(model, images, target, layer, method)


def relevance(model: VisionModel, images: Tensor, target: int) -> Tensor:
    start = attention.readout(model.net, model.grid, model.num_prefix_tokens)
    _, blocks = attention.class_attention(model.net, images, model.attention, [target])
    rows = attention.relevance(blocks, start)  # (blocks, 1, 1, 1, N)
    return attention.on_patches(rows[-1, 0, 0, 0], model.grid, model.num_prefix_tokens)


def rollout(model: VisionModel, images: Tensor, target: int) -> Tensor:
    start = attention.readout(model.net, model.grid, model.num_prefix_tokens)
    blocks = attention.attention(model.net, images, model.attention)
    rows = attention.rollout(blocks, start, prefix=model.num_prefix_tokens)  # (blocks, 1, 1, N)
    return attention.on_patches(rows[-1, 0, 0], model.grid, model.num_prefix_tokens)


def last_attention(model: VisionModel, images: Tensor, target: int) -> Tensor:
    """Where the token that the answer is read from looks in the last block, mean over heads."""
    start = attention.readout(model.net, model.grid, model.num_prefix_tokens)
    (block,) = attention.attention(model.net, images, model.attention[-1:])
    rows = start.to(block.device) @ attention.fuse(block[0].float(), "mean")  # (1, N)
    return attention.on_patches(rows[0], model.grid, model.num_prefix_tokens)


METHODS: dict[str, Method] = {
    **{name: Method(cam_at(None, name), True, False) for name in [*cam.METHODS, cam.SCORE]},
    "relevance": Method(relevance, True, True),
    "rollout": Method(rollout, False, True),
    "attention": Method(last_attention, False, True),
}


def in_frame(model: VisionModel, image, heatmap: Tensor) -> Tensor:
    """A map over what the model sees of a picture, (h, w), in the picture's own pixels, (H, W)."""
    return to_frame(heatmap, model.preprocess.box(image.size), image.size)
