"""Pictures that a pair of networks in the box imagined beforehand: one sheet, its recipe and its scores.

``python -m benchmarks gallery`` makes both files again, for either pair.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..drawing.sheets import mosaic

WEIGHTS = Path(__file__).parent.parent / "weights"
SHEETS = {"textures": "imagined.webp", "photographs": "imagined_photographs.webp"}


class Gallery(NamedTuple):
    labels: list[str]
    pictures: dict[tuple[str, bool], np.ndarray]  # (network's title, with random views) -> (n, H, W, 3) uint8
    verdicts: list[dict]  # ``crosseval.Verdict`` of the pictures as they are stored
    recipe: dict  # of ``maximise.Recipe``, and the seed
    real: list[dict]  # what each judge says of real pictures of the class, where that was asked


def stored() -> list[str]:
    """Which galleries there are, of ``SHEETS``."""
    return [of for of, name in SHEETS.items() if (WEIGHTS / name).is_file()]


def load_gallery(of: str = "textures") -> Gallery:
    """Read the files of one of ``stored``; nothing is computed."""
    notes = json.loads(_notes(of).read_text())
    with Image.open(WEIGHTS / SHEETS[of]) as image:
        sheet = np.asarray(image.convert("RGB"))
    side, labels = notes["side"], notes["labels"]
    rows = sheet.reshape(len(notes["rows"]), side, len(labels), side, 3).swapaxes(1, 2)
    pictures = {(row["origin"], row["robust"]): cells for row, cells in zip(notes["rows"], rows, strict=True)}
    return Gallery(labels, pictures, notes["verdicts"], notes["recipe"], notes.get("real", []))


def save_gallery(
    pictures: dict[tuple[str, bool], np.ndarray], labels: list[str], recipe: dict, of: str = "textures"
) -> None:
    """Write the sheet; its verdicts are added by ``save_verdicts``, from the pictures as they are stored."""
    rows = [cell for cells in pictures.values() for cell in cells]
    Image.fromarray(mosaic(rows, len(labels))).save(WEIGHTS / SHEETS[of], quality=75, method=6)
    notes = {
        "recipe": recipe,
        "side": next(iter(pictures.values())).shape[1],
        "rows": [{"origin": origin, "robust": robust} for origin, robust in pictures],
        "labels": labels,
        "verdicts": [],
    }
    _write(of, notes)


def save_verdicts(verdicts: list[dict], of: str = "textures", real: list[dict] | None = None) -> None:
    """Add what the judges said of the pictures, and of real ones where they were asked."""
    notes = {**json.loads(_notes(of).read_text()), "verdicts": verdicts}
    _write(of, notes if real is None else {**notes, "real": real})


def _notes(of: str) -> Path:
    return (WEIGHTS / SHEETS[of]).with_suffix(".json")


def _write(of: str, notes: dict) -> None:
    _notes(of).write_text(json.dumps(notes) + "\n")
