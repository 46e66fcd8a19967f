"""What a picture should excite: a class, a channel, a neuron; and sums and opposites of them.

An objective is a function of what a pass leaves behind: ``output`` (V, classes) and ``layers``, by name
(V, ...), of V views of one picture, and gives one value a view, (V,). ``+``, ``-`` and a factor combine them:
``logit(model, 3) - 0.5 * channel(model, "layer2.0", 7)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from .networks.load import VisionModel


@dataclass(frozen=True)
class Objective:
    values: Callable[[Tensor, dict[str, Tensor]], Tensor]  # (output, layers) -> (V,)
    layers: tuple[str, ...] = ()  # those that ``values`` asks for

    def __add__(self, other: Objective) -> Objective:
        layers = tuple(dict.fromkeys(self.layers + other.layers))
        return Objective(lambda output, seen: self.values(output, seen) + other.values(output, seen), layers)

    def __rmul__(self, factor: float) -> Objective:
        return Objective(lambda output, seen: factor * self.values(output, seen), self.layers)

    def __neg__(self) -> Objective:
        return -1.0 * self

    def __sub__(self, other: Objective) -> Objective:
        return self + -other


def logit(model: VisionModel, index: int) -> Objective:
    """A class's score before the softmax."""
    _check_class(model, index)
    return Objective(lambda output, _: output[:, index])


def log_probability(model: VisionModel, index: int) -> Objective:
    """The logarithm of a class's probability: also falls when another class's score rises."""
    _check_class(model, index)
    return Objective(lambda output, _: output.log_softmax(1)[:, index])


def margin(model: VisionModel, index: int) -> Objective:
    """A class's score above that of the best other class."""
    _check_class(model, index)
    if model.num_classes < 2:
        raise ValueError(f"{model.title} has one class, so there is no runner-up")
    others = [k for k in range(model.num_classes) if k != index]
    return Objective(lambda output, _: output[:, index] - output[:, others].amax(1))


CLASS_OBJECTIVES = {"logit": logit, "log-probability": log_probability, "margin": margin}


def channel(model: VisionModel, layer: str, index: int, at: tuple[int, int] | None = None) -> Objective:
    """A channel's mean over all places, or its value at one (row, column): a neuron, a patch token's feature.

    Raises:
        ValueError: no such layer with a map, no such channel, no such place.
    """
    if layer not in model.layouts:
        raise ValueError(f"{layer!r} of {model.title} puts out no map; these do: {', '.join(model.layers)}")
    layout = model.layouts[layer]
    channels, (rows, columns) = layout.channels, layout.grid
    if not 0 <= index < channels:
        raise ValueError(f"{layer} of {model.title} has channels 0 to {channels - 1}, not {index}")
    if at is not None and not (0 <= at[0] < rows and 0 <= at[1] < columns):
        raise ValueError(f"{layer} of {model.title} has {rows} × {columns} places; {at} is none of them")

    def values(_output: Tensor, seen: dict[str, Tensor]) -> Tensor:
        features = layout.maps(seen[layer])[:, index]  # (V, rows, columns)
        return features.mean((1, 2)) if at is None else features[:, at[0], at[1]]

    return Objective(values, (layer,))


def _check_class(model: VisionModel, index: int) -> None:
    if not model.num_classes:
        raise ValueError(f"{model.title} has no classes; ask for a channel of one of its layers")
    if not 0 <= index < model.num_classes:
        raise ValueError(f"class {index} is not one of {model.title}'s, 0 to {model.num_classes - 1}")
