"""Cross-evaluation of a folder: what any networks say of its pictures, by origin, augmentation and class."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import truth
from ..drawing.encoding import png
from ..drawing.matrix import matrix_picture
from ..imagine.crosseval import VIEWS, judge
from ..imagine.maximise import input_size
from ..model import VisionModel
from ..pictures.images import PictureError
from ..studies.probe_files import weights_digest
from . import plans, tables
from .by_name import network
from .contact_sheets import SHEET
from .measures import plain
from .progress import Progress
from .run_maps import ahead, device
from .shards import Rank, StudyError, own_rank, parts_of, written
from .sources import LONGEST, Item, Source
from .spread import Part, spread

RECIPE = "recipe"  # the PNG's text chunk in which ``imagine`` says how a picture was made
COLUMNS = {
    "number": "int32",
    "picture": "string",
    "kind": "string",  # the class that is asked for: the recipe's, else the folder's
    "origin": "string",  # the network that the picture was made for; "" of one that says nothing
    "augmented": "bool",  # whether it was made with random views; null of one that says nothing
    "judge": "string",
    "right": "float64",  # share of the views in which the class is the first answer
    "probability": "float64",  # mean over the views
    "rank": "float64",  # mean over the views; 1 is the first answer
    "reason": "string",
}
FIGURES = "right", "probability", "rank"
VIEWED = {None: "", True: "with", False: "without"}


def run_judge(
    source: Source, networks: Sequence[str], out: Path, views: int = VIEWS, rank: Rank | None = None
) -> Path:
    """Show every picture to every network, in the same random views, and ask for the picture's class.

    Raises:
        StudyError, ModelError: as ``run_maps.run``.
    """
    rank = rank or own_rank()
    if not networks or len(set(networks)) < len(networks):
        raise StudyError("A network is named twice, or none is.")
    judges = {name: network(name, device(rank)) for name in networks}
    plan = {
        "study": "judge",
        "data": os.path.abspath(source.where) if os.path.exists(source.where) else source.where,
        "pictures": len(source.items),
        "list": plans.list_digest(source.items),
        "networks": [{"name": name, "digest": weights_digest(one)} for name, one in judges.items()],
        "views": views,
    }
    classes = {name: _classes(one) for name, one in judges.items()}

    def make(numbers: range, progress: Progress) -> Part:
        rows: list[dict[str, Any]] = []
        for one in ahead([(k, source.items[k]) for k in numbers], lambda pair: _read(*pair)):
            for name, model in judges.items():
                rows.append(_row(one, name, model, classes[name], views))
            progress.add(1)
        return rows, {}

    def end() -> None:
        found = verdicts(out)
        text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
        written(out / "summary.json", lambda file: file.write(text.encode()))
        page, drawn = in_words(found["by origin"]), picture(found["by origin"], [*judges])
        written(out / "summary.md", lambda file: file.write(page.encode()))
        if drawn is not None:
            written(out / SHEET, lambda file: file.write(drawn))

    return spread(out, plan, parts_of(len(source.items)), COLUMNS, make, end, rank)


def _classes(model: VisionModel) -> dict[str, int]:
    names = [plain(model.label(index)) for index in range(model.num_classes)]
    places = dict(zip(reversed(names), reversed(range(len(names))), strict=True))
    double = {name for name, index in zip(names, range(len(names)), strict=True) if places[name] != index}
    return {name: index for name, index in places.items() if name not in double}


def recipe_of(image: Image.Image) -> dict[str, Any]:
    """What a PNG that ``imagine`` wrote says of itself; empty for any other picture."""
    try:
        found = json.loads(image.info.get(RECIPE, "{}"))
    except (TypeError, ValueError, RecursionError):
        return {}
    good = isinstance(found, dict) and isinstance(found.get("class"), str)
    return found if good and isinstance(found.get("network"), str) else {}


def _read(number: int, item: Item) -> dict[str, Any]:
    """A picture with the words of its row so far; without ``image`` where it can't be read."""
    row: dict[str, Any] = {**dict.fromkeys(COLUMNS), "number": number, "picture": item.name}
    row |= {"kind": item.kind, "origin": ""}
    try:
        image = item.read()
    except (PictureError, OSError) as error:
        why = str(error) if isinstance(error, PictureError) else "The file can't be opened."
        return {"row": row | {"reason": why[:LONGEST]}}
    recipe = recipe_of(image)
    if recipe:
        row |= {"kind": recipe["class"][:200], "origin": recipe["network"][:200]}
        row["augmented"] = bool(recipe.get("augmented"))
    return {"row": row, "image": image}


def _row(
    one: Mapping[str, Any], name: str, model: VisionModel, classes: Mapping[str, int], views: int
) -> dict[str, Any]:
    row = {**one["row"], "judge": name}
    if "image" not in one:
        return row
    wanted = classes.get(plain(row["kind"]))
    if wanted is None:
        return row | {"reason": f"{name} has no class {row['kind']!r}, or several of that name."[:LONGEST]}
    said = judge(model, as_seen(model, one["image"])[None], [wanted], views)
    numbers = {figure: float(getattr(said, figure)[0]) for figure in FIGURES}
    if not all(map(np.isfinite, numbers.values())):
        return row | {"reason": f"{name} answers with numbers that are not finite."}
    return row | numbers


def as_seen(model: VisionModel, image: Image.Image) -> Tensor:
    """What a network sees of a picture, before it is normalised: (3, H, W), 0 to 1."""
    height, width = input_size(model)
    left, top, right, bottom = map(round, model.preprocess.box(image.size))
    seen = (
        image.convert("RGB")
        .crop((left, top, right, bottom))
        .resize((width, height), Image.Resampling.BICUBIC)
    )
    return torch.from_numpy(np.array(seen)).permute(2, 0, 1) / 255


def verdicts(out: Path) -> dict[str, list[dict[str, Any]]]:
    """The table by origin × augmentation × judge, and by class as well; means with 95 % intervals."""
    rows = [row for row in tables.rows_of(tables.read(out / tables.TABLE)) if row["right"] is not None]
    origin, by_class = ("origin", "augmented", "judge"), ("kind", "origin", "augmented", "judge")
    return {"by origin": _grouped(rows, origin), "by class": _grouped(rows, by_class)}


def _grouped(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    groups: dict[tuple, list] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    found = []
    for key, own in sorted(groups.items(), key=lambda pair: tuple(map(str, pair[0]))):
        figures = {figure: truth.normal([row[figure] for row in own]) for figure in FIGURES}
        ends = {figure: [v if np.isfinite(v) else None for v in one] for figure, one in figures.items()}
        found.append({**dict(zip(names, key, strict=True)), "pictures": len(own), **ends})
    return found


def picture(rows: Sequence[Mapping[str, Any]], judges: Sequence[str]) -> bytes | None:
    """A PNG of what each judge names right, by what the pictures were made for; None where nothing is."""
    kinds = list(dict.fromkeys((row["origin"], row["augmented"]) for row in rows))[::-1]
    if not kinds:
        return None
    values = np.full((len(kinds), len(judges)), np.nan)
    for row in rows:
        place = kinds.index((row["origin"], row["augmented"])), judges.index(row["judge"])
        values[place] = row["right"][0]
    names = [
        f"{origin or 'photographs and others'}{views and f', {views} views'}"
        for origin, views in ((origin, VIEWED[augmented]) for origin, augmented in kinds)
    ]
    count = max(row["pictures"] for row in rows)
    note = f"Up to {count} pictures each, in random views."
    title = "What judges name right"
    return png(matrix_picture(values, names, judges, title, ("made for", "judge"), note, "right"))


def in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table by origin × augmentation × judge as Markdown."""
    lines = [
        "| made for | random views | judge | pictures | right | probability | rank |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        views = VIEWED[row["augmented"]]
        cells = [f"{row[figure][0]:.3f}" for figure in FIGURES]
        lines.append(
            f"| {row['origin']} | {views} | {row['judge']} | {row['pictures']} | {' | '.join(cells)} |"
        )
    return "\n".join(lines) + "\n"
