"""CKA between each pair of a list of networks, all of their layers, over the same pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ..drawing.encoding import png
from ..drawing.matrix import matrix_picture
from ..model import VisionModel
from ..pictures.images import PictureError
from ..pictures.sets import Pictures
from ..studies.cka import LEAST, compare
from ..studies.probe_files import weights_digest
from . import plans, tables
from .by_name import network
from .own_folder import RANDOM, own_networks
from .progress import Progress
from .run_maps import device
from .shards import Rank, StudyError, own_rank, written
from .sources import Source
from .spread import Part, spread

BATCH = 32
COLUMNS = {
    "number": "int32",  # of the pair
    "a": "string",
    "b": "string",
    "layer_a": "string",
    "layer_b": "string",
    "cka": "float64",  # unbiased; null where a layer puts out the same for every picture
    "noise": "float64",  # the same of independent noise as wide as the layers
}
CIFAR = (
    "resnet18", "resnet34", "resnet50", "lambda_resnet26t", "lambda_resnet38t", "lambda_resnet50ts",
    "vit_large_patch32_224",
)  # fmt: skip
PRESETS = {"cifar100": CIFAR}


def preset(name: str) -> list[str]:
    """A preset's networks: those that were fine-tuned for it, as ``finetune`` names them; and random ones.

    Of an architecture that wasn't, only the random one.
    """
    own = own_networks()
    trained = [f"{name}-{arch}" for arch in PRESETS[name] if f"{name}-{arch}" in own]
    return trained + [f"{arch}{RANDOM}" for arch in PRESETS[name]]


def run_similarity(
    source: Source, networks: Sequence[str], out: Path, count: int = 128, rank: Rank | None = None
) -> Path:
    """Compare each network with itself and with each other one.

    Two of them are in memory at a time. Pictures that can't be read are left out.

    Raises:
        StudyError: too few pictures; else as ``run_maps.run``.
    """
    rank = rank or own_rank()
    if not networks or len(set(networks)) < len(networks):
        raise StudyError("A network is named twice, or none is.")
    pictures = chosen(source, count)
    pairs = list(combinations_with_replacement(networks, 2))
    held: dict[str, VisionModel] = {}
    plan = {
        "study": "similarity",
        "data": os.path.abspath(source.where) if os.path.exists(source.where) else source.where,
        "pictures": len(pairs),
        "list": plans.list_digest(source.items),
        "count": len(pictures),
        "networks": [{"name": n, "digest": weights_digest(network(n, device(rank)))} for n in networks],
    }

    def make(numbers: range, progress: Progress) -> Part:
        rows: list[dict[str, Any]] = []
        for number in numbers:
            for name in [name for name in held if name not in pairs[number]]:
                del held[name]
            for name in pairs[number]:
                held[name] = held[name] if name in held else network(name, device(rank))
            rows += compared(number, pairs[number], held, pictures, out)
            progress.add(1)
        return rows, {}

    def end() -> None:
        text = json.dumps(summary(out), indent=1, ensure_ascii=False) + "\n"
        written(out / "summary.json", lambda file: file.write(text.encode()))

    parts = [range(k, k + 1) for k in range(len(pairs))]
    return spread(out, plan, parts, COLUMNS, make, end, rank, "pairs")


def chosen(source: Source, count: int) -> Pictures:
    """Up to ``count`` pictures that can be read, mixed, the same for whoever asks."""
    good = []
    for index in np.random.default_rng(0).permutation(len(source.items)):
        try:
            source.items[index].read()
        except (PictureError, OSError):
            continue
        good.append(int(index))
        if len(good) == count:
            break
    if len(good) < LEAST:
        raise StudyError(f"CKA needs at least {LEAST} pictures that can be read, not {len(good)}.")
    return Pictures(len(good), lambda k: source.items[good[k]].read())


def compared(
    number: int,
    pair: tuple[str, str],
    models: dict[str, VisionModel],
    pictures: Sequence[Image.Image],
    out: Path,
) -> list[dict[str, Any]]:
    """A row for each pair of layers; the matrix as a picture beside the table."""
    a, b = models[pair[0]], models[pair[1]]
    *_, last = compare(a, b, pictures, batch=BATCH)
    layers = list(a.blocks or a.layers), list(b.blocks or b.layers)
    cka, noise = last.cka["unbiased"], last.noise["unbiased"]
    title = f"CKA, {pair[0]} and {pair[1]}"
    drawn = png(matrix_picture(cka, layers[0], layers[1], title, pair, f"{len(pictures)} pictures"))
    written(out / f"cka-{number:03}.png", lambda file: file.write(drawn))
    return [
        {
            "number": number, "a": pair[0], "b": pair[1], "layer_a": one, "layer_b": other,
            "cka": _known(cka[i, j]), "noise": _known(noise[i, j]),
        }
        for i, one in enumerate(layers[0])
        for j, other in enumerate(layers[1])
    ]  # fmt: skip


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def summary(out: Path) -> list[dict[str, Any]]:
    """By pair: how alike a layer of A is to the most alike one of B, the mean over A's layers."""
    best: dict[tuple[int, str, str], dict[str, float]] = {}
    for row in tables.rows_of(tables.read(out / tables.TABLE)):
        if row["cka"] is not None:
            own = best.setdefault((row["number"], row["a"], row["b"]), {})
            own[row["layer_a"]] = max(row["cka"], own.get(row["layer_a"], -1.0))
    return [
        {
            "a": a,
            "b": b,
            "picture": f"cka-{number:03}.png",
            "best match, mean": float(np.mean([*own.values()])),
        }
        for (number, a, b), own in best.items()
    ]
