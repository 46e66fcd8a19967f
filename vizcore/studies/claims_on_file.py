"""What was measured beforehand of two claims, for the networks in the box.

``python -m benchmarks claims`` makes the file again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..truth.intervals import Interval
from . import knowing, reaches

FILE = Path(__file__).parent.parent / "weights" / "claims.json"
FIELDS = FILE.with_name("fields.npz")  # what places depend on, in the mean, as pictures
PAIRS = {  # by the kind of pictures that they know: a CNN, a ViT
    "textures": ("texture_resnet", "texture_vit"),
    "photographs": ("efficientnet_lite0", "photo_vit"),
}


class Known(NamedTuple):
    """What two networks know the same pictures by."""

    pictures: int
    things: int  # of which they are pictures
    networks: dict[str, dict[str, knowing.Curve]]  # by network and change
    difference: dict[str, list[Interval]]  # by change and level: how many more the first one names
    sides: dict[str, Interval]  # by change: how many more times the first one keeps to its own answer


class Measured(NamedTuple):
    """Of one pair."""

    looks: dict[str, dict[str, reaches.Summary]]  # by network, then "trained" or "random"
    knows: Known | None


def pair_of(name: str) -> str:
    """Which of ``PAIRS`` a network is in; "" where it is in none."""
    return next((kind for kind, names in PAIRS.items() if name in names), "")


def load_measured() -> dict[str, Measured]:
    """Read the file; nothing is computed. What isn't in it was not measured."""
    found, cells = {}, load_fields()
    for kind, own in json.loads(FILE.read_text()).items():
        looks = {
            name: {
                weights: reaches.from_data(one)._replace(cells=cells.get((name, weights), {}))
                for weights, one in each.items()
            }
            for name, each in own.get("looks", {}).items()
        }
        found[kind] = Measured(looks, _known(own["knows"]) if "knows" in own else None)
    return found


def load_fields() -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """By network and weights and then by layer, the energy on cells (h, w), as a share of its largest."""
    found: dict[tuple[str, str], dict[str, np.ndarray]] = {}
    if not FIELDS.exists():
        return found
    with np.load(FIELDS, allow_pickle=False) as held:
        for key in held.files:
            name, weights, layer = key.split("|")
            roots = held[key].astype(np.float32) / 255
            found.setdefault((name, weights), {})[layer] = roots**2
    return found


def store_fields(name: str, weights: str, cells: Mapping[str, np.ndarray]) -> None:
    """Put the fields of one network into their file, as roots in a byte each; the rest of it stays."""
    held = {}
    if FIELDS.exists():
        with np.load(FIELDS, allow_pickle=False) as own:
            held = {key: own[key] for key in own.files if key.split("|")[:2] != [name, weights]}
    for layer, one in cells.items():
        roots = np.sqrt(one / max(float(one.max()), 1e-30))
        held[f"{name}|{weights}|{layer}"] = (255 * roots).round().astype(np.uint8)
    save: Any = np.savez_compressed
    save(FIELDS, **held)


def _known(own: dict[str, Any]) -> Known:
    return Known(
        own["pictures"],
        own["things"],
        {name: knowing.from_data(each) for name, each in own["networks"].items()},
        {name: [Interval(*one) for one in each] for name, each in own["difference"].items()},
        {name: Interval(*one) for name, one in own["sides"].items()},
    )


def store(kind: str, made: dict[str, Any]) -> None:
    """Put what was measured of one pair into the file; the rest of it stays."""
    notes = json.loads(FILE.read_text()) if FILE.exists() else {}
    notes[kind] = notes.get(kind, {}) | made
    FILE.write_text(json.dumps(notes, separators=(",", ":")) + "\n")
