"""Which attention a network has: the pass is watched for what convolves, and for what a softmax is
multiplied with.

An attention matrix is offered only if it is, as it stands, what the network multiplies its values with, in
all of its attention layers, from every patch to every patch on one grid. Else there is a sentence that says
why not.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..model import Layout
from ..opened import FUSED, Opened, by_heads
from .order import Seen, key_change

# attention that never makes its matrix is known by name alone; none of places are gates, attention over
# channels, and blocks that hold whatever layer they are given
_NO_PLACES = (
    "SelfAttnBlock|Squeeze|Split|Channel|Coord|Cbam|Spatial|Select|Eca|Pool|Gather|Efficient(Channel|Se)"
)
LAMBDA = re.compile(r"Lambda")
OVER_PLACES = re.compile(rf"(?!.*({_NO_PLACES}|CrossCov|XCA)).*(Attn|Attention|MLA|MHSA|MSA).*")
WITHOUT_MATRIX = re.compile(rf"(?!.*({_NO_PLACES})).*(Attn|Attention|MLA|MHSA|MSA|XCA).*")


class Matrices:
    """Matrices of attention, by the module that puts them out, or by where they are computed."""

    def __init__(self) -> None:
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.again: set[str] = set()  # that one module puts out several times in a pass
        self.stochastic: set[str] = set()  # whose rows are shares
        self.applied: set[str] = set()  # that are, as they are, multiplied with the values


class Watched(Opened):
    """Watches a pass: which softmax is multiplied with values, and what convolves."""

    def __init__(self, copy: nn.Module, batch: int):
        super().__init__(copy, self._computed)
        self.batch = batch
        self.started: dict[str, int] = {}  # by module, where its input lies in memory
        self.put_out, self.computed = Matrices(), Matrices()
        self.products: list[tuple[int, int, int, int]] = []  # rows a picture, queries, keys, width of values
        self.unshared: list[tuple[int, ...]] = []  # axes of products of features where no softmax is
        self.along: list[int] = []  # lengths of what is convolved along one axis
        self.first: dict[int, Seen] = {}  # by the number of tokens
        self.hidden = 0  # attentions computed in one piece, whose matrix nobody sees
        self.convolves = False
        self._weights = {one.untyped_storage().data_ptr() for one in (*copy.parameters(), *copy.buffers())}
        self._fused: Tensor | None = None
        self._recent: deque = deque(maxlen=4)

    def note(self, found: Matrices, name: str, matrix: Tensor) -> None:
        if found.shapes.pop(name, None) is not None:
            found.again.add(name)
        heads = by_heads(matrix, self.batch) if found is self.computed else matrix
        found.shapes[name] = tuple(heads.shape)
        count = heads.shape[-1]
        if heads.ndim == 4 and len(heads) == self.batch > 1 and heads.shape[-2] == count:
            if count not in self.first:
                self.first[count] = Seen(key_change(heads), tuple(self.started))
        rows, near = matrix.float().sum(-1), max(1e-3, 2 * torch.finfo(matrix.dtype).eps)
        if torch.allclose(rows, torch.ones_like(rows), atol=near):
            found.stochastic.add(name)
        self._recent.append((found, name, matrix, matrix._version))

    def _computed(self, name: str, matrix: Tensor) -> Tensor:
        self._fused = matrix
        self.note(self.computed, name, matrix)
        return matrix

    def __torch_function__(
        self, func: Callable, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        self._fused, name = None, getattr(func, "__name__", "")
        result = super().__torch_function__(func, types, args, kwargs)
        if name in ("conv1d", "conv2d", "_conv_forward"):
            self._note_convolution(args, kwargs or {})
        elif name in ("matmul", "__matmul__", "bmm") and len(args) == 2:
            self._note_product(*args)
        elif name == "einsum":
            self._note_sum(*args)
        elif name in FUSED:
            self._note_fused(result if isinstance(result, Tensor) else result[0])
        return result

    def _note_convolution(self, args: tuple, kwargs: dict[str, Any]) -> None:
        kernel = args[1].shape[2:] if len(args) > 1 else (1, 1)
        stride = kwargs.get("stride", args[3] if len(args) > 3 else 1)
        strides = (stride, stride) if isinstance(stride, int) else tuple(stride)
        if any(size > step for size, step in zip(kernel, strides, strict=False)):
            if len(kernel) > 1:
                self.convolves = True
            else:
                self.along += [given.shape[-1] for given in args[:1]]

    def _note_product(self, left: Any, right: Any) -> None:
        if not (isinstance(left, Tensor) and isinstance(right, Tensor) and left.ndim >= 3):
            return
        for one, other in ((left, right), (right.mT, left.mT)):  # matrix @ values, or values @ matrixᵀ
            if self._note_applied(one, other.shape[-1]):
                return
        self._note_unshared((left, right), (*left.shape[-2:], right.shape[-1]))

    def _note_unshared(self, operands: Sequence[Any], axes: Sequence[int]) -> None:
        """A product of two things that were computed of each picture, neither by a softmax."""
        if min(axes) > 1 and all(
            isinstance(one, Tensor)
            and one.untyped_storage().data_ptr() not in self._weights
            and one.numel() // math.prod(one.shape[-2:]) % self.batch == 0
            for one in operands
        ):
            self.unshared.append(tuple(axes))

    def _note_sum(self, equation: Any, *operands: Any) -> None:
        """A product written as a sum: "bhqk,bhkd->bhqd"."""
        operands = (
            tuple(operands[0]) if len(operands) == 1 and isinstance(operands[0], list | tuple) else operands
        )
        if not isinstance(equation, str) or "->" not in equation or len(operands) != 2:
            return
        terms, kept = equation.replace(" ", "").split("->")
        names = terms.split(",")
        for k, one in enumerate(operands):
            (*_, query, key), other = names[k], names[1 - k]
            width = [axis for axis in other if axis in kept and axis not in names[k]]
            if key in other and key not in kept and query in kept and query not in other and width:
                size = operands[1 - k].shape[other.index(width[0]) - len(other)]
                if self._note_applied(one, size):
                    return
        summed = set(names[0]) & set(names[1]) - set(kept)
        sizes = {axis: size for name, one in zip(names, operands, strict=True)
                 for axis, size in zip(name, one.shape, strict=False)}  # fmt: skip
        if summed and "." not in equation:
            self._note_unshared(operands, [sizes[axis] for axis in summed])

    def _note_applied(self, one: Tensor, width: int) -> bool:
        """Whether one of the last matrices is multiplied with values, and as it stands; and which."""
        for found, name, matrix, version in reversed(self._recent):
            if one.shape[-2:] != matrix.shape[-2:] or one.numel() != matrix.numel():
                continue
            same = one.data_ptr() == matrix.data_ptr() and matrix._version == version
            if same or (one.dtype != matrix.dtype and torch.equal(one, matrix.view_as(one).to(one.dtype))):
                if not same or one.stride()[-2:] == matrix.stride()[-2:]:  # columns would be rows else
                    found.applied.add(name)
                rows = one.numel() // one.shape[-1] // self.batch
                self.products.append((rows, one.shape[-2], one.shape[-1], width))
                return True
        return False

    def _note_fused(self, result: Tensor) -> None:
        if self._fused is None:
            self.hidden += 1
            rows = result.numel() // result.shape[-1] // self.batch
            self.products.append((rows, result.shape[-2], result.shape[-2], result.shape[-1]))
        else:
            self._note_applied(self._fused, result.shape[-1])

    def over_places(self, layouts: dict[str, Layout]) -> int:
        """How many of the products are of places with places, not of channels with channels."""
        counts = _counts(layouts)
        return sum(
            queries > 1
            and keys > 1
            and not (width in counts and keys not in counts)  # channels: the width is the places
            and (queries == keys or queries in counts or any(rows % count == 0 for count in counts))
            for rows, queries, keys, width in self.products
        )

    def multiplies(self, layouts: Mapping[str, Layout]) -> bool:
        """Whether features of places are multiplied with features of places where no softmax is."""
        return any(_counts(layouts) & set(axes) for axes in self.unshared)


def _counts(layouts: Mapping[str, Layout]) -> set[int]:
    """How many tokens or places there may be."""
    counts = {math.prod(layout.grid) + extra for layout in layouts.values() for extra in (0, layout.prefix)}
    return {count for count in counts if count > 1}


def is_attention(module: nn.Module) -> bool:
    """Whether a module is one that attends, by its kind or by what is in it."""
    return isinstance(module, nn.MultiheadAttention) or hasattr(module, "attn_drop")


def mixing(net: nn.Module, watched: Watched, layouts: Mapping[str, Layout], attending: bool) -> str:
    """By what a network's places learn of each other, in words."""
    summing = any(LAMBDA.match(type(module).__name__) for module in net.modules())
    convolving = watched.convolves or bool(_counts(layouts) & set(watched.along))
    ways = {"convolution": convolving, "lambda layers": summing, "attention": attending}
    found = [way for way, there in ways.items() if there]
    if not found and watched.multiplies(layouts):
        return "products of their features"
    *first, last = found or ["neither convolution nor attention"]
    return f"{', '.join(first)} and {last}" if first else last


def attends(net: nn.Module, watched: Watched, layouts: dict[str, Layout]) -> bool:
    """Whether places look at places: by what was multiplied, by a matrix put out, or by a module's name."""
    kinds = {type(module).__name__ for module in net.modules()}
    named = any(map(OVER_PLACES.fullmatch, kinds))
    if any(map(LAMBDA.match, kinds)) and not named:  # their softmax has no queries
        return False
    tokens = [layout for layout in layouts.values() if layout.kind == "tokens"]
    counts = {math.prod(layout.grid) + layout.prefix for layout in tokens}
    whole = any(shape[-1] == shape[-2] and shape[-1] in counts for shape in watched.put_out.shapes.values())
    return whole or watched.over_places(layouts) > 0 or named
