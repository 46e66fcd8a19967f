"""The units of a network, and what each of them says of pictures: channels of a layer, heads, classes.

A channel says a value at each place, a class one score. A head writes a vector into each place's token: its
value there is that vector's length, behind the projection that mixes the heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..capture import first_tensor, passed, private_copy
from ..model import Layout, VisionModel, check_class, check_layer
from ..modes import in_any_mode
from ..shapes import full
from .projections import Heads, Own, check_head, columns_of

KINDS = ("channels", "heads", "classes")


class Group(NamedTuple):
    """Units that are asked together."""

    kind: str  # one of ``KINDS``
    layer: str = ""  # one of ``model.layers`` for channels, of ``model.attention`` for heads; of classes none


class Peak(NamedTuple):
    """The extremes of each unit in each picture."""

    highest: Tensor  # (B, U)
    places: Tensor  # (B, U) of the highest: row * columns + column
    lowest: Tensor  # (B, U)


Keep = Callable[[Group, Tensor], Any]  # a group's maps (B, U, h, w) -> what is kept of them


def count_of(model: VisionModel, group: Group, heads: Heads | None = None) -> int:
    """How many units a group has.

    Raises:
        ValueError: no such group, or its values can't be seen.
    """
    if group.kind == "channels":
        return check_layer(model, group.layer).channels
    if group.kind == "classes":
        check_class(model, 0)
        return model.num_classes
    return _own(model, group, heads).count


def grid_of(model: VisionModel, group: Group) -> tuple[int, int]:
    """Rows and columns of a group's places; one place for classes."""
    if group.kind == "channels":
        return check_layer(model, group.layer).grid
    return (1, 1) if group.kind == "classes" or model.grid is None else model.grid


def check_unit(model: VisionModel, group: Group, unit: int, heads: Heads | None = None) -> None:
    """Raise a ValueError unless a group has such a unit."""
    count = count_of(model, group, heads)
    if group.kind == "heads":
        check_head(model, group.layer, _own(model, group, heads), unit)
    elif group.kind == "classes":
        check_class(model, unit)
    elif not 0 <= unit < count:
        raise ValueError(f"channel {unit} is not one of {group.layer} of {model.title}, 0 to {count - 1}")


def _own(model: VisionModel, group: Group, heads: Heads | None) -> Own:
    found = (heads or {}).get(group.layer)
    if group.kind != "heads" or found is None:
        raise ValueError(f"{model.title} has no {group.kind} {group.layer!r}; there are {', '.join(KINDS)}")
    if found.way != "projection":
        raise ValueError(f"What the heads of {group.layer} write can't be seen in {model.title}.")
    return found


@in_any_mode
def responses(
    model: VisionModel, images: Tensor, groups: Sequence[Group], keep: Keep, heads: Heads | None = None
) -> dict[Group, Any]:
    """What is kept of the maps of some groups, from one pass of ``images`` (B, 3, H, W).

    Args:
        keep: gets each group's maps while the pass goes on, and must not keep them as they are: what follows
            may overwrite them. They have a graph to the images if those require a gradient.
        heads: of ``projections.heads(model)``, where heads are asked.

    Raises:
        ValueError: no such group.
        RuntimeError: a layer that the pass did not use.
    """
    copy, found = private_copy(model.net), {}
    for group in groups:
        count_of(model, group, heads)
        if group.kind == "channels":
            _watch(copy, group, check_layer(model, group.layer), found, keep)
        elif group.kind == "heads":
            _watch_heads(model, copy, group, _own(model, group, heads), found, keep)
    with torch.set_grad_enabled(images.requires_grad):
        scores = passed(copy, images)  # (B, K)
        for group in groups:
            if group.kind == "classes":
                found[group] = keep(group, full(scores)[..., None, None])
    if missing := [group.layer for group in groups if group not in found]:
        raise RuntimeError(f"the forward pass of {model.title} does not run {', '.join(missing)}")
    return found


def _watch(copy: nn.Module, group: Group, layout: Layout, found: dict, keep: Keep) -> None:
    def seen(_module: nn.Module, _inputs: tuple, whole: Any) -> None:
        output = first_tensor(whole)
        if output is None:
            raise TypeError(f"{group.layer} puts out a {type(whole).__name__}, not one tensor")
        found[group] = keep(group, full(layout.maps(output)))

    copy.get_submodule(group.layer).register_forward_hook(seen)


def _watch_heads(
    model: VisionModel, copy: nn.Module, group: Group, own: Own, found: dict, keep: Keep
) -> None:
    def given(module: nn.Module, inputs: tuple) -> None:
        found[group] = keep(group, layout.maps(written(own, module, inputs[0])))

    assert model.grid is not None
    usual = Layout("tokens", own.count, model.grid, model.num_prefix_tokens)
    layout = model.layouts.get(group.layer, usual)._replace(channels=own.count)
    copy.get_submodule(own.where).register_forward_pre_hook(given)


def written(own: Own, projection: nn.Module, values: Tensor) -> Tensor:
    """How much each head writes: what a projection reads, (B, N, C) -> lengths (B, N, heads)."""
    assert isinstance(projection.weight, Tensor)
    weight, lengths = full(projection.weight), []  # (C', C)
    for head in range(own.count):
        columns = columns_of(own, [head])
        part = full(values[..., columns]) @ weight[:, columns].T  # (B, N, C')
        lengths.append(part.square().sum(-1).add(1e-20).sqrt())  # a root at 0 has no slope
    return torch.stack(lengths, -1)


def peak(_group: Group, maps: Tensor) -> Peak:
    """The extremes of maps (B, U, h, w)."""
    flat = maps.flatten(2)
    highest, places = flat.max(-1)
    return Peak(highest, places, flat.amin(-1))
