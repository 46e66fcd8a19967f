"""How many pictures go through a network at once: as many as its memory allows."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ..batch_size import PICTURES
from ..model import VisionModel
from ..objectives import Objective, values

# bytes of activations and pictures in one pass
LIMITS = {"cpu": (288 * 2**20, PICTURES["cpu"]), "cuda": (4 * 2**30, PICTURES["cuda"])}

_FOUND: weakref.WeakKeyDictionary[nn.Module, dict] = weakref.WeakKeyDictionary()


def spread(count: int, chunk: int) -> Iterator[np.ndarray]:
    """The numbers below ``count`` in chunks, each from all over the range (by the golden ratio)."""
    order = np.argsort(np.arange(count) * (math.sqrt(5) - 1) / 2 % 1, kind="stable")
    order = np.argsort(order, kind="stable")
    for start in range(0, count, chunk):
        yield order[start : start + chunk]


def there_and_back(net: nn.Module, images: Tensor, wanted: Objective) -> int:
    """How many pictures go through a pass and back within ``LIMITS``."""
    return _within_memory(images, _kept(net, images, wanted))


def there(model: VisionModel, images: Tensor) -> int:
    """How many pictures go through a pass within ``LIMITS``; some three large layers live at a time."""
    largest = max(layout.channels * math.prod(layout.grid) for layout in model.layouts.values())
    return _within_memory(images, 3 * max(largest, images[0].numel()) * images.element_size())


def _kept(net: nn.Module, images: Tensor, wanted: Objective) -> int:
    """How many bytes one picture's pass leaves for the way back, weights not counted.

    It takes such a pass to find out, so a network is asked once for pictures of a size.
    """
    of_net, what = _FOUND.setdefault(net, {}), (images.shape[1:], images.dtype, images.device, wanted.layers)
    if what not in of_net:
        of_net[what] = _left_behind(net, images, wanted)
    return of_net[what]


def _left_behind(net: nn.Module, images: Tensor, wanted: Objective) -> int:
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # the tensor itself would hold the graph that holds it, for ever

    images = images[:1].detach().requires_grad_()
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        score = values(net, images.clone(), wanted)
    weights = {weight.untyped_storage().data_ptr() for weight in (*net.parameters(), *net.buffers())}
    del score  # alive until here, so that no place in memory was used twice
    return sum(size for place, size in kept.items() if place not in weights)


def _within_memory(images: Tensor, each: int) -> int:
    memory, pictures = LIMITS.get(images.device.type, LIMITS["cpu"])
    return min(max(1, memory // max(each, 1)), pictures)
