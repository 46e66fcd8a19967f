"""The head alone: a linear probe on frozen features, of pictures that any number of processes look at."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..at_scale.progress import Progress
from ..at_scale.run_maps import ahead
from ..at_scale.shards import Rank
from ..at_scale.sources import Item
from ..model import VisionModel
from ..networks.headed import featured
from ..studies.probe import BATCH, Head, features, fit_scaled
from .classes_of import Lot
from .together_as import summed


def features_of(model: VisionModel, items: Sequence[Item], rank: Rank) -> Tensor:
    """Pooled features, (N, D), each batch by one of the processes."""
    net, _ = featured(model)
    progress, batches = Progress(len(items), rank), range(0, len(items), BATCH)
    own = [start for k, start in enumerate(batches) if k % rank.world == rank.rank]
    found: Tensor | None = None
    read = ahead([item for start in own for item in items[start : start + BATCH]], lambda item: item.read())
    for start in own:
        pictures = [next(read) for _ in items[start : start + BATCH]]
        values = features(net, model, pictures)
        found = torch.zeros(len(items), values.shape[1]) if found is None else found
        found[start : start + len(values)] = values
        progress.add(len(values))
    if found is None:  # more processes than batches: the width is needed all the same
        found = torch.zeros(len(items), features(net, model, [items[0].read()]).shape[1])
    return summed(found.to(model.device)).cpu()


def fitted(values: Tensor, lot: Lot, classes: int) -> Head:
    """The head for features (N, D) of a lot, as the app's own probe fits it."""
    return fit_scaled(values, torch.tensor(lot.answers), classes)


def said(head: Head, values: Tensor) -> Tensor:
    """The classes that a head says of features, (N,)."""
    return torch.nn.functional.linear(values, *head).argmax(1)
