"""A pass in which what some layers put out is replaced by something else, on a private copy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..capture import first_tensor, passed, private_copy
from ..model import Layout
from ..modes import in_any_mode

Change = Callable[[Tensor], Tensor]  # a layer's output, (B, ...) -> what is handed on instead


def hook(copy: nn.Module, layer: str, change: Change) -> None:
    """Have a layer of a private copy hand on what a function makes of its output.

    Of several things that it puts out, the first is changed, as ``capture`` has it.
    """

    def changed(_module: nn.Module, _inputs: tuple, whole: Any) -> Any:
        output = first_tensor(whole)
        if output is None:
            raise TypeError(f"{layer} puts out a {type(whole).__name__}, not one tensor")
        fresh = change(output)
        return fresh if whole is output or isinstance(whole, Tensor) else type(whole)((fresh, *whole[1:]))

    copy.get_submodule(layer).register_forward_hook(changed)


@in_any_mode
def replaced(net: nn.Module, images: Tensor, changes: Mapping[str, Change]) -> Tensor:
    """What a network returns for ``images`` (B, 3, H, W) if some layers' outputs are changed on the way.

    Args:
        changes: by layer name. What one hands on may be of another batch than ``images``, if nothing but that
            layer's output leads to the answer; see ``chain``.
    """
    copy = private_copy(net)
    for layer, change in changes.items():
        hook(copy, layer, change)
    with torch.no_grad():
        return passed(copy, images)


def with_maps(layout: Layout, values: Tensor, maps: Tensor) -> Tensor:
    """A layer's output (B, ...) with other features at its places, ``maps`` (B, C, h, w); a new tensor.

    What ``layout.maps`` undoes: ``layout.maps(with_maps(layout, values, maps))`` is ``maps``. Tokens that are
    no patch stay.
    """
    if layout.kind == "NCHW":
        return maps.clone()
    if layout.kind == "NHWC":
        return maps.permute(0, 2, 3, 1).contiguous()  # (B, C, h, w) -> (B, h, w, C)
    places = torch.tensor(layout.order) if layout.order else torch.arange(maps[0, 0].numel())
    fresh = values.clone()
    fresh[:, layout.prefix + places.to(fresh.device)] = maps.flatten(2).transpose(1, 2)  # (B, N, C)
    return fresh


def first_tokens(layout: Layout, values: Tensor) -> Tensor:
    """The tokens of a layer's output (B, ...) that are no patch, (B, P, C); P is 0 where there are none."""
    if layout.kind != "tokens":
        return values.new_zeros(len(values), 0, layout.channels)
    patches = layout.order or range(layout.grid[0] * layout.grid[1])
    taken = {layout.prefix + place for place in patches}
    return values[:, [k for k in range(values.shape[1]) if k not in taken]]


def everywhere(layout: Layout, features: Tensor, tokens: int, grid: tuple[int, int]) -> Tensor:
    """A layer's output that is the same at every place and every token.

    Args:
        features: (M, C). tokens: how many, of a layer of tokens. grid: rows, columns, of any other.

    Returns:
        (M, tokens, C), (M, C, rows, columns) or (M, rows, columns, C), as the layer's outputs lie.
    """
    count, channels = features.shape
    if layout.kind == "tokens":
        return features[:, None].expand(count, tokens, channels).contiguous()
    if layout.kind == "NCHW":
        return features[:, :, None, None].expand(count, channels, *grid).contiguous()
    return features[:, None, None].expand(count, *grid, channels).contiguous()
