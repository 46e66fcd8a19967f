"""What is asked of a network: a class, a channel, a neuron; and sums and differences of them.

An objective is a function of what a pass leaves behind: ``output`` (V, classes) and ``layers``, by name
(V, ...), of V pictures, and gives one value a picture, (V,). ``+``, ``-`` and a factor combine them:
``logit(model, "cat") - logit(model, "dog")`` asks why this and not that. Methods that say where, tests of
their maps and activation maximisation all take one; a class's index alone stands for its logit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .capture import capture
from .model import VisionModel, check_class, check_layer

Values = Callable[[Tensor, dict[str, Tensor]], Tensor]  # (output, layers) -> (V,)


@dataclass(frozen=True)
class Objective:
    values: Values
    layers: tuple[str, ...] = ()  # those that ``values`` asks for
    chance: Callable[[Tensor], Tensor] | None = None  # output -> probabilities (V,), if it has any

    def __add__(self, other: Objective) -> Objective:
        """The sum. Its probability is that of the first: taking a logit from all changes none."""
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        values: Values = lambda output, seen: self.values(output, seen) + other.values(output, seen)  # noqa: E731
        return Objective(values, layers, self.chance)

    def __rmul__(self, factor: float) -> Objective:
        values: Values = lambda output, seen: factor * self.values(output, seen)  # noqa: E731
        return Objective(values, self.layers, self.chance if factor > 0 else None)

    def __neg__(self) -> Objective:
        return -1.0 * self

    def __sub__(self, other: Objective) -> Objective:
        return self + -other


def logit(model: VisionModel, which: int | str) -> Objective:
    """A class's score before the softmax; the class by its index or its name."""
    index = check_class(model, which)
    return Objective(lambda output, _: output[:, index], (), _softmax(index))


def log_probability(model: VisionModel, which: int | str) -> Objective:
    """The logarithm of a class's probability: also falls when another class's score rises."""
    index = check_class(model, which)
    return Objective(lambda output, _: output.log_softmax(1)[:, index], (), _softmax(index))


def margin(model: VisionModel, which: int | str) -> Objective:
    """A class's score above that of the best other class."""
    index = check_class(model, which)
    if model.num_classes < 2:
        raise ValueError(f"{model.title} has one class, so there is no runner-up")
    others = [k for k in range(model.num_classes) if k != index]
    return Objective(lambda output, _: output[:, index] - output[:, others].amax(1), (), _softmax(index))


def _softmax(index: int) -> Callable[[Tensor], Tensor]:
    return lambda output: output.float().softmax(-1)[:, index]


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

    return Objective(values, (layer,))


# ---------------------------------------------------------------- asked


Target = Objective | int | str  # a class's index or name stands for its logit


def objective(model: VisionModel, target: Target) -> Objective:
    """What is meant by a target.

    Raises:
        ValueError: the model has no such class.
    """
    return target if isinstance(target, Objective) else logit(model, target)


def all_values(net: nn.Module, images: Tensor, wanted: Sequence[Objective]) -> Tensor:
    """What is asked of each picture, in one pass: (B, 3, H, W) -> (B, K); differentiable as those are."""
    layers = list(dict.fromkeys(name for one in wanted for name in one.layers))
    output, seen = capture(net, images, layers, grad=images.requires_grad) if layers else (net(images), {})
    return torch.stack([one.values(output, seen) for one in wanted], 1)


def values(net: nn.Module, images: Tensor, wanted: Objective) -> Tensor:
    """``all_values`` of one objective, (B,)."""
    return all_values(net, images, [wanted])[:, 0]


def probability(net: nn.Module, images: Tensor, target: Objective | int) -> Tensor:
    """A target's probability for each picture, (B,), 0 to 1; its value where it has no probability."""
    if isinstance(target, int):
        return _softmax(target)(net(images))
    return target.chance(net(images)) if target.chance else values(net, images, target).float()
