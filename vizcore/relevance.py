"""Attention followed through all layers of a Vision Transformer, down to the patches.

Both methods multiply one matrix a layer. Only one row of the product is shown, that of the token the answer
is read from, so only that row is computed, from the last layer to the first: no N x N product.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .attention import FUSIONS, attention
from .capture import capture
from .models import VisionModel


def _reader(model: VisionModel, like: Tensor) -> Tensor:
    """The row that the answer is read from, (N,): the class token, or the mean of all patches without one."""
    row = like.new_zeros(like.shape[-1])
    row[0 if model.num_prefix_tokens else slice(None)] = 1
    return row / row.sum()


def _on_grid(model: VisionModel, row: Tensor) -> Tensor:
    return row[model.num_prefix_tokens :].reshape(model.grid)


def rollout(model: VisionModel, images: Tensor, fusion: str = "mean") -> Tensor:
    """Attention rollout (Abnar & Zuidema, ACL 2020): (1, 3, H, W) -> (rows, columns), at least 0.

    Half of every layer is the skip connection. Knows nothing of classes: the map is the same for all.
    """
    layers = attention(model.net, images, model.attention)
    row = _reader(model, layers[0])
    for layer in reversed(layers):
        mixed = FUSIONS[fusion](layer[0])  # (N, N)
        mixed = mixed / mixed.sum(-1, keepdim=True)
        row = 0.5 * row + 0.5 * row @ mixed
    return _on_grid(model, row)


def relevance(model: VisionModel, images: Tensor, target: int) -> Tensor:
    """Class-specific relevance (Chefer, Gur, Wolf, ICCV 2021): R <- R + E_h[(dA * A)+] R, from R = I.

    (1, 3, H, W) and a class index -> (rows, columns), at least 0.
    """
    names = [f"{module}.attn_drop" for module in model.attention]
    captured = capture(model.net, images, names, grad=True)
    layers = [captured.layers[name] for name in names]  # (1, heads, N, N) each
    gradients = torch.autograd.grad(captured.output[0, target], layers)
    row = _reader(model, layers[0].detach())
    for layer, gradient in zip(reversed(layers), reversed(gradients), strict=True):
        row = row + row @ (layer.detach() * gradient)[0].relu().mean(0)
    return _on_grid(model, row)
