"""What is asked of a network: a class, a value, a channel, a likeness; and sums and differences of them.

An objective is a function of what a pass leaves behind: ``output`` (V, classes) and ``layers``, by name
(V, ...), of V pictures, and gives one value a picture, (V,). ``+``, ``-`` and a factor combine them:
``logit(model, "cat") - logit(model, "dog")`` asks why this and not that. Methods that say where, tests of
their maps and activation maximisation all take one; a class's index alone stands for its logit. Whether it
has a probability depends on how the network's scores are read (``scores.KINDS``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .capture import capture, passed
from .model import VisionModel, check_class, check_layer
from .modes import in_any_mode
from .scores import kind_of, log_probabilities, probabilities

Values = Callable[[Tensor, dict[str, Tensor]], Tensor]  # (output, layers) -> (V,)
Chance = Callable[[Tensor], Tensor]  # output -> probabilities (V,)


@dataclass(frozen=True)
class Objective:
    values: Values
    layers: tuple[str, ...] = ()  # those that ``values`` asks for
    chance: Chance | None = None  # its probability, if it has any
    unlikely: Chance | None = None  # that of its opposite, if that has any
    words: str = ""  # what a map of it is evidence for
    index: int | None = None  # the class that it is about, if it is about one
    bounds: tuple[float, float] | None = None  # between which curves of it lie; None: anywhere

    def __add__(self, other: Objective) -> Objective:
        """The sum. Its probability is that of the first: taking a logit from all changes none."""
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        values: Values = lambda output, seen: self.values(output, seen) + other.values(output, seen)  # noqa: E731
        words, bounds = f"{self.words} and {other.words}", (0.0, 1.0) if self.chance else None
        return replace(self, values=values, layers=layers, words=words, bounds=bounds)

    def __rmul__(self, factor: float) -> Objective:
        values: Values = lambda output, seen: factor * self.values(output, seen)  # noqa: E731
        same = replace(self, values=values, bounds=(0.0, 1.0) if self.chance else None)
        if factor > 0:
            return same
        words = self.words.removeprefix("less ") if self.words.startswith("less ") else f"less {self.words}"
        return replace(
            same, words=words, index=None, chance=self.unlikely, unlikely=self.chance,
            bounds=(0.0, 1.0) if self.unlikely else None,
        )  # fmt: skip

    def __neg__(self) -> Objective:
        return -1.0 * self

    def __sub__(self, other: Objective) -> Objective:
        return replace(self + -other, words=f"{self.words} rather than {other.words}")


def logit(model: VisionModel, which: int | str) -> Objective:
    """A class's score before the softmax or sigmoid, or a value; by its index or its name."""
    return _about(model, which, lambda output, index: output[:, index])


def log_probability(model: VisionModel, which: int | str) -> Objective:
    """The logarithm of a class's probability: also falls when another class's score rises.

    Raises:
        ValueError: the network's numbers are values, which have no probability.
    """
    _check_chance(model, "probability")
    return _about(model, which, lambda output, index: log_probabilities(model.net, output)[:, index])


def margin(model: VisionModel, which: int | str) -> Objective:
    """A class's score above that of the best other class; of labels by themselves, above 0.

    Raises:
        ValueError: the network's numbers are values, which don't compete.
    """
    _check_chance(model, "runner-up")
    index = check_class(model, which)
    if kind_of(model.net, model.num_classes) == "sigmoid":
        return logit(model, index)
    others = [k for k in range(model.num_classes) if k != index]
    if not others:
        raise ValueError(f"{model.title} has one class, so there is no runner-up")
    best = _about(model, index, lambda output, _: output[:, index] - output[:, others].amax(1))
    return replace(best, words=f"{model.label(index)} rather than the next best")


def finer(
    model: VisionModel, which: int | str, others: Sequence[int | str], factor: float = 1.0
) -> Objective:
    """What tells a class from others like it: y_c − factor · mean(y_d) (Finer-CAM, Zhang et al., CVPR 2025).

    For every method that asks for a score; Grad-CAM of it is Finer-CAM.

    Raises:
        ValueError: there are no others, or no such class.
    """
    if not others:
        raise ValueError("there is no class to tell it from")
    first, *rest = (logit(model, other) for other in others)
    against = first
    for other in rest:
        against = against + other
    found = logit(model, which) - (factor / len(others)) * against
    return replace(found, words=f"{model.label(check_class(model, which))} rather than classes like it")


def _about(model: VisionModel, which: int | str, score: Callable[[Tensor, int], Tensor]) -> Objective:
    """A class's objective, with its probability and its words."""
    index, net = check_class(model, which), model.net
    kind, label = kind_of(net, model.num_classes), model.label(index)
    values: Values = lambda output, _: score(output, index)  # noqa: E731
    if kind == "values":
        return Objective(values, words=f"more of {label}", index=index)
    return Objective(
        values,
        chance=lambda output: probabilities(net, output)[:, index],
        unlikely=(lambda output: 1 - probabilities(net, output)[:, index]) if kind == "sigmoid" else None,
        words=label,
        index=index,
        bounds=(0.0, 1.0),
    )


def _check_chance(model: VisionModel, what: str) -> None:
    if kind_of(model.net, model.num_classes) == "values":
        raise ValueError(f"{model.title} answers with values, which have no {what}")


CLASS_OBJECTIVES = {"logit": logit, "log-probability": log_probability, "margin": margin}


def channel(model: VisionModel, layer: str, index: int, at: tuple[int, int] | None = None) -> Objective:
    """A channel's mean over all places, or its value at one (row, column): a neuron, a patch token's feature.

    Raises:
        ValueError: no such layer with a map, no such channel, no such place.
    """
    layout = check_layer(model, layer)
    channels, (rows, columns) = layout.channels, layout.grid
    if not 0 <= index < channels:
        raise ValueError(f"{layer} of {model.title} has channels 0 to {channels - 1}, not {index}")
    if at is not None and not (0 <= at[0] < rows and 0 <= at[1] < columns):
        raise ValueError(f"{layer} of {model.title} has {rows} × {columns} places; {at} is none of them")

    def values(_output: Tensor, seen: dict[str, Tensor]) -> Tensor:
        features = layout.maps(seen[layer])[:, index]  # (V, rows, columns)
        return features.mean((1, 2)) if at is None else features[:, at[0], at[1]]

    where = "" if at is None else f" at row {at[0]}, column {at[1]}"
    return Objective(values, (layer,), words=f"channel {index} of {layer}{where}")


@in_any_mode
def embedding(
    model: VisionModel, images: Tensor, layer: str | None = None, region: Tensor | None = None
) -> Tensor:
    """What pictures, or a region of each, are to a network: (B, 3, H, W) -> (B, C).

    Args:
        layer: the mean over its places; None: what the network puts out, if that is features and no classes,
            else the mean over its last block.
        region: (rows, columns) on the layer's grid, how much each place counts; None: all alike.

    Raises:
        ValueError: no such layer with a map; or a region that isn't of its grid, or is empty.
    """
    values, layers = _embedded(model, layer, region)
    with torch.no_grad():
        output, seen = capture(model.net, images, layers)
        return values(output, seen)


def similarity(
    model: VisionModel, wanted: Tensor, layer: str | None = None, region: Tensor | None = None
) -> Objective:
    """How like an embedding a picture is, by the cosine between them, -1 to 1.

    For networks without classes: of another picture, of a region of it, or of a text in the same space.

    Args:
        wanted: (C,), as of ``embedding``; otherwise as there.
    """
    embedded, layers = _embedded(model, layer, region)
    if wanted.ndim != 1:
        raise ValueError(f"one embedding is expected, (C,), not {tuple(wanted.shape)}")

    def values(output: Tensor, seen: dict[str, Tensor]) -> Tensor:
        found = embedded(output, seen)
        return F.cosine_similarity(found, wanted.to(found)[None], dim=1)

    return Objective(values, layers, words="what is like it", bounds=(-1.0, 1.0))


def like_place(
    model: VisionModel, images: Tensor, at: tuple[int, int], layer: str | None = None
) -> Objective:
    """How like one of its own places, (row, column), a picture (1, 3, H, W) is on the whole: ``similarity``.

    Args:
        layer: by whose features; None: the last block's.

    Raises:
        ValueError: no such layer with a map, or no such place.
    """
    layer = layer or (model.blocks or model.layers)[-1]
    rows, columns = check_layer(model, layer).grid
    if not (0 <= at[0] < rows and 0 <= at[1] < columns):
        raise ValueError(f"{layer} of {model.title} has {rows} × {columns} places; {at} is none of them")
    region = torch.zeros(rows, columns)
    region[at] = 1
    wanted = similarity(model, embedding(model, images, layer, region)[0], layer)
    return replace(wanted, words=f"what is like the place at row {at[0]}, column {at[1]}")


def _embedded(
    model: VisionModel, layer: str | None, region: Tensor | None
) -> tuple[Callable[[Tensor, dict[str, Tensor]], Tensor], tuple[str, ...]]:
    """How features (V, C) are taken from what a pass leaves, and the layers that this asks for."""
    if layer is None and region is None and not model.num_classes and model.features:
        return lambda output, _: output, ()
    layer = layer or (model.blocks or model.layers)[-1]
    layout = check_layer(model, layer)
    weights = torch.ones(layout.grid) if region is None else region.float()
    if tuple(weights.shape) != layout.grid or not weights.sum() > 0:
        raise ValueError(f"a region of {layer} has {layout.grid} places, some of them above 0")

    def values(_output: Tensor, seen: dict[str, Tensor]) -> Tensor:
        maps = layout.maps(seen[layer])  # (V, C, rows, columns)
        return (maps * (weights / weights.sum()).to(maps)).sum((2, 3))

    return values, (layer,)


# ---------------------------------------------------------------- asked


Target = Objective | int | str  # a class's index or name stands for its logit


def objective(model: VisionModel, target: Target) -> Objective:
    """What is meant by a target.

    Raises:
        ValueError: the model has no such class.
    """
    return target if isinstance(target, Objective) else logit(model, target)


@in_any_mode
def all_values(net: nn.Module, images: Tensor, wanted: Sequence[Objective]) -> Tensor:
    """What is asked of each picture, in one pass: (B, 3, H, W) -> (B, K); differentiable as those are."""
    layers = list(dict.fromkeys(name for one in wanted for name in one.layers))
    output, seen = (
        capture(net, images, layers, grad=images.requires_grad) if layers else (passed(net, images), {})
    )
    return torch.stack([one.values(output, seen) for one in wanted], 1)


def values(net: nn.Module, images: Tensor, wanted: Objective) -> Tensor:
    """``all_values`` of one objective, (B,)."""
    return all_values(net, images, [wanted])[:, 0]


@in_any_mode
def probability(net: nn.Module, images: Tensor, target: Objective | int) -> Tensor:
    """A target's probability for each picture, (B,), 0 to 1; its value where it has no probability."""
    if isinstance(target, int):
        scores = passed(net, images)
        if not 0 <= target < scores.shape[1]:
            raise ValueError(f"class {target} is not one of the network's, 0 to {scores.shape[1] - 1}")
        return probabilities(net, scores)[:, target]
    return target.chance(passed(net, images)) if target.chance else values(net, images, target).float()
