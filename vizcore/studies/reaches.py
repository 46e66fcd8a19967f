"""How far a network looks over a set of pictures: attention's distances and fields, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from ..inside import reach
from ..model import VisionModel
from ..modes import in_any_mode
from ..truth.intervals import Interval, normal

SHARES = (0.5, reach.MOST)  # of the energy, within whose radius it is told
DRAWS = 1000  # of pictures with replacement, for an interval


class Reach(NamedTuple):
    """What is known after some pictures."""

    done: int
    total: int
    size: tuple[int, int]  # (height, width) of the network's input
    distances: np.ndarray | None  # (n, blocks, heads) in pixels; None for a network without attention
    rings: dict[str, np.ndarray]  # by layer, (n, R): shares of the gradient's energy, as ``reach.rings``
    cells: dict[str, np.ndarray]  # by layer, (h, w): the mean of ``reach.shares_on_cells``


@in_any_mode
def reaches(
    model: VisionModel, pictures: Sequence[Image.Image], layers: Sequence[str] | None = None, seed: int = 0
) -> Iterator[Reach]:
    """Look at pictures one after the other.

    Args:
        layers: whose middle place is asked what it depends on; ``model.blocks`` if None.

    Yields:
        After each picture.

    Raises:
        ValueError: there are no pictures, or as ``reach.fields``.
    """
    if not len(pictures):
        raise ValueError("there are no pictures to look at")
    layers = list(model.blocks or model.layers) if layers is None else list(layers)
    far: list[np.ndarray] = []
    found: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
    sums: dict[str, np.ndarray] = {}
    for done, image in enumerate(pictures, 1):
        images = model.preprocess(image)
        if model.attention:
            far.append(reach.attention_distances(model, images)[0].numpy())
        for layer, field in reach.fields(model, images, layers, seed=seed + done).items():
            found[layer].append(reach.rings(field)[0].numpy())
            sums[layer] = sums.get(layer, 0) + reach.shares_on_cells(field.energy)[0].numpy()
        rows = {layer: np.stack(own) for layer, own in found.items()}
        size = (int(images.shape[-2]), int(images.shape[-1]))
        cells = {layer: own / done for layer, own in sums.items()}
        yield Reach(done, len(pictures), size, np.stack(far) if far else None, rows, cells)


class Summary(NamedTuple):
    """What they come to."""

    pictures: int
    size: tuple[int, int]
    heads: list[list[float]]  # by block, each head's mean distance in pixels; empty without attention
    blocks: list[Interval]  # the mean over heads
    even_distance: float  # of attention that looks everywhere alike; nan without attention
    fields: dict[str, tuple[Interval, ...]]  # by layer, the radius within which each of ``SHARES`` lies
    even_radius: tuple[float, ...]  # of a place that depends on all pixels alike
    cells: dict[str, np.ndarray] = {}  # as of a ``Reach``; a file of numbers hasn't got them


def summed_up(model: VisionModel, found: Reach) -> Summary:
    """The mean over pictures; intervals say what other pictures of the kind would give."""
    heads: list[list[float]] = []
    blocks: list[Interval] = []
    even = float("nan")
    if found.distances is not None and model.grid:
        mean = found.distances.mean(0)  # (blocks, heads)
        heads = [[float(one) for one in row if not np.isnan(one)] for row in mean]
        blocks = [normal(row) for row in np.nanmean(found.distances, -1).T]
        rows, columns = model.grid
        even = reach.even_distance(model.grid, (found.size[0] / rows, found.size[1] / columns))
    fields = {layer: tuple(_radius(rows, share) for share in SHARES) for layer, rows in found.rings.items()}
    alike = tuple(reach.even_radius(found.size, share) for share in SHARES)
    return Summary(found.done, found.size, heads, blocks, even, fields, alike, found.cells)


def _radius(rings: np.ndarray, share: float) -> Interval:
    """Of the mean of (n, R); its interval by drawing pictures anew (Efron, 1979)."""
    weights = np.random.default_rng(0).multinomial(len(rings), np.full(len(rings), 1 / len(rings)), DRAWS)
    drawn = reach.radius(torch.from_numpy(weights @ rings), share).numpy()
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if len(rings) > 1 else (0.0, np.inf)
    return Interval(float(reach.radius(torch.from_numpy(rings.mean(0)), share)), float(low), float(high))


def as_data(found: Summary) -> dict[str, Any]:
    """To be written as JSON, in tenths of a pixel."""

    def tenths(values: Any) -> Any:
        if isinstance(values, dict):
            return {key: tenths(one) for key, one in values.items()}
        if isinstance(values, list | tuple):
            return [tenths(one) for one in values]
        return None if math.isnan(values) else round(values, 1)

    return {name: tenths(values) for name, values in found._asdict().items() if name != "cells"}


def from_data(data: dict[str, Any]) -> Summary:
    """What ``as_data`` gave."""
    fields = {layer: tuple(Interval(*one) for one in own) for layer, own in data["fields"].items()}
    blocks = [Interval(*one) for one in data["blocks"]]
    even = math.nan if data["even_distance"] is None else data["even_distance"]
    made = {"fields": fields, "blocks": blocks, "size": tuple(data["size"]), "even_distance": even}
    return Summary(**{**data, **made, "even_radius": tuple(data["even_radius"])})
