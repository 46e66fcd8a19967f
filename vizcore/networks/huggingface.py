"""Networks of Hugging Face's transformers, which is an optional package: ``pip install 'sightlines[hf]'``.

Nothing that a folder holds is executed or unpickled: its architecture is one of the installed library's own,
and its weights are safetensors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from ..model import VisionModel
from ..modes import in_any_mode
from ..pictures.frame import Transform
from .checkpoints import ModelError, checked_labels, first_line
from .hf_files import files_of_folder, network_of
from .load import from_module
from .preprocessing import LARGEST
from .torchvision_ops import torchvision

RESAMPLE = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")  # by PIL's number
AGREE = 0.02  # normalised values, the mean difference from the processor's own picture


@in_any_mode
def from_huggingface(
    model: nn.Module | str | Path | Mapping[str, bytes],
    processor: Any = None,
    title: str | None = None,
    device: torch.device | str | None = None,
) -> VisionModel:
    """A vision network of ``transformers``, or of a folder that holds one, ready for every method.

    Args:
        model: a ``PreTrainedModel`` that takes pictures; of CLIP and SigLIP the part that does is taken. Or a
            folder with ``config.json`` and ``*.safetensors``, or what is in it, by name.
        processor: its image processor; if None, the folder's, or one that resizes to the size in the
            configuration and normalises to -1 to 1.
        title: the architecture's name if None.

    Raises:
        ModelError: transformers is missing; the folder holds nothing that it knows, or needs code of its own;
            the processor does something to pictures that isn't known here; or as ``from_module``.
    """
    if isinstance(model, str | Path):
        model = files_of_folder(Path(model))
    if isinstance(model, Mapping):
        model, stored = network_of(model)
        processor = processor if processor is not None else stored
    config: Any = model.config
    name = type(model).__name__
    title = title or name
    transform = _transform(config, processor, title)
    labels, kind = _labels(config), _kind(config)
    if kind != "sigmoid" and len(labels) == 1:
        labels = [] if labels[0].startswith("LABEL_") else labels
    found = from_module(_pictures(model), transform, labels, title, device, kind)
    told = "" if processor is not None else "; it came without a processor, so pictures become -1 to 1"
    source = found.source.replace("a module of your own", f"{name} of Hugging Face's transformers")
    return replace(found, source=source + told)


class _Tower(nn.Module):
    """The part of a network for pictures and texts that takes pictures: (B, 3, H, W) -> (B, C)."""

    def __init__(self, whole: nn.Module):
        super().__init__()
        self.vision_model: Any = whole.vision_model
        self.visual_projection = getattr(whole, "visual_projection", nn.Identity())
        self.num_classes = 0

    def forward(self, images: Tensor) -> Tensor:
        return self.visual_projection(self.vision_model(images).pooler_output)


def _pictures(model: nn.Module) -> nn.Module:
    return _Tower(model) if hasattr(model, "vision_model") and hasattr(model, "text_model") else model


def _labels(config: Any) -> list[str]:
    """The classes' names in the configuration; none where they are only numbered.

    Raises:
        ModelError: a number is left out, so that names and classes don't belong together.
    """
    names = {int(key): name for key, name in (getattr(config, "id2label", None) or {}).items()}
    numbers = sorted(names)
    if numbers != list(range(len(numbers))):
        wrong = next(number for k, number in enumerate(numbers) if number != k)
        raise ModelError(
            f"Its configuration names {len(numbers)} classes, and one of them is number {wrong}: which class "
            f"has which name isn't known. They are counted from 0 to {len(numbers) - 1}."
        )
    labels = checked_labels([names[number] for number in numbers], "configuration")
    return [] if all(label == f"LABEL_{k}" for k, label in enumerate(labels)) else labels


def _kind(config: Any) -> str | None:
    """How scores are read: transformers takes a single one for a regression unless it is told otherwise."""
    problem = getattr(config, "problem_type", None)
    single = getattr(config, "num_labels", 2) == 1
    known = {"multi_label_classification": "sigmoid", "regression": "values"}
    return known.get(problem or ("regression" if single else ""))


# ---------------------------------------------------------------- what is done to a picture


class CenterCrop(torchvision.transforms.CenterCrop):
    """torchvision's, cut where transformers cuts: of an odd rest the smaller half at the left and the top."""

    margin = staticmethod(lambda rest: rest // 2 if rest > 0 else -(-rest // 2))

    def forward(self, img: Image.Image) -> Image.Image:
        rows, columns = self.size
        left, top = self.margin(img.width - columns), self.margin(img.height - rows)
        return img.crop((left, top, left + columns, top + rows))


def _blue_first(pixels: Tensor) -> Tensor:
    """(3, H, W), red and blue exchanged."""
    return pixels.flip(0)


def _transform(config: Any, processor: Any, title: str) -> Transform:
    """What is done to a picture, in steps that a map can be brought back through.

    Raises:
        ModelError: a processor has a setting that can't be used, or does more than its settings name.
    """
    whose = f"{title}'s processor, {type(processor).__name__},"
    whose = f"The configuration of {title}" if processor is None else whose
    try:
        steps = _steps(config, processor)
        _check_size(steps)
        transform = cast(Transform, torchvision.transforms.Compose(steps))
        agrees = processor is None or _agrees(transform, processor)
    except Exception as error:  # whatever a processor raises, and settings that are missing
        raise ModelError(f"{whose} can't be followed ({first_line(error)}).") from error
    if not agrees:
        raise ModelError(
            f"{whose} makes another picture than the resizing, cropping and normalising that its settings "
            "name, so nothing says where a map would lie."
        )
    return transform


def _steps(config: Any, processor: Any) -> list[Any]:
    """A processor's steps as torchvision's."""
    transforms = torchvision.transforms
    if processor is None:
        side = getattr(getattr(config, "vision_config", config), "image_size", 224)
        size = (side, side) if isinstance(side, int) else tuple(side)
        return [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]

    def has(name: str, default: Any = None) -> Any:
        value = getattr(processor, name, None)
        return default if value is None else value

    steps: list[Any] = []
    resample = transforms.InterpolationMode(RESAMPLE[int(has("resample", 2))])
    size, crop = _size(has("size")), _size(has("crop_size"))
    if has("do_resize") and size is not None:
        edge, share = size if isinstance(size, int) else max(size), has("crop_pct")
        if share and isinstance(size, int):  # ConvNeXt's: larger ones are resized to a square
            size = int(edge / share) if edge < 384 else (edge, edge)
            crop = (edge, edge)
        steps.append(transforms.Resize(size, resample))
    if crop is not None and (has("do_center_crop") or has("crop_pct")):
        steps.append(CenterCrop(crop))
    steps.append(transforms.ToTensor())
    if has("do_flip_channel_order"):
        steps.append(_blue_first)
    plain = [0.0] * 3, [1.0] * 3
    mean, std = (has("image_mean"), has("image_std")) if has("do_normalize") else plain
    steps.append(transforms.Normalize(mean, std))
    return steps


def _size(given: Any) -> int | tuple[int, int] | None:
    """A processor's size: the shorter edge, or rows and columns."""
    if given is None or isinstance(given, int):
        return given
    if given.get("shortest_edge"):
        return int(given["shortest_edge"])
    if not (given.get("height") and given.get("width")):
        named = ", ".join(key for key, value in dict(given).items() if value) or "nothing"
        raise ValueError(f"its size is given as {named}")
    return int(given["height"]), int(given["width"])


def _check_size(steps: list[Any]) -> None:
    """Raise a ValueError before a picture is made that has no pixels, or fills the memory."""
    sizes = [step.size for step in steps if hasattr(step, "size")]
    for side in (side for size in sizes for side in ([size] if isinstance(size, int) else size)):
        if not 0 < side <= LARGEST:
            raise ValueError(f"its pictures have sides of {side} pixels, and {LARGEST} are the most")


def _agrees(transform: Transform, processor: Any) -> bool:
    """Whether the steps give what the processor gives, tried on a picture that is not square."""
    draw = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    image = Image.fromarray(draw).resize((401, 300), Image.Resampling.BICUBIC)
    theirs = processor(images=image, return_tensors="pt")["pixel_values"]
    ours = transform(image)[None]
    return theirs.shape == ours.shape and bool((theirs - ours).abs().mean() <= AGREE)
