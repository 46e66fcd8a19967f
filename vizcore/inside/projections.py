"""The heads of a network's attention, and where each of them adds to the rest: tried, not believed.

A head's values are laid side by side with those of the others, and a linear layer, the projection, mixes
them. Which layer that is shows in one pass in which the first head's matrix is zero: the first linear layer
behind that whose first columns are zero then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from ..capture import expose_attention, private_copy
from ..model import VisionModel
from ..modes import in_any_mode
from ..networks import geometry
from ..opened import Opened, by_heads

Head = tuple[str, int]  # a module of ``model.attention``, and which of its heads


class Own(NamedTuple):
    """The heads of one attention module."""

    count: int
    way: str  # how one is switched off: "projection", "matrix", "weights", or "" where it can't be
    where: str = ""  # the module in which that is done
    width: int = 0  # columns of a head in the projection
    why_not: str = ""  # in words, where it can't be


Heads = Mapping[str, Own]  # by module of ``model.attention``


@in_any_mode
def heads(model: VisionModel) -> dict[str, Own]:
    """The heads of each module of ``model.attention``; empty where a network has no attention to be seen."""
    if not model.attention:
        return {}
    counts: dict[str, int] = {}
    projections: dict[str, tuple[str, int]] = {}
    copy, waiting = private_copy(model.net), []

    def put(name: str, matrix: Tensor) -> Tensor:
        by_head = by_heads(matrix, 1).clone()  # (1, heads, N, N)
        counts[name] = by_head.shape[1]
        by_head[:, 0] = 0
        waiting[:] = [name]
        return by_head.view_as(matrix)

    def keep(name: str):
        return lambda _module, _inputs, output: put(name, output)

    def read(name: str):
        def before(_module: nn.Module, inputs: tuple) -> None:
            if waiting and inputs and (width := _width(inputs[0], counts[waiting[0]])):
                projections[waiting.pop()] = name, width

        return before

    seen = []
    for name in model.attention:
        if expose_attention(copy, f"{name}.attn_drop"):
            drop = copy.get_submodule(f"{name}.attn_drop")
            drop.register_forward_hook(keep(name))
        else:
            seen.append(name)
    for name, module in copy.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_pre_hook(read(name))
    like = model.preprocess(Image.new("RGB", (256, 256)))
    picture = geometry.poked(like.shape[1:], geometry.FEW[:1])[:1].to(like)
    with torch.no_grad(), Opened(copy, put, seen) if seen else nullcontext():
        copy(picture)
    return {
        name: _own(model.net, name, counts.get(name, 1), projections.get(name)) for name in model.attention
    }


def _width(given: object, count: int) -> int:
    """How many columns a head has in what a projection reads, if its first ones, and they alone, are zero."""
    if not isinstance(given, Tensor) or given.shape[-1] % count:
        return 0
    width = given.shape[-1] // count
    others = count == 1 or bool(given[..., width:].any())
    return width if others and not given[..., :width].any() else 0


def _own(net: nn.Module, name: str, count: int, projection: tuple[str, int] | None) -> Own:
    if projection is not None:
        return Own(count, "projection", *projection)
    module = net.get_submodule(name.partition("#")[0])
    if isinstance(module, nn.MultiheadAttention):
        where = f"{name}.out_proj"
        return Own(count, "weights", where, module.embed_dim // count)
    if "#" not in name and hasattr(module, "attn_drop"):
        return Own(count, "matrix", f"{name}.attn_drop")
    return Own(count, "", why_not=f"no layer behind {name} reads its heads side by side")


def check_head(model: VisionModel, module: str, found: Own, head: int) -> None:
    """Raise a ValueError unless a module has such a head."""
    if not 0 <= head < found.count:
        raise ValueError(f"head {head} is not one of {module} of {model.title}, 0 to {found.count - 1}")


def columns_of(found: Own, which: Iterable[int]) -> list[int]:
    """The columns of some heads in the projection."""
    return [column for head in which for column in range(head * found.width, (head + 1) * found.width)]
