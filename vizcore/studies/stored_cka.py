"""A comparison that was made beforehand: of the pair in the box, on drawn textures.

``python -m benchmarks cka --stored`` makes the file again.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .cka import ESTIMATORS, Estimate, compare

WEIGHTS = Path(__file__).parent.parent / "weights"
FILE = WEIGHTS / "similarity.json"
NETWORKS = "texture_resnet", "texture_vit"
CONTROL_SEEDS = 7001, 7002  # of the weights of random networks beside trained ones
COUNT, SEED, SIDE = 128, 0, 128  # of the pictures
KINDS = "cka", "noise"


class Stored(NamedTuple):
    """What ``compare`` ended with: of the trained pair, and of the same architectures with random weights."""

    layers: list[list[str]]  # rows, columns
    found: Estimate
    control: Estimate
    weights: str  # a digest of the trained ones


def weights_digest() -> str:
    """Of the pair's weights, so that a stored result is known to be of others."""
    found = hashlib.sha256()
    for name in NETWORKS:
        found.update((WEIGHTS / f"{name}.safetensors").read_bytes())
    return found.hexdigest()


def load_stored() -> Stored:
    """Read the file; nothing is computed."""
    notes = json.loads(FILE.read_text())
    found, control = (
        Estimate(COUNT, COUNT, *({name: np.array(own[kind][name]) for name in ESTIMATORS} for kind in KINDS))
        for own in (notes["found"], notes["control"])
    )
    return Stored(notes["layers"], found, control, notes["weights"])


def store() -> Stored:
    """Compute it, write the file, and read it."""
    from ..networks.load import load_model
    from ..pictures.sets import drawn

    notes: dict = {"weights": weights_digest()}
    pictures = drawn(COUNT, SEED, SIDE)
    for part, weights, seeds in (("found", "trained", (0, 0)), ("control", "random", CONTROL_SEEDS)):
        pair = [
            load_model(name, weights, seed=seed, device="cpu")
            for name, seed in zip(NETWORKS, seeds, strict=True)
        ]
        notes["layers"] = [model.blocks for model in pair]
        *_, last = compare(pair[0], pair[1], pictures)
        notes[part] = {
            kind: {name: values.round(5).tolist() for name, values in getattr(last, kind).items()}
            for kind in KINDS
        }
    FILE.write_text(json.dumps(notes) + "\n")
    return load_stored()
