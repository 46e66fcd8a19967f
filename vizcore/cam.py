"""Class activation maps: where in a layer's features the evidence for a class is.

Each method turns a layer's activations and the class score's gradient there, both (C, h, w), into a map
(h, w); positive where features speak for the class.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .capture import capture
from .features import as_maps
from .models import VisionModel


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their mean gradient (Selvaraju et al., ICCV 2017)."""
    return (gradient.mean((1, 2), keepdim=True) * activation).sum(0)


def hires_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Every activation weighted by its own gradient (Draelos & Carin, 2020)."""
    return (gradient * activation).sum(0)


def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """As HiResCAM, with negative gradients left out (Jiang et al., TIP 2021)."""
    return (gradient.relu() * activation).sum(0)


METHODS = {"Grad-CAM": grad_cam, "HiResCAM": hires_cam, "LayerCAM": layer_cam}


def default_layer(model: VisionModel) -> str:
    """The deepest layer whose gradients still differ from place to place.

    In a CNN the last block. In a ViT the norm before the last block's attention: after that attention only
    the class token reaches the score, and the gradients of the patches are exactly zero.
    """
    if model.attention:
        block = model.attention[-1].rpartition(".")[0]
        before = f"{block}.norm1"
        if before in model.layouts:
            return before
    return [name for name in model.blocks if model.layouts[name].grid != (1, 1)][-1]


def cam(
    model: VisionModel, images: Tensor, target: int, layer: str | None = None, method: str = "Grad-CAM"
) -> Tensor:
    """The map of one class for one picture, on the layer's grid: (h, w), at least 0, not normalised.

    Args:
        images: (1, 3, H, W), preprocessed.
        target: the index of the class whose score is explained.
        layer: one of ``model.layers``; ``default_layer`` if None.
        method: one of ``METHODS``.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; the methods are {', '.join(METHODS)}")
    layer = layer or default_layer(model)
    captured = capture(model.net, images, [layer], grad=True)
    activation = captured.layers[layer]
    (gradient,) = torch.autograd.grad(captured.output[0, target], activation)
    layout = model.layouts[layer]
    return METHODS[method](as_maps(activation.detach(), layout), as_maps(gradient, layout)).relu()
