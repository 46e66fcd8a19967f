"""What a layer's features say about the picture: channels, PCA colours, places that look alike."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from .models import Layout


def as_maps(activation: Tensor, layout: Layout) -> Tensor:
    """A layer's output for one picture, (1, ...), as maps (C, rows, columns), prefix tokens dropped."""
    return layout.maps(activation[:1].float())[0]


class Summary(NamedTuple):
    low: float
    high: float
    dead: float  # share of channels with the same value at every place, 0 to 1


def summary(maps: Tensor) -> Summary:
    """The range of (C, h, w) maps, and how many channels say nothing about this picture."""
    flat = maps.flatten(1)
    dead = (flat.amax(1) - flat.amin(1)) == 0
    return Summary(maps.min().item(), maps.max().item(), dead.float().mean().item())


def strength(maps: Tensor) -> Tensor:
    """Mean absolute value over the channels: (C, h, w) -> (h, w), at least 0."""
    return maps.abs().mean(0)


def by_strength(maps: Tensor) -> list[int]:
    """Channel indices of (C, h, w) maps, the largest mean absolute value first."""
    return maps.abs().flatten(1).mean(1).argsort(descending=True, stable=True).tolist()


def pca_colours(maps: Tensor) -> Tensor:
    """The three directions in which the features of this picture vary most, as red, green and blue.

    Args:
        maps: (C, h, w).

    Returns:
        (3, h, w), each component stretched over 0 to 1 between its 1st and 99th percentile; 0.5 where
        there is nothing to show. The sign of a component is arbitrary and fixed by its largest weight.
    """
    channels, rows, columns = maps.shape
    x = maps.flatten(1).T  # (places, C)
    x = x - x.mean(0)
    # the smaller of the two Gram matrices has the same spectrum
    if channels <= rows * columns:
        _, vectors = torch.linalg.eigh(x.T @ x)
        components = x @ vectors.flip(1)[:, :3]  # (places, 3)
    else:
        values, vectors = torch.linalg.eigh(x @ x.T)
        components = vectors.flip(1)[:, :3] * values.flip(0)[:3].clamp(min=0).sqrt()
    components = torch.nn.functional.pad(components, (0, 3 - components.shape[1]))
    components = components * components.gather(0, components.abs().argmax(0, keepdim=True)).sign()
    low, high = components.quantile(torch.tensor([0.01, 0.99], device=x.device), dim=0)
    spread = high - low
    flat = spread <= 1e-6 * x.abs().max().clamp(min=1e-12)
    colours = ((components - low) / spread.where(~flat, torch.ones_like(spread))).clamp(0, 1)
    return colours.masked_fill(flat, 0.5).T.reshape(3, rows, columns)


def similarity(maps: Tensor, row: int, column: int) -> Tensor:
    """Cosine between the features at one place and at every other: (C, h, w) -> (h, w), -1 to 1.

    A place whose features are all zero is similar to nothing: 0.
    """
    unit = torch.nn.functional.normalize(maps, dim=0)
    return torch.einsum("chw,c->hw", unit, unit[:, row, column])
