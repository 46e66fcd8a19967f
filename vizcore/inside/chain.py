"""Which blocks of a network hand on all that it knows, from one to the next: tried, not believed.

If a block's output is all that the rest of the network hears of the picture, another picture's in its place
gives the other picture's answer. A few passes try it for all blocks at once: outputs of two pictures are put
in, mixed in several ways, and each block must put out what belongs to the one before it, whatever else is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn

from ..capture import capture
from ..model import VisionModel
from ..modes import in_any_mode
from ..networks import geometry
from ..networks.one_pass import awake
from .replaced import everywhere, replaced, with_maps

NEAR = 2e-3  # of the difference between two pictures' outputs: what counts as the same
ROUNDING = 2e-5  # of the largest score: a smaller difference of two answers says nothing
TRIED = 4  # blocks from the end among which the last one is looked for
_PASSING = ("Identity", "Dropout", "DropPath")


class Chain(NamedTuple):
    """Blocks of one shape, one behind the other, of which each is all that the next one hears."""

    layers: tuple[str, ...]  # the last is the one behind which the answer is read; empty: there are none
    why_not: str = ""  # in a sentence, where there are none
    by_places: bool = True  # behind the last, places are read alike, wherever they are
    why_no_places: str = ""  # in a sentence, where they aren't
    small: bool = False  # a single place stands for a whole picture that is everywhere like it


@in_any_mode
def chain(model: VisionModel) -> Chain:
    """The blocks whose outputs can stand for the whole network's knowledge of a picture.

    Takes about six passes; ask once for a network and keep the answer.
    """
    if not model.num_classes:
        return Chain((), f"{model.title} has no classes, so there is no answer to be read half-way.")
    net = awake(model.net)  # a head that starts at zero would answer everything alike
    size = model.preprocess(Image.new("RGB", (256, 256))).shape[1:]
    pictures = torch.cat([geometry.poked(size, geometry.FEW[:1], seed)[:1] for seed in range(2)])
    pictures = pictures.to(model.preprocess(Image.new("RGB", (256, 256))))
    answers = capture(net, pictures, ()).output
    if not (answers[0] - answers[1]).abs().max() > ROUNDING * answers.abs().max():
        return Chain(
            (), f"With these weights {model.title} answers two unlike pictures alike, but for rounding."
        )
    for names in _candidates(model):
        seen = capture(net, pictures, names)
        found = _connected(net, pictures, names, seen.layers, seen.output)
        if found:
            return _read_by_places(model, net, pictures, found, seen.layers[found[-1]], seen.output)
    return Chain(
        (),
        f"In {model.title} no block's output is all that the rest of the network hears of the picture "
        "(something leads past the last blocks), so no block can be read alone.",
    )


def _candidates(model: VisionModel) -> Iterator[list[str]]:
    """Rows of blocks of one kind and shape, each ending with one behind which the answer may be read."""
    modules, names = dict(model.net.named_modules()), model.blocks or model.layers
    norms = [name for name in names if "Norm" in _kind(modules, name)]
    others = [name for name in names if name not in norms and _kind(modules, name) not in _PASSING]
    for last in [*others[: -TRIED - 1 : -1], *norms[: -TRIED - 1 : -1]]:
        yield from _rows(model, modules, last)


def _kind(modules: dict[str, nn.Module], name: str) -> str:
    return type(modules[name]).__name__


def _rows(model: VisionModel, modules: dict[str, nn.Module], last: str) -> Iterator[list[str]]:
    """Of a stage its own blocks; then the blocks up to ``last``, of its kind and with its features."""
    inside = [name for name in model.layers if name.startswith(f"{last}.") and name.split(".")[-1].isdigit()]
    if inside:
        depth = min(name.count(".") for name in inside)
        yield [
            name for name in inside if name.count(".") == depth and _alike(model, modules, name, inside[-1])
        ]
    names = model.blocks or model.layers
    before = names[: names.index(last) + 1]
    yield [name for name in before if _alike(model, modules, name, last)]


def _alike(model: VisionModel, modules: dict[str, nn.Module], one: str, other: str) -> bool:
    a, b = model.layouts[one], model.layouts[other]
    same = a._replace(order=None) == b._replace(order=None)
    return same and _kind(modules, one) == _kind(modules, other)


def _near(one: Tensor, wanted: Tensor, other: Tensor) -> bool:
    """Whether it is what is wanted, and not somewhere on the way to the other picture's."""
    between = (wanted - other).abs().max()
    return bool(between > 0) and bool((one - wanted).abs().max() <= NEAR * between)


def _connected(
    net: nn.Module, pictures: Tensor, names: Sequence[str], seen: dict[str, Tensor], answers: Tensor
) -> tuple[str, ...]:
    """The longest end of a row past none of whose blocks anything leads; () if it does past the last."""
    heard = [True] * len(names)  # whether each was given nothing but what the one before it handed on
    for bit in range(len(names).bit_length()):
        # each place has a number, the picture 0: of any two of them one bit differs, so do their pictures

        def change(place: int, name: str, bit: int = bit):
            before, own = place >> bit & 1, (place + 1) >> bit & 1  # whose output is put in

            def put(output: Tensor) -> Tensor:
                if place:
                    heard[place] &= _near(output, seen[name][before : before + 1], seen[name][1 - before])
                return seen[name][own : own + 1].clone()

            return put

        changes = {name: change(place, name) for place, name in enumerate(names)}
        answer, last = replaced(net, pictures[:1], changes), len(names) >> bit & 1
        if not _near(answer, answers[last : last + 1], answers[1 - last]):
            return ()
    breaks = [place for place, whole in enumerate(heard) if not whole]
    return tuple(names[max(breaks, default=0) :])


def _read_by_places(
    model: VisionModel,
    net: nn.Module,
    pictures: Tensor,
    names: tuple[str, ...],
    last: Tensor,
    answers: Tensor,
) -> Chain:
    """Whether what is behind the last block reads its places alike, wherever they are."""
    name, layout, images = names[-1], model.layouts[names[-1]], pictures[:1]
    maps = layout.maps(last)  # (2, C, h, w)
    mixed = torch.randperm(maps[0, 0].numel(), generator=torch.Generator().manual_seed(0)).to(maps.device)
    moved = with_maps(layout, last, maps.flatten(2)[..., mixed].view_as(maps))
    if not _near(replaced(net, images, {name: lambda _: moved[:1].clone()}), answers[:1], answers[1:]):
        return Chain(
            names,
            by_places=False,
            why_no_places=f"Behind {name} {model.title} weighs each place by where it is (as a "
            "classifier on a flattened map does), so a place says nothing alone.",
        )
    some = maps.flatten(2)[0].T[:: max(1, maps[0, 0].numel() // 3)]  # (M, C)
    tokens = last.shape[1] if layout.kind == "tokens" else 0
    whole = everywhere(layout, some, tokens, layout.grid)
    one = everywhere(layout, some, tokens - maps[0, 0].numel() + 1, (1, 1))
    try:
        wanted = replaced(net, images, {name: lambda _: whole.clone()})
    except RuntimeError:
        wanted = None
    if wanted is None or len(wanted) != len(some):
        return Chain(names, by_places=False, why_no_places=_ALONE.format(name, model.title))
    try:
        found = replaced(net, images, {name: lambda _: one.clone()})
    except RuntimeError:  # what is behind asks for as many places as there are
        return Chain(names)
    near = found.shape == wanted.shape and _close(found, wanted)
    return Chain(names, small=near)


_ALONE = "What is behind {} of {} can't be asked about single places."


def _close(one: Tensor, other: Tensor) -> bool:
    return bool((one - other).abs().max() <= 1e-4 * other.abs().max().clamp(min=1e-6))
