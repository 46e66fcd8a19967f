"""A network's shapes without its values: what a file must hold, and how much memory it will take."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class _Unfilled(TorchFunctionMode):
    """Fills nothing that has no memory: torch needs its time, and its compiler, to find that out."""

    fills = frozenset(
        [getattr(Tensor, f"{name}_") for name in "uniform normal erfinv zero fill mul add clamp".split()]
        + [fill for name, fill in vars(nn.init).items() if name.endswith("_") and name[0] != "_"]
    )

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in self.fills:
            filled = args[0] if args else kwargs["tensor"]
            if filled.is_meta:
                return filled
        return func(*args, **kwargs)


@contextmanager
def shapes_only() -> Iterator[None]:
    """What is built within has parameters and buffers of the right shapes, types and names, and no memory."""
    with torch.device("meta"), _Unfilled():
        yield
