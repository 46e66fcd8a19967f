"""What every function asks of the tensors that it is given: one picture, one map, a precision."""

from __future__ import annotations

import torch
from torch import Tensor


def full(values: Tensor) -> Tensor:
    """Half precision becomes single; single and double stay what they are."""
    return values if values.dtype == torch.float64 else values.float()


def one_picture(images: Tensor) -> None:
    """Raise a ValueError unless ``images`` is one picture, (1, C, H, W)."""
    if images.ndim != 4 or len(images) != 1:
        given = f"a batch of {len(images)}" if images.ndim == 4 else "no batch of one"
        raise ValueError(f"One picture is expected, (1, 3, H, W), not {given}: {tuple(images.shape)}")


def one_map(*maps: Tensor, kind: str = "(h, w)") -> None:
    """Raise a ValueError unless all are maps of one picture, of as many axes as ``kind`` has."""
    for values in maps:
        if values.ndim != kind.count(",") + 1:
            raise ValueError(f"One picture's {kind} is expected, no batch and no part: {tuple(values.shape)}")
