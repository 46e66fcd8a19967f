"""A network's pooled features, and the same network with another linear layer behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..capture import private_copy
from ..model import Layout, VisionModel
from ..modes import in_any_mode
from .load import retraced


class _Reached(Exception):
    """Features are there: what comes behind isn't needed."""

    def __init__(self, values: Any):
        super().__init__()
        self.values = values


class Headed(nn.Module):
    """A network, and a linear layer that reads what it puts out, or the mean over a layer's places.

    Args:
        net: (B, 3, H, W) -> (B, D). layer: if given, its output is taken instead, lying as ``layout`` says.
    """

    def __init__(self, net: nn.Module, layer: str = "", layout: Layout | None = None, prefix: int = 0):
        super().__init__()
        self.net, self.head, self.layout = net, nn.Identity(), layout
        self.num_classes, self.num_prefix_tokens = 0, prefix
        if layer:  # of its own copy: a pass ends there, behind all that others hook to the layer
            module = net.get_submodule(layer)
            module.__class__ = type(type(module).__name__, (type(module),), {"__call__": _stopping})

    def forward(self, images: Tensor) -> Tensor:
        if self.layout is None:
            return self.head(self.net(images))
        try:
            self.net(images)
        except _Reached as reached:
            maps = self.layout.maps(reached.values)  # (B, D, rows, columns)
            return self.head(maps.mean((2, 3)))
        raise RuntimeError("the layer whose features are read did not run")


def _stopping(self: nn.Module, *args: Any, **kwargs: Any) -> Any:
    values = nn.Module.__call__(self, *args, **kwargs)
    raise _Reached(values[0] if isinstance(values, tuple | list) else values)


@in_any_mode
def featured(model: VisionModel) -> tuple[nn.Module, str]:
    """A network that puts out pooled features, (B, 3, H, W) -> (B, D), and its module that does so, by name.

    The features are what the network's own last linear layer reads; what a network without classes puts out;
    else the mean over the places of its last block. The module is an ``nn.Identity`` that hands them on. All
    tensors are shared with ``model``, whose network stays as it is.
    """
    copy = private_copy(model.net)
    name = _last_linear(model)
    if name:
        _put(copy, name, nn.Identity())
        return copy, name
    prefix = model.num_prefix_tokens
    if model.features and not model.num_classes:
        return Headed(copy, prefix=prefix).eval(), "head"
    layer = (model.blocks or model.layers)[-1]
    return Headed(copy, layer, model.layouts[layer], prefix).eval(), "head"


def _last_linear(model: VisionModel) -> str:
    """The linear layer of (B, D), or the Identity in its place, whose output is the answer; or ""."""
    copy, found = private_copy(model.net), []

    def note(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple, output: Any) -> None:
            if inputs and isinstance(inputs[0], Tensor) and inputs[0].ndim == 2:
                found.append((name, output, isinstance(module, nn.Linear)))

        return hook

    for name, module in copy.named_modules():
        if name and isinstance(module, nn.Linear | nn.Identity):
            module.register_forward_hook(note(name))
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    with torch.no_grad():
        answer = copy(model.preprocess(Image.fromarray(noise)))
    same = [
        (name, linear)
        for name, output, linear in found
        if isinstance(answer, Tensor)
        and output.shape == answer.shape
        and output.data_ptr() == answer.data_ptr()
    ]
    linear = [name for name, linear in same if linear]
    return (linear or [name for name, _ in same] or [""])[-1]


def _put(net: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in another's place; on a private copy nobody else feels it."""
    owner, _, leaf = name.rpartition(".")
    net.get_submodule(owner)._modules[leaf] = module


@in_any_mode
def with_head(
    model: VisionModel, weight: Tensor, bias: Tensor, labels: Sequence[str], source: str
) -> VisionModel:
    """The network with a linear layer for other classes behind its pooled features, ready for every method.

    Args:
        weight: (K, D), bias: (K,), of D features as ``featured`` puts them out. labels: the K classes' names.
        source: where these weights came from, in words.
    """
    net, name = featured(model)
    head = nn.Linear(weight.shape[1], weight.shape[0])
    like = next((one for one in model.net.parameters() if one.is_floating_point()), weight)
    head.load_state_dict({"weight": weight, "bias": bias})
    _put(net, name, head.eval().requires_grad_(False).to(model.device, like.dtype))
    changes: dict[str, Any] = {"num_classes": len(labels), "scores_are": "softmax"}
    for key, value in changes.items():
        setattr(net, key, value)
    own: dict[str, Any] = {"labels": list(labels), "weights": "checkpoint", "source": source}
    return retraced(replace(model, net=net, **own))
