"""What every method speaks of: a network that can be asked about a picture, and how its layers lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

from .short_names import short_name

if TYPE_CHECKING:
    from .pictures.frame import Preprocess


class Layout(NamedTuple):
    """How a layer's output is laid out in memory; ``maps`` undoes it."""

    kind: str  # "NCHW", "NHWC" or "tokens" (B, prefix + rows * columns, C)
    channels: int
    grid: tuple[int, int]  # rows, columns
    prefix: int = 0  # tokens before the first patch: class, distillation, registers
    order: tuple[int, ...] | None = None  # the token of each place, row by row; None: as they stand

    def maps(self, values: Tensor) -> Tensor:
        """A layer's output, (B, ...), as maps (B, C, rows, columns), prefix tokens dropped."""
        if self.kind == "NCHW":
            return values
        if self.kind == "NHWC":
            return values.permute(0, 3, 1, 2)  # (B, h, w, C) -> (B, C, h, w)
        patches = values[:, self.prefix :]  # (B, N, C)
        if self.order is not None:
            patches = patches[:, torch.tensor(self.order, device=patches.device)]
        return patches.transpose(1, 2).unflatten(2, self.grid)  # (B, N, C) -> (B, C, h, w)


@dataclass(frozen=True, eq=False)
class VisionModel:
    """A frozen network with all that is needed to ask it about a picture."""

    name: str
    title: str
    net: nn.Module  # eval mode, requires_grad_(False), shared between threads: never change it
    preprocess: Preprocess  # picture -> (1, 3, H, W); .box(size) is what the model sees of it
    labels: list[str]  # by class index; empty where there are no classes or no names for them
    num_classes: int  # 0 for a network without a classifier
    family: str  # "vit" where places attend to places or most layers hold tokens, else "cnn"
    mixing: str  # by what places learn of each other, in words: "convolution and attention"
    layers: list[str]  # dotted names of modules that put out a map, in the order in which they run
    blocks: list[str]  # those of ``layers`` that make up the depth: stem, residual blocks, last norm
    layouts: dict[str, Layout]  # one for each of ``layers``
    left_out: dict[str, str]  # layers that look like maps and aren't, and why, in words
    cam_layer: str  # the deepest block from whose places the answer is read
    remark: str  # what to know of deeper layers that are left out, a sentence; "" where there is nothing
    attention: list[str]  # dotted names of its global self-attention modules; empty: no rollout
    no_rollout: str  # why there is no attention to roll out, in a sentence; "" where there is
    grid: tuple[int, int] | None  # patches of a ViT: rows, columns
    num_prefix_tokens: int
    weights: str  # "trained", "random" or "checkpoint"
    source: str  # where the weights came from, in words
    device: torch.device
    features: bool = False  # whether it puts out features (B, C) of a picture, and no classes

    def label(self, index: int) -> str:
        """A class's short name, as ``short_name`` has it."""
        return short_name(self.labels, index)


def check_class(model: VisionModel, which: int | str) -> int:
    """The index of a class, given that or its name.

    Raises:
        ValueError: the network has no classes, or no such class, or several of that name.
    """
    if not model.num_classes:
        raise ValueError(f"{model.title} has no classes; ask for a channel of one of its layers")
    if isinstance(which, str):
        folded = which.casefold()
        found = [
            k
            for k in range(len(model.labels))
            if folded in (model.label(k).casefold(), model.labels[k].casefold())
        ]
        if len(found) != 1:
            raise ValueError(
                f"{model.title} has {len(found) or 'no'} class{'es' * bool(found)} called {which!r}"
            )
        return found[0]
    if not 0 <= which < model.num_classes:
        raise ValueError(f"class {which} is not one of {model.title}'s, 0 to {model.num_classes - 1}")
    return which


def check_layer(model: VisionModel, layer: str) -> Layout:
    """How a layer's output lies.

    Raises:
        ValueError: the layer puts out no map.
    """
    if layer not in model.layouts:
        raise ValueError(f"{layer!r} of {model.title} puts out no map; these do: {', '.join(model.layers)}")
    return model.layouts[layer]
