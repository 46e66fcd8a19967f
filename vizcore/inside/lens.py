"""What each place says, block by block: the way from the last block to the answer, applied early.

The "logit lens" (nostalgebraist, 2020) for pictures: the features of one place after one block, as if they
stood at every place behind the last block, and what the rest of the network then answers. In a Vision
Transformer that is its norm and its head, applied to each token; in a CNN its classifier, applied at each
place (Zhou et al., CVPR 2016, before the mean). Middle blocks needn't be aligned with the answer: nothing
taught them to be, and what they say early is no proof of what they know.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ..capture import capture
from ..model import VisionModel
from ..modes import in_any_mode
from ..scores import probabilities
from ..shapes import full, one_picture
from .chain import Chain, chain
from .replaced import everywhere, first_tokens, replaced

BYTES = 64 * 2**20  # of scores, or of features, at a time


class Said(NamedTuple):
    """What is said after one block, in scores as the network puts them out."""

    layer: str
    places: Tensor  # (K, h, w): of each place, on the block's own grid
    first: Tensor  # (P, K): of the tokens that are no patch: class token, distillation token, registers
    stopped: Tensor  # (K,): the answer, if the blocks behind were left out


def why_no_lens(model: VisionModel, found: Chain) -> str:
    """Why the places of a network can't be asked, in a sentence; "" where they can."""
    return found.why_not or found.why_no_places


@in_any_mode
def lens(model: VisionModel, images: Tensor, found: Chain | None = None) -> Iterator[Said]:
    """What each place of one picture, (1, 3, H, W), says after each block of a ``chain``, in order.

    Args:
        found: ``chain(model)``, if it is known.

    Raises:
        ValueError: several pictures; or single places can't be asked in this network.

    >>> import torch
    >>> from vizcore.models import load_model
    >>> model = load_model("texture_vit", device="cpu")
    >>> [one.places.shape for one in lens(model, torch.zeros(1, 3, 128, 128))][-1]
    torch.Size([20, 8, 8])
    """
    one_picture(images)
    found = found or chain(model)
    if why := why_no_lens(model, found):
        raise ValueError(why)
    layers, layout = found.layers, model.layouts[found.layers[-1]]
    seen = {name: values.detach() for name, values in capture(model.net, images, layers).layers.items()}
    whole = torch.cat([seen[name] for name in layers])  # (layers, ...)
    stopped = torch.cat([_behind(model, images, layers[-1], part) for part in _parts(whole)])
    first, maps = first_tokens(layout, whole), layout.maps(whole)  # (layers, P, C), (layers, C, h, w)
    rows = torch.cat([maps.flatten(2).transpose(1, 2), first], 1)  # (layers, N + P, C)
    places, patches = rows.shape[1], maps[0, 0].numel()
    tokens = whole.shape[1] if layout.kind == "tokens" else 0
    kept = (tokens - patches + 1, (1, 1)) if found.small else (tokens, layout.grid)
    each = max(stopped.shape[1], everywhere(layout, rows[0, :1], *kept).numel()) * 4 * places
    step = max(1, BYTES // each)
    for start in range(0, len(layers), step):
        scores = _asked(model, images, layers[-1], rows[start : start + step].flatten(0, 1), layout, kept)
        for k, own in enumerate(scores.unflatten(0, (-1, places)), start):  # (N + P, K)
            by_place = own[:patches].T.unflatten(1, layout.grid)
            yield Said(layers[k], by_place, own[patches:], full(stopped[k]))


def _parts(values: Tensor) -> tuple[Tensor, ...]:
    return values.split(max(1, BYTES // (4 * values[0].numel())))


def _behind(model: VisionModel, images: Tensor, layer: str, values: Tensor) -> Tensor:
    """What the network answers if a layer puts out ``values`` (M, ...): (M, K)."""
    return replaced(model.net, images, {layer: lambda _: values.clone()})


def _asked(model: VisionModel, images: Tensor, layer: str, features: Tensor, layout, kept) -> Tensor:
    """What the network answers if a layer puts out the same features (M, C) everywhere: (M, K)."""
    each = 4 * everywhere(layout, features[:1], *kept).numel()
    parts = features.split(max(1, BYTES // each))
    answers = [_behind(model, images, layer, everywhere(layout, part, *kept)) for part in parts]
    return full(torch.cat(answers))


def chances(model: VisionModel, said: Said) -> Tensor:
    """The probability of each class at each place, (K, h, w); values where a network has no probabilities."""
    return probabilities(model.net, said.places.movedim(0, -1)).movedim(-1, 0)


def agreeing(said: Said, answer: int) -> float:
    """The share of the places whose likeliest class is ``answer``, 0 to 1; nan if none finds one likelier."""
    if not (said.places.amax(0) > said.places.amin(0)).any():
        return math.nan
    return (said.places.argmax(0) == answer).float().mean().item()


# ---------------------------------------------------------------- names as colours

# of Okabe and Ito, apart for every kind of colour vision; the orange and the blue are the networks' own
NAMED = ((0.0, 0.62, 0.45), (0.8, 0.47, 0.65), (0.94, 0.89, 0.26), (0.34, 0.71, 0.91), (0.84, 0.37, 0.0))
ANOTHER = (0.45, 0.45, 0.45)  # of any further name


def named(likeliest: Tensor, classes: list[int]) -> Tensor:
    """The likeliest class of each place as a colour: (h, w) -> (3, h, w), 0 to 1.

    Args:
        likeliest: indices, as ``places.argmax(0)``. classes: those that get the colours of ``NAMED``.
    """
    colours = torch.tensor([*NAMED, ANOTHER])
    which = torch.full(likeliest.shape, len(NAMED))
    for k, one in enumerate(classes[: len(NAMED)]):
        which[likeliest.cpu() == one] = k
    return colours[which].movedim(-1, 0)
