"""Class activation maps: where in a layer's features the evidence for a class is.

Each method turns a layer's activations and the gradient of a class's score there, both (..., C, h, w), into
maps (..., h, w); positive where features speak for the class.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from .capture import capture
from .features import as_maps
from .models import VisionModel


def grad_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Channels weighted by their mean gradient (Selvaraju et al., ICCV 2017)."""
    return (gradient.mean((-2, -1), keepdim=True) * activation).sum(-3)


def hires_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """Every activation weighted by its own gradient (Draelos & Carin, 2020)."""
    return (gradient * activation).sum(-3)


def layer_cam(activation: Tensor, gradient: Tensor) -> Tensor:
    """As HiResCAM, with negative gradients left out (Jiang et al., TIP 2021)."""
    return (gradient.relu() * activation).sum(-3)


METHODS = {"Grad-CAM": grad_cam, "HiResCAM": hires_cam, "LayerCAM": layer_cam}


def default_layer(model: VisionModel) -> str:
    """The deepest layer whose gradients still differ from place to place.

    In a CNN the last block. In a ViT the norm before the last block's attention: after that attention only
    the class token reaches the score, and the gradients of the patches are exactly zero.
    """
    if model.attention:
        block = model.attention[-1].rpartition(".")[0]
        return next(layer for layer in model.layers if layer.startswith(f"{block}."))
    blocks = model.blocks or model.layers
    numbered = [name for name in blocks if name.split(".")[-1].isdigit()]
    return (numbered or blocks)[-1] if model.family == "vit" else blocks[-1]


def cams(
    model: VisionModel,
    images: Tensor,
    classes: Sequence[int],
    layer: str | None = None,
    method: str = "Grad-CAM",
) -> Tensor:
    """The maps of several classes, from one forward pass and one short backward pass for each.

    Args:
        images: (B, 3, H, W), preprocessed.
        classes: K indices of the classes whose scores are explained.
        layer: any of ``model.layers``; ``default_layer`` if None.
        method: one of ``METHODS``.

    Returns:
        (K, B, h, w) on the layer's grid, at least 0, not normalised; all 0 where nothing speaks for a class.

    Raises:
        ValueError: no such method, layer or class; or no gradient reaches the layer's places.
    """
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}; the methods are {', '.join(METHODS)}")
    if not model.num_classes:
        raise ValueError(f"{model.title} has no classes, so no map can be asked for one")
    for index in classes:
        if not 0 <= index < model.num_classes:
            raise ValueError(f"class {index} is not one of {model.title}'s, 0 to {model.num_classes - 1}")
    layer = layer or default_layer(model)
    if layer not in model.layouts:
        raise ValueError(f"{layer!r} of {model.title} puts out no map; these do: {', '.join(model.layers)}")
    scores, layers = capture(model.net, images, [layer], grad=True)
    activation = layers[layer]
    maps = _maps(activation.detach(), model.layouts[layer])
    found = []
    for i, index in enumerate(classes):
        (gradient,) = torch.autograd.grad(
            scores[:, index].sum(), activation, retain_graph=i + 1 < len(classes), materialize_grads=True
        )
        gradient = _maps(gradient, model.layouts[layer])
        _check_gradient(gradient, model, layer)
        found.append(METHODS[method](maps, gradient).relu())
    return torch.stack(found)


def cam(
    model: VisionModel, images: Tensor, target: int, layer: str | None = None, method: str = "Grad-CAM"
) -> Tensor:
    """The map of one class for one picture, (h, w); otherwise as ``cams``."""
    return cams(model, images, [target], layer, method)[0, 0]


def _maps(values: Tensor, layout) -> Tensor:
    """A batch of ``as_maps``: (B, ...) -> (B, C, h, w)."""
    return torch.stack([as_maps(one[None], layout) for one in values])


def _check_gradient(gradient: Tensor, model: VisionModel, layer: str) -> None:
    if model.layouts[layer].kind == "tokens" and not gradient.any():
        first = default_layer(model)
        advice = f" Choose an earlier layer, such as {first}." if layer != first else ""
        raise ValueError(
            f"Nothing that {layer} says about the patches reaches the score: behind it, {model.title} reads "
            f"its answer elsewhere, and the gradients of the patches are exactly zero.{advice}"
        )
