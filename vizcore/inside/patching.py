"""Patching: what some places of one picture say half-way, put into another picture's pass.

If the answer follows, what decided it stood at those places after that block (causal tracing, Meng et al.,
NeurIPS 2022; for how to read it, Heimersheim & Nanda, 2024).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..capture import capture, first_tensor, own_hooks, passed, private_copy
from ..model import VisionModel, check_layer
from ..modes import in_any_mode
from ..shapes import one_picture
from .replaced import hook, with_maps
from .switched_off import places_of


@in_any_mode
def patched(
    model: VisionModel,
    other: Tensor,
    layer: str,
    places: Sequence[tuple[int, int]] | None = None,
    first: bool = False,
) -> VisionModel:
    """The model, into whose passes some of a layer's features come from another picture.

    Args:
        other: that picture, preprocessed, (1, 3, H, W).
        places: (row, column) each, on the layer's grid; None for all of them.
        first: the tokens that are no patch too: class token, distillation token, registers; also where a
            layer hands them on beside its map, as PiT does.

    Raises:
        ValueError: several pictures, no such layer with a map, or no such place.
    """
    one_picture(other)
    layout = check_layer(model, layer)
    every = [(row, column) for row in range(layout.grid[0]) for column in range(layout.grid[1])]
    taken = places_of(model, layer, every if places is None else places)
    theirs = capture(model.net, other, [layer]).layers[layer].detach()
    copy = private_copy(model.net)

    def put(output: Tensor) -> Tensor:
        own = theirs.to(output).expand(len(output), *theirs.shape[1:])
        maps = torch.where(taken.to(output.device), layout.maps(own), layout.maps(output))
        return with_maps(layout, own if first else output, maps)

    hook(copy, layer, put)
    if first and (beside := _beside(model, other, layer)):
        copy.get_submodule(layer).register_forward_hook(_with_theirs(beside))
    own_hooks(copy)
    return replace(model, net=copy)


def _beside(model: VisionModel, images: Tensor, layer: str) -> dict[int, Tensor]:
    """What else a layer puts out, by its place: tensors behind the one that holds its map."""
    copy, found = private_copy(model.net), {}

    def seen(_module: nn.Module, _inputs: tuple, whole: Any) -> None:
        if isinstance(whole, tuple | list) and first_tensor(whole) is whole[0]:
            found.update({k: one.clone() for k, one in enumerate(whole) if k and isinstance(one, Tensor)})

    copy.get_submodule(layer).register_forward_hook(seen)
    with torch.no_grad():
        passed(copy, images)
    return found


def _with_theirs(beside: dict[int, Tensor]) -> Any:
    def after(_module: nn.Module, _inputs: tuple, whole: Any) -> Any:
        count = len(whole[0])
        mine = enumerate(whole)
        return type(whole)(
            beside[k].to(one).expand(count, *beside[k].shape[1:]) if k in beside else one for k, one in mine
        )

    return after


def has_first(model: VisionModel, layer: str, images: Tensor | None = None) -> bool:
    """Whether a layer has tokens that are no patch; those beside its map are seen by a pass of ``images``."""
    layout = check_layer(model, layer)
    inside = layout.kind == "tokens" and layout.prefix > 0
    return inside or (images is not None and bool(_beside(model, images, layer)))
