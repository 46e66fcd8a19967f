"""Studies, as ``sightlines study`` leaves them, and their pictures by name: they can stand in a link."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import streamlit as st
from PIL import Image

from vizcore.at_scale.plans import PLAN, read_plan
from vizcore.at_scale.shards import StudyError
from vizcore.at_scale.sources import Source, pictures_of
from vizcore.at_scale.tables import arrow
from vizcore.pictures.images import PictureError

from .limits import LOCAL
from .limits import STUDIES as FOLDER

_NAME = re.compile(r"study (.+) (\d{1,9})")


def studies() -> dict[str, Path]:
    """The studies of the folder ``SIGHTLINES_STUDIES`` by name; links that lead out of it aren't followed."""
    if not os.environ.get(FOLDER):
        return {}
    root = Path(os.environ[FOLDER]).expanduser().resolve()
    try:
        found = [path.parent for path in sorted(root.glob(f"*/{PLAN}"))]
    except OSError:
        return {}
    return {path.name: path for path in found if path.resolve().parent == root and path.name.isprintable()}


def ready() -> None:
    """Import what opens a study's table, where there is one, before somebody waits for it."""
    if studies():
        with suppress(StudyError):
            arrow()


def folder_of(name: str) -> Path | None:
    """A study by its name, or, where this machine's folders may be read, by its path."""
    found = studies().get(name)
    if found is None and os.environ.get(LOCAL) == "1" and (Path(name).expanduser() / PLAN).is_file():
        return Path(name).expanduser()
    return found


def name_of(study: str, number: int) -> str:
    """How a picture of a study is called in a link."""
    return f"study {study} {number}"


def title(name: str) -> str:
    """How it is called on a page: the file's name in the study; any other name as it is."""
    found = _NAME.fullmatch(name)
    source = _source_of(found[1]) if found else None
    if not found or source is None or int(found[2]) >= len(source.items):
        return name
    return f"{source.items[int(found[2])].name[-60:]}, of a study"


def find(name: str) -> Image.Image | None:
    """The picture that a name means; None where it means none, or one that can't be read."""
    found = _NAME.fullmatch(name)
    source = _source_of(found[1]) if found else None
    if not found or source is None or int(found[2]) >= len(source.items):
        return None
    try:
        return source.items[int(found[2])].read()
    except (PictureError, OSError):
        return None


def _source_of(study: str) -> Source | None:
    folder = folder_of(study)
    return None if folder is None else _listed(str(folder), (folder / PLAN).stat().st_mtime_ns)


@st.cache_resource(show_spinner=False, max_entries=4)
def _listed(folder: str, _when: int) -> Source | None:
    """What a study looked at; None where its pictures are gone."""
    try:
        return pictures_of(str(read_plan(Path(folder)).get("data", "")))
    except (StudyError, PictureError, OSError):
        return None
