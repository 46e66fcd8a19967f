"""Switch it off: the same network without some heads, blocks, channels or places. What becomes of its answer?

An activation is no cause. This is a test of cause: what is off is 0, or what it is in the mean over other
pictures. Neither is a picture that the network was made for: zero may be far from anything it ever saw, and a
part that others stand in for is missed by nobody (the "Hydra effect", McGrath et al., 2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from ..capture import first_tensor, own_hooks, passed, private_copy
from ..methods.passes import there
from ..model import VisionModel, check_layer
from ..modes import in_any_mode
from ..shapes import full, one_picture
from .projections import Head, Heads, check_head, columns_of
from .replaced import hook, with_maps

KINDS = ("heads", "block", "channels", "places")


class Off(NamedTuple):
    """What is off."""

    kind: str  # one of ``KINDS``
    layer: str  # a module of ``model.attention`` for heads, one of ``model.layers`` for the others
    which: tuple[Any, ...] = ()  # heads or channels by index, places as (row, column); of a block nothing


Means = Mapping[tuple[str, str], Tensor]  # by kind and layer, what it is in the mean: (1, ...)


@in_any_mode
def switched_off(
    model: VisionModel, off: Sequence[Off], heads: Heads | None = None, means: Means | None = None
) -> VisionModel:
    """The model without some of its parts, ready for every method; ``model`` is not touched.

    A head that is off adds nothing: its columns of the projection read zeros. A block that is off hands on
    what it is given. A channel is off at every place, and in every token.

    Args:
        heads: of ``projections.heads(model)``, for any that are off.
        means: of ``means_over``; what is off becomes that instead of 0.

    Raises:
        ValueError: no such head, layer, channel or place, or a kind that isn't one of ``KINDS``.
    """
    copy = private_copy(model.net)
    for one in off:
        mean = None if means is None else means[one.kind, one.layer]
        _PUT[one.kind if one.kind in KINDS else _unknown(one.kind)](model, copy, one, heads or {}, mean)
    own_hooks(copy)
    return replace(model, net=copy)


def _unknown(kind: str) -> str:
    raise ValueError(f"{kind!r} can't be switched off; there are {', '.join(KINDS)}")


def _heads(model: VisionModel, copy: nn.Module, off: Off, heads: Heads, mean: Tensor | None) -> None:
    found = heads.get(off.layer)
    if found is None or found.way == "":
        why = found.why_not if found else f"{off.layer!r} has no heads that are known"
        raise ValueError(f"Heads of {model.title} can't be switched off: {why}.")
    for head in off.which:
        check_head(model, off.layer, found, head)
    if mean is not None and found.way != "projection":
        raise ValueError(f"What the heads of {off.layer} put out can't be seen, so none can be its mean.")
    if found.way == "projection":
        taken = columns_of(found, off.which)

        def before(_module: nn.Module, inputs: tuple) -> tuple:
            fresh = inputs[0].clone()  # (B, N, C)
            fresh[..., taken] = 0 if mean is None else mean[..., taken].to(fresh)
            return (fresh, *inputs[1:])

        copy.get_submodule(found.where).register_forward_pre_hook(before)
    elif found.way == "matrix":
        copy.get_submodule(off.layer).fused_attn = False  # pyright: ignore[reportArgumentType]
        keep = torch.ones(found.count, 1, 1)
        keep[list(off.which)] = 0
        hook(copy, found.where, lambda matrix: matrix * keep.to(matrix))  # (B, heads, N, N)
    else:
        projection = copy.get_submodule(found.where)
        weight = cast(Tensor, projection.weight).detach().clone()  # (C, heads * width)
        weight[:, columns_of(found, off.which)] = 0
        projection._parameters["weight"] = nn.Parameter(weight, requires_grad=False)


def _block(model: VisionModel, copy: nn.Module, off: Off, _heads: Heads, mean: Tensor | None) -> None:
    check_layer(model, off.layer)

    def after(_module: nn.Module, inputs: tuple, options: dict, whole: Any) -> Any:
        output, given = first_tensor(whole), _given(inputs, options)
        if output is None or given is None or given.shape != output.shape:
            raise ValueError(
                f"{off.layer} of {model.title} puts out another shape than it is given, so what comes behind "
                "can't do without it."
            )
        fresh = given.clone() if mean is None else given + mean.to(given)
        return fresh if isinstance(whole, Tensor) else type(whole)((fresh, *whole[1:]))

    copy.get_submodule(off.layer).register_forward_hook(after, with_kwargs=True)


def _given(inputs: tuple, options: dict) -> Tensor | None:
    """The first tensor that a module is given."""
    return next((one for one in (*inputs, *options.values()) if isinstance(one, Tensor)), None)


def _channels(model: VisionModel, copy: nn.Module, off: Off, _heads: Heads, mean: Tensor | None) -> None:
    layout, which = check_layer(model, off.layer), list(off.which)
    if wrong := [one for one in which if not 0 <= one < layout.channels]:
        last = layout.channels - 1
        raise ValueError(f"channel {wrong[0]} is not one of {off.layer} of {model.title}, 0 to {last}")
    axis = 1 if layout.kind == "NCHW" else -1

    def without(output: Tensor) -> Tensor:
        fresh = output.movedim(axis, -1).clone()
        fresh[..., which] = 0 if mean is None else mean.to(fresh).movedim(axis, -1)[..., which]
        return fresh.movedim(-1, axis).contiguous()

    hook(copy, off.layer, without)


def _places(model: VisionModel, copy: nn.Module, off: Off, _heads: Heads, mean: Tensor | None) -> None:
    layout = check_layer(model, off.layer)
    taken = places_of(model, off.layer, off.which)  # (h, w)

    def without(output: Tensor) -> Tensor:
        maps = layout.maps(output)
        instead = torch.zeros_like(maps) if mean is None else layout.maps(mean.to(output)).expand_as(maps)
        return with_maps(layout, output, torch.where(taken.to(maps.device), instead, maps))

    hook(copy, off.layer, without)


def places_of(model: VisionModel, layer: str, which: Iterable[tuple[int, int]]) -> Tensor:
    """Some places of a layer, (row, column), as a mask (h, w).

    Raises:
        ValueError: no such layer with a map, or no such place.
    """
    rows, columns = check_layer(model, layer).grid
    taken = torch.zeros(rows, columns, dtype=torch.bool)
    for row, column in which:
        if not (0 <= row < rows and 0 <= column < columns):
            raise ValueError(
                f"{layer} of {model.title} has {rows} × {columns} places; ({row}, {column}) is none of them"
            )
        taken[row, column] = True
    return taken


_PUT = {"heads": _heads, "block": _block, "channels": _channels, "places": _places}


# ---------------------------------------------------------------- means


@in_any_mode
def means_over(
    model: VisionModel, pictures: Iterable[Tensor], off: Sequence[Off], heads: Heads | None = None
) -> dict[tuple[str, str], Tensor]:
    """What parts that are to be off are in the mean over pictures, (B, 3, H, W) each, for each place alone.

    Of a head what its projection reads, of a block what it adds, of others what the layer puts out.
    """
    copy, sums = private_copy(model.net), {}

    def add(key: tuple[str, str], values: Tensor) -> None:
        sums[key] = sums.get(key, 0) + values.detach().double().sum(0, keepdim=True)

    for one in dict.fromkeys((one.kind, one.layer) for one in off):
        kind, layer = one
        if kind == "heads":
            found = (heads or {}).get(layer)
            if found is None or found.way != "projection":
                raise ValueError(f"What the heads of {layer} put out can't be seen, so it has no mean.")
            copy.get_submodule(found.where).register_forward_pre_hook(_summing_given(add, one))
        else:
            copy.get_submodule(layer).register_forward_hook(_summing(add, one), with_kwargs=True)
    count = 0
    with torch.no_grad():
        for images in pictures:
            passed(copy, images)
            count += len(images)
    if not count:
        raise ValueError("there are no pictures to take a mean over")
    return {key: full((values / count).float()) for key, values in sums.items()}


def _summing_given(add: Any, key: tuple[str, str]) -> Any:
    return lambda _module, inputs: add(key, inputs[0])


def _summing(add: Any, key: tuple[str, str]) -> Any:
    def after(_module: nn.Module, inputs: tuple, options: dict, whole: Any) -> None:
        output, given = first_tensor(whole), _given(inputs, options)
        if output is not None and key[0] != "block":
            add(key, output)
        elif output is not None and given is not None and given.shape == output.shape:
            add(key, output - given)

    return after


# ---------------------------------------------------------------- many heads at once


@in_any_mode
def without_heads(
    model: VisionModel,
    images: Tensor,
    rows: Sequence[Sequence[Head]],
    heads: Heads,
    means: Means | None = None,
) -> Tensor:
    """What the network answers about one picture, (1, 3, H, W), without some heads, for many choices of them.

    Args:
        rows: for each answer, the heads that are off: (module, index) each.
        heads: of ``projections.heads(model)``.

    Returns:
        (rows, K), its scores.
    """
    one_picture(images)
    together, found = there(model, images), []
    for start in range(0, len(rows), together):
        some = rows[start : start + together]
        copy = private_copy(model.net)
        for module in dict.fromkeys(module for row in some for module, _ in row):
            own = [[head for name, head in row if name == module] for row in some]
            _rowwise(model, copy, module, own, heads, None if means is None else means["heads", module])
        with torch.no_grad():
            found.append(passed(copy, images.expand(len(some), -1, -1, -1).clone()))
    return full(torch.cat(found))


def _rowwise(
    model: VisionModel, copy: nn.Module, module: str, rows: list[list[int]], heads: Heads, mean: Tensor | None
) -> None:
    """Switch other heads of a module off for each picture of a batch."""
    found = heads[module]
    if mean is not None and found.way != "projection":
        raise ValueError(f"What the heads of {module} put out can't be seen, so none can be its mean.")
    if found.way == "projection":

        def before(_module: nn.Module, inputs: tuple) -> tuple:
            fresh = inputs[0].clone()  # (B, N, C)
            for k, own in enumerate(rows):
                taken = columns_of(found, own)
                fresh[k][..., taken] = 0 if mean is None else mean[0][..., taken].to(fresh)
            return (fresh, *inputs[1:])

        copy.get_submodule(found.where).register_forward_pre_hook(before)
    elif found.way == "matrix":
        copy.get_submodule(module).fused_attn = False  # pyright: ignore[reportArgumentType]
        keep = torch.ones(len(rows), found.count, 1, 1)
        for k, own in enumerate(rows):
            keep[k, own] = 0
        hook(copy, found.where, lambda matrix: matrix * keep.to(matrix))
    else:
        why = found.why_not or f"{module} has one projection for a whole batch"
        raise ValueError(f"Heads of {model.title} can't be switched off one by one: {why}.")
