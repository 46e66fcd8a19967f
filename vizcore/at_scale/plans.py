"""What a study is, written down in its folder: whoever goes on with it goes on with the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from .shards import StudyError, written
from .sources import Item

PLAN = "study.json"
PARTS = "parts"


def list_digest(items: Sequence[Item]) -> str:
    """What a list of pictures is, in 16 letters: the same for the same names and sizes."""
    found = hashlib.sha256()
    for item in items:
        found.update(json.dumps([item.name, item.size]).encode())
    return found.hexdigest()[:16]


def begin(folder: Path, plan: dict[str, Any]) -> Path:
    """Write the plan where there is none yet, or see that the one that is there is the same.

    Returns:
        The folder of the plan's parts. It has the plan's digest in its name, so that a process that is left
        over of another study in this folder finds nothing to write into.

    Raises:
        StudyError: another study is there.
    """
    plan = {**plan, "version": __version__}
    text = json.dumps(plan, indent=1, ensure_ascii=False) + "\n"
    path = folder / PLAN
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            others = any(not one.name.startswith(".") for one in folder.iterdir())
            if others and not path.exists():  # another process may have written it meanwhile
                raise StudyError(f"{folder} holds other things; choose an empty folder for the study.")
            written(path, lambda file: file.write(text.encode()))
        there = read_plan(folder)
        if there != json.loads(text):
            changed = [name for name in plan if there.get(name) != plan[name]]
            raise StudyError(
                f"{folder} holds another study (it differs in {', '.join(changed) or 'what it lacks'}); "
                "choose another folder, or delete that one."
            )
        parts = folder / f"{PARTS}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        parts.mkdir(exist_ok=True)
    except OSError as error:
        raise StudyError(f"The study can't be written to {folder} ({error.strerror}).") from error
    return parts


def read_plan(folder: Path) -> dict[str, Any]:
    """What a folder's study is.

    Raises:
        StudyError: the folder holds none that can be read.
    """
    try:
        found = json.loads((folder / PLAN).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise StudyError(f"{folder.name or folder} holds no study ({PLAN}).") from error
    if not isinstance(found, dict):
        raise StudyError(f"{PLAN} of {folder.name} can't be read.")
    return found


def parts_folder(folder: Path) -> Path | None:
    """Where a study's parts are; None before there are any."""
    return next(iter(sorted(folder.glob(f"{PARTS}-*"))), None)


def part_path(parts: Path, number: int) -> Path:
    return parts / f"{number:05}.parquet"
