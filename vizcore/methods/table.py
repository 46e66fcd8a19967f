"""Every method that says where, by name: a network, a picture and a class become one map."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import Tensor

from ..modes import in_any_mode
from ..networks.load import VisionModel
from ..pictures.frame import to_frame
from . import attention, cam, saliency
from .features import full, one_picture

Make = Callable[
    [VisionModel, Tensor, int], Tensor
]  # (model, (1, 3, H, W), class) -> (h, w) over what it sees


def _any(model: VisionModel) -> bool:
    return True


def _attending(model: VisionModel) -> bool:
    """Whether there is attention over the whole picture."""
    return bool(model.attention)


class Method(NamedTuple):
    make: Make
    knows_class: bool = True  # False: it is the same map whatever class is asked for
    fits: Callable[[VisionModel], bool] = _any  # whether it can be asked about a network
    slow: bool = False  # takes dozens of passes
    fine: bool = False  # a value for each of the network's pixels, not for cells of a layer
    limits: str = ""  # what it can't show, in words

    def applies(self, model: VisionModel) -> bool:
        return self.fits(model) and bool(model.num_classes or not self.knows_class)


def cam_at(layer: str | None, method: str) -> Make:
    """A method of ``cam`` at a layer of one's choice."""
    return lambda model, images, target: cam.cam(model, images, target, layer, method)


@in_any_mode
def relevance(model: VisionModel, images: Tensor, target: int) -> Tensor:
    one_picture(images)
    start = attention.readout(model.net, model.grid, model.num_prefix_tokens)
    _, blocks = attention.class_attention(model.net, images, model.attention, [target])
    rows = attention.relevance(blocks, start)  # (blocks, 1, 1, 1, N)
    return attention.on_patches(rows[-1, 0, 0, 0], model.grid, model.num_prefix_tokens)


@in_any_mode
def rollout(model: VisionModel, images: Tensor, target: int) -> Tensor:
    one_picture(images)
    start = attention.readout(model.net, model.grid, model.num_prefix_tokens)
    blocks = attention.attention(model.net, images, model.attention)
    rows = attention.rollout(blocks, start, prefix=model.num_prefix_tokens)  # (blocks, 1, 1, N)
    return attention.on_patches(rows[-1, 0, 0], model.grid, model.num_prefix_tokens)


@in_any_mode
def last_attention(model: VisionModel, images: Tensor, target: int) -> Tensor:
    """Where the token that the answer is read from looks in the last block, mean over heads."""
    one_picture(images)
    start = attention.readout(model.net, model.grid, model.num_prefix_tokens)
    (block,) = attention.attention(model.net, images, model.attention[-1:])
    rows = start.to(full(block)) @ attention.fuse(full(block[0]), "mean")  # (1, N)
    return attention.on_patches(rows[0], model.grid, model.num_prefix_tokens)


def _pixels(name: str, part: str | None = None) -> Method:
    """A method of ``saliency``; ``make`` takes the settings that it has."""
    fits = (lambda model: not saliency.why_not_guided(model)) if name.startswith("guided") else _any
    make = partial(saliency.saliency, method=name, part=part)
    how = saliency.METHODS[name]
    return Method(make, True, fits, how.slow, fine=True, limits=how.limits)


METHODS: dict[str, Method] = {
    **{name: Method(cam_at(None, name), limits=cam.LIMITS.get(name, "")) for name in cam.METHODS},
    cam.SCORE: Method(cam_at(None, cam.SCORE), slow=True, limits=cam.LIMITS[cam.SCORE]),
    "relevance": Method(
        relevance,
        True,
        _attending,
        limits="Can't show what the MLPs do: only attention that raises the score is counted.",
    ),
    "rollout": Method(
        rollout, False, _attending, limits="Can't show a class: it is the same map whatever you ask for."
    ),
    "attention": Method(
        last_attention,
        False,
        _attending,
        limits="Can't show a class, nor whether what is looked at in the last block is used.",
    ),
    **{name: _pixels(name) for name in saliency.METHODS},
    **{f"{part} saliency": _pixels("gradient", part) for part in saliency.PARTS},
}
QUICK = [name for name, method in METHODS.items() if not method.slow]


def in_frame(model: VisionModel, image, heatmap: Tensor) -> Tensor:
    """A map over what the model sees of a picture, (h, w), in the picture's own pixels, (H, W)."""
    return to_frame(heatmap, model.preprocess.box(image.size), image.size)
