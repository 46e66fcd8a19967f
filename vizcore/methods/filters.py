"""What a network looks for in the pixels themselves: the filters of its first layer, as colours."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ..drawing import render
from ..model import VisionModel


class Filters(NamedTuple):
    name: str  # of the layer
    weight: Tensor  # (n, 3, h, w)


def first_filters(model: VisionModel) -> Filters | None:
    """The first convolution, where it reads the picture's colours; a ViT's patch embedding is one too."""
    for name, module in model.net.named_modules():
        if isinstance(module, nn.Conv2d):
            return Filters(name, module.weight.detach().float()) if module.in_channels == 3 else None
    return None


def principal(weight: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Principal components of filters, as of a ViT's patch embedding (Dosovitskiy et al., ICLR 2021, fig. 7).

    Args:
        weight: (n, 3, h, w).

    Returns:
        At most ``count`` components (k, 3, h, w), each of length 1 and with its largest weight positive, and
        the share of the filters' variance in each (k,), falling.
    """
    flat = weight.flatten(1).double().cpu()
    _, values, components = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
    shares = values**2 / (values**2).sum().clamp(min=1e-30)
    components = components * components.gather(1, components.abs().argmax(1, keepdim=True)).sign()
    return components[:count].reshape(-1, *weight.shape[1:]).float(), shares[:count].float()


def tiles(filters: Tensor, columns: int, side: int = 44) -> np.ndarray:
    """Filters (n, 3, h, w) as one picture; mid-grey is 0, and each has a scale of its own."""
    shown = (render.centred(values, float(np.abs(values).max())) for values in render.to_array(filters))
    large = [cv2.resize(tile, (side, side), interpolation=cv2.INTER_NEAREST) for tile in shown]
    return render.mosaic(large, columns, gap=2)
