"""Make ``import torchvision`` (and so ``import timm``) work beside a CPU-only torch.

PyPI's torchvision is built against CUDA. Beside a CPU-only torch its compiled library does not
load, and the import dies with ``operator torchvision::nms does not exist``, because torchvision
describes operators that nobody has defined. Sightlines calls none of them, so it is enough that
their schemas exist. Where the library loads (a CUDA torch, a Mac), nothing is defined here.

Everything else in the project gets the two from here: ``from .torchvision_ops import timm, torchvision``.
"""

# ruff: noqa: E402, F401
import importlib.util
from pathlib import Path

import torch

_SCHEMA = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _load_library() -> None:
    """Load torchvision's compiled operators, as its own import is about to do."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return  # not installed: the import that follows says so itself
    for library in Path(spec.origin).parent.glob("_C*.*"):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            pass  # built for another torch


_load_library()
_missing = [name for name in ("nms", "qnms") if not hasattr(torch.ops.torchvision, name)]
if _missing:
    _library = torch.library.Library("torchvision", "DEF")  # kept alive: it undefines when collected
    for _name in _missing:
        _library.define(_SCHEMA.format(_name))

import timm
import timm.data.config
import timm.data.imagenet_info
import timm.data.transforms_factory
import timm.models.byobnet
import torchvision
