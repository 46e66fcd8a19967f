"""Do pictures made for one network convince another? Judged in random views, by name of the class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..batch_size import batch_size
from ..model import VisionModel
from ..modes import in_any_mode
from ..networks.folded import folded
from ..objectives import Target, objective
from ..scores import kind_of
from .augment import draw, look
from .maximise import ALL_VIEWS, input_size, normalisation

VIEWS = 32
SEED = 1_000_003  # of the judges' views; pictures are made with smaller seeds, so with other views


class Judged(NamedTuple):
    """What a network says about n pictures, each over all of its views; (n,) each.

    All NaN where a score in any of the views is not a finite number: a broken network has no verdict.
    """

    right: Tensor  # share of the views in which the target is its first answer, above all others
    probability: Tensor  # mean, of the target
    rank: Tensor  # mean, of the target; 1 is its first answer, and equal scores share the mean of their ranks


@in_any_mode
def judge(model: VisionModel, pictures: Tensor, targets: Sequence[Target], views: int = VIEWS) -> Judged:
    """Show pictures (n, 3, H, W), 0 to 1, in random views, the same ones for all, and ask for the targets."""
    size, (mean, std) = input_size(model), normalisation(model)
    pictures = pictures.to(model.device, torch.float32)
    if tuple(pictures.shape[-2:]) != size:  # first, and smoothly: views sample without a filter
        pictures = F.interpolate(pictures, size, mode="bilinear", antialias=True)
    drawn = draw(ALL_VIEWS, [torch.Generator().manual_seed(SEED)], views)
    parts = [(len(part), drawn.part(part)) for part in torch.arange(views).split(batch_size(pictures.device))]
    found = []
    for picture, target in zip(pictures, targets, strict=True):
        with torch.inference_mode():
            seen = (look(picture.expand(n, -1, -1, -1), part, size, mean, std) for n, part in parts)
            output = torch.cat([model.net(some.to(model.preprocess.dtype)).float() for some in seen])
        verdict = torch.stack([value.mean() for value in _verdict(model, output, target)])
        found.append(verdict if output.isfinite().all() else torch.full_like(verdict, torch.nan))
    return Judged(*torch.stack(found).cpu().unbind(1))


def _verdict(model: VisionModel, output: Tensor, target: Target) -> tuple[Tensor, Tensor, Tensor]:
    """Right or not, probability and rank in each view, (views,), of scores (views, classes).

    A label by itself is right above one half, and a single one is second to its "no" below. A value is
    neither right nor wrong, nor is what is about no class: NaN.
    """
    wanted, kind = objective(model, target), kind_of(model.net, model.num_classes)
    unknown = torch.full_like(output[:, 0], torch.nan)
    probability = wanted.chance(output) if wanted.chance else unknown
    if wanted.index is None or kind == "values":
        return unknown, probability, unknown
    own = output[:, wanted.index, None]
    above, equal = (output > own).sum(1), (output == own).sum(1) - 1  # (views,)
    right = ((above == 0) & (equal == 0)).float()
    if kind == "sigmoid":
        right = (own[:, 0] > 0).float()
        if output.shape[1] == 1:
            above = 1 - right
    return right, probability, 1 + above + equal / 2


def counterpart(model: VisionModel, index: int, other: VisionModel) -> int | None:
    """The class of ``other`` that has the name of a class of ``model``; None where none or several have."""
    if model.net is other.net or (model.labels and model.labels == other.labels):
        return index
    if not index < len(model.labels):
        return None
    name = model.label(index).casefold()
    same = [k for k in range(len(other.labels)) if other.label(k).casefold() == name]
    return same[0] if len(same) == 1 else None


class Made(NamedTuple):
    """Pictures that were made for a network's classes."""

    model: VisionModel
    robust: bool  # with random views
    classes: list[int]
    pictures: Tensor  # (n, 3, H, W), 0 to 1


class Verdict(NamedTuple):
    """What one network says about one picture; the fields of a row of the table."""

    origin: str  # titles of the networks
    robust: bool
    judge: str
    name: str  # of the class
    right: float  # as of ``Judged``
    probability: float
    rank: float


class Compared(NamedTuple):
    done: int
    total: int
    verdicts: list[Verdict]  # so far
    unknown: list[tuple[str, str]]  # (judge, name of a class that it doesn't know)


def cross_evaluate(made: Sequence[Made], judges: Sequence[VisionModel]) -> Iterator[Compared]:
    """Every picture before every network that knows its class; yields what is known after each picture."""
    verdicts, unknown, done = [], [], 0
    shown = next((one.pictures for one in made if len(one.pictures)), torch.empty(0))
    asked = [without_norms(other, shown) for other in judges]
    total = len(judges) * sum(len(one.classes) for one in made)
    for one in made:
        for index, picture in zip(one.classes, one.pictures, strict=True):
            name = one.model.label(index)
            for other, quick in zip(judges, asked, strict=True):
                target = counterpart(one.model, index, other)
                done += 1
                if target is None:
                    unknown = list(dict.fromkeys([*unknown, (other.title, name)]))
                    continue
                found = judge(quick, picture[None], [target])
                scores = [value.item() for value in found]
                verdicts = [*verdicts, Verdict(one.model.title, one.robust, other.title, name, *scores)]
            yield Compared(done, total, verdicts, unknown)


def without_norms(model: VisionModel, pictures: Tensor) -> VisionModel:
    """The model for many views: where it has batch norms the same answers in less time (``folded``).

    Args:
        pictures: (n, 3, H, W), 0 to 1; the first is what both are asked about.
    """
    if not len(pictures):
        return model
    seen = F.interpolate(pictures[:1].to(model.device, torch.float32), input_size(model), mode="bilinear")
    return replace(model, net=folded(model.net, seen.to(model.preprocess.dtype)))
