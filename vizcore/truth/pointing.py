"""Where the answer is known: does a map point there? Maps (H, W) and masks (H, W) in the same frame."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..shapes import one_map


def pointing(heatmap: Tensor, mask) -> bool:
    """Whether the largest value lies inside the mask (Zhang et al., IJCV 2018). Both (H, W).

    Raises:
        ValueError: their sizes differ, the mask is empty, or a value of the map is no number.
    """
    heatmap, mask = _alike(heatmap, mask)
    return bool(mask.flatten()[heatmap.argmax()])


def energy(heatmap: Tensor, mask) -> float:
    """The share of the positive part that lies inside the mask (Wang et al., 2020). Both (H, W).

    A map without any positive value claims nothing: it scores the mask's share of the frame.

    Raises:
        ValueError: as ``pointing``.
    """
    heatmap, mask = _alike(heatmap, mask)
    positive = heatmap.double().clamp(min=0)
    total = positive.sum()
    return (positive[mask].sum() / total if total > 0 else mask.double().mean()).item()


def _alike(heatmap: Tensor, mask) -> tuple[Tensor, Tensor]:
    heatmap = torch.as_tensor(heatmap)
    mask = torch.as_tensor(np.array(mask) if isinstance(mask, np.ndarray) else mask, device=heatmap.device)
    one_map(heatmap, mask, kind="(H, W)")
    if heatmap.shape != mask.shape:
        raise ValueError(f"the heatmap is {tuple(heatmap.shape)}, the mask {tuple(mask.shape)}")
    if not heatmap.isfinite().all():
        raise ValueError("a value of the heatmap is not finite, so it points nowhere")
    mask = mask.bool()
    if not mask.any():
        raise ValueError("the mask is empty: no map can point into it")
    return heatmap, mask
