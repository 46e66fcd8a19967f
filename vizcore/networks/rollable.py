"""Which attention matrices can be multiplied through all blocks; or why none can, in a sentence."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from torch import nn

from ..model import Layout
from .watch import LAMBDA, OVER_PLACES, WITHOUT_MATRIX, Watched


def rollout_of(
    net: nn.Module,
    watched: Watched,
    layouts: dict[str, Layout],
    blocks: list[str],
    grid: tuple[int, int] | None,
    prefix: int,
) -> tuple[list[str], str]:
    """The attention modules whose matrices can be multiplied through all blocks; or none, and why."""
    kinds = {type(module).__name__ for module in net.modules()}
    products = watched.over_places(layouts)
    if any(map(LAMBDA.match, kinds)):
        if any(map(OVER_PLACES.fullmatch, kinds)):
            return [], _BESIDE_LAMBDA
        return [], (
            "Lambda layers sum the context up in a linear function of the query: no matrix says which place "
            "looks at which, so there is nothing to roll out."
        )
    patches = math.prod(grid) if grid else -1
    matrices = watched.put_out if watched.put_out.shapes else watched.computed
    shapes = {
        name: shape for name, shape in matrices.shapes.items()
        if matrices is watched.put_out or min(shape[-2:]) > 1
        and (name in matrices.applied or shape[-2] == shape[-1] in (patches, patches + prefix))
    }  # fmt: skip
    if not products and not shapes:
        if any(map(WITHOUT_MATRIX.fullmatch, kinds)):
            return [], _NO_MATRIX
        return [], _WITHOUT_SOFTMAX if watched.multiplies(layouts) else _NO_ATTENTION
    whole = [
        name
        for name, shape in shapes.items()
        if len(shape) == 4 and shape[0] == watched.batch and shape[-1] == shape[-2]
        and patches <= shape[-1] <= patches + prefix and shape[-1] in (patches, patches + prefix)
    ]  # fmt: skip
    right = [name for name in whole if name in matrices.stochastic and name in matrices.applied]
    if right and len(right) == len(shapes) == products and not watched.hidden:
        return ([], SIDE_BY_SIDE) if _side_by_side(right, watched.started, blocks) else (right, "")
    return [], _why(watched, shapes, whole, right)


_NO_ATTENTION = (
    "It has no attention over places: in none of its layers does each place look at the others by a softmax, "
    "so there is nothing to roll out."
)
_WITHOUT_SOFTMAX = (
    "Its places weigh each other by products of their features, but by no softmax of torch's, so no matrix "
    "says what share each has, and there is nothing to roll out."
)
_SHARED = (
    "Its attention runs several times in one pass with the same module, so its matrices can't be told apart."
)
_NO_MATRIX = "Its attention gives no matrix away that could be read, so there is nothing to roll out."
_UNMULTIPLIED = (
    "What its attention puts out is multiplied with no values as a matrix is, so it doesn't say which place "
    "looks at which, and there is nothing to roll out."
)
_BESIDE_LAMBDA = (
    "Some of its layers are lambda layers, which give no matrix of which place looks at which, so the way "
    "through all blocks can't be followed."
)
SIDE_BY_SIDE = (
    "In its blocks several attentions work side by side and add up, so their matrices can't be multiplied "
    "one after the other."
)
OUT_OF_ORDER = (
    "In its attention heads and pictures share an axis, in an order that isn't known here, so no matrix can "
    "be said to be that of one picture."
)


def _why(watched: Watched, shapes: Mapping[str, Sequence[int]], whole: list[str], right: list[str]) -> str:
    """What keeps a network's attention from being rolled out, in a sentence."""
    if not shapes:
        return _NO_MATRIX
    if watched.put_out.again:
        return _SHARED
    if whole and len(right) < len(whole):
        return (
            "What its attention puts out is not, as it stands, what is applied to the values (heads are "
            "mixed, or one matrix is taken from another), so the matrices can't be multiplied."
        )
    if not watched.products:
        return _UNMULTIPLIED
    if right:
        return (
            "Only some of its attention layers look from every patch at every patch of one grid, so the way "
            "through all blocks can't be followed."
        )
    if any(len(shape) > 4 or shape[0] > watched.batch for shape in shapes.values()):
        return (
            "Its attention is confined to windows or other parts of the picture, so its matrices can't be "
            "multiplied over the whole."
        )
    if shapes and all(shape[-1] != shape[-2] for shape in shapes.values()):
        return (
            "Its attention looks at a coarser grid than it looks from, so its matrices can't be multiplied."
        )
    return (
        "Its attention is not from every patch to every patch on one grid in all of its blocks, so its "
        "matrices can't be multiplied."
    )


def _side_by_side(names: list[str], started: dict[str, int], blocks: list[str]) -> bool:
    """Whether two attentions of one block begin with the same tensor."""
    for a, b in itertools.pairwise(names):
        if not any(a.startswith(f"{block}.") and b.startswith(f"{block}.") for block in blocks):
            continue
        one, other = a.split("."), b.split(".")
        depth = 1 + next(i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
        if started.get(".".join(one[:depth]), 0) == started.get(".".join(other[:depth]), 1):
            return True
    return False
