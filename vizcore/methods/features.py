"""What a layer's features say about the picture: channels, PCA colours, places that look alike."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..model import Layout
from ..modes import in_any_mode
from ..shapes import full, one_map


def as_maps(activation: Tensor, layout: Layout) -> Tensor:
    """A layer's output for one picture, (1, ...), as maps (C, rows, columns), prefix tokens dropped.

    Raises:
        ValueError: a batch of several pictures; ``batch_maps`` takes those.
    """
    if len(activation) != 1:
        raise ValueError(
            f"One picture's features are expected, (1, ...), not a batch of {len(activation)}; "
            "batch_maps takes those"
        )
    return batch_maps(activation, layout)[0]


def batch_maps(activation: Tensor, layout: Layout) -> Tensor:
    """A layer's output (B, ...) as maps (B, C, rows, columns), prefix tokens dropped.

    In single precision; in double where the network is.
    """
    return layout.maps(full(activation))


class Summary(NamedTuple):
    low: float
    high: float
    dead: float  # share of channels with the same value at every place, 0 to 1


def summary(maps: Tensor) -> Summary:
    """The range of (C, h, w) maps, and how many channels say nothing about this picture."""
    one_map(maps, kind="(C, h, w)")
    flat = maps.flatten(1)
    dead = (flat.amax(1) - flat.amin(1)) == 0
    return Summary(maps.min().item(), maps.max().item(), dead.float().mean().item())


def strength(maps: Tensor) -> Tensor:
    """Mean absolute value over the channels: (C, h, w) -> (h, w), at least 0."""
    one_map(maps, kind="(C, h, w)")
    return maps.abs().mean(0)


def norms(maps: Tensor) -> Tensor:
    """The length (L2) of the features at each place: (C, h, w) -> (h, w), at least 0."""
    one_map(maps, kind="(C, h, w)")
    return maps.norm(dim=0)


def outliers(lengths: Tensor) -> Tensor:
    """Places whose norm is far beyond the others', (h, w) bool: by 3 × the middle half above it (Tukey).

    Vision Transformers keep what is about the whole picture in such patches (Darcet et al., ICLR 2024).
    """
    one_map(lengths)
    low, high = lengths.flatten().quantile(torch.tensor([0.25, 0.75]).to(lengths))
    return lengths > high + 3 * (high - low)


def by_strength(maps: Tensor) -> list[int]:
    """Channel indices of (C, h, w) maps, the largest mean absolute value first."""
    one_map(maps, kind="(C, h, w)")
    return maps.abs().flatten(1).mean(1).argsort(descending=True, stable=True).tolist()


@in_any_mode
def pca_colours(maps: Tensor) -> Tensor:
    """The three directions in which the features of this picture vary most, as red, green and blue.

    Args:
        maps: (C, h, w).

    Returns:
        (3, h, w), each component stretched over 0 to 1 between its 1st and 99th percentile; 0.5 where
        there is nothing to show. The sign of a component is arbitrary and fixed by its largest weight.
    """
    one_map(maps, kind="(C, h, w)")
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
    low, high = components.quantile(torch.tensor([0.01, 0.99]).to(x), dim=0)
    spread = high - low
    flat = spread <= 1e-6 * x.abs().max().clamp(min=1e-12)
    colours = ((components - low) / spread.where(~flat, torch.ones_like(spread))).clamp(0, 1)
    return colours.masked_fill(flat, 0.5).T.reshape(3, rows, columns)


@in_any_mode
def similarity(maps: Tensor, row: int, column: int) -> Tensor:
    """Cosine between the features at one place and at every other: (C, h, w) -> (h, w), -1 to 1.

    A place whose features are all zero is similar to nothing: 0.
    """
    one_map(maps, kind="(C, h, w)")
    unit = torch.nn.functional.normalize(maps, dim=0)
    return torch.einsum("chw,c->hw", unit, unit[:, row, column])


@in_any_mode
def similarities(maps: Tensor) -> Tensor:
    """``similarity`` of every place: (C, h, w) -> (h * w, h * w), a row for each place, -1 to 1."""
    one_map(maps, kind="(C, h, w)")
    unit = torch.nn.functional.normalize(maps, dim=0).flatten(1)
    return unit.T @ unit


@in_any_mode
def standing_out(maps: Tensor, row: int, column: int, count: int = 3) -> Tensor:
    """The channels of (C, h, w) that stand out most at a place of the picture: (count,), the first most.

    By how many standard deviations over its own places a channel lies above its mean there.
    """
    one_map(maps, kind="(C, h, w)")
    flat = maps.flatten(1).float()
    apart = (maps[:, row, column].float() - flat.mean(1)) / flat.std(1).clamp(min=1e-12)
    return apart.topk(min(count, len(apart))).indices
