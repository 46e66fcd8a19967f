"""Pictures that classes of networks like, with and without random views; each says how it was made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..drawing.encoding import png
from ..drawing.sheets import sheet
from ..imagine.augment import Augment
from ..imagine.maximise import RECIPES, Recipe, maximise
from ..model import VisionModel, check_class
from ..objectives import logit
from ..studies.probe_files import weights_digest
from .by_name import network
from .contact_sheets import SHEET, tile
from .progress import Progress
from .run_judge import RECIPE
from .run_maps import device
from .shards import Rank, StudyError, own_rank, written
from .sources import shown
from .spread import Part, spread

COLUMNS = {
    "number": "int32",
    "picture": "string",
    "kind": "string",
    "network": "string",
    "augmented": "bool",
    "objective": "float64",  # the class's score in the picture, less penalties, at the last step
    "reason": "string",
}
PICTURES = "pictures"
ROWS = 20  # classes on the sheet


class Wanted(NamedTuple):
    network: str
    index: int  # of the class
    label: str
    augmented: bool


def run_imagine(
    networks: Sequence[str],
    classes: Sequence[str],
    out: Path,
    recipe: Recipe = RECIPES["clean"],
    seed: int = 0,
    rank: Rank | None = None,
) -> Path:
    """A picture for each class, network, and with and without random views, in ``out``/pictures/CLASS.

    Args:
        classes: names or numbers; none: all that a network has.

    Raises:
        StudyError: no network has one of the classes; else as ``run_maps.run``.
    """
    rank = rank or own_rank()
    if not networks or len(set(networks)) < len(networks):
        raise StudyError("A network is named twice, or none is.")
    models = {name: network(name, device(rank)) for name in networks}
    jobs = wanted(models, classes)
    plan = {
        "study": "imagine",
        "networks": [{"name": name, "digest": weights_digest(one)} for name, one in models.items()],
        "pictures": len(jobs),
        "classes": list(classes),
        "recipe": asdict(recipe),
        "seed": seed,
    }

    def make(numbers: range, progress: Progress) -> Part:
        rows = []
        for number in numbers:
            rows.append({"number": number, **imagined(models, jobs[number], out, recipe, seed)})
            progress.add(1)
        return rows, {}

    parts = [range(k, k + 1) for k in range(len(jobs))]  # a picture takes seconds to minutes
    return spread(out, plan, parts, COLUMNS, make, lambda: overview(out, jobs), rank)


def wanted(models: dict[str, VisionModel], classes: Sequence[str]) -> list[Wanted]:
    """What is to be made; a class that a network lacks isn't made for it."""
    jobs = []
    for name, model in models.items():
        for one in classes or map(str, range(model.num_classes)):
            try:
                index = check_class(model, int(one) if one.isdecimal() else one)
            except ValueError:
                continue
            jobs += [Wanted(name, index, model.label(index), augmented) for augmented in (True, False)]
    if not jobs:
        raise StudyError(f"None of these networks has any of the classes {', '.join(classes)[:200]}.")
    return jobs


def imagined(
    models: dict[str, VisionModel], job: Wanted, out: Path, recipe: Recipe, seed: int
) -> dict[str, Any]:
    """Make one picture and write it; its row."""
    model = models[job.network]
    own = recipe if job.augmented else replace(recipe, augment=Augment(), views=1)
    last = None
    for last in maximise(model, [logit(model, job.index)], own, [seed]):  # noqa: B007
        pass
    if last is None:
        raise StudyError("A recipe needs at least one step.")
    said = {
        "network": job.network,
        "weights": model.source,
        "digest": weights_digest(model),
        "class": job.label,
        "index": job.index,
        "augmented": job.augmented,
        "seed": seed,
        "recipe": asdict(own),
    }
    name = place(job)
    path = out / PICTURES / name
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = (255 * last.pictures[0].clamp(0, 1)).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    written(path, lambda file: save(file, picture, said))
    row: dict[str, Any] = {"picture": name, "kind": job.label, "network": job.network}
    return row | {"augmented": job.augmented, "objective": float(last.objective[0]), "reason": None}


def place(job: Wanted) -> str:
    """A picture's path within the folder of pictures."""
    views = "" if job.augmented else " without views"
    return f"{file_name(job.label)}/{file_name(job.network)}{views}.png"


def overview(out: Path, jobs: Sequence[Wanted]) -> None:
    """One sheet of the first classes: a row a class, with and without random views."""
    made = {(job.label, job.network, job.augmented): out / PICTURES / place(job) for job in jobs}
    labels = list(dict.fromkeys(job.label for job in jobs))[:ROWS]
    columns = list(dict.fromkeys((job.network, job.augmented) for job in jobs))
    blank = tile(Image.new("RGB", (1, 1), "white"))
    rows = []
    for label in labels:
        paths = [made.get((label, *column)) for column in columns]
        rows.append((label, [blank if path is None else tile(Image.open(path)) for path in paths]))
    heads = [f"{name}, {'with' if augmented else 'without'} views" for name, augmented in columns]
    drawn = png(sheet(rows, heads, "Each picture has its recipe in its text chunk."))
    written(out / SHEET, lambda file: file.write(drawn))


def save(file: Any, picture: np.ndarray, recipe: dict[str, Any]) -> None:
    """A PNG with its recipe in a text chunk."""
    info = PngInfo()
    info.add_itxt(RECIPE, json.dumps(recipe, ensure_ascii=False))
    Image.fromarray(picture).save(file, "PNG", pnginfo=info)


def file_name(label: str) -> str:
    """A name that a file can have on any system."""
    text = "".join(c if c.isalnum() or c in " -_+." else "_" for c in shown(label)).strip(" .")
    return text[:80] or "unnamed"
