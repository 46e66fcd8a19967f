"""What a network of somebody's returns: where its scores stand, what they are, and whether it means them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..scores import FEATURES, PLAIN, Ending, answering, unclear, unwrapped
from . import geometry

NEAR = 1e-3  # of the largest value, or some rounding errors where these are larger: what counts as the same
ROUNDINGS = 32


def understood(net: nn.Module, images: Tensor, title: str, scores_are: str | None) -> tuple[nn.Module, str]:
    """A network that returns nothing but its scores, if it has any; and what was found, in words.

    Args:
        images: (1, 3, H, W), of the size that it gets.

    Raises:
        ValueError: a picture's answer is another one each time, or hangs on the pictures beside it; or
            several things may be scores. The message begins with ``title``.
    """
    pictures = geometry.poked(images.shape[1:], geometry.FEW[:1]).to(images)
    with torch.no_grad():
        before = pictures.clone()
        with Ending() as ending:
            output = net(pictures[:1])
        if not torch.equal(before, pictures):
            net, pictures = answering(net, scores_are, overwrites=True), before
        _check_steady(net, pictures, output, title)
        names = unclear(output)
        if names:
            raise ValueError(
                f"{title} returns {' and '.join(names)}, and nothing says which of them are its scores: "
                "let it return these alone, or call them 'logits'."
            )
        scores, where = unwrapped(output)
        kind, how = _made(net, pictures, scores, ending) if where else ("", "")
    features = any(where.startswith(f".{name}") for name in FEATURES)
    undone = bool(kind) and not features and scores_are in (None, kind)
    scores_are, plain = kind if undone else scores_are, where in ("", PLAIN)
    if scores_are is None and plain:
        return net, ""
    said = [] if plain else [f"its {'features' if features else 'scores'} are {where}"]
    said += [f"it ends in probabilities, so its scores are {how}"] if undone else []
    return answering(net, scores_are, not features, undone), "".join(f"; {one}" for one in said)


def _same(one: Tensor, other: Tensor) -> bool:
    near = max(NEAR, ROUNDINGS * torch.finfo(one.dtype).eps)
    return bool((one - other).abs().max() <= near * one.abs().max()) or not one.isfinite().all()


def _told(output: Any) -> list[Tensor]:
    """What has to be a picture's own: the scores, or where there are none, all numbers that are returned."""
    scores, where = unwrapped(output)
    if where or isinstance(output, Tensor):
        return [scores] if scores.is_floating_point() else []
    if not isinstance(output, Mapping | tuple | list):
        return []
    parts = output.values() if isinstance(output, Mapping) else output
    return [one for part in parts for one in _told(part)]


def _check_steady(net: nn.Module, pictures: Tensor, alone: Any, title: str) -> None:
    """Raise a ValueError where a picture isn't answered alike, alone and beside another one."""
    wanted = _told(alone)

    def found(output: Any) -> bool:
        """Whether another pass gave the first picture the same."""
        pairs = [
            (one[0], other[0]) for one, other in zip(wanted, _told(output), strict=False)
            if one.ndim and one.numel() and len(one) == 1 and one.shape[1:] == other.shape[1:]
        ]  # fmt: skip
        return all(itertools.starmap(_same, pairs))

    if found(net(pictures)):
        return
    if found(net(pictures[:1])):
        raise ValueError(
            f"{title} answers a picture otherwise when another one is beside it in the batch (as a batch "
            "norm without running statistics does), so no map would be that of one picture."
        )
    raise ValueError(
        f"{title} answers the same picture otherwise each time: something in it draws by lot in eval mode, "
        "as dropout does that is always on. A map would be of one draw."
    )


def _made(net: nn.Module, pictures: Tensor, scores: Tensor, ending: Ending) -> tuple[str, str]:
    """By what scores are probabilities already, "softmax" or "sigmoid", and what they were before; or ""."""
    if ending.ends(scores) and ending.kind == "sigmoid":
        return "sigmoid", "what its last sigmoid is given"
    if scores.shape[1] < 2 or not _shares(scores) or not _shares(unwrapped(net(pictures))[0]):
        return "", ""
    return "softmax", "what its last softmax is given" if ending.ends(scores) else "their logarithms"


def _shares(scores: Tensor) -> bool:
    near = max(NEAR, 2 * torch.finfo(scores.dtype).eps)
    return bool((scores >= 0).all()) and bool(((scores.float().sum(1) - 1).abs() <= near).all())
