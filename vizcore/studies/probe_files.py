"""A linear probe in a file: safetensors, with the classes and the network that it belongs to.

Nothing in it is executed. It is refused where the network's weights are others than it was made on.
"""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from ..model import VisionModel
from ..networks.checkpoints import ModelError, read_checkpoint
from ..networks.headed import featured, with_head
from ..networks.preprocessing import Preprocessing, from_dict, preprocessing_of, with_preprocessing
from .probe import Head, Result

KIND = "a linear probe of Sightlines, 1"
FROM, TO = 2, 1000  # classes
LONGEST = 200  # characters of a name


class Kept(NamedTuple):
    """What a file says."""

    head: Head
    labels: list[str]
    backbone: str  # the network's name in the catalogue or of timm; a title for one that was brought
    digest: str  # of its weights
    said: str  # how good it was
    preprocessing: Preprocessing | None  # with which it was made, where it can be said


def weights_digest(model: VisionModel) -> str:
    """What a network's weights are, in 16 letters: the same for the same names, shapes and numbers."""
    found = hashlib.sha256()
    for name, value in sorted(model.net.state_dict().items()):
        found.update(f"{name} {tuple(value.shape)} {value.dtype}".encode())
        found.update(value.cpu().contiguous().view(-1).view(torch.uint8).numpy() if value.numel() else b"")
    return found.hexdigest()[:16]


def to_file(model: VisionModel, result: Result) -> bytes:
    """A probe of ``model``'s features as safetensors."""
    share, done = result.accuracy, preprocessing_of(model)
    said = (
        f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%}) of {len(result.answers)} pictures right, "
        f"{result.folds} folds"
    )
    words = {
        "kind": KIND,
        "labels": json.dumps(list(result.labels)),
        "backbone": model.name,
        "backbone_weights": weights_digest(model),
        "accuracy": said,
        "preprocessing": json.dumps(done.as_dict() if done else None),
    }
    weight, bias = (value.float().contiguous() for value in result.head)
    return save({"weight": weight, "bias": bias}, words)


def metadata(data: bytes) -> dict[str, str]:
    """What safetensors says of itself; empty for any other file."""
    try:
        (length,) = struct.unpack_from("<Q", data)
        if data[:2] == b"PK" or not 2 <= length <= min(len(data) - 8, 100_000_000):
            return {}
        header = json.loads(data[8 : 8 + length])
        found = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    except (ValueError, struct.error, RecursionError):
        return {}
    return (
        {key: value for key, value in found.items() if isinstance(value, str)}
        if isinstance(found, dict)
        else {}
    )


def is_probe(data: bytes) -> bool:
    """Whether a file says that it is a probe."""
    return metadata(data).get("kind", "").startswith(KIND.rpartition(",")[0])


def from_file(data: bytes) -> Kept:
    """Read a file that ``to_file`` wrote.

    Raises:
        ModelError: it is none, damaged, or of a later version.
    """
    said = metadata(data)
    if not is_probe(data):
        raise ModelError("This file is no linear probe that was saved here.")
    if said["kind"] != KIND:
        raise ModelError(f"This probe was saved by another version ({said['kind'][:60]}).")
    state, labels = read_checkpoint(data)
    weight, bias = state.get("weight"), state.get("bias")
    good = labels and weight is not None and bias is not None and set(state) == {"weight", "bias"}
    if not good or not _fits(weight, bias, len(labels or [])):
        raise ModelError(
            "This probe is damaged: a row of weights, a bias and a name are expected for each class."
        )
    try:
        stored: Any = json.loads(said.get("preprocessing", "null"))
    except (ValueError, RecursionError) as error:
        raise ModelError("The file's preprocessing can't be read.") from error
    return Kept(
        Head(weight.float(), bias.float()),  # type: ignore[union-attr]
        list(labels or []),
        said.get("backbone", "")[:LONGEST],
        said.get("backbone_weights", "")[:LONGEST],
        said.get("accuracy", "")[:LONGEST],
        from_dict(stored) if stored else None,
    )


def _fits(weight: Any, bias: Any, classes: int) -> bool:
    both = isinstance(weight, Tensor) and isinstance(bias, Tensor)
    if not both or weight.ndim != 2 or not FROM <= classes <= TO or len(weight) != classes:
        return False
    real = weight.is_floating_point() and bias.is_floating_point()
    return (
        real and tuple(bias.shape) == (classes,) and bool(weight.isfinite().all() and bias.isfinite().all())
    )


def on(model: VisionModel, kept: Kept) -> VisionModel:
    """The network with the probe's classes.

    Raises:
        ModelError: its weights are others than those that the probe was made on, or its features.
    """
    if weights_digest(model) != kept.digest:
        raise ModelError(
            f"This probe was made on {kept.backbone} with other weights than those of {model.title} here, so "
            "what it says would mean nothing."
        )
    if kept.preprocessing is not None:
        model = with_preprocessing(model, kept.preprocessing)
    width = features_of(model)
    if width != kept.head.weight.shape[1]:
        raise ModelError(
            f"This probe reads {kept.head.weight.shape[1]} features, and {model.title} has {width}."
        )
    source = f"{model.title}'s features ({model.source}), and a linear probe from a file"
    return with_head(model, *kept.head, kept.labels, source)


def features_of(model: VisionModel) -> int:
    """How many pooled features a network has."""
    from PIL import Image

    with torch.no_grad():
        return featured(model)[0](model.preprocess(Image.new("RGB", (256, 256)))).shape[1]
