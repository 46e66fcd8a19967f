"""A study's contact sheet: pictures, the CNNs' Grad-CAM, the ViTs' rollout, raw attention and relevance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ..drawing.encoding import png
from ..drawing.laying import lay
from ..drawing.sheets import sheet
from ..pictures.frame import seen, to_frame
from ..pictures.images import PictureError
from . import plans, tables
from .shards import parts_of
from .sources import Source

SHEET = "sheet.png"  # in a study's folder
SIDE = 192  # pixels of a tile
OPACITY = 0.7
OF_FAMILY = {"cnn": ("Grad-CAM",), "vit": ("rollout", "attention", "relevance")}


def shown_methods(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A sheet's columns, (network, method): a family's own methods, or what else the study has of it."""
    found = []
    for one in plan["networks"]:
        able = [name for name in plan["methods"] if name not in one["left_out"]]
        usual = [name for name in OF_FAMILY.get(one["family"], ()) if name in able]
        found += [(one["name"], name) for name in usual or able]
    return found


def contact_sheet(
    folder: Path, plan: Mapping[str, Any], source: Source, numbers: Sequence[int]
) -> bytes | None:
    """A PNG with a row for each of some pictures; None where none of them can be read."""
    heads, size = shown_methods(plan), len(parts_of(plan["pictures"])[0])
    inside = plans.parts_folder(folder)
    if inside is None:
        return None
    read = cache(lambda path: [*tables.rows_of(tables.read(path))])
    rows = []
    for number in numbers:
        path = plans.part_path(inside, number // size)
        of = {(row["network"], row["method"]): row for row in read(path) if row["number"] == number}
        try:
            picture = source.items[number].read()
        except (PictureError, OSError, IndexError):
            continue
        tiles = [tile(picture)] + [_laid(picture, of.get(head), path.with_suffix(".npz")) for head in heads]
        rows.append((_title(source.items[number].name, of, plan), tiles))
    if not rows:
        return None
    words = ["picture", *(f"{method}, {name}" for name, method in heads)]
    return png(sheet(rows, words, "Each map on its own scale, for the network's own first answer."))


def _title(name: str, of: Mapping[tuple[str, str], Mapping[str, Any]], plan: Mapping[str, Any]) -> str:
    said = []
    for one in plan["networks"]:
        row = next((row for (net, _), row in of.items() if net == one["name"]), None)
        if row and row["answer"]:
            said.append(f"{one['name']} says {row['answer']} ({row['probability']:.0%})")
    return f"{name[-60:]}: {'; '.join(said)}" if said else name[-60:]


def _laid(picture: Image.Image, row: Mapping[str, Any] | None, arrays: Path) -> np.ndarray:
    """A map over the picture, as a tile; the grey picture where there is none, or one without evidence."""
    heat = tables.array(arrays, row["array"]) if row and row["array"] else None
    if row is None or heat is None or row["silent"]:
        return tile(picture.convert("L").convert("RGB"))
    box = row["left"], row["top"], row["right_edge"], row["bottom"]
    framed = to_frame(torch.from_numpy(heat), box, picture.size)
    laid = lay(np.asarray(picture), framed, seen(box, picture.size), OPACITY)
    return tile(Image.fromarray(laid))


def tile(picture: Image.Image) -> np.ndarray:
    """(SIDE, SIDE, 3), the picture as large as it fits, on white."""
    page, small = Image.new("RGB", (SIDE, SIDE), "white"), picture.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BICUBIC)
    if max(small.size) < SIDE:
        share = SIDE / max(small.size)
        small = picture.resize((max(1, round(picture.width * share)), max(1, round(picture.height * share))))
    page.paste(small, ((SIDE - small.width) // 2, (SIDE - small.height) // 2))
    return np.asarray(page)
