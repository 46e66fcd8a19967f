"""Class activation maps: where in a layer's features the evidence for a class is.

Each method turns a layer's activations and the gradient of a class's score there, both (..., C, h, w), into
maps (..., h, w); positive where features speak for the class.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..capture import Captured, capture, slopes
from ..model import VisionModel, check_layer
from ..modes import in_any_mode
from ..objectives import Objective, Target, objective
from ..shapes import one_picture
from .features import batch_maps
from .method import Method, at_once


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their mean gradient (Selvaraju et al., ICCV 2017)."""
    return (gradient.mean((-2, -1), keepdim=True) * activation).sum(-3)


def grad_cam_plus_plus(activation: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their positive gradients, each by how much it matters (Chattopadhay et al., 2018).

    Equation 19 of the paper: alpha = g² / (2 g² + ΣA g³), with ``EPSILON`` added below.
    """
    squared = gradient**2
    below = 2 * squared + activation.sum((-2, -1), keepdim=True) * gradient * squared + EPSILON
    alpha = torch.where((gradient == 0) | (below == 0), 0, squared / below)
    return ((alpha * gradient.relu()).sum((-2, -1), keepdim=True) * activation).sum(-3)


def hires_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Every activation weighted by its own gradient (Draelos & Carin, 2020)."""
    return (gradient * activation).sum(-3)


def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """As HiResCAM, with negative gradients left out (Jiang et al., TIP 2021)."""
    return (gradient.relu() * activation).sum(-3)


def x_grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their gradients where they are active (Fu et al., BMVC 2020)."""
    shares = activation / (activation.sum((-2, -1), keepdim=True) + 1e-7)
    return ((gradient * shares).sum((-2, -1), keepdim=True) * activation).sum(-3)


# Gradients of a score that is averaged over 49 places are so small that their squares are no larger than
# this, so the constant is part of the method: other values give other maps. It is pytorch-grad-cam's.
EPSILON = 1e-6


class Cam(NamedTuple):
    """How a method weighs a layer's features, and what it can't show."""

    weigh: Callable[[Tensor, Tensor], Tensor]  # (activation, gradient), (..., C, h, w) each -> (..., h, w)
    limits: str
    knows_class: bool = True  # False: it uses no gradient, and is given zeros
    divides: bool = False  # by what may come close to 0: then all of a map may grow together


CAMS: dict[str, Cam] = {
    "Grad-CAM": Cam(
        grad_cam,
        "A channel's weight is one number for the whole picture: it lights up wherever it is active.",
    ),
    "Grad-CAM++": Cam(
        grad_cam_plus_plus,
        "Where gradients are small, its weights hang on a constant that the method brings along.",
        divides=True,
    ),
    "HiResCAM": Cam(
        hires_cam, "True to the score only where nothing but averages and sums follow the layer."
    ),
    "LayerCAM": Cam(layer_cam, "Negative gradients are dropped, so it shows more than what decided."),
    "XGrad-CAM": Cam(x_grad_cam, "As for Grad-CAM, a channel lights up wherever it is active.", divides=True),
}
# What counts as rounding, as a share of each activation and gradient: two of the type's own steps, and at
# least the 1e-5 that normalisation adds below its roots, for a map that would be 0 without such a constant is
# no map either. In single precision, HiResCAM before a LayerNorm bears 3e-7 (MaxViT) to 1e-5 (Swin), other
# maps of the same networks 1e-2 and more.
SLACK = (2, 1.5e-5)


def default_layer(model: VisionModel) -> str:
    """The deepest layer whose gradients still differ from place to place.

    In a CNN the last block. In a ViT the norm before the last block's attention: after that attention only
    the class token reaches the score, and the gradients of the patches are exactly zero.
    """
    return model.cam_layer


@in_any_mode
def cams(
    model: VisionModel,
    images: Tensor,
    targets: Sequence[Target],
    layer: str | None = None,
    method: str = "Grad-CAM",
    held: Captured | None = None,
) -> Tensor:
    """The maps of several targets, from one forward pass and one short backward pass for each.

    Args:
        images: (B, 3, H, W), preprocessed.
        targets: K classes by index or name, or ``Objective``s, whose scores are explained.
        layer: any of ``model.layers``; ``default_layer`` if None.
        method: one of ``CAMS``.
        held: the forward pass, where ``hold`` has made it already for these images.

    Returns:
        (K, B, h, w) on the layer's grid, at least 0, not normalised, in single precision (double for a double
        network). All 0 where nothing speaks for a class, or no more than its own rounding error does: before
        a LayerNorm, say, the terms of HiResCAM cancel, and what is left of them is noise.

    Raises:
        ValueError: no such method, layer or class; or no gradient reaches the layer's places.

    >>> from vizcore.models import load_model
    >>> model = load_model("texture_resnet", device="cpu")
    >>> cams(model, torch.zeros(1, 3, 128, 128), [3, 7], method="LayerCAM").shape
    torch.Size([2, 1, 8, 8])
    """
    return several(model, images, targets, [method], layer, held)[method]


@in_any_mode
def hold(model: VisionModel, images: Tensor, layer: str | None = None) -> Captured:
    """A forward pass of ``images`` (B, 3, H, W) that can be asked for ``cams`` again and again.

    Its output, the layer's own (``default_layer`` if None), and all that leads from there to the output: what
    it takes in memory is what gradients at that layer need.

    Raises:
        ValueError: no such layer.
    """
    layer = layer or default_layer(model)
    check_layer(model, layer)
    return capture(model.net, images, [layer], grad=True)


@in_any_mode
def several(
    model: VisionModel,
    images: Tensor,
    targets: Sequence[Target],
    methods: Sequence[str],
    layer: str | None = None,
    held: Captured | None = None,
) -> dict[str, Tensor]:
    """``cams`` by each of several methods, which share the passes: by method, (K, B, h, w)."""
    if unknown := [method for method in methods if method not in CAMS]:
        raise ValueError(f"unknown method {unknown[0]!r}; the methods are {', '.join(CAMS)}")
    wanted = [objective(model, target) for target in targets]
    layer = layer or default_layer(model)
    layout = check_layer(model, layer)
    names = dict.fromkeys([layer, *(name for one in wanted for name in one.layers)])
    again = held if held and names.keys() <= held.layers.keys() else None
    output, seen = again or capture(model.net, images, names, grad=True)
    activation = seen[layer]
    maps = batch_maps(activation.detach(), layout).contiguous()
    found: dict[str, list[Tensor]] = {method: [] for method in methods}
    for i, one in enumerate(wanted):
        keep = again is not None or i + 1 < len(wanted)
        (gradient,) = slopes(one.values(output, seen).sum(), [activation], keep=keep)
        gradient = batch_maps(gradient, layout).contiguous()
        _check_gradient(gradient, model, layer)
        for method, of_each in found.items():
            of_each.append(_evidence(CAMS[method], maps, gradient, activation.dtype))
    return {method: torch.stack(of_each) for method, of_each in found.items()}


def cam(
    model: VisionModel, images: Tensor, target: Target, layer: str | None = None, method: str = "Grad-CAM"
) -> Tensor:
    """The map of one target for one picture, (h, w); otherwise as ``cams``."""
    one_picture(images)
    return cams(model, images, [target], layer, method)[0, 0]


@in_any_mode
def class_blind(model: VisionModel, images: Tensor, layer: str | None, method: str) -> Tensor:
    """The map of a method that uses no gradient, (h, w) for one picture; otherwise as ``cams``."""
    one_picture(images)
    layer = layer or default_layer(model)
    layout = check_layer(model, layer)
    with torch.no_grad():
        activation = capture(model.net, images, [layer]).layers[layer]
    maps = batch_maps(activation, layout).contiguous()
    return _evidence(CAMS[method], maps, torch.zeros_like(maps), activation.dtype)[0]


def _evidence(method: Cam, maps: Tensor, gradient: Tensor, precision: torch.dtype) -> Tensor:
    """A method's maps (B, h, w), the positive part; exactly 0 where that is rounding and nothing else.

    How large the error is depends on what cancels in a method's sums, so the method is asked again, with
    activations and gradients that were rounded otherwise. A map is shown as it is unless its largest value is
    no larger than the largest change, whichever way they were rounded. Where a method divides, a change of
    scale alone is none.
    """
    found = method.weigh(maps, gradient)
    square, peak = found.square().sum((-2, -1), keepdim=True), found.amax((-2, -1), keepdim=True)
    silent = torch.ones_like(peak, dtype=torch.bool)
    for first, second in _roundings(maps, precision):
        other, scale = method.weigh(maps * first, gradient * second), torch.ones_like(peak)
        if method.divides:
            scale = torch.where(square > 0, (other * found).sum((-2, -1), keepdim=True) / square, 1)
        silent &= peak <= (other - scale * found).abs().amax((-2, -1), keepdim=True)
        if not silent.any():  # as a rule, at once
            break
    return found.relu().masked_fill(silent, 0)


def _roundings(maps: Tensor, precision: torch.dtype) -> Iterator[Tensor]:
    """Three pairs of factors near 1, (2, C, h, w), for activations and gradients of (B, C, h, w), by lot.

    The same for every picture and every device, so that a map depends on its own picture alone.
    """
    steps, least = SLACK
    size = max(steps * torch.finfo(precision).eps, least)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        yield 1 + size * torch.randn(2, *maps.shape[1:], generator=generator).to(maps)


def _check_gradient(gradient: Tensor, model: VisionModel, layer: str) -> None:
    """That a score hears of the layer's places: exactly zero is no evidence at all."""
    if gradient.any():
        return
    if model.layers.index(layer) <= model.layers.index(model.cam_layer):
        raise ValueError(
            f"With these weights no gradient leads from what {layer} of {model.title} says about this "
            "picture to the score: each is exactly zero, as where a classifier starts at zero or values are "
            "rounded."
        )
    raise ValueError(
        f"Nothing that {layer} says about the patches reaches the score: behind it, {model.title} reads its "
        "answer elsewhere, and the gradients of the patches are exactly zero. Choose an earlier layer, such "
        f"as {model.cam_layer}."
    )


def _row(name: str, how: Cam) -> Method:
    def make(
        model: VisionModel, images: Tensor, wanted: Objective | None, layer: str | None = None
    ) -> Tensor:
        if wanted is None:
            return class_blind(model, images, layer, name)
        return cam(model, images, wanted, layer, name)

    return Method(
        at_once(make), how.limits, page="grad_cam", knows_class=how.knows_class, passes=2, layer=True
    )


ROWS: dict[str, Method] = {name: _row(name, how) for name, how in CAMS.items()}
