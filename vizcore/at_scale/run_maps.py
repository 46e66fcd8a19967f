"""A study of maps: for each picture, network and method a row and a map, by any number of processes."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch

from ..methods.table import METHODS
from ..pictures.images import PictureError
from ..pictures.known.masks import read_mask
from ..studies.probe_files import weights_digest
from . import measures, plans
from .by_name import network
from .in_mosaics import around, known_answers
from .measures import COLUMNS, CONTROLS, How, Network, Picture, Row
from .progress import Progress
from .shards import Rank, StudyError, own_rank, parts_of
from .sources import LONGEST, Item, Source
from .spread import Part, spread
from .told import tell

BATCH = 8  # pictures whose answers are asked for in one pass; parts are cut into these
AHEAD = 2 * BATCH  # pictures that are read while others are looked at
METHODS_BY_DEFAULT = ("Grad-CAM", "rollout", "attention", "relevance")
T = TypeVar("T")


class Asked(NamedTuple):
    """A study as it was asked for."""

    source: Source
    networks: Sequence[str]  # as ``by_name.network`` has them
    how: How
    out: Path
    masks: Path | None = None  # a folder with a mask for each picture: the same path, .png


def device(rank: Rank) -> torch.device | None:
    """The GPU of this process among its machine's; None: whatever there is."""
    count = torch.cuda.device_count()
    return torch.device("cuda", rank.local % count) if count > 1 else None


def run(asked: Asked, rank: Rank | None = None) -> Path:
    """Make the parts that are this process's, and the table if they were the last ones.

    Whoever runs it again goes on where it was stopped.

    Returns:
        The study's folder.

    Raises:
        StudyError: another study is in the folder; no such method; no network, or two of one name.
        ModelError: a network that can't be had.
    """
    rank = rank or own_rank()
    check(asked)
    networks = [
        measures.described(name, network(name, device(rank)), asked.how.methods) for name in asked.networks
    ]
    items = asked.source.items

    def make(numbers: range, progress: Progress) -> Part:
        return part([(k, items[k]) for k in numbers], networks, asked, progress)

    def end() -> None:
        tell(asked.out, asked.source)

    return spread(asked.out, plan(asked, networks), parts_of(len(items)), COLUMNS, make, end, rank)


def check(asked: Asked) -> None:
    """Raise a StudyError where a study can't be meant."""
    unknown = [name for name in asked.how.methods if name not in METHODS]
    if unknown:
        raise StudyError(f"There is no method {unknown[0]!r}; there are {', '.join(METHODS)}.")
    if not asked.networks or not asked.how.methods:
        raise StudyError("A study needs a network and a method.")
    for what in (asked.networks, asked.how.methods):
        if len(set(what)) < len(what):
            raise StudyError("A network or a method is named twice.")


def plan(asked: Asked, networks: Sequence[Network]) -> dict[str, Any]:
    """What decides the table's figures, as it is written down."""
    return {
        "study": "maps",
        "data": os.path.abspath(asked.source.where)
        if os.path.exists(asked.source.where)
        else asked.source.where,
        "pictures": len(asked.source.items),
        "list": plans.list_digest(asked.source.items),
        "networks": [
            {
                "name": one.name,
                "title": one.model.title,
                "family": one.model.family,
                "weights": one.model.source,
                "digest": weights_digest(one.model),
                "left_out": dict(one.left_out),
            }
            for one in networks
        ],
        "methods": list(asked.how.methods),
        "controls": list(CONTROLS),
        "steps": asked.how.steps,
        "baseline": asked.how.baseline,
        "masks": os.path.abspath(asked.masks) if asked.masks else None,
        "mosaics": asked.how.mosaics,
    }


# ---------------------------------------------------------------- a part


def part(
    items: Sequence[tuple[int, Item]], networks: Sequence[Network], asked: Asked, progress: Progress
) -> Part:
    """The rows and maps of one part; the same whoever makes it, and whatever was made before."""
    rows: list[Row] = []
    arrays: dict[str, np.ndarray] = {}
    read = ahead(items, lambda one: _read(one[0], one[1], asked))
    for start in range(0, len(items), BATCH):
        batch = [next(read) for _ in items[start : start + BATCH]]
        whole = [one for one in batch if isinstance(one, Picture)]
        inputs = [[one.model.preprocess(picture.image) for picture in whole] for one in networks]
        answers = [
            measures.answers(one, torch.cat(images)) if images else []
            for one, images in zip(networks, inputs, strict=True)
        ]
        place = 0
        for one in batch:
            if not isinstance(one, Picture):
                rows.append(one)
                progress.add(1)
                continue
            found = [
                measures.measured(net, one, inputs[k][place], answers[k][place], asked.how)
                for k, net in enumerate(networks)
            ]
            for net, rows_of in zip(networks, found, strict=True):
                for method, known in known_answers(net, one, asked.how).items():
                    rows_of[method][0].update(known)
            measures.compared(found, one)
            rows += _kept(found, one.number, arrays)
            place += 1
            progress.add(1)
    return rows, arrays


def _kept(found: Sequence[dict[str, tuple]], number: int, arrays: dict[str, np.ndarray]) -> Iterator[Row]:
    """The rows of a picture; its maps are put beside, but for the controls', which anybody can draw again."""
    for k, of in enumerate(found):
        for method, (row, heat) in of.items():
            if heat is not None and method not in CONTROLS:
                row["array"] = f"{number}/{k}/{method}"
                arrays[row["array"]] = heat
            yield row


def _read(number: int, item: Item, asked: Asked) -> Picture | Row:
    """A picture, or the row that says why there is none."""
    try:
        image = item.read()
        mask = _mask(item, asked.masks, image.size) if asked.masks else None
        scene = around(number, image, asked.source.items) if asked.how.mosaics else None
        return Picture(number, item.name, item.kind, image, mask, scene)
    except (PictureError, OSError) as error:
        why = str(error) if isinstance(error, PictureError) else "The file can't be opened."
        nothing: Row = dict.fromkeys(COLUMNS)
        return nothing | {
            "number": number, "picture": item.name, "kind": item.kind, "reason": why[:LONGEST],
        }  # fmt: skip


def _mask(item: Item, masks: Path, size: tuple[int, int]) -> np.ndarray | None:
    path = (masks / item.name).with_suffix(".png")
    if not path.resolve().is_relative_to(masks.resolve()) or not path.is_file():
        return None
    return read_mask(path.read_bytes(), size)


def ahead(items: Iterable[Any], read: Any) -> Iterator[Any]:
    """What is read of items, in their order; a thread reads the next ones meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future] = deque()
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
