"""How alike two maps are: correlation, of values and of ranks, structure, and what is largest in both."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

from ..shapes import one_map
from .covering import ranked


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's, over all places of two maps; nan where one of them is flat.

    Raises:
        ValueError: they have not as many places.
    """
    if a.numel() != b.numel():
        raise ValueError(f"one map is {tuple(a.shape)}, the other {tuple(b.shape)}")
    return torch.corrcoef(torch.stack([a.flatten().double(), b.flatten().double()]))[0, 1].item()


def rank_correlation(a: Tensor, b: Tensor) -> float:
    """Spearman's, over all places of two maps; nan where one of them is flat."""
    one_map(*(values for values in (a, b) if values.ndim != 1))  # or places chosen from two maps, (n,)
    return correlation(_ranks(a), _ranks(b))


def _ranks(values: Tensor) -> Tensor:
    """The place of each value in the order, equal ones sharing the mean of their places."""
    _, where, counts = values.flatten().unique(return_inverse=True, return_counts=True)
    return (counts.cumsum(0).double() - (counts - 1) / 2)[where]


def ssim(a: Tensor, b: Tensor) -> float:
    """Structural similarity (Wang et al., TIP 2004) of two maps (h, w), each stretched over 0 to 1.

    Gaussian windows with a sigma of 1.5 pixels, mean over all places.
    """
    one_map(a, b)
    first, second = (_unit(one.cpu().double()).numpy() for one in (a, b))

    def smooth(values):
        return cv2.GaussianBlur(values, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT)

    mean_a, mean_b = smooth(first), smooth(second)
    var_a, var_b = smooth(first**2) - mean_a**2, smooth(second**2) - mean_b**2
    both = smooth(first * second) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    over = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    return float((over / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean())


def _unit(values: Tensor) -> Tensor:
    spread = values.max() - values.min()
    return (values - values.min()) / spread if spread > 0 else torch.zeros_like(values)


def overlap(a: Tensor, b: Tensor, share: float = 0.2) -> float:
    """How much of the top ``share`` of one map is in the top share of the other (intersection over union)."""
    one_map(a, b)
    shape = a.shape[0], a.shape[1]
    count = round(share * a.numel())
    top = [ranked(one, shape) < count for one in (a, b)]
    return ((top[0] & top[1]).sum() / (top[0] | top[1]).sum()).item()


def similarity(a: Tensor, b: Tensor, side: int = 64) -> tuple[float, float]:
    """Rank correlation and SSIM of two maps, both brought to ``side`` × ``side`` places."""
    one_map(a, b)
    a, b = (
        F.interpolate(one[None, None].float(), (side, side), mode="bilinear", antialias=True)[0, 0]
        for one in (a, b)
    )
    return rank_correlation(a, b), ssim(a, b)
