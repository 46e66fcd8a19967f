"""A Vision Transformer whose patches are another network's features (Dosovitskiy et al. 2021, 3.1)."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn

from .checkpoints import State, bundled_state, package_state
from .shapes_only import shapes_only
from .torchvision_ops import timm

SIDE = 192  # pixels: 12 × 12 cells of the stem, 6 × 6 patches
STAGES = 5  # of the stem's seven
STEM = "tf_efficientnet_lite0"
_STEM = "patch_embed.backbone."  # what its weights' names begin with


def photo_vit(_name: str, **kwargs: Any) -> nn.Module:
    """EfficientNet-Lite0's first five stages, 2 × 2 of their cells a patch, and four transformer blocks.

    (B, 3, 192, 192) -> (B, classes)
    """
    stem: Any = timm.create_model(STEM, features_only=True, out_indices=(3,))
    stem.blocks = stem.blocks[:STAGES]
    embed = partial(
        timm.layers.hybrid_embed.HybridEmbed, backbone=stem, feature_size=SIDE // 16, feature_ratio=16
    )
    size: dict[str, Any] = {"img_size": SIDE, "patch_size": 2, "embed_dim": 192, "depth": 4, "num_heads": 3}
    return timm.models.VisionTransformer(**{**size, "embed_layer": embed, **kwargs})


def without_stem(state: State) -> State:
    """The weights that are its own."""
    return {key: value for key, value in state.items() if not key.startswith(_STEM)}


def photo_state(name: str) -> State:
    """Its own weights from this repository, the stem's from EfficientNet-Lite0's package."""
    with shapes_only():
        whole = timm.create_model(STEM)
    kept = ("conv_stem.", "bn1.", *(f"blocks.{k}." for k in range(STAGES)))
    stem = {_STEM + key: value for key, value in package_state(whole).items() if key.startswith(kept)}
    return {**bundled_state(name), **stem}
