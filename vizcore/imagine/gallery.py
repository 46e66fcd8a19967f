"""Pictures of every class of the bundled pair, imagined beforehand: one sheet and its recipe and scores.

``python -m benchmarks gallery`` makes both files again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..drawing.sheets import mosaic

SHEET = Path(__file__).parent.parent / "weights" / "imagined.webp"
NOTES = SHEET.with_suffix(".json")


class Gallery(NamedTuple):
    labels: list[str]
    pictures: dict[tuple[str, bool], np.ndarray]  # (network's title, with random views) -> (n, H, W, 3) uint8
    verdicts: list[dict]  # ``crosseval.Verdict`` of the pictures as they are stored
    recipe: dict  # of ``actmax.Recipe``, and the seed


def load_gallery() -> Gallery:
    """Read the files; nothing is computed."""
    notes = json.loads(NOTES.read_text())
    with Image.open(SHEET) as image:
        sheet = np.asarray(image.convert("RGB"))
    side, labels = notes["side"], notes["labels"]
    rows = sheet.reshape(len(notes["rows"]), side, len(labels), side, 3).swapaxes(1, 2)
    pictures = {(row["origin"], row["robust"]): cells for row, cells in zip(notes["rows"], rows, strict=True)}
    return Gallery(labels, pictures, notes["verdicts"], notes["recipe"])


def save_gallery(pictures: dict[tuple[str, bool], np.ndarray], labels: list[str], recipe: dict) -> None:
    """Write the sheet; its verdicts are added by ``save_verdicts``, from the pictures as they are stored."""
    rows = [cell for cells in pictures.values() for cell in cells]
    Image.fromarray(mosaic(rows, len(labels))).save(SHEET, quality=75, method=6)
    notes = {
        "recipe": recipe,
        "side": next(iter(pictures.values())).shape[1],
        "rows": [{"origin": origin, "robust": robust} for origin, robust in pictures],
        "labels": labels,
        "verdicts": [],
    }
    _write(notes)


def save_verdicts(verdicts: list[dict]) -> None:
    _write({**json.loads(NOTES.read_text()), "verdicts": verdicts})


def _write(notes: dict) -> None:
    NOTES.write_text(json.dumps(notes) + "\n")
