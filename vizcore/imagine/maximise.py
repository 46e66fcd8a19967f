"""Activation maximisation: pictures that excite a class, a channel or a neuron as much as can be.

    steps = maximise(model, [logit(model, k) for k in range(8)])
    for step in steps:
        step.done, step.total, step.objective, step.pictures

Erhan et al. 2009; Simonyan et al. 2014 (L2); Mahendran & Vedaldi 2015 (total variation); Olah et al. 2017
(random views, Fourier pixels with decorrelated colours). A picture found like this is one of many that
excite the unit; it is not what the network sees in a photograph.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor

from ..capture import capture, slopes
from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Objective
from ..pictures.frame import steps
from .augment import Augment, draw, look
from .parameterise import PARAMETERISATIONS, start

PASS_BYTES = 400_000_000  # of activations that one pass may keep for its gradient


@dataclass(frozen=True)
class Recipe:
    """How a picture is found."""

    parameterisation: str = "Fourier"  # of ``PARAMETERISATIONS``
    steps: int = 128
    views: int = 2  # random views a step
    rate: float = 0.05  # of Adam
    l2: float = 0.0  # weight of the mean squared distance from mid grey
    tv: float = 0.0  # weight of the mean absolute difference between neighbours
    patience: int = 0  # steps without improvement before a picture is left as it is; 0: never
    min_change: float = 0.01  # of the smoothed objective, as a share of its size, that counts as one
    augment: Augment = Augment()


ALL_VIEWS = Augment(
    jitter=0.05, crop=0.4, rotation=15, perspective=0.2, flip=0.5, colour=0.2, hue=0.03, blur=1.0
)
RECIPES = {
    "clean": Recipe(augment=ALL_VIEWS),
    "vivid": Recipe("natural", steps=48, augment=ALL_VIEWS),  # four times as long, so fewer do
    "fast": Recipe(steps=48, views=1, rate=0.1, augment=ALL_VIEWS),
    "classic": Recipe("pixels", views=1, l2=1.0, patience=40, augment=ALL_VIEWS),
}
SMOOTHING = 0.9  # what the smoothed objective keeps of its last value at each step


class Step(NamedTuple):
    """One step of n pictures."""

    done: int
    total: int
    objective: Tensor  # (n,), less the regularisers; a stopped picture's last one
    pictures: Tensor  # (n, 3, H, W), 0 to 1: those that the objective is about
    best: Tensor  # (n, 3, H, W), each as it was when its smoothed objective was highest; never overwritten
    best_at: Tensor  # (n,) the step (``done``) that ``best`` is of
    running: Tensor  # the numbers of the pictures that have not stopped early


@in_any_mode
def maximise(
    model: VisionModel,
    objectives: Sequence[Objective],
    recipe: Recipe = RECIPES["clean"],
    seeds: Sequence[int] | None = None,
    pass_bytes: int = PASS_BYTES,
) -> Iterator[Step]:
    """Gradient ascent on n objectives at once, a picture for each.

    A picture depends on its objective and its seed alone, not on the others in the batch (but for rounding,
    which gradient ascent amplifies). Each picture stops early by itself; the run ends with the last one.

    Args:
        seeds: one for each objective; default all 0.
        pass_bytes: how much memory a pass may take for the gradient; larger batches go in several passes.

    Yields:
        What there is before each of the ``recipe.steps`` updates.

    >>> from vizcore.models import load_model
    >>> from vizcore.objectives import logit
    >>> model = load_model("texture_resnet", device="cpu")
    >>> first, *_, last = maximise(model, [logit(model, 3)], Recipe(steps=8))
    >>> last.pictures.shape, bool(last.objective > first.objective)
    (torch.Size([1, 3, 128, 128]), True)
    """
    size, device, n = input_size(model), model.device, len(objectives)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds or [0] * n]
    values = start(recipe.parameterisation, size, generators).to(device)
    moments = torch.zeros_like(values), torch.zeros_like(values)
    running = torch.arange(n, device=device)  # the pictures that have not stopped, by number
    track = _nothing_yet(n, size, device)
    for done in range(1, recipe.steps + 1):
        values.requires_grad_()
        shown = PARAMETERISATIONS[recipe.parameterisation].render(values, size)  # (r, 3, H, W)
        which = running.tolist()
        found, slope = _ascend(
            model, [objectives[i] for i in which], [generators[i] for i in which], shown, recipe, pass_bytes
        )
        # of a scalar: told a slope, torch imports sympy first, which takes a second
        (gradient,) = torch.autograd.grad((shown * slope).sum(), values)
        track = _followed(track, running, shown.detach(), found, done, recipe.min_change)
        going = (done - track.raised_at < recipe.patience)[running] if recipe.patience else running >= 0
        now = track.score, track.pictures, track.best, track.best_at
        yield Step(done, recipe.steps, *now, running[going])
        if not going.any():
            return

        values, gradient, running = values.detach()[going], gradient[going], running[going]
        values, moments = _adam(values, gradient, [one[going] for one in moments], recipe.rate, done)


class _Track(NamedTuple):
    """What has been seen of n pictures, and how each one's smoothed objective went."""

    pictures: Tensor  # (n, 3, H, W)
    best: Tensor  # (n, 3, H, W)
    score: Tensor  # (n,), as all that follow
    smoothed: Tensor
    highest: Tensor  # of ``smoothed``
    bar: Tensor  # what ``smoothed`` has to rise above to count as an improvement
    best_at: Tensor  # the step that ``highest`` is of
    raised_at: Tensor  # the step of the last improvement


def _nothing_yet(n: int, size: tuple[int, int], device: torch.device) -> _Track:
    blank = torch.zeros(n, 3, *size, device=device)
    scores = torch.full((4, n), -torch.inf, device=device)
    return _Track(blank, blank, *scores, *torch.zeros(2, n, dtype=torch.int64, device=device))


def _followed(
    track: _Track, running: Tensor, shown: Tensor, found: Tensor, done: int, min_change: float
) -> _Track:
    """The track after a step, in which the running pictures were ``shown`` and scored ``found``."""
    pictures, best, score, smoothed, highest, bar, best_at, raised_at = track
    pictures = pictures.index_copy(0, running, shown)
    old = smoothed[running]  # of a stopped picture it stays what it is
    new = torch.where(old.isinf(), found, old.lerp(found, 1 - SMOOTHING))
    smoothed = smoothed.index_copy(0, running, new)
    better = smoothed > highest
    raised = bar.isinf() | (smoothed > bar + min_change * bar.abs())
    return _Track(
        pictures=pictures,
        best=torch.where(better.view(-1, 1, 1, 1), pictures, best),  # a copy: ``pictures`` goes on
        score=score.index_copy(0, running, found),
        smoothed=smoothed,
        highest=torch.where(better, smoothed, highest),
        bar=torch.where(raised, smoothed, bar),
        best_at=torch.where(better, done, best_at),
        raised_at=torch.where(raised, done, raised_at),
    )


def _ascend(
    model: VisionModel,
    objectives: Sequence[Objective],
    generators: list[torch.Generator],
    pictures: Tensor,
    recipe: Recipe,
    pass_bytes: int,
) -> tuple[Tensor, Tensor]:
    """Each picture's score under new random views, less its penalties, (n,); and its gradient there."""
    leaf, (height, width) = pictures.detach().requires_grad_(), pictures.shape[-2:]
    mean, std = normalisation(model)
    drawn = draw(recipe.augment, generators, recipe.views)
    slope, score = torch.zeros_like(leaf), torch.zeros(len(leaf), device=leaf.device)
    if recipe.l2 or recipe.tv:
        penalty = recipe.l2 * (leaf - 0.5).square().mean((1, 2, 3)) + recipe.tv * total_variation(leaf)
        (slope,), score = torch.autograd.grad(-penalty.sum(), leaf), -penalty.detach()
    at_once = max(1, pass_bytes // bytes_per_image(model))
    for part in torch.arange(len(leaf) * recipe.views).split(at_once):
        owner = part // recipe.views  # the picture that each view is of
        seen = look(leaf[owner], drawn.part(part), (height, width), mean, std)
        seen = seen.to(model.preprocess.dtype)
        found = _values(model, objectives, seen, owner) / recipe.views  # (B,)
        slope = slope + slopes(found.sum(), [leaf])[0]
        score = score.index_add(0, owner.to(score.device), found.detach())
    return score, slope


def _values(model: VisionModel, objectives: Sequence[Objective], images: Tensor, owner: Tensor) -> Tensor:
    """What each image's own objective says about it, (B,); images of one objective are neighbours."""
    layers = dict.fromkeys(layer for objective in objectives for layer in objective.layers)
    output, seen = capture(model.net, images, layers, grad=True) if layers else (model.net(images), {})
    owners, counts = owner.unique_consecutive(return_counts=True)
    counts = counts.tolist()
    parts = zip(*(values.split(counts) for values in (output, *seen.values())), strict=True)
    return torch.cat(
        [
            objectives[i].values(own, dict(zip(seen, rest, strict=True)))
            for i, (own, *rest) in zip(owners.tolist(), parts, strict=True)
        ]
    ).float()


def _adam(
    values: Tensor, gradient: Tensor, moments: Sequence[Tensor], rate: float, done: int
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """One step of Adam (Kingma & Ba, 2015) uphill, on a batch that may shrink from step to step."""
    first = moments[0].lerp(gradient, 0.1)
    second = moments[1].lerp(gradient.square(), 0.001)
    step = first / (1 - 0.9**done) / ((second / (1 - 0.999**done)).sqrt() + 1e-8)
    return values + rate * step, (first, second)


def total_variation(pictures: Tensor) -> Tensor:
    """Mean absolute difference between neighbouring pixels, (n, 3, H, W) -> (n,)."""
    down, right = pictures.diff(dim=-2).abs(), pictures.diff(dim=-1).abs()
    return down.mean((1, 2, 3)) + right.mean((1, 2, 3))


def input_size(model: VisionModel) -> tuple[int, int]:
    """The height and width of the model's input."""
    height, width = model.preprocess(Image.new("RGB", (32, 32))).shape[-2:]
    return height, width


def normalisation(model: VisionModel) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, (3,) each, that the model's own transform normalises with, if it does."""
    step = next((one for one in steps(model.preprocess.transform) if hasattr(one, "std")), None)
    if step is None:
        return torch.zeros(3), torch.ones(3)
    return torch.as_tensor(step.mean), torch.as_tensor(step.std)


def bytes_per_image(model: VisionModel) -> int:
    """About what a pass keeps of one image for the gradient: the maps of all layers."""
    return 4 * sum(layout.channels * math.prod(layout.grid) for layout in model.layouts.values())
