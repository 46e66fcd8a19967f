"""Blocks that remember their last answer, for where neither they nor what they read has changed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from ..capture import private_copy


class _Memory:
    """What a block last read and put out, and of what it was made then. Private copies of it share one."""

    def __init__(self):
        self.read: tuple[Tensor, int] | None = None  # with its version, which counts what was done in place
        self.out: tuple[Tensor, int] | None = None
        self.made_of: list[Any] = []

    def answer(self, made_of: list[Any], x: Tensor) -> Tensor | None:
        if self.read is None or self.out is None:
            return None
        (read, as_read), (out, as_put_out) = self.read, self.out
        if read._version != as_read or out._version != as_put_out:
            return None
        if len(made_of) != len(self.made_of) or any(map(_other, made_of, self.made_of)):
            return None
        same = read.shape == x.shape and read.dtype == x.dtype and read.device == x.device
        return out if same and (read is x or torch.equal(read, x)) else None

    def keep(self, made_of: list[Any], x: Tensor, out: Tensor) -> None:
        self.read, self.out, self.made_of = (x, x._version), (out, out._version), made_of


def _other(one: Any, other: Any) -> bool:
    return one is not other


def remembering(net: nn.Module, blocks: Iterable[str]) -> nn.Module:
    """A private copy whose named blocks remember.

    So do private copies of it, which share what they know: a block with other weights or modules asks itself.
    Nothing is remembered where gradients lead through a block, or where somebody listens inside.
    """
    copy = private_copy(net)
    for name in blocks:
        block = copy.get_submodule(name)
        if isinstance(block, torch.jit.ScriptModule):  # whose class can't be another
            continue
        block.__class__ = _class(type(block))
        block.__dict__["_memory"] = _Memory()
    return copy


@cache
def _class(kind: type[nn.Module]) -> type[nn.Module]:
    """A block's own class, that looks into its memory first."""

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        alone = len(args) == 1 and not kwargs and isinstance(args[0], Tensor)
        if not alone or _led_through(args[0]) or _listened(self):
            return kind.forward(self, *args, **kwargs)
        made_of = _parts(self)
        found = self._memory.answer(made_of, args[0])
        if found is None:
            found = kind.forward(self, *args)
            if isinstance(found, Tensor) and not _led_through(found):
                self._memory.keep(made_of, args[0], found)
        return found

    return type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})


def _led_through(values: Tensor) -> bool:
    return values.requires_grad or values.is_inference()  # whose version nobody counts


def _listened(block: nn.Module) -> bool:
    inside = (module for module in block.modules() if module is not block)
    return any(module._forward_hooks or module._forward_pre_hooks for module in inside)


def _parts(block: nn.Module) -> list[Any]:
    """Kinds of modules, weights and buffers, to be compared by identity."""
    return [
        part
        for module in block.modules()
        for part in (type(module), *module._parameters.values(), *module._buffers.values())
    ]
