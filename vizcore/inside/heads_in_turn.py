"""Every head switched off alone, on one picture and on others, and ever more heads in several orders.

A head that matters for one picture may matter for no other, and a network may do without any single one and
not without several (McGrath et al., 2023): so the map of all heads stands beside that of other pictures, and
beside heads that are taken out in random order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..model import VisionModel, check_class
from ..scores import probabilities
from .projections import Head, Heads
from .switched_off import Means, without_heads

ORDERS = 5  # by lot
STEPS = 24  # numbers of heads at which a network with more of them is asked, beside none


class Tried(NamedTuple):
    """The heads of some attention modules, each switched off alone."""

    done: int
    total: int
    falls: np.ndarray  # (modules, heads), by how much a class falls, in probability; nan where there is none
    chance: float  # of the class as it is


def each_head(
    model: VisionModel, images: Tensor, index: int, heads: Heads, means: Means | None = None
) -> Iterator[Tried]:
    """How much a class falls without each head, module by module.

    Args:
        images: (1, 3, H, W), preprocessed. index: of the class. heads: of ``projections.heads(model)``.
        means: of ``switched_off.means_over`` for all modules; what is off becomes that instead of 0.

    Raises:
        ValueError: no such class, or heads that can't be switched off one by one, or have no mean.
    """
    check_class(model, index)
    found = np.full((len(heads), max(one.count for one in heads.values())), np.nan, np.float32)
    for k, (name, one) in enumerate(heads.items()):
        rows = [[], *([(name, head)] for head in range(one.count))]
        chances = _chances(model, images, rows, index, heads, means)
        found[k, : one.count] = chances[0] - chances[1:]
        yield Tried(k + 1, len(heads), found.copy(), float(chances[0]))


def _chances(
    model: VisionModel,
    images: Tensor,
    rows: Sequence[Sequence[Head]],
    index: int,
    heads: Heads,
    means: Means | None,
) -> np.ndarray:
    scores = without_heads(model, images, rows, heads, means)
    return probabilities(model.net, scores)[:, index].cpu().numpy()


class Elsewhere(NamedTuple):
    """The same for other pictures, so far."""

    done: int
    total: int
    pictures: int  # that are whole
    falls: np.ndarray  # (modules, heads), the mean over these; nan before the first one


def elsewhere(
    model: VisionModel, pictures: Iterable[Tensor], heads: Heads, means: Means | None = None
) -> Iterator[Elsewhere]:
    """The mean of ``each_head`` over other pictures, (1, 3, H, W) each, each asked for its own top class.

    Yields:
        After each module of each picture.
    """
    shown, found = list(pictures), []
    total = len(shown) * len(heads)
    mean = np.full((len(heads), max(one.count for one in heads.values())), np.nan, np.float32)
    for number, images in enumerate(shown):
        with torch.no_grad():
            top = int(model.net(images)[0].argmax())
        for tried in each_head(model, images, top, heads, means):
            if tried.done == tried.total:
                found.append(tried.falls)
                mean = np.mean(found, 0)
            yield Elsewhere(number * len(heads) + tried.done, total, len(found), mean)


class Removed(NamedTuple):
    """A class's probability with ever more heads off."""

    done: int
    total: int
    counts: np.ndarray  # (n,), how many heads are off: from none to all
    first: np.ndarray | None  # (n,), those that matter most first
    by_lot: np.ndarray | None  # (n,), the mean of random orders; None before the first one
    orders: int  # by lot, so far


def removed(
    model: VisionModel,
    images: Tensor,
    index: int,
    heads: Heads,
    falls: np.ndarray,
    means: Means | None = None,
) -> Iterator[Removed]:
    """Heads one after the other: those that matter most first, then in ``ORDERS`` random orders.

    Networks with more than ``STEPS`` heads are asked at about so many numbers of heads, all alike apart.

    Args:
        falls: of ``each_head``, whose last order begins.

    Yields:
        After each order.
    """
    every = [(name, head) for name, own in heads.items() for head in range(own.count)]
    flat = np.concatenate([row[: own.count] for row, own in zip(falls, heads.values(), strict=True)])
    counts = np.unique(np.linspace(0, len(every), min(STEPS, len(every)) + 1).round().astype(int))
    generator = np.random.default_rng(0)
    orders = [np.argsort(-flat, kind="stable"), *(generator.permutation(len(every)) for _ in range(ORDERS))]
    curves: list[np.ndarray] = []
    for done, order in enumerate(orders, 1):
        rows = [[every[k] for k in order[:count]] for count in counts]
        curves.append(_chances(model, images, rows, index, heads, means))
        lot = np.mean(curves[1:], 0) if done > 1 else None
        yield Removed(done, len(orders), counts, curves[0], lot, done - 1)
