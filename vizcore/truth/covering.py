"""A picture with all but a map's first pixels covered, and maps as another network sees them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..baselines import COVERS
from ..pictures.frame import Box
from ..shapes import one_map


def ranked(heatmap: Tensor, shape: tuple[int, int], seed: int = 0) -> Tensor:
    """When each pixel's turn comes, largest value first: (h, w) -> ranks (H * W,), 0 is first.

    Equal values come in a random order, so that a flat map is a random one.
    """
    one_map(heatmap)
    values = F.interpolate(heatmap[None, None].float(), shape, mode="bilinear")[0, 0].flatten().cpu()
    shuffle = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed))
    order = shuffle[values[shuffle].argsort(descending=True, stable=True)]
    return torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))


def on_input(heatmap: Tensor, box: Box, shape: tuple[int, int]) -> Tensor:
    """A heatmap in the frame, (H, W), as a model sees it: its box at ``shape`` (rows, columns)."""
    one_map(heatmap, kind="(H, W)")
    height, width = heatmap.shape
    left, top, right, bottom = box
    x = (left + (torch.arange(shape[1]) + 0.5) / shape[1] * (right - left)) / width * 2 - 1
    y = (top + (torch.arange(shape[0]) + 0.5) / shape[0] * (bottom - top)) / height * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None].to(heatmap.device)
    return F.grid_sample(heatmap[None, None].float(), grid, padding_mode="zeros", align_corners=False)[0, 0]


def only(picture: np.ndarray, heatmap: Tensor, share: float, baseline: str = "blur") -> np.ndarray:
    """The picture with all but the ``share`` of pixels that a heatmap ranks first covered by the baseline.

    Args:
        picture: (H, W, 3) uint8. heatmap: (H, W) in the same frame.
    """
    images = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()
    ranks = ranked(heatmap, picture.shape[:2]).view(picture.shape[:2])
    kept = torch.where(ranks < round(share * ranks.numel()), images, COVERS[baseline](images))
    return kept[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
