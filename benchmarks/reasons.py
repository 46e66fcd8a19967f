"""Is it true why a network's attention isn't rolled out? Checked one floor below the app's own trace.

The app hears of functions of torch by name and of modules that put a matrix out. Here the operators are
watched that they come down to (ATen), whatever called them: what a softmax made, what is multiplied with
what, which attention is computed in one piece. The reason is then held against that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode


class Product(NamedTuple):
    """Queries that look at keys: a product of a softmax with something, or attention in one piece."""

    parts: int  # heads, windows, pictures
    queries: int
    keys: int
    pure: bool  # what the softmax made, as it stands; unknown for attention in one piece: True


class Facts(NamedTuple):
    products: list[Product]
    mixed: int  # products of two activations without any softmax: linear attention, or a matrix mixed before
    softmaxes: int  # over three axes and more
    given: list[Tensor]  # matrices that a module named as attention's dropout puts out
    owners: set[str]  # whose
    kinds: set[str]  # what timm calls its modules


class Operators(TorchDispatchMode):
    def __init__(self, weights: set[int]):
        super().__init__()
        self.weights, self.softmaxes, self.products, self.mixed = weights, [], [], 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        name = func._schema.name
        if name == "aten::_softmax" and result.ndim >= 3:
            self.softmaxes.append(result)
        elif "scaled_dot_product" in name and args[0].shape[-2] > 1:
            query, key = args[:2]
            self.products.append(Product(query[..., 0, 0].numel(), query.shape[-2], key.shape[-2], True))
        elif name == "aten::bmm":
            self._product(*args)
        return result

    def _product(self, left: Tensor, right: Tensor) -> None:
        if {left.untyped_storage().data_ptr(), right.untyped_storage().data_ptr()} & self.weights:
            return
        for made in reversed(self.softmaxes[-4:]):
            for one, axes in ((left, (-2, -1)), (right, (-1, -2))):
                if one.numel() == made.numel() and _same(one, made):
                    self.products.append(Product(len(one), one.shape[axes[0]], one.shape[axes[1]], True))
                    return
        if min(*left.shape[1:], *right.shape[1:]) > 1:
            self.mixed += 1


def _same(one: Tensor, made: Tensor) -> bool:
    if one.untyped_storage().data_ptr() == made.untyped_storage().data_ptr():
        return True
    return one.shape[-2:] == made.shape[-2:] and torch.equal(one.flatten(), made.flatten())


def facts(net: nn.Module, images: Tensor) -> Facts:
    """What a pass over one picture, (1, 3, H, W), comes down to."""
    given: list[tuple[str, Tensor]] = []
    handles = [
        module.register_forward_hook(lambda _m, _i, output, name=name: given.append((name, output)))
        for name, module in net.named_modules()
        if name.endswith("attn_drop")
    ]
    fused = [module for module in net.modules() if getattr(module, "fused_attn", False)]
    for module in fused:
        module.fused_attn = False
    weights = {value.untyped_storage().data_ptr() for value in (*net.parameters(), *net.buffers())}
    watched = Operators(weights)
    try:
        with torch.no_grad(), watched:
            net(images)
    finally:
        for handle in handles:
            handle.remove()
        for module in fused:
            module.fused_attn = True
    kinds = {type(module).__name__ for module in net.modules()}
    matrices, owners = [matrix for _, matrix in given], {name for name, _ in given}
    return Facts(watched.products, watched.mixed, len(watched.softmaxes), matrices, owners, kinds)


def _square(found: Facts) -> list[Product]:
    return [one for one in found.products if one.queries == one.keys]


# a part of the sentence -> whether it is so
REASONS: dict[str, Callable[[Facts], bool]] = {
    "no attention over places": lambda f: (
        not f.given and not [one for one in f.products if one.queries > 1 and one.keys > 1]
    ),
    "weigh each other by products": lambda f: (
        not f.given and f.mixed > 0 and not [one for one in f.products if one.queries > 1 and one.keys > 1]
    ),
    "gives no matrix away": lambda f: (
        not f.given and (bool(f.products or f.mixed) or any("Attention" in kind for kind in f.kinds))
    ),
    "multiplied with no values": lambda f: bool(f.given) and not f.products,
    "not, as it stands": lambda f: bool(f.given) and f.mixed > len(f.products),  # else one: q @ k
    "Only some of its attention layers": lambda f: (
        len({(p.parts, p.queries, p.keys) for p in f.products}) > 1 or 0 < len(f.given) < len(f.products)
    ),
    "confined to windows": lambda f: (
        len({p.parts for p in f.products}) > 1
        or any(given.shape[0] > 1 or given.ndim > 4 for given in f.given)
    ),
    "coarser grid": lambda f: bool(f.products) and not _square(f),
    "not from every patch to every patch": lambda f: (
        len({(p.queries, p.keys) for p in f.products}) > 1
        or any(given.shape[-1] != given.shape[-2] for given in f.given)
    ),
    "Lambda layers": lambda f: f.softmaxes > 0 and not _square(f),
    "same module": lambda f: len(f.given) > len(f.owners),
    "side by side": lambda f: any("Parallel" in kind for kind in f.kinds) and len(f.products) > 1,
}


def checked(net: nn.Module, images: Tensor, sentence: str) -> str:
    """What contradicts a sentence; "" where it is so."""
    found = facts(net, images)
    for part, holds in REASONS.items():
        if part in sentence:
            return "" if holds(found) else f"not so: {_told(found)}"
    return f"nobody checks {sentence!r}"


def _told(found: Facts) -> str:
    kinds = sorted({one[:3] for one in found.products})
    given = sorted({tuple(one.shape) for one in found.given})
    return f"{len(found.products)} products {kinds}, {found.mixed} without a softmax, puts out {given}"
