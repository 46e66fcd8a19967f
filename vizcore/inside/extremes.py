"""Which pictures of a set excite each unit most and least: one pass for all units of all layers.

Of each unit, k pictures are kept of every kind, so the memory doesn't grow with the set. A picture counts by
the highest value that the unit has anywhere in it, and the place of that is kept with it. Beside the
extremes, which any unit has, stand pictures by lot: what a unit likes shows only in the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from ..model import VisionModel
from ..modes import in_any_mode
from ..pictures.images import PictureError
from .projections import Heads
from .unit_groups import Group, Peak, count_of, peak, responses

BATCH = 4  # pictures at a time: on a CPU more are slower, and take more memory
K = 6  # pictures of each kind
FLAT = 1e-6  # of its largest value: a unit that differs by less says nothing


class Shown(NamedTuple):
    """Some pictures of each unit, the first of them first; fewer than k where there are no more."""

    values: Tensor  # (U, k), the highest value in each picture
    pictures: Tensor  # (U, k), their numbers in the set
    places: Tensor  # (U, k), of the highest value: row * columns + column


class Spread(NamedTuple):
    """How values are spread over the classes of a set."""

    counts: Tensor  # (L,), pictures
    means: Tensor  # (U, L), of the highest value in a picture; nan of a class without pictures
    explained: Tensor  # (U,), the share of the variance between pictures that lies between classes, 0 to 1


class Found(NamedTuple):
    """What is found of one group."""

    most: Shown
    least: Shown
    by_lot: Shown  # the same pictures for every unit
    lowest: Tensor  # (U,), anywhere in the set
    spread: Spread | None  # None without labels

    def silent(self, unit: int) -> bool:
        """Whether a unit says the same everywhere in every picture: there is nothing that excites it."""
        low, high = float(self.lowest[unit]), float(self.most.values[unit, 0])
        return not high - low > FLAT * max(abs(low), abs(high))


class Step(NamedTuple):
    """What is found after some of the pictures."""

    done: int
    total: int
    found: dict[Group, Found]
    left_out: tuple[str, ...]  # of pictures that can't be read, why, a sentence each


@in_any_mode
def extremes(
    model: VisionModel,
    pictures: Sequence[Image.Image],
    groups: Sequence[Group],
    labels: Sequence[int] = (),
    heads: Heads | None = None,
    k: int = K,
    seed: int = 0,
) -> Iterator[Step]:
    """Look through a set once, for all units of some groups.

    Equal values are in the order of the set. Pictures are asked for one by one, and not kept.

    Args:
        pictures: one that raises a PictureError is left out, and said so. labels: the class of each, from 0.
        heads: of ``projections.heads(model)``, where heads are asked. seed: of the lot.

    Raises:
        ValueError: no such group; or as many labels as there aren't pictures.
        PictureError: none of them can be read.

    >>> from vizcore.models import load_model
    >>> from vizcore.pictures.sets import drawn
    >>> model = load_model("texture_resnet", device="cpu")
    >>> *_, last = extremes(model, drawn(20), [Group("channels", "layer4.0")])
    >>> last.found["channels", "layer4.0"].most.values.shape
    torch.Size([256, 6])
    """
    if labels and len(labels) != len(pictures):
        raise ValueError(f"there are {len(pictures)} pictures and {len(labels)} labels")
    classes = max(labels, default=-1) + 1
    kept = {group: _Kept(count_of(model, group, heads), k, classes) for group in groups}
    lot = torch.rand(len(pictures), generator=torch.Generator().manual_seed(seed))
    left_out: list[str] = []
    for start in range(0, len(pictures), BATCH):
        inputs, why_not = _batch(model, pictures, range(start, min(start + BATCH, len(pictures))))
        left_out += why_not
        if numbers := list(inputs):
            own = torch.tensor([labels[number] for number in numbers] if labels else [], dtype=torch.long)
            peaks = responses(model, torch.cat(list(inputs.values())), groups, peak, heads)
            for group, found in peaks.items():
                kept[group].add(found, torch.tensor(numbers), lot[numbers], own)
        found = {group: one.found() for group, one in kept.items() if one.seen}
        if found:
            yield Step(min(start + BATCH, len(pictures)), len(pictures), found, tuple(left_out))
    if not any(one.seen for one in kept.values()):
        raise PictureError(left_out[0] if left_out else "There is no picture in the set.")


def _batch(
    model: VisionModel, pictures: Sequence[Image.Image], numbers: range
) -> tuple[dict[int, Tensor], list[str]]:
    """What a network is given of some pictures, by number, and why others can't be read."""
    inputs, why_not = {}, []
    for number in numbers:
        try:
            inputs[number] = model.preprocess(pictures[number])
        except PictureError as error:
            why_not.append(str(error))
    return inputs, why_not


class _Kept:
    """What has been seen of one group: a few pictures of each kind, and sums."""

    def __init__(self, units: int, k: int, classes: int):
        nothing = torch.empty(units, 0, dtype=torch.int32)
        empty = Shown(torch.empty(units, 0), nothing, nothing)
        self.k, self.seen = k, 0
        self.most = self.least = self.by_lot = empty
        self.lots = torch.empty(0)
        self.lowest = torch.full((units,), torch.inf)
        self.counts = torch.zeros(classes, dtype=torch.double)
        self.sums = torch.zeros(units, classes, dtype=torch.double)
        self.centre = torch.zeros(units, dtype=torch.double)  # near which squares are summed
        self.squares = torch.zeros(units, dtype=torch.double)

    def add(self, peaks: Peak, numbers: Tensor, lots: Tensor, labels: Tensor) -> None:
        """Pictures (B,) by number, with their places in the lot and, if there are any, their labels."""
        highest = peaks.highest.detach().float().cpu().T  # (U, B)
        numbers = numbers.int().expand_as(highest)
        new = Shown(highest, numbers, peaks.places.cpu().int().T)
        self.most = self._first(_both(self.most, new), descending=True)
        self.least = self._first(_both(self.least, new), descending=False)
        self.lots = torch.cat([self.lots, lots])
        order = self.lots.sort(stable=True).indices[: self.k]
        self.lots = self.lots[order]
        self.by_lot = Shown(*(part[:, order] for part in _both(self.by_lot, new)))
        self.lowest = torch.minimum(self.lowest, peaks.lowest.detach().float().cpu().amin(0))
        if len(labels):
            values = highest.double()
            if not self.seen:
                self.centre = values.mean(1)
            values = values - self.centre[:, None]
            self.counts.index_add_(0, labels, torch.ones(len(labels), dtype=torch.double))
            self.sums.index_add_(1, labels, values)
            self.squares += values.square().sum(1)
        self.seen += highest.shape[1]

    def _first(self, shown: Shown, descending: bool) -> Shown:
        order = shown.values.sort(stable=True, descending=descending).indices[:, : self.k]
        return Shown(*(part.gather(1, order) for part in shown))

    def found(self) -> Found:
        spread = self._spread() if len(self.counts) else None
        return Found(self.most, self.least, self.by_lot, self.lowest, spread)

    def _spread(self) -> Spread:
        means = self.sums / self.counts  # (U, L), about the centre
        overall = self.sums.sum(1) / self.counts.sum()
        whole = (self.squares - self.counts.sum() * overall.square()).clamp(min=0)
        between = (self.counts * (means - overall[:, None]).square().nan_to_num()).sum(1)
        explained = (between / whole.clamp(min=1e-30)).clamp(0, 1) * (whole > 0)
        return Spread(self.counts.long(), (means + self.centre[:, None]).float(), explained.float())


def _both(one: Shown, other: Shown) -> Shown:
    return Shown(*(torch.cat(parts, 1) for parts in zip(one, other, strict=True)))
