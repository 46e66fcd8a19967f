"""Concepts: a few patterns of channels of which a layer's features on some pictures are made up.

Features at all places of all pictures, (places, channels), are written as a product of two matrices without
negative numbers: how much of each concept is at each place, and which channels a concept consists of (deep
feature factorisation, Collins et al., ECCV 2018; CRAFT, Fel et al., CVPR 2023). What a token says may be
negative: it is split into its positive and its negative part, side by side. A factorisation is found by
multiplicative updates (Lee & Seung, 2001), which never let the error rise; it is one of many that fit as
well, and nobody says that a concept has a name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ..capture import capture, own_hooks, passed, private_copy
from ..model import VisionModel, check_class, check_layer
from ..modes import in_any_mode
from ..scores import probabilities
from ..shapes import full
from .replaced import hook, with_maps

ROUNDS, EACH = 200, 10  # of updates, and after how many of them something is told
SMALL = 1e-9


class Factors(NamedTuple):
    """A product that comes near some values."""

    done: int
    total: int
    amounts: Tensor  # (N, K), at least 0
    parts: Tensor  # (K, C), at least 0, of length 1 each
    explained: float  # 1 - squared error over the squares of the values


def factorise(values: Tensor, count: int, seed: int = 0, rounds: int = ROUNDS) -> Iterator[Factors]:
    """Values (N, C), none below 0, as a product (N, K) by (K, C) of the same kind, ever nearer.

    Args:
        count: K. seed: of where it begins.

    Yields:
        After ``EACH`` rounds of updates.

    Raises:
        ValueError: values below 0, or no concepts asked for.

    >>> *_, last = factorise(torch.rand(40, 2) @ torch.rand(2, 9), 2)
    >>> last.explained > 0.99
    True
    """
    if values.ndim != 2 or (values < 0).any() or count < 1:
        raise ValueError(f"values (N, C) of at least 0 and at least one part are asked for, not {count}")
    scale = values.max().clamp(min=SMALL)
    own, generator = values / scale, torch.Generator().manual_seed(seed)
    size = float(own.mean().clamp(min=SMALL)) ** 0.5
    amounts = size * (0.5 + torch.rand(len(own), count, generator=generator)).to(own)
    parts = size * (0.5 + torch.rand(count, own.shape[1], generator=generator)).to(own)
    squares = float(own.double().square().sum())
    for start in range(0, rounds, EACH):
        for _ in range(min(EACH, rounds - start)):
            parts = parts * (amounts.T @ own) / (amounts.T @ amounts @ parts + SMALL)
            amounts = amounts * (own @ parts.T) / (amounts @ (parts @ parts.T) + SMALL)
        length = parts.norm(dim=1).clamp(min=SMALL)
        missing = float((own - amounts @ parts).double().square().sum())
        explained = 1 - missing / squares if squares else 0.0
        done = min(start + EACH, rounds)
        yield Factors(done, rounds, amounts * length * scale, parts / length[:, None], explained)


class Concepts(NamedTuple):
    """Concepts of a layer on some pictures, so far."""

    done: int
    total: int
    maps: Tensor  # (n, K, h, w): how much of each is where
    parts: (
        Tensor  # (K, C), or (K, 2 C) where features were split: the negative parts behind the positive ones
    )
    explained: float  # of the features' squares, 0 to 1
    split: bool  # into positive and negative parts


@in_any_mode
def concepts(
    model: VisionModel,
    pictures: Sequence[Tensor],
    layer: str,
    count: int,
    seed: int = 0,
    rounds: int = ROUNDS,
) -> Iterator[Concepts]:
    """The concepts of a layer on some pictures, (1, 3, H, W) each; those that are most of all come first.

    Raises:
        ValueError: no such layer with a map, or there are no pictures.
    """
    layout = check_layer(model, layer)
    if not len(pictures):
        raise ValueError("there are no pictures in which concepts could be found")
    found = [layout.maps(capture(model.net, one, [layer]).layers[layer]).detach() for one in pictures]
    maps = full(torch.cat(found)).cpu()  # (n, C, h, w)
    values, split = maps.movedim(1, -1).flatten(0, 2), bool((maps < 0).any())  # (N, C)
    own = torch.cat([values.relu(), (-values).relu()], 1) if split else values
    for one in factorise(own, count, seed, rounds):
        order = one.amounts.mean(0).argsort(descending=True, stable=True)
        amounts = one.amounts[:, order].unflatten(0, (len(maps), *maps.shape[2:]))  # (n, h, w, K)
        found_so_far = amounts.movedim(-1, 1).contiguous()
        yield Concepts(one.done, one.total, found_so_far, one.parts[order], one.explained, split)


def features_of(found: Concepts, picture: int, which: int) -> Tensor:
    """What one concept adds to the features of one of the pictures: (C, h, w)."""
    part = found.parts[which]
    if found.split:
        positive, negative = part.chunk(2)
        part = positive - negative
    return part[:, None, None] * found.maps[picture, which]


@in_any_mode
def without_each(
    model: VisionModel, images: Tensor, layer: str, found: Concepts, picture: int, index: int
) -> Tensor:
    """By how much a class falls, in probability, if each concept alone is taken out of one picture.

    Args:
        images: that picture, (1, 3, H, W), the one of that number in ``found``. index: of the class.

    Returns:
        (K,)
    """
    check_class(model, index)
    layout, count = check_layer(model, layer), found.maps.shape[1]
    taken = torch.stack([torch.zeros_like(features_of(found, picture, 0)),
                         *(features_of(found, picture, k) for k in range(count))])  # fmt: skip
    copy = private_copy(model.net)

    def without(output: Tensor) -> Tensor:
        maps = layout.maps(output)
        return with_maps(layout, output, maps - taken.to(maps))

    hook(copy, layer, without)
    own_hooks(copy)
    with torch.no_grad():
        scores = passed(copy, images.expand(1 + count, -1, -1, -1).clone())
    chances = probabilities(model.net, full(scores))[:, index].cpu()
    return chances[0] - chances[1:]


def importance(
    model: VisionModel, pictures: Sequence[Tensor], layer: str, found: Concepts, index: int
) -> Tensor:
    """The mean of ``without_each`` over the pictures that were asked: (K,)."""
    each = [without_each(model, one, layer, found, k, index) for k, one in enumerate(pictures)]
    return torch.stack(each).mean(0)


def strongest(found: Concepts, which: int, most: int = 4) -> list[tuple[int, int, int]]:
    """Where a concept is strongest, one place a picture: (picture, row, column) each, the strongest first."""
    flat = found.maps[:, which].flatten(1)  # (n, h * w)
    best, places = flat.max(1)
    order = best.argsort(descending=True, stable=True)[:most].tolist()
    columns = found.maps.shape[-1]
    return [(k, *divmod(int(places[k]), columns)) for k in order if best[k] > 0]


# ---------------------------------------------------------------- as colours

# apart for every kind of colour vision (Okabe & Ito, 2008), and two more
COLOURS = (
    (0.90, 0.62, 0.00), (0.34, 0.71, 0.91), (0.00, 0.62, 0.45), (0.94, 0.89, 0.26),
    (0.80, 0.47, 0.65), (0.84, 0.37, 0.00), (0.00, 0.45, 0.70), (0.60, 0.60, 0.60),
)  # fmt: skip


def in_colours(maps: Tensor, ends: Tensor) -> Tensor:
    """The strongest concept of each place in its colour, the darker the less of it: (K, h, w) -> (3, h, w).

    Args:
        ends: (K,), the most of each in any of the pictures.
    """
    shares = maps / ends.clamp(min=SMALL)[:, None, None]
    most, which = shares.max(0)  # (h, w)
    colours = torch.tensor(COLOURS[: len(maps)])[which]  # (h, w, 3)
    return (colours * most.clamp(0, 1)[..., None]).movedim(-1, 0)
