"""Gradients in pixel space: which pixels would change the answer?

Every function gives *pixels*, (B, 3, H, W) over what the network gets, signed: positive where more of a
colour raises what is asked (gradients), or where the colour that is there raised it (times the input).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from ..capture import private_copy, slopes
from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Objective, Target, all_values, objective, values
from ..shapes import full, one_picture
from .method import Method, Partial, of_pixels, strongest, summed


@in_any_mode
def differentiate(net: nn.Module, images: Tensor, wanted: Objective) -> Tensor:
    """The gradient of what is asked of each picture, (B, 3, H, W); 0 where nothing reaches it."""
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        score = values(net, images.clone(), wanted).sum()  # a clone: the first layer may work in place
    return full(slopes(score, [images])[0])


@in_any_mode
def gradient(model: VisionModel, images: Tensor, target: Target) -> Tensor:
    """How a class's score changes with each pixel (Simonyan, Vedaldi & Zisserman, 2014).

    Args:
        images: (B, 3, H, W), preprocessed.
        target: a class's index or name, or any ``Objective``.

    Returns:
        (B, 3, H, W), in units of score per unit of the network's input.

    Raises:
        ValueError: the model has no such class.
    """
    return differentiate(model.net, images, objective(model, target))


@in_any_mode
def gradients(model: VisionModel, images: Tensor, targets: Sequence[Target], guided: bool = False) -> Tensor:
    """``gradient`` of one picture for each of several targets, which share the way there: (K, 3, H, W).

    Args:
        guided: ``guided_backpropagation`` instead.
    """
    one_picture(images)
    wanted = [objective(model, target) for target in targets]
    net = _guided(model) if guided else model.net
    images = images.detach().requires_grad_()
    with torch.enable_grad():
        scores = all_values(net, images.clone(), wanted)[0]  # (K,)
    found = [slopes(score, [images], keep=k + 1 < len(wanted))[0] for k, score in enumerate(scores)]
    return full(torch.cat(found))


@in_any_mode
def gradient_times_input(model: VisionModel, images: Tensor, target: Target) -> Tensor:
    """The gradient times what the network got there (Shrikumar et al., 2016); otherwise as ``gradient``.

    A pixel that normalisation turns into 0, a medium grey, gets nothing whatever it matters.
    """
    return gradient(model, images, target) * full(images)


@in_any_mode
def guided_backpropagation(model: VisionModel, images: Tensor, target: Target) -> Tensor:
    """The gradient without what speaks against any feature on the way (Springenberg et al., 2015).

    At each ReLU, negative gradients are dropped as well. Sharp, and nearly the same for every class and for
    random weights (Adebayo et al., 2018): it draws the picture's edges more than what decided.

    Raises:
        ValueError: as ``gradient``, or the network has activations other than ReLU and ReLU6.
    """
    return differentiate(_guided(model), images, objective(model, target))


def _guided(model: VisionModel) -> nn.Module:
    """A network of one's own whose ReLUs drop negative gradients."""
    if reason := why_not_guided(model):
        raise ValueError(reason)
    net = private_copy(model.net)
    for module in list(net.modules()):
        for name, child in module._modules.items():
            if isinstance(child, nn.ReLU | nn.ReLU6):
                module._modules[name] = _GuidedReLU(child)
    return net


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


def _once(make: Callable[[VisionModel, Tensor, Objective], Tensor]) -> Callable[..., Iterator[Partial]]:
    def run(model: VisionModel, images: Tensor, wanted: Objective) -> Iterator[Partial]:
        yield Partial(1, 1, make(model, images, wanted))

    return run


ROWS: dict[str, Method] = {
    "gradient": Method(
        of_pixels(_once(gradient), strongest),
        "Noisy, and local: what a tiny change would do, not what the pixel did. Says nothing about "
        "large changes; where the answer is saturated, it is small though the pixel decided.",
        page="saliency",
    ),
    "gradient × input": Method(
        of_pixels(_once(gradient_times_input), summed),
        "Local as the gradient is. A pixel that the network gets as 0 (a medium grey) gets nothing, "
        "whatever it matters.",
        page="saliency",
        shares_out=True,
    ),
    "guided backpropagation": Method(
        of_pixels(_once(guided_backpropagation), strongest),
        "Failed the randomisation test of Adebayo et al. (2018): it hardly depended on the class or "
        "on what was learnt, and drew edges. Do not take it for an explanation.",
        page="saliency",
        fits=why_not_guided,
        failed="failed the randomisation test",
    ),
}
