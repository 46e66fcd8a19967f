"""A name becomes a network that can be looked into: ``load_model``. The names are in ``catalog.py``."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

import torch
from PIL import Image
from torch import Tensor, nn

from ..capture import own_hooks
from ..model import Layout, VisionModel
from ..modes import in_any_mode
from ..pictures.frame import Preprocess, Transform
from ..scores import KINDS
from .build import build, count_classes, find_entry, module_bytes, network_bytes
from .catalog import CATALOG, Entry
from .checkpoints import ModelError, first_line, fit_state_dict, read_checkpoint
from .labels import imagenet_labels
from .placed import check_placed
from .returned import understood
from .same_padding import without_copies
from .shapes_only import shapes_only
from .shared_weights import share
from .torchvision_ops import timm
from .trace import trace
from .trained import trained, weights_at_hand

__all__ = [
    "CATALOG",
    "Layout",
    "ModelError",
    "VisionModel",
    "best_device",
    "find_entry",
    "from_module",
    "load_model",
    "module_bytes",
    "network_bytes",
    "retraced",
    "weights_at_hand",
]

_PRECISIONS = {torch.float16: "half", torch.bfloat16: "bfloat16"}


@in_any_mode
def load_model(
    name: str,
    weights: str = "trained",
    *,
    seed: int = 0,
    checkpoint: bytes | None = None,
    labels: list[str] | None = None,
    device: torch.device | str | None = None,
) -> VisionModel:
    """Build a network of the catalogue, or of timm by name, and find out what can be seen in it.

    Args:
        weights: ``"trained"``, or ``"random"`` for the architecture's own initialisation from ``seed``.
        checkpoint: the content of a safetensors file or of a state dict saved by ``torch.save``;
            replaces ``weights``. The number of classes is read from it.
        labels: the names of a checkpoint's classes, one for each; as of ``from_module``.
        device: default: CUDA, else MPS, else the CPU.

    Raises:
        ModelError: unknown name, unavailable weights or some that don't fit, or nothing to visualise. Weights
            that are unavailable are never replaced by random ones.

    >>> model = load_model("texture_resnet", device="cpu")
    >>> model.family, model.num_classes, model.layouts["layer4.0"].grid
    ('cnn', 20, (8, 8))
    """
    entry = find_entry(name)
    if weights not in ("trained", "random"):
        raise ModelError(f"Weights are 'trained' or 'random', not {weights!r}.")
    device = torch.device(device) if device is not None else best_device()
    net, kind, source, stored = _with_weights(name, entry, weights, seed, checkpoint)
    net = net.eval().requires_grad_(False).to(device)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):  # what follows keeps the layout; python -m benchmarks tried
            cast(Any, module).to(memory_format=torch.channels_last)  # torch declares no such argument
    without_copies(net)
    share(net)
    preprocess, images = _preprocess(net, entry, device)
    traced = _traced(net, images, entry.title)
    if checkpoint is not None:
        labels = labels or stored
    elif labels is None:
        labels = list(entry.labels) or imagenet_labels(net, traced["num_classes"])
    return _described(name, entry.title, net, preprocess, labels, traced, kind, source)


def _with_weights(
    name: str, entry: Entry, weights: str, seed: int, checkpoint: bytes | None
) -> tuple[nn.Module, str, str, list[str]]:
    """The network, the kind of its weights, where they came from, and the labels that came with them."""
    if checkpoint is not None:
        state, labels = read_checkpoint(checkpoint)
        classes = count_classes(name, entry, state)
        options = {} if classes is None else {"num_classes": classes}
        with shapes_only():  # nothing is allocated for a file that doesn't fit
            fit_state_dict(build(name, entry, **options), state, entry.title)
        net = build(name, entry, seed, **options)
        net.load_state_dict(fit_state_dict(net, state, entry.title))
        return net, "checkpoint", "a checkpoint of your own", labels or []
    if weights == "random":
        return build(name, entry, seed), "random", f"random weights (seed {seed})", []
    net, source = trained(name, entry)
    return net, "trained", source, []


def _preprocess(net: nn.Module, entry: Entry, device: torch.device) -> tuple[Preprocess, Tensor]:
    """What the network wants done to a picture, and a blank one of the size that it gets, (1, 3, H, W)."""
    own = {**(getattr(net, "pretrained_cfg", None) or {}), **entry.data}
    data = timm.data.config.resolve_data_config({}, pretrained_cfg=own)
    height, width = data["input_size"][1:]
    transform = cast(Transform, timm.data.transforms_factory.create_transform(**data))
    return Preprocess(transform, device, torch.float32), torch.zeros(1, 3, height, width, device=device)


@in_any_mode
def from_module(
    net: nn.Module,
    transform: Transform,
    labels: list[str] | None = None,
    title: str = "Your network",
    device: torch.device | str | None = None,
    scores_are: str | None = None,
) -> VisionModel:
    """Any network of one's own, ready for every method that its layers allow.

    Args:
        net: (B, 3, H, W) -> scores (B, classes); also as ``.logits`` of an object, in a dict or first in a
            tuple, with trailing axes of one cell, or as one number a picture (B,). Anything else is a network
            without classes. It is copied, so the original keeps its mode and its gradients. It gets
            pictures in the type of its first convolution or linear layer. Maps and scores of one in half
            precision are single, those of one in double precision may be double.
        transform: picture -> (3, H, W), a ``torchvision.transforms.Compose`` of steps that resize, crop and
            normalise, or a preset of torchvision's; maps return to the picture through the resizing and
            cropping among them, which is tried on squares of a picture.
        labels: the classes' names, one for each. Of two for a single score, the second is what it speaks for.
        scores_are: how the scores are read, one of ``scores.KINDS``. If None, a single score is a yes or no
            ("sigmoid"), several are classes ("softmax"); labels by themselves and values have to be said.

    Raises:
        ModelError: it fails on a picture or answers with numbers that are not finite, none of its layers puts
            out a map, or the labels don't fit; or the transform draws by lot, or moves the picture otherwise.
    """
    device = torch.device(device) if device is not None else best_device()
    if scores_are not in (None, *KINDS):
        raise ModelError(f"Scores are {', '.join(KINDS)}, not {scores_are!r}.")
    try:
        net = deepcopy(net).eval().requires_grad_(False).to(device)
    except (RuntimeError, ValueError) as error:  # as of TorchScript, or of weights that aren't there yet
        raise ModelError(f"{title} can't be copied and frozen ({first_line(error)}).") from error
    preprocess = Preprocess(transform, device, _precision(net))
    images = check_placed(preprocess, title)
    try:
        net, stood = understood(net, images, title, scores_are)
        own_hooks(net)  # after a first pass: transformers' networks hook themselves then
    except Exception as error:  # whatever a network of somebody's raises
        raise _failed(title, images, error) from error
    traced = _traced(net, images, title)
    source = f"a module of your own{stood}"
    return _described(title, title, net, preprocess, labels or [], traced, "checkpoint", source)


@in_any_mode
def retraced(model: VisionModel) -> VisionModel:
    """The model with what can be seen of its network found anew, after a change of it or of preprocessing.

    Raises:
        ModelError: as ``from_module``.
    """
    images = model.preprocess(Image.new("RGB", (256, 256)))
    return replace(model, **_traced(model.net, images, model.title))


def _precision(net: nn.Module) -> torch.dtype:
    """The type of the weights that read the picture: the first convolution's, else the first ones'."""
    readers = [module.weight for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    found = (value.dtype for value in (*readers, *net.parameters()) if value.is_floating_point())
    return next(found, torch.float32)


def _described(
    name: str,
    title: str,
    net: nn.Module,
    preprocess: Preprocess,
    labels: Sequence[str],
    traced: dict[str, Any],
    weights: str,
    source: str,
) -> VisionModel:
    count = traced["num_classes"]
    if len(labels) == 2 and count == 1:  # the second is what a single score speaks for
        labels = labels[1:]
    if labels and len(labels) != count:
        there = f"are {len(labels)} labels" if len(labels) != 1 else "is 1 label"
        raise ModelError(f"There {there}, but the network has {count} class{'es' * (count != 1)}.")
    return VisionModel(
        name=name,
        title=title,
        net=net,
        preprocess=preprocess,
        labels=list(labels),
        weights=weights,
        source=source,
        device=preprocess.device,
        **traced,
    )


def _traced(net: nn.Module, images: Tensor, title: str) -> dict[str, Any]:
    """What can be shown of a network: the fields of ``trace.trace``."""
    try:
        traced = trace(net, images, title)
    except Exception as error:  # whatever a network of somebody's raises
        raise _failed(title, images, error) from error
    if reads := traced.pop("reads_from"):
        net.reads_from = reads  # type: ignore[assignment]  of its own copy, for ``readout``
    return traced


def _failed(title: str, images: Tensor, error: Exception) -> ModelError:
    """Why a network can't be visualised, in a sentence."""
    if isinstance(error, ValueError) and str(error).startswith(title):
        return ModelError(str(error))
    if images.dtype in _PRECISIONS and "not implemented" in str(error):
        return ModelError(
            f"{title} computes in {_PRECISIONS[images.dtype]} precision, for which {images.device.type} "
            "lacks an operation; convert it with .float() first."
        )
    return ModelError(f"{title} can't be visualised: it fails on a picture ({first_line(error)}).")


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
