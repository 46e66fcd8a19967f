"""Weights drawn anew, layer by layer: does a map depend on what the network learnt?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..capture import private_copy
from ..model import VisionModel
from ..modes import in_any_mode
from ..shapes import one_picture
from .likeness import similarity
from .remembered import remembering

Heatmap = Callable[[VisionModel, Tensor], Tensor]  # (model, images (1, 3, H, W)) -> (h, w)
ORDERS = ("top-down", "bottom-up")  # from the answer down to the input, or from the input up


class Randomised(NamedTuple):
    """A map after the weights between ``layer`` and one end of the network have been drawn anew."""

    done: int  # layers drawn anew; 0 is the network as it was
    total: int
    layer: str  # the one that was drawn last, "" at first
    heatmap: Tensor  # (h, w)
    rank: float  # similarity to the map of the network as it was; nan where one is flat
    ssim: float


def parts(model: VisionModel, order: str = "top-down") -> list[tuple[str, list[str]]]:
    """What is drawn anew together: (name, modules that own its weights), in one of ``ORDERS``."""
    if order not in ORDERS:
        raise ValueError(f"unknown order {order!r}; there are {', '.join(ORDERS)}")
    found: dict[str, list[str]] = {}
    for name, module in model.net.named_modules():
        if module._parameters:
            inside = [block for block in model.blocks if f"{name}.".startswith(f"{block}.")]
            part = inside[0] if inside else name.split(".")[0] or "tokens and positions"
            found.setdefault(part, []).append(name)
    return list(found.items()) if order == "bottom-up" else list(reversed(found.items()))


@in_any_mode
def randomised(
    model: VisionModel, seed: int = 0, order: str = "top-down"
) -> Iterator[tuple[str, VisionModel]]:
    """The model with more and more of its weights drawn anew, from one end to the other (``ORDERS``).

    Works on private copies; ``model`` is not touched. Matrices and kernels become normal noise that keeps the
    scale of what passes through them, norms and biases start as they do before training, and anything else
    becomes noise of its own size.
    """
    net, generator = model.net, torch.Generator().manual_seed(seed)
    for part, names in parts(model, order):
        net = private_copy(net)
        for name in names:
            _draw_anew(net.get_submodule(name), generator)
        yield part, replace(model, net=net)


def _draw_anew(module: nn.Module, generator: torch.Generator) -> None:
    norm = "norm" in type(module).__name__.lower()
    for name, value in module._parameters.items():
        if value is None:
            continue
        if norm or name.endswith("bias"):
            fresh = torch.full_like(value, float(norm and name.endswith("weight")))
        else:
            noise = torch.randn(value.shape, generator=generator)
            kernel = name.endswith("weight") and value.ndim >= 2
            scale = value[0].numel() ** -0.5 if kernel else value.float().square().mean().sqrt().item()
            fresh = torch.empty_like(value).copy_(scale * noise)  # as it lay: channels last stay so
        module._parameters[name] = nn.Parameter(fresh, requires_grad=False)
    for name, value in module._buffers.items():
        if value is not None and name == "running_mean":
            module._buffers[name] = torch.zeros_like(value)
        elif value is not None and name == "running_var":
            module._buffers[name] = torch.ones_like(value)


@in_any_mode
def randomisation(
    model: VisionModel, images: Tensor, heatmap: Heatmap, seed: int = 0, order: str = "top-down"
) -> Iterator[Randomised]:
    """The sanity check of Adebayo et al. (NeurIPS 2018): does the map depend on what the network learnt?

    A map that stays as it was while the network forgets everything seems to show the picture more than the
    network. That is evidence and no proof. From the answer down, the layers that are still as they were hand
    on activations of the old scale, which alone can keep a map alike (Binder et al., CVPR 2023), and a task
    may be such that the picture is what matters (Yona & Greenfeld, 2021). From the input up, it is the
    features that go first.

    Args:
        order: one of ``ORDERS``.

    Yields:
        First the map as it is, then one after each further part is drawn anew.
    """
    one_picture(images)
    total = len(parts(model, order))
    if order == "top-down":  # from the input up, each part reads what the one before has changed
        model = replace(model, net=remembering(model.net, model.blocks))
    first = heatmap(model, images)
    yield Randomised(0, total, "", first, 1.0, 1.0)
    for done, (part, changed) in enumerate(randomised(model, seed, order), 1):
        now = heatmap(changed, images)
        yield Randomised(done, total, part, now, *similarity(first, now))
