"""Gradients in pixel space: which pixels would change the answer?

Every method gives *pixels*, (1, C, H, W) over what the network gets, signed: positive where more of a colour
raises the class's score (gradients), or where the colour that is there raised it (the others). ``METHODS``
says how each becomes one map. Methods that take many passes are generators with something to show after each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..capture import private_copy
from ..drawing import render
from ..modes import in_any_mode
from ..networks.load import VisionModel
from ..truth import evidence
from .features import full, one_picture

# bytes of activations and pictures in one pass: on a CPU more is slower, for it no longer fits the cache
LIMITS = {"cpu": (384 * 2**20, 4), "cuda": (4 * 2**30, 64)}


class Partial(NamedTuple):
    """What is known so far."""

    done: int
    total: int
    pixels: Tensor  # (1, C, H, W)


class Integrated(NamedTuple):
    """Integrated gradients so far."""

    done: int  # points on the way from the baseline to the picture
    total: int
    pixels: Tensor  # (1, 3, H, W)
    steps: int  # intervals, or points, of the rule
    gap: float  # the sum of the pixels less what it should be: the difference
    difference: float  # of the class's score between the picture and the baseline

    @property
    def share(self) -> float:
        """The gap as a share of the difference, at least 0."""
        return abs(self.gap) / max(abs(self.difference), 1e-12) if self.gap else 0.0


# ---------------------------------------------------------------- what is explained


def against(model: VisionModel, other: int | None) -> VisionModel:
    """The same model, all of its scores measured from that of class ``other``: why this and not that?

    The score of a class becomes the difference of two, and the probabilities stay what they are, so every
    method and every test of a map works as before. Shares all tensors; None gives the model itself.
    """
    if other is None:
        return model
    _check(model, other)
    net = private_copy(model.net)
    kind = type(net)

    def forward(self, images: Tensor) -> Tensor:
        scores = kind.forward(self, images)
        return scores - scores[:, other : other + 1]

    net.__class__ = type(kind.__name__, (kind,), {"forward": forward})  # survives further private copies
    return replace(model, net=net)


def _check(model: VisionModel, target: int) -> None:
    if not model.num_classes:
        raise ValueError(f"{model.title} has no classes, so no map can be asked for one")
    if not 0 <= target < model.num_classes:
        raise ValueError(f"class {target} is not one of {model.title}'s, 0 to {model.num_classes - 1}")


def _differentiate(net: nn.Module, images: Tensor, target: int) -> Tensor:
    """The gradient of each picture's score for the class, (B, 3, H, W)."""
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        score = net(images.clone())[:, target].sum()  # a clone: the first layer may work in place
    (gradient,) = torch.autograd.grad(score, images, materialize_grads=True)
    return full(gradient)


# ---------------------------------------------------------------- one pass


@in_any_mode
def gradient(model: VisionModel, images: Tensor, target: int) -> Tensor:
    """How the class's score changes with each pixel (Simonyan, Vedaldi & Zisserman, 2014).

    Args:
        images: (B, 3, H, W), preprocessed.

    Returns:
        (B, 3, H, W), in units of score per unit of the network's input.

    Raises:
        ValueError: the model has no such class.
    """
    _check(model, target)
    return _differentiate(model.net, images, target)


@in_any_mode
def gradient_times_input(model: VisionModel, images: Tensor, target: int) -> Tensor:
    """The gradient times what the network got there (Shrikumar et al., 2016); otherwise as ``gradient``.

    A pixel that normalisation turns into 0, a medium grey, gets nothing whatever it matters.
    """
    return gradient(model, images, target) * full(images)


@in_any_mode
def guided_backpropagation(model: VisionModel, images: Tensor, target: int) -> Tensor:
    """The gradient without what speaks against any feature on the way (Springenberg et al., 2015).

    At each ReLU, negative gradients are dropped as well. Sharp, and nearly the same for every class and for
    random weights (Adebayo et al., 2018): it draws the picture's edges more than what decided.

    Raises:
        ValueError: as ``gradient``, or the network has activations other than ReLU and ReLU6.
    """
    _check(model, target)
    if reason := why_not_guided(model):
        raise ValueError(reason)
    net = private_copy(model.net)
    for module in list(net.modules()):
        for name, child in module._modules.items():
            if isinstance(child, nn.ReLU | nn.ReLU6):
                module._modules[name] = _GuidedReLU(child)
    return _differentiate(net, images, target)


class _GuidedReLU(nn.Module):
    def __init__(self, relu: nn.ReLU | nn.ReLU6):
        super().__init__()
        self.activate = nn.functional.relu6 if isinstance(relu, nn.ReLU6) else nn.functional.relu

    def forward(self, x: Tensor) -> Tensor:
        y = self.activate(x)
        if y.requires_grad:
            y.register_hook(lambda gradient: gradient.clamp(min=0))
        return y


def why_not_guided(model: VisionModel) -> str:
    """Why guided backpropagation isn't defined for a network, in a sentence; empty where it is."""
    kinds = {
        type(module).__name__
        for module in model.net.modules()
        if type(module).__module__.startswith(("torch.nn.modules.activation", "timm.layers.activations"))
    }
    others = kinds - {"ReLU", "ReLU6", "Softmax", "MultiheadAttention"}
    if others or not kinds:
        has = f"uses {', '.join(sorted(others))}" if others else "has no such module"
        return f"Guided backpropagation is defined for ReLU and ReLU6; {model.title} {has}."
    return ""


# ---------------------------------------------------------------- many passes


@in_any_mode
def smooth_grad(
    model: VisionModel, images: Tensor, target: int, *, noise: float = 0.15, draws: int = 25, seed: int = 0
) -> Iterator[Partial]:
    """The mean gradient of noisy copies of the picture (Smilkov et al., 2017).

    Args:
        images: (1, 3, H, W).
        noise: its standard deviation, as a share of the range of the picture's values.

    Yields:
        The mean of what was drawn so far.
    """
    _check(model, target)
    one_picture(images)
    noises = _noises(images, noise, seed)
    total = torch.zeros_like(full(images))
    chunk, done = _chunk(model.net, images, target), 0
    while done < draws:
        some = torch.cat([next(noises) for _ in range(min(chunk, draws - done))])
        total += _differentiate(model.net, images + some, target).sum(0)
        done += len(some)
        yield Partial(done, draws, total / done)


def _noises(images: Tensor, noise: float, seed: int) -> Iterator[Tensor]:
    """Draw after draw; one at a time, so that the chunk makes no difference."""
    generator, spread = torch.Generator().manual_seed(seed), noise * (images.max() - images.min())
    while True:
        yield spread * torch.randn(images.shape, generator=generator).to(images)


def _flat(value: int) -> Callable[[VisionModel, Tensor], Tensor]:
    def make(model: VisionModel, images: Tensor) -> Tensor:
        shade = model.preprocess(Image.new("RGB", (64, 64), (value,) * 3))[..., :1, :1]
        return shade.to(images).expand_as(images).clone()

    return make


# what the absence of a pixel looks like, (model, images) -> images
BASELINES: dict[str, Callable[[VisionModel, Tensor], Tensor]] = {
    "black": _flat(0),
    "mean": lambda model, images: evidence.mean_colour(images),
    "blur": lambda model, images: evidence.blurred(images),
    "white": _flat(255),
}


def _blank(baseline: str, model: VisionModel, images: Tensor) -> Tensor:
    if baseline not in BASELINES:
        raise ValueError(f"unknown baseline {baseline!r}; there are {', '.join(BASELINES)}")
    return BASELINES[baseline](model, images)


def _gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    points, weights = np.polynomial.legendre.leggauss(n)
    return (points + 1) / 2, weights / 2


# n -> points from 0, the baseline, to 1, the picture, and their weights, which sum to 1. The first has its
# points dense at both ends, where networks with normalisation turn fastest, and needs the fewest.
RULES: dict[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {
    "Gauss-Legendre": _gauss_legendre,
    "midpoint": lambda n: ((np.arange(n) + 0.5) / n, np.full(n, 1 / n)),
    "left": lambda n: (np.arange(n) / n, np.full(n, 1 / n)),
}


@in_any_mode
def integrated_gradients(
    model: VisionModel,
    images: Tensor,
    target: int,
    *,
    baseline: str = "black",
    steps: int = 50,
    rule: str = "Gauss-Legendre",
    within: float | None = None,
    most: int = 800,
) -> Iterator[Integrated]:
    """The mean gradient on the straight way from a baseline, times the way (Sundararajan et al., ICML 2017).

    The exact integral sums to the difference of the scores; what the sum lacks, or has too much, is the gap.

    Args:
        images: (1, 3, H, W).
        baseline: one of ``BASELINES``. rule: of the quadrature, one of ``RULES``. steps: its points.
        within: double the steps until the gap is at most this share of the difference, or there would be
            more than ``most``.

    Yields:
        What is known after each chunk of points: an estimate from points all over the way, and, once a rule
        is complete, that one until the doubled one is. Memory doesn't grow with the steps.
    """
    _check(model, target)
    one_picture(images)
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}; there are {', '.join(RULES)}")
    blank = _blank(baseline, model, images)
    way = images - blank
    with torch.no_grad():
        ends = [model.net(end)[0, target].double() for end in (images, blank)]
    difference = (ends[0] - ends[1]).item()
    chunk, done, known = _chunk(model.net, images, target), 0, None
    while True:
        points, weights = RULES[rule](steps)
        mean, weight, total = torch.zeros_like(way, dtype=torch.float64), 0.0, done + len(points)
        for some in _spread(len(points), chunk):
            at = torch.from_numpy(points[some]).to(images).view(-1, 1, 1, 1)
            found = _differentiate(model.net, blank + at * way, target)
            mean += torch.einsum("n,nchw->chw", torch.from_numpy(weights[some]).to(found), found)
            weight, done = weight + weights[some].sum(), done + len(some)
            if known is None or done == total:
                pixels = (mean / weight).to(full(way)) * full(way)
                gap = pixels.sum(dtype=torch.float64).item() - difference
                now = Integrated(done, total, pixels, steps, gap, difference)
            else:
                now = known._replace(done=done, total=total)
            yield now
        known = now
        if within is None or known.share <= within or 2 * steps > most:
            return
        steps *= 2


@in_any_mode
def occlusion(
    model: VisionModel,
    images: Tensor,
    target: int,
    *,
    baseline: str = "black",
    window: int | None = None,
    stride: int | None = None,
) -> Iterator[Partial]:
    """How much the score falls when a square is covered (Zeiler & Fergus, ECCV 2014).

    Args:
        images: (1, 3, H, W).
        baseline: what covers, one of ``BASELINES``.
        window: the square's side in the network's pixels; an eighth of the shorter side if None.
        stride: from one square to the next; half a window if None.

    Yields:
        After each chunk of squares, taken from all over the picture, (1, 1, H, W): the mean fall over the
        squares that covered a pixel, 0 where none has yet.
    """
    _check(model, target)
    one_picture(images)
    height, width = images.shape[-2:]
    window = window or max(1, min(height, width) // 8)
    stride = stride or max(1, window // 2)
    blank = _blank(baseline, model, images)
    places = [
        (top, left) for top in _starts(height, window, stride) for left in _starts(width, window, stride)
    ]
    falls, counts = torch.zeros_like(full(images)[0, :1]).repeat(2, 1, 1)
    with torch.no_grad():
        whole = full(model.net(images)[0, target])
    done = 0
    for some in _spread(len(places), _chunk_forward(model, images)):
        squares = [
            (..., slice(top, top + window), slice(left, left + window))
            for top, left in (places[i] for i in some)
        ]
        covered = images.repeat(len(squares), 1, 1, 1)
        for picture, square in zip(covered, squares, strict=True):
            picture[square] = blank[0][square]
        with torch.no_grad():
            fall = whole - full(model.net(covered)[:, target])
        for value, square in zip(fall, squares, strict=True):
            falls[square] += value
            counts[square] += 1
        done += len(squares)
        yield Partial(done, len(places), (falls / counts.clamp(min=1))[None, None])


def _starts(side: int, window: int, stride: int) -> range:
    """Where the squares begin; the last one may reach over the edge."""
    return range(0, max(0, side - window) + stride, stride)


def _spread(count: int, chunk: int) -> Iterator[np.ndarray]:
    """The numbers below ``count`` in chunks, each from all over the range (by the golden ratio)."""
    order = np.argsort(np.arange(count) * (math.sqrt(5) - 1) / 2 % 1, kind="stable")
    order = np.argsort(order, kind="stable")
    for start in range(0, count, chunk):
        yield order[start : start + chunk]


def _chunk(net: nn.Module, images: Tensor, target: int) -> int:
    """How many pictures go through a pass and back within ``LIMITS``."""
    return _within_memory(images, _kept(net, images, target))


def _kept(net: nn.Module, images: Tensor, target: int) -> int:
    """How many bytes one picture's pass leaves for the way back, weights not counted."""
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    images = images[:1].detach().requires_grad_()
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        score = net(images.clone())[:, target]
    weights = {weight.untyped_storage().data_ptr() for weight in (*net.parameters(), *net.buffers())}
    del score  # alive until here, so that no place in memory was used twice
    return sum(size for place, size in kept.items() if place not in weights)


def _chunk_forward(model: VisionModel, images: Tensor) -> int:
    """How many pictures go through a pass within ``LIMITS``; some three large layers live at a time."""
    largest = max(layout.channels * math.prod(layout.grid) for layout in model.layouts.values())
    return _within_memory(images, 3 * max(largest, images[0].numel()) * images.element_size())


def _within_memory(images: Tensor, each: int) -> int:
    memory, pictures = LIMITS.get(images.device.type, LIMITS["cpu"])
    return min(max(1, memory // max(each, 1)), pictures)


# ---------------------------------------------------------------- from pixels to one map


def strongest(pixels: Tensor) -> Tensor:
    """The largest absolute value over the channels: (..., C, H, W) -> (..., H, W), at least 0."""
    return pixels.abs().amax(-3)


def summed(pixels: Tensor) -> Tensor:
    """The sum over the channels, signed: (..., C, H, W) -> (..., H, W)."""
    return pixels.sum(-3)


PARTS: dict[str, Callable[[Tensor], Tensor]] = {  # (..., C, H, W) -> (..., H, W), at least 0
    "positive": lambda pixels: pixels.clamp(min=0).amax(-3),
    "negative": lambda pixels: (-pixels).clamp(min=0).amax(-3),
}


class Method(NamedTuple):
    run: Callable[..., Iterator]  # (model, (1, 3, H, W), class, settings) -> Partial or Integrated
    flatten: Callable[[Tensor], Tensor]  # its pixels as one map
    settings: tuple[str, ...] = ()  # what ``run`` can be told
    slow: bool = False  # takes many passes
    limits: str = ""  # what it can't show, in words


def _once(make: Callable[[VisionModel, Tensor, int], Tensor]):
    def run(model: VisionModel, images: Tensor, target: int) -> Iterator[Partial]:
        yield Partial(1, 1, make(model, images, target))

    return run


METHODS: dict[str, Method] = {
    "gradient": Method(
        _once(gradient),
        strongest,
        limits="Noisy, and local: what a tiny change would do, not what the pixel did. Says nothing about "
        "large changes; where the answer is saturated, it is small though the pixel decided.",
    ),
    "gradient × input": Method(
        _once(gradient_times_input),
        summed,
        limits="Local as the gradient is. A pixel that the network gets as 0 (a medium grey) gets nothing, "
        "whatever it matters.",
    ),
    "SmoothGrad": Method(
        smooth_grad,
        strongest,
        ("noise", "draws"),
        True,
        "Shows a neighbourhood of the picture, not the picture: other noise gives another map.",
    ),
    "Integrated Gradients": Method(
        integrated_gradients,
        summed,
        ("baseline", "steps", "rule"),
        True,
        "Answers “compared with what?”: another baseline gives another map, and a pixel that is like the "
        "baseline gets nothing.",
    ),
    "guided backpropagation": Method(
        _once(guided_backpropagation),
        strongest,
        limits="Failed the randomisation test of Adebayo et al. (2018): it hardly depended on the class or "
        "on what was learnt, and drew edges. Do not take it for an explanation.",
    ),
    "occlusion": Method(
        occlusion,
        summed,
        ("baseline", "window", "stride"),
        True,
        "Asks about covered pictures, unlike those that networks learn from, one square at a time; two "
        "things that can stand in for each other both seem unimportant.",
    ),
}


@in_any_mode
def saliency(
    model: VisionModel,
    images: Tensor,
    target: int,
    method: str = "gradient",
    part: str | None = None,
    **settings,
) -> Tensor:
    """One of ``METHODS`` as a map over what the model sees, (H, W), larger where it claims more.

    Args:
        images: (1, 3, H, W).
        part: only what raises the score ("positive saliency"), or only what lowers it; one of ``PARTS``.
        settings: those that the method has.
    """
    one_picture(images)
    *_, last = METHODS[method].run(model, images, target, **settings)
    return (PARTS[part] if part else METHODS[method].flatten)(last.pixels[0])


@in_any_mode
def rows(
    model: VisionModel, pictures: Iterable[tuple[str, Image.Image]], target: int | None = None
) -> np.ndarray:
    """A row for each picture, as the network sees it: the picture, coloured gradients, greyscale saliency.

    Args:
        pictures: (title, picture).
        target: the class; each picture's most probable one if None.

    Returns:
        (H, W, 3) uint8. Zero is mid-grey in the second column and black in the third; each picture's scale is
        its own.
    """
    made = []
    for title, picture in pictures:
        images = model.preprocess(picture)
        with torch.no_grad():
            probabilities = model.net(images)[0].float().softmax(0)
        index = probabilities.argmax().item() if target is None else target
        pixels = render.to_array(gradient(model, images, index)[0])
        height, width = (max(1, 224 // min(images.shape[-2:])) * side for side in images.shape[-2:])
        seen = picture.convert("RGB").crop([round(edge) for edge in model.preprocess.box(picture.size)])
        grey, end = strongest(torch.from_numpy(pixels))[None].numpy(), render.end_of_scale(pixels)
        shown = [render.centred(pixels, end), render.from_black(grey, render.end_of_scale(grey))]
        tiles = [seen.resize((width, height), Image.Resampling.BICUBIC)]
        tiles += [Image.fromarray(one).resize((width, height), Image.Resampling.NEAREST) for one in shown]
        words = f"{title}: {model.label(index)} ({probabilities[index]:.0%})"
        made.append((words, [np.asarray(tile) for tile in tiles]))
    heads = ["as the network sees it", "gradient (0 is grey)", "saliency, max |gradient|"]
    caption = f"{model.title}, weights: {model.source}. Each row on its own scale."
    return render.sheet(made, heads, caption)
