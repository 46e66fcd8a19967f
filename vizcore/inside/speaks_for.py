"""Which classes a unit speaks for: how each class's score changes as the unit rises by 1 at every place.

Where nothing but a mean and linear layers follow, that is the classifier's own weight, the same for every
picture. Elsewhere it is the gradient along the unit at given pictures, of all classes at once. It is local:
what is said of a small change, near these pictures.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..capture import expose_attention, first_tensor, passed, private_copy
from ..model import VisionModel, check_class, check_layer
from ..modes import in_any_mode
from ..opened import Opened
from ..shapes import full
from .projections import Heads, columns_of
from .replaced import hook
from .unit_groups import Group, check_unit

NEAR = 1e-4  # of the largest change of a score: what counts as the same


class Spoken(NamedTuple):
    """What follows from a unit, or leads to a class."""

    mean: Tensor  # (K,) of a unit: the change of each score; (C,) of a class: by channel
    apart: Tensor  # the same shape: standard deviation over the pictures; 0 where it is exact
    exact: bool  # whether it is the same for every picture


@in_any_mode
def linear_behind(model: VisionModel, layer: str, images: Tensor) -> bool:
    """Whether the scores are a linear function of what a layer puts out (and a constant): tried.

    Args:
        images: (1, 3, H, W), on whose way other values are put in. They have both signs and are as large as
            those that they replace, so that a ReLU or a norm behind the layer shows.
    """
    generator, given = torch.Generator().manual_seed(0), {}
    copy = private_copy(model.net)

    def put(kind: int) -> Tensor:
        def change(output: Tensor) -> Tensor:
            if "a" not in given:
                size = full(output).std().clamp(min=1e-6)
                for name in "ab":
                    noise = torch.randn(output.shape, generator=generator).to(output.device)
                    given[name] = (noise * size).to(output)
            parts = [given[name] for name, bit in zip("ab", (1, 2), strict=True) if kind & bit]
            return sum(parts, torch.zeros_like(output))

        own = private_copy(copy)
        hook(own, layer, change)
        with torch.no_grad():
            return full(passed(own, images))

    none, one, other, both = (put(kind) for kind in range(4))
    wanted = (one - none) + (other - none)
    size = torch.stack([one - none, other - none]).abs().max()
    return bool(size > 0) and bool((both - none - wanted).abs().max() <= NEAR * size)


@in_any_mode
def speaks_for(
    model: VisionModel, group: Group, unit: int, images: Tensor, heads: Heads | None = None
) -> Spoken:
    """How each class's score changes with a unit, at pictures (B, 3, H, W).

    A channel rises by 1 at every place and in every token. A head writes more of what it writes: what is told
    is by how much each score would change if it wrote twice as much, and the slope stayed.

    Raises:
        ValueError: no such unit, a class, no classes; or no gradient leads through the network.
    """
    check_unit(model, group, unit, heads)
    check_class(model, 0)
    if group.kind == "classes":
        raise ValueError("a class speaks for itself; ask spoken_for which channels speak for it")
    if group.kind == "channels" and linear_behind(model, group.layer, images[:1]):
        found = _along(model, group, unit, images[:1], None)
        return Spoken(found[0], torch.zeros_like(found[0]), True)
    found = _along(model, group, unit, images, heads)  # (B, K)
    return Spoken(found.mean(0), found.std(0, correction=0), False)


def _along(model: VisionModel, group: Group, unit: int, images: Tensor, heads: Heads | None) -> Tensor:
    """The derivative of all scores along a unit, for each picture: (B, K)."""
    copy = private_copy(model.net)
    amount = torch.zeros(len(images), device=images.device, requires_grad=True)
    if group.kind == "heads":
        _write_more(copy, group, unit, (heads or {}), amount)
    else:
        _raise(copy, group.layer, 1 if check_layer(model, group.layer).kind == "NCHW" else -1, unit, amount)
    scores = full(_in_the_open(model, copy, images))
    if not scores.requires_grad:
        return torch.zeros_like(scores)
    # a gradient of the gradient by what it was multiplied with: all classes' derivatives at once
    weights = torch.zeros_like(scores, requires_grad=True)
    try:
        # of a scalar: told a slope, torch imports sympy first, which takes a second and 30 MB
        (back,) = torch.autograd.grad((scores * weights).sum(), amount, create_graph=True)
        return torch.autograd.grad(back.sum(), weights)[0].detach()
    except RuntimeError as error:
        raise ValueError(
            f"No gradient of all classes leads through {model.title} ({str(error).splitlines()[0][:120]})."
        ) from error


def _in_the_open(model: VisionModel, copy: nn.Module, images: Tensor) -> Any:
    """A pass in which no attention is fused: that has no second derivative."""
    seen = [name for name in model.attention if not expose_attention(copy, f"{name}.attn_drop")]
    with Opened(copy, lambda _name, matrix: matrix, seen) if seen else nullcontext():
        return passed(copy, images)


def _raise(copy: nn.Module, layer: str, axis: int, unit: int, amount: Tensor) -> None:
    def more(output: Tensor) -> Tensor:
        shape = [1] * output.ndim
        shape[axis] = output.shape[axis]
        one = torch.zeros(output.shape[axis], dtype=output.dtype, device=output.device)
        one[unit] = 1
        return output.detach() + amount.to(output).view(-1, *[1] * (output.ndim - 1)) * one.view(shape)

    hook(copy, layer, more)


def _write_more(copy: nn.Module, group: Group, head: int, heads: Heads, amount: Tensor) -> None:
    own = heads[group.layer]
    columns = columns_of(own, [head])

    def more(_module: nn.Module, inputs: tuple) -> tuple:
        values = inputs[0].detach()  # (B, N, C)
        part = torch.zeros_like(values)
        part[..., columns] = values[..., columns]
        return (values + amount.to(values)[:, None, None] * part, *inputs[1:])

    copy.get_submodule(own.where).register_forward_pre_hook(more)


@in_any_mode
def spoken_for(model: VisionModel, index: int, layer: str, images: Tensor) -> Spoken:
    """How a class's score changes with each channel of a layer, at pictures (B, 3, H, W).

    Raises:
        ValueError: no such class or layer; or no gradient leads through the network.
    """
    check_class(model, index)
    layout = check_layer(model, layer)
    exact = linear_behind(model, layer, images[:1])
    images = images[:1] if exact else images
    copy, seen = private_copy(model.net), []

    def begin(_module: nn.Module, _inputs: tuple, whole: Any) -> Any:
        output = first_tensor(whole)
        assert output is not None
        seen[:] = [output.detach().requires_grad_()]
        handed_on = seen[0].clone()
        return handed_on if isinstance(whole, Tensor) else type(whole)((handed_on, *whole[1:]))

    copy.get_submodule(layer).register_forward_hook(begin)
    scores = passed(copy, images)[:, index].sum()
    if not scores.requires_grad:
        found = torch.zeros(len(images), layout.channels)
    else:
        (slope,) = torch.autograd.grad(scores, seen, allow_unused=True, materialize_grads=True)
        axis = 1 if layout.kind == "NCHW" else -1
        found = full(slope).movedim(axis, -1).flatten(1, -2).sum(1)  # (B, C)
    return Spoken(found.mean(0), found.std(0, correction=0), exact)
