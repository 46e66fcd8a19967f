"""The caller's modes of torch are the caller's: what is computed here doesn't depend on them."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

F = TypeVar("F", bound=Callable[..., Any])
DEVICES = ("cpu", "cuda", "mps")


@contextlib.contextmanager
def gradients() -> Iterator[None]:
    """Tensors that can be differentiated, in the precision that they have, whatever mode surrounds this.

    Leaves ``torch.inference_mode``, ``torch.no_grad`` and ``torch.autocast`` for as long as it lasts.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for device in DEVICES:
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


def in_any_mode(function: F) -> F:
    """A function, or a generator, that runs within ``gradients``.

    A generator does so from each ``next`` to the following ``yield``, so that the caller never feels it.
    Arguments that were made in inference mode, which can't be differentiated, are copied.
    """

    @functools.wraps(function)
    def stepped(*args, **kwargs):
        with gradients():
            steps = function(*map(_ordinary, args), **_each(kwargs))
        try:
            while True:
                with gradients():
                    try:
                        step = next(steps)
                    except StopIteration:
                        return
                yield step
        finally:
            steps.close()

    @functools.wraps(function)
    def called(*args, **kwargs):
        with gradients():
            return function(*map(_ordinary, args), **_each(kwargs))

    return cast(F, stepped if inspect.isgeneratorfunction(function) else called)


def _ordinary(value):
    """``value``, the inference tensors in it copied."""
    if isinstance(value, Tensor):
        return value.clone() if value.is_inference() else value
    if type(value) in (list, tuple):
        return type(value)(map(_ordinary, value))
    return _each(value) if type(value) is dict else value


def _each(values: dict) -> dict:
    return {key: _ordinary(value) for key, value in values.items()}
