"""The names of ImageNet's classes, as timm has them."""

from __future__ import annotations

from functools import cache

from torch import nn

from .torchvision_ops import timm


def imagenet_labels(net: nn.Module, num_classes: int) -> list[str]:
    """timm's names for an ImageNet classifier's classes; none for any other."""
    subset = timm.data.imagenet_info.infer_imagenet_subset(net) if hasattr(net, "pretrained_cfg") else None
    if subset is None and num_classes == 1000:
        subset = "imagenet-1k"
    names = _names(subset) if subset else ()
    return list(names) if len(names) == num_classes else []


@cache
def _names(subset: str) -> tuple[str, ...]:
    return tuple(timm.data.imagenet_info.ImageNetInfo(subset).label_descriptions())
