"""An architecture is built by its name: of the catalogue, of timm, or of torchvision."""

from __future__ import annotations

import difflib
import re
import threading
from functools import lru_cache
from typing import Any

import torch
from torch import nn

from .catalog import CATALOG, Entry
from .checkpoints import ModelError, State, first_line
from .hybrid import photo_vit
from .shapes_only import shapes_only
from .torchvision_ops import timm, torchvision

_building = threading.Lock()  # torch's random generator is shared by all threads; a build takes a second
_CLASSIFIERS = {"alexnet": "classifier.6", "vit_b_16": "heads.head"}  # torchvision's don't say


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


def build(name: str, entry: Entry, seed: int = 0, **options: Any) -> nn.Module:
    """The network with its architecture's own initialisation from ``seed``.

    Args:
        options: for the architecture's builder, over those of the catalogue.

    Raises:
        ModelError: it can't be built.
    """
    kwargs = {**entry.kwargs, **({"num_classes": len(entry.labels)} if entry.labels else {}), **options}
    builder = {"torchvision": torchvision.models.get_model}.get(entry.source, timm.create_model)
    builder = _BUILT_HERE.get(name, builder)
    with _building, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        try:
            return builder(entry.arch or name, **kwargs)
        except Exception as error:  # a builder of any of timm's thousand architectures
            raise ModelError(f"{entry.title} can't be built: {first_line(error)}") from error


def _lambda_resnet38t(_name: str, **kwargs: Any) -> nn.Module:
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


_BUILT_HERE = {"lambda_resnet38t": _lambda_resnet38t, "photo_vit": photo_vit}


def count_classes(name: str, entry: Entry, state: State) -> int | None:
    """The rows of the classifier in a checkpoint; None where the architecture names none."""
    config = timm.get_pretrained_cfg(entry.arch or name, allow_unregistered=True)
    classifier = _CLASSIFIERS.get(name) or (config.classifier if config else None)
    if name == "lambda_resnet38t":
        classifier = "head.fc"
    if isinstance(classifier, tuple | list):  # distilled: class head and distillation head
        classifier = classifier[0]
    weight = state.get(f"{classifier}.weight")
    return weight.shape[0] if weight is not None and weight.ndim >= 2 else None


@lru_cache(maxsize=256)
def network_bytes(name: str) -> int:
    """How much memory a network's weights take, known without downloading or allocating them."""
    with shapes_only():
        return module_bytes(build(name, find_entry(name)))


def module_bytes(net: nn.Module) -> int:
    """How much memory a module's parameters and buffers take."""
    return sum(t.numel() * t.element_size() for t in (*net.parameters(), *net.buffers()))
