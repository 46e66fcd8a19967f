"""Extremes that were found beforehand: of every unit of the networks in the box.

Those that learnt textures saw drawn ones; those that know photographs saw the samples, whole and in parts,
and drawn textures behind them. Only numbers are stored: a picture is made again from its own. ``python -m
benchmarks units --store`` makes the files again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from ..model import VisionModel
from ..pictures.quarters import in_parts
from ..pictures.sets import Pictures, drawn
from ..studies.probe_files import weights_digest
from .extremes import Found, Shown, Spread, Step, extremes
from .projections import Heads, heads
from .unit_groups import Group

WEIGHTS = Path(__file__).parent.parent / "weights"
NETWORKS = "texture_resnet", "texture_vit", "efficientnet_lite0", "photo_vit"
PHOTOGRAPHS = "efficientnet_lite0", "photo_vit"  # of them, those that know photographs
PARTS = 4  # up to so many by so many, into which a sample is cut
COUNT, SEED, SIDE = 400, 0, 128  # of the pictures
KINDS = "most", "least", "by_lot"


class Stored(NamedTuple):
    """What ``extremes`` ended with."""

    step: Step
    weights: str  # a digest of the network's


def file_of(name: str) -> Path:
    return WEIGHTS / f"units_{name}.npz"


def stored_set(photographs: Sequence[Image.Image] = (), names: Sequence[str] = ()) -> Pictures:
    """The ``COUNT`` pictures that were looked through: of photographs, if any, all parts; then textures.

    Args:
        names: of the photographs.

    >>> len(stored_set()), stored_set().names[:2]
    (400, ('banded', 'blotchy'))
    """
    parts = in_parts(photographs, PARTS)
    textures = drawn(COUNT - len(parts), SEED, SIDE)
    own = tuple(name for name in names for _ in range(len(parts) // len(names)))
    return Pictures(
        COUNT, lambda k: parts[k] if k < len(parts) else textures[k - len(parts)], own + textures.names
    )


def groups_of(model: VisionModel, found: Heads) -> list[Group]:
    """All units that are looked for in one pass: channels of its blocks, heads, classes."""
    writing = [name for name, own in found.items() if own.way == "projection"] if model.grid else []
    every = [Group("channels", name) for name in model.blocks or model.layers]
    every += [Group("heads", name) for name in writing]
    return every + [Group("classes")] * bool(model.num_classes)


def load_units(name: str) -> Stored:
    """Read a file; nothing is computed."""
    with np.load(file_of(name), allow_pickle=False) as file:
        kept = {key: torch.from_numpy(file[key]) for key in file.files if key not in ("groups", "weights")}
        names = [Group(*row.split("|")) for row in file["groups"].tolist()]
        weights = str(file["weights"])
    sizes = kept.pop("sizes").tolist()
    parts = {key: values.split(sizes) for key, values in kept.items() if key != "counts"}
    found = {
        group: Found(
            lowest=parts["lowest"][k],
            spread=Spread(kept["counts"], parts["means"][k], parts["explained"][k]),
            **{kind: Shown._make(parts[f"{kind}_{part}"][k] for part in Shown._fields) for kind in KINDS},
        )
        for k, group in enumerate(names)
    }
    return Stored(Step(COUNT, COUNT, found, ()), weights)


def store_units(model: VisionModel, pictures: Pictures) -> Path:
    """Look through a ``stored_set``, and write the file."""
    own = heads(model)
    groups, names = groups_of(model, own), list(dict.fromkeys(pictures.names))
    *_, last = extremes(model, pictures, groups, [names.index(name) for name in pictures.names], own)
    parts: dict[str, np.ndarray] = {}
    every = [last.found[group] for group in groups]
    for kind in KINDS:
        for part in Shown._fields:
            whole = torch.cat([getattr(getattr(one, kind), part) for one in every]).numpy()
            parts[f"{kind}_{part}"] = whole if part == "values" else whole.astype(np.int16)
    spreads = [one.spread for one in every if one.spread]
    save: Any = np.savez_compressed  # its one option, which no part is called, hides the names' type
    save(
        file_of(model.name),
        groups=np.array(["|".join(group) for group in groups]),
        weights=np.array(weights_digest(model)),
        sizes=np.array([len(one.lowest) for one in every]),
        lowest=torch.cat([one.lowest for one in every]).numpy(),
        counts=spreads[0].counts.numpy(),
        means=torch.cat([one.means for one in spreads]).numpy(),
        explained=torch.cat([one.explained for one in spreads]).numpy(),
        **parts,
    )
    return file_of(model.name)
