"""What can be seen in a network: which layers are maps of the picture, and which attention is read.

Nothing is believed by its shape or its name. One pass over pictures that differ in one square each shows
which outputs follow the picture (``geometry``); timm's ``forward_intermediates`` says how tokens lie on the
way; the multiplications of the pass show which matrix is applied to the values; and one pass back shows from
which places the answer is read. All of it on a private copy, in which weights that start at zero are small
random numbers: what a network is does not depend on what its weights happen to be.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from ..methods.tokens import readout
from ..model import Layout
from . import geometry
from .layouts import blocks, depth, layouts, patches
from .left_out import remark
from .one_pass import Traced, awake, watched_pass
from .order import OUT_OF_PLACE, out_of_place
from .reading import in_line, read_from
from .rollable import rollout_of
from .second_look import doubtful, settled, told_apart
from .watch import attends, mixing

APART = 4  # how much more is heard of a token by itself than of one among all patches
_READ_ELSEWHERE = (
    "Its answer is not read from the tokens that it is usually read from, so nothing says where to start."
)


def trace(net: nn.Module, images: Tensor, title: str) -> dict[str, Any]:
    """The fields of a ``VisionModel`` that say what can be seen.

    Args:
        net: frozen, in eval mode. images: (1, 3, H, W), of the size that the network gets.

    Returns:
        Also "reads_from": shares of the tokens that the answer is read from, where they are not the usual.

    Raises:
        RuntimeError: whatever the network raises on pictures.
        ValueError: no layer is a map of the picture, or the output is not finite; the message begins with
            ``title``.
    """
    copy = awake(net)
    pictures = geometry.poked(images.shape[1:]).to(images)
    found = watched_pass(copy, pictures)
    output = found.output
    grid, prefix = patches(net, found)
    on_offer, left_out, own = _maps(net, copy, images, found, grid, prefix, title)
    tokens = 2 * sum(layout.kind == "tokens" for layout in on_offer.values()) > len(on_offer)
    attending = attends(net, found.attention, on_offer)
    rolled = rollout_of(net, found.attention, on_offer, own, grid, prefix)
    scores = isinstance(output, Tensor) and output.ndim == 2 and output.is_floating_point()
    classes = scores and getattr(net, "num_classes", None) != 0
    last = rolled[0][-1] if rolled[0] else ""
    ran = list(found.attention.started)
    cam_layer, read = read_from(copy, pictures[:1], on_offer, own, classes, last, ran)
    attention, no_rollout, reads = _start(net, copy, pictures, found, on_offer, rolled, read, grid, prefix)
    return {
        "num_classes": output.shape[1] if classes else 0,
        "features": scores and not classes,
        "reads_from": reads,
        "family": "vit" if tokens or attending else "cnn",
        "mixing": mixing(net, found.attention, on_offer, attending),
        "layers": list(on_offer),
        "blocks": own,
        "layouts": on_offer,
        "left_out": left_out,
        "cam_layer": cam_layer,
        "remark": remark({*found.known, *depth(net)}, list(found.shapes), left_out, cam_layer),
        "attention": attention,
        "no_rollout": no_rollout,
        "grid": grid if tokens or attention else None,
        "num_prefix_tokens": prefix if tokens or attention else 0,
    }


def _maps(
    net: nn.Module, copy: nn.Module, images: Tensor, found: Traced, grid: tuple[int, int] | None, prefix: int,
    title: str,
) -> tuple[dict[str, Layout], dict[str, str], list[str]]:  # fmt: skip
    """The layouts of the layers that are maps; those that look like some and aren't, and why; the blocks."""
    height, width = images.shape[2:]
    on_offer, left_out = layouts(net, found, (height, width), grid, prefix)
    left_out = told_apart(copy, images, left_out)
    own = blocks(net, found.known, on_offer)
    if doubtful(found, on_offer, own or on_offer):
        on_offer, left_out = settled(copy, images, on_offer, left_out)
        own = blocks(net, found.known, on_offer)
    last = " in the last of its several runs"
    left_out = {name: reason + last * (name in found.again) for name, reason in left_out.items()}
    _check(found.output, on_offer, left_out, title)
    return on_offer, left_out, own


def _start(
    net: nn.Module, copy: nn.Module, pictures: Tensor, found: Traced, on_offer: dict[str, Layout],
    rolled: tuple[list[str], str], read: Tensor | None, grid: tuple[int, int] | None, prefix: int,
) -> tuple[list[str], str, tuple[float, ...]]:  # fmt: skip
    """The attention to roll out, or none and why; and shares of the tokens to start from, if unusual."""
    attention, no_rollout = rolled
    reads: tuple[float, ...] = ()
    if attention and not found.attention.put_out.shapes:
        wrong, read = in_line(copy, pictures[:2], attention)
        if wrong:
            attention, no_rollout = [], wrong
    if attention and grid and out_of_place(found.attention.first, found.shapes, on_offer, grid, prefix):
        return [], OUT_OF_PLACE, ()
    if (
        attention
        and grid
        and read is not None
        and not torch.equal(read > 0, readout(net, grid, prefix)[0] > 0)
    ):
        reads = _shares(read, prefix)
        if not reads:
            attention, no_rollout = [], _READ_ELSEWHERE
    return attention, no_rollout, reads


def _shares(read: Tensor, prefix: int) -> tuple[float, ...]:
    """Shares of the tokens that an answer is read from, if those are usual ones; else ().

    ``read`` is how much is heard of each, (N,). Some of the first tokens, alike; all patches, or all tokens,
    alike; or both, half of it from each.
    """
    heard, read = read, (read > 0).float()
    first, patches = read[:prefix], read[prefix:]
    if patches.any() and not patches.all():
        return ()
    if first.any() and not first[: int(first.sum())].all():
        return ()
    apart = heard[:prefix].mean() > APART * heard[prefix:].mean()  # the class token, and the patches' mean
    if first.any() and patches.all() and (apart or not first.all()):
        shares = torch.cat([first / first.sum(), patches / patches.sum()]) / 2
    else:
        shares = read / read.sum()
    return tuple(shares.tolist())


def _check(output: Any, on_offer: dict[str, Layout], left_out: dict[str, str], title: str) -> None:
    """Raise a ValueError where there is nothing to see."""
    if isinstance(output, Tensor) and output.is_floating_point() and not output.isfinite().all():
        raise ValueError(f"{title} can't be visualised: its output on an ordinary picture is not finite.")
    if not on_offer:
        reasons = list(dict.fromkeys(left_out.values()))
        why = f": {reasons[0]}" if len(reasons) == 1 else ""
        raise ValueError(
            f"{title} can't be visualised: none of its layers puts out a map of the picture{why}."
        )
