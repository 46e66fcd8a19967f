"""A table of truth: do methods' maps point to where the answer is known to be? Methods × networks × pictures.

What differs from published figures: pointing has no tolerance (Zhang et al. allow 15 pixels), the largest
place is that of the map brought to the picture's pixels, and a map that says nothing, or the same everywhere,
scores what chance does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import truth
from ..methods.table import METHODS
from ..methods.together import parted, together
from ..model import VisionModel
from ..modes import in_any_mode
from ..pictures.frame import to_frame
from ..pictures.textures.scenes import Scene
from ..truth.intervals import Interval, normal, wilson

CONTROLS = ("random", "centre", "edges")


class Score(NamedTuple):
    """How one method, or control, does with one network."""

    pointing: Interval  # the share of the questions in which the largest value lies in the right place
    energy: Interval  # the share of the positive part that lies there, mean over pictures
    silent: float  # the share of the maps without positive evidence, or the same everywhere


class Of(NamedTuple):
    """What is known of one network."""

    questions: int
    scenes: int  # in which it was asked anything
    chance: float  # the mean share of the picture that is right
    scores: dict[str, Score]  # by method and control
    left_out: dict[str, str]  # methods that can't be asked of it, and why


class Answers(NamedTuple):
    """The table so far."""

    done: int
    total: int
    networks: dict[str, Of]


class _Marks(NamedTuple):
    """Of one picture and one method: a row for each class that was asked for."""

    hits: list[float]
    shares: list[float]
    silent: list[bool]


@in_any_mode
def known_answers(
    models: Mapping[str, VisionModel],
    asked: Mapping[str, Mapping[str, int]],
    scenes: Iterable[Scene],
    methods: Sequence[str],
    seed: int = 0,
    count: int | None = None,
) -> Iterator[Answers]:
    """Ask networks about pictures whose answer is known: each picture for each of its classes.

    Args:
        models: by any name.
        asked: by the model's name, the class that stands for each name of the scenes' masks; of a mask that
            is missing there the network isn't asked. Masks of one class are one region.
        scenes: asked for one at a time, so that thousands take no memory.
        methods: of ``METHODS``, at a layer or without ("LayerCAM at blocks.4"). Those that can't be asked of
            a network are left out, with the reason.
        seed: of the random control. count: how many pictures there are; needed where they have no length.

    Yields:
        After each picture of each network, all networks taking turns.

    Raises:
        ValueError: a method that isn't known, or no pictures.
    """
    if unknown := [name for name in methods if parted(name)[0] not in METHODS]:
        raise ValueError(f"unknown method {unknown[0]!r}; there are {', '.join(METHODS)}")
    count = len(scenes) if count is None and isinstance(scenes, Sized) else count
    if not count:
        raise ValueError("there are no pictures to ask about")
    left_out = {
        name: {method: why for method in methods if (why := METHODS[parted(method)[0]].why_not(model))}
        for name, model in models.items()
    }
    marks: dict[str, list[dict[str, _Marks]]] = {name: [] for name in models}
    areas: dict[str, list[float]] = {name: [] for name in models}
    total, done = len(models) * count, 0
    for number, scene in enumerate(scenes):
        for name, model in models.items():
            regions = _regions(scene, asked.get(name, {}))
            if regions:
                own = [method for method in methods if method not in left_out[name]]
                marks[name].append(_marked(model, scene, regions, own, left_out[name], seed + number))
                areas[name] += [float(mask.mean()) for mask in regions.values()]
            done += 1
            table = {one: _scored(marks[one], areas[one], left_out[one]) for one in models}
            yield Answers(done, total, table)


def _regions(scene: Scene, asked: Mapping[str, int]) -> dict[int, np.ndarray]:
    """By class, where it is; two masks of one class are one region."""
    regions: dict[int, np.ndarray] = {}
    for label, mask in scene.masks.items():
        if label in asked:
            index = asked[label]
            regions[index] = regions[index] | mask if index in regions else mask
    return regions


def _marked(
    model: VisionModel,
    scene: Scene,
    regions: Mapping[int, np.ndarray],
    methods: list[str],
    left_out: dict[str, str],
    seed: int,
) -> dict[str, _Marks]:
    """One picture's marks by method and control; a method that fails on it is left out from there on."""
    image = Image.fromarray(scene.picture)
    images, box = model.preprocess(image), model.preprocess.box(image.size)
    heats: dict[str, Tensor] = {}
    try:
        heats = together(model, images, list(regions), methods)
    except ValueError:  # one of them: no gradient reaches its places, say
        for method in methods:
            try:
                heats |= together(model, images, list(regions), [method])
            except ValueError as error:
                left_out[method] = str(error)
    layout = model.layouts[model.cam_layer]
    grids = {
        "random": truth.random_map(*layout.grid, seed),
        "edges": truth.edges(images, *layout.grid),
    }
    framed = {name: to_frame(heat.detach().cpu(), box, image.size) for name, heat in heats.items()}
    framed |= {
        name: to_frame(grid[None], box, image.size).expand(len(regions), -1, -1)
        for name, grid in grids.items()
    }
    centre = truth.centre_gaussian(image.height, image.width)  # of the picture: it knows how people frame
    framed["centre"] = centre.expand(len(regions), -1, -1)
    masks = torch.from_numpy(np.stack(list(regions.values())))
    return {name: _judged(maps, masks) for name, maps in framed.items()}


def _judged(maps: Tensor, masks: Tensor) -> _Marks:
    """Maps (K, H, W) beside where the answers are, (K, H, W) bool."""
    found = _Marks([], [], [])
    for heat, mask in zip(maps, masks, strict=True):
        silent = not (heat.max() > 0 and heat.max() > heat.min())
        found.silent.append(silent)
        found.hits.append(float(mask.double().mean()) if silent else float(truth.pointing(heat, mask)))
        found.shares.append(truth.energy(heat, mask))
    return found


def _scored(marks: list[dict[str, _Marks]], areas: list[float], left_out: Mapping[str, str]) -> Of:
    if not marks:
        return Of(0, 0, 0.0, {}, dict(left_out))
    scores = {}
    for name in marks[0]:
        if name in left_out:
            continue
        rows = [scene[name] for scene in marks]
        hits = [hit for row in rows for hit in row.hits]
        scores[name] = Score(
            wilson(sum(hits), len(hits)),
            normal([float(np.mean(row.shares)) for row in rows]),
            float(np.mean([one for row in rows for one in row.silent])),
        )
    return Of(len(areas), len(marks), float(np.mean(areas)), scores, dict(left_out))
