"""Which architecture a checkpoint is of, by the names and shapes of its weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from .build import build, count_classes, find_entry
from .catalog import CATALOG
from .checkpoints import ModelError, State
from .shapes_only import shapes_only

# beside the catalogue, what is trained most often: in timm's names
USUAL = (
    "resnet101", "resnet152", "wide_resnet50_2", "resnext50_32x4d", "vgg16", "vgg16_bn", "densenet121",
    "mobilenetv2_100", "mobilenetv3_large_100", "mobilenetv3_small_100", "efficientnet_b0", "efficientnet_b1",
    "efficientnet_b2", "efficientnet_b3", "efficientnet_b4", "tf_efficientnetv2_s", "convnext_tiny",
    "convnext_small", "convnext_base", "regnety_032", "vit_tiny_patch16_224", "vit_small_patch16_224",
    "vit_base_patch32_224", "vit_base_patch16_384", "deit_small_patch16_224", "deit_base_patch16_224",
    "deit_tiny_distilled_patch16_224", "deit3_small_patch16_224", "swin_tiny_patch4_window7_224",
    "swin_small_patch4_window7_224", "swin_base_patch4_window7_224", "mixer_b16_224",
    "vit_small_patch16_dinov3", "vit_base_patch16_siglip_224",
)  # fmt: skip

# a weight that all of a family have: building one of another family takes a second
SIGNS = {
    "resnet|wide_resnet|resnext": "layer1.0.conv1.weight",
    "vit|deit|mixer|photo|dinov2": "blocks.0.norm1.weight",
    "efficientnet|tf_eff|mobilenet": "conv_stem.weight",
    "convnext": "stages.0.blocks.0.conv_dw.weight",
    "swin": "layers.0.blocks.0.norm1.weight",
    "regnet": "stem.conv.weight",
    "densenet": "features.conv0.weight",
    "vgg|alexnet": "features.0.weight",
}  # fmt: skip


def fitting(state: State) -> Iterator[str]:
    """Architectures, of the catalogue and of the usual ones, that a state dict fits, the likeliest first.

    Several fit where they differ in nothing but what is done to pictures. Nothing is allocated.
    """
    for name in (*CATALOG, *USUAL):
        try:
            entry = find_entry(name)
            classes = count_classes(name, entry, state)
            if _fits(name, classes, state):
                yield name
        except ModelError:  # of that number of classes it can't be built
            continue


def recognised(state: State) -> str:
    """The first of ``fitting``.

    Raises:
        ModelError: none fits.
    """
    found = next(fitting(state), None)
    if found is None:
        raise ModelError(
            f"Its {len(state)} weights fit none of the {len(CATALOG) + len(USUAL)} architectures that were "
            "tried; type the name that timm has for yours."
        )
    return found


def _fits(name: str, classes: int | None, state: State) -> bool:
    signs = [key for family, key in SIGNS.items() if re.match(f"({family})", name)]
    own = "encoder.layers.encoder_layer_0.ln_1.weight" if name == "vit_b_16" else ""
    if signs and signs[0] not in state and own not in state:
        return False
    shapes = _shapes(name, classes if classes is None or classes <= 100_000 else None)
    counters = {key for key in shapes if key.endswith("num_batches_tracked")}  # old checkpoints lack them
    if not shapes.keys() - counters <= state.keys() <= shapes.keys():
        return False
    return all(tuple(value.shape) == shapes[key] for key, value in state.items())


@lru_cache(maxsize=128)
def _shapes(name: str, classes: int | None) -> dict[str, tuple[int, ...]]:
    with shapes_only():
        net = build(name, find_entry(name), **({} if classes is None else {"num_classes": classes}))
    return {key: tuple(value.shape) for key, value in net.state_dict().items()}
