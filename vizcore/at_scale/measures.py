"""What is measured of a picture in a study of maps: a row for each network and method, and the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import truth
from ..methods.table import METHODS
from ..methods.together import together
from ..model import VisionModel
from ..modes import in_any_mode
from ..pictures.frame import seen, to_frame
from ..pictures.textures.scenes import Scene
from ..scores import probabilities

CONTROLS = ("random", "centre")
SIDE = 64  # places a side, of the frame, at which maps of two networks are compared
COLUMNS = {  # of the table, in order; types are pyarrow's
    "number": "int32",  # of the picture
    "picture": "string",  # its name in the folder
    "kind": "string",  # its class's folder
    "network": "string",
    "method": "string",  # of METHODS, or a control
    "answer": "string",  # the network's first, which the map is asked for
    "answer_index": "int32",
    "probability": "float64",
    "right": "bool",  # null where the network has no class of the folder's name
    "answers_alike": "float64",  # share of the other networks whose first answer has that name
    "maps_alike": "float64",  # rank correlation with the same method's map of other networks, mean
    "class_alike": "float64",  # the same with its map for the second answer: 1 is no class sensitivity
    "silent": "bool",  # the map says nothing, or the same everywhere
    "deletion": "float64",  # mean probability while the picture is covered in the map's order
    "insertion": "float64",
    "pointing": "float64",  # 1: the largest value lies in the mask; of a silent map, the mask's share
    "energy": "float64",  # share of the positive part in the mask
    "in_cell": "float64",  # the same two in a mosaic of four pictures: asked for its class, in its own cell
    "cell_energy": "float64",
    "width": "int32",  # of the picture
    "height": "int32",
    "left": "float64",  # of what the network sees, in the picture's pixels
    "top": "float64",
    "right_edge": "float64",
    "bottom": "float64",
    "array": "string",  # the map's name in the part's .npz
    "reason": "string",  # why there is no map
}
Row = dict[str, Any]


class How(NamedTuple):
    """What is asked of every picture."""

    methods: tuple[str, ...]
    steps: int = 8  # of the curves; 0: none
    baseline: str = "blur"
    mosaics: bool = False  # whether a picture is looked for in a mosaic, too


class Network(NamedTuple):
    name: str
    model: VisionModel
    kinds: Mapping[str, int]  # its classes by ``plain`` name, those that only one has
    left_out: Mapping[str, str]  # methods that can't be asked of it, and why


class Picture(NamedTuple):
    number: int
    name: str
    kind: str
    image: Image.Image
    mask: np.ndarray | None = None  # (H, W) bool
    mosaic: Scene | None = None  # with three others; the picture's cell has its name


class Answer(NamedTuple):
    """A network's two likeliest classes for a picture; one where it has but one, none without classes."""

    classes: list[int]
    chances: list[float]


def plain(name: str) -> str:
    """A class's name as names are compared: "Golden_Retriever" is "golden retriever"."""
    return " ".join(name.casefold().replace("_", " ").replace("-", " ").split())


def described(name: str, model: VisionModel, methods: Sequence[str]) -> Network:
    """A network with what a study needs to know of it."""
    names = [plain(model.label(index)) for index in range(model.num_classes)]
    often = Counter(names)
    kinds = {one: index for index, one in enumerate(names) if often[one] == 1}
    left_out = {method: why for method in methods if (why := METHODS[method].why_not(model))}
    return Network(name, model, kinds, left_out)


# ---------------------------------------------------------------- answers


@in_any_mode
def answers(network: Network, images: Tensor) -> list[Answer]:
    """Of a batch (B, 3, H, W), in one pass."""
    model = network.model
    if not model.num_classes:
        return [Answer([], [])] * len(images)
    with torch.no_grad():
        chances = probabilities(model.net, model.net(images)).double()
    best = chances.topk(min(2, model.num_classes), dim=1)
    return [Answer(*pair) for pair in zip(best.indices.tolist(), best.values.tolist(), strict=True)]


# ---------------------------------------------------------------- one picture, one network


def measured(
    network: Network, picture: Picture, images: Tensor, answer: Answer, how: How
) -> dict[str, tuple]:
    """By method and control: its row, and its map (h, w) float32 or None.

    Without curves, a mask and a mosaic nothing is measured of a control, and it has no row.
    """
    maps, second, failed = _maps(network, images, answer, how)
    measured_by = how.steps or picture.mask is not None or picture.mosaic is not None
    beside = controls(network.model, picture.number) if measured_by else {}
    areas = _areas(network, images, answer, {**maps, **beside}, how)
    box = network.model.preprocess.box(picture.image.size)
    found = {}
    for name in (*how.methods, *beside):
        row = _begun(network, picture, answer, name, box)
        heat = beside.get(name, maps.get(name))
        row["reason"] = network.left_out.get(name) or failed.get(name)
        if heat is not None:
            row |= _of_map(heat, second.get(name), picture, box)
            row |= areas.get(name, {})
        found[name] = row, None if heat is None else heat.numpy()
    return found


def _begun(network: Network, picture: Picture, answer: Answer, method: str, box: tuple) -> Row:
    row: Row = dict.fromkeys(COLUMNS)
    row |= {"number": picture.number, "picture": picture.name, "kind": picture.kind}
    row |= {"network": network.name, "method": method}
    row |= {"width": picture.image.width, "height": picture.image.height}
    row |= dict(zip(("left", "top", "right_edge", "bottom"), map(float, box), strict=True))
    if answer.classes:
        wanted = network.kinds.get(plain(picture.kind)) if picture.kind else None
        row |= {"answer": network.model.label(answer.classes[0]), "answer_index": answer.classes[0]}
        row |= {"probability": answer.chances[0]}
        row["right"] = None if wanted is None else answer.classes[0] == wanted
    return row


def _maps(
    network: Network, images: Tensor, answer: Answer, how: How
) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, str]]:
    """Each method's map for the answer; that for the second answer, of quick ones; and why there is none."""
    able = [name for name in how.methods if name not in network.left_out]
    quick = [name for name in able if not METHODS[name].slow]
    slow = [name for name in able if METHODS[name].slow]
    maps, second, failed = {}, {}, {}
    for names, classes in ((quick, answer.classes), (slow, answer.classes[:1])):
        found, errors = asked_for(network.model, images, classes or [0], names)
        failed |= errors
        for name, heats in found.items():
            if not heats[0].isfinite().all():
                failed[name] = "A value of the map is no number."
                continue
            maps[name] = heats[0]
            if len(heats) > 1 and METHODS[name].knows_class:
                second[name] = heats[1]
    return maps, second, failed


def asked_for(
    model: VisionModel, images: Tensor, classes: list[int], names: list[str]
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """By method, maps for classes (K, h, w); and why there are none of a method that fails."""
    found, failed = {}, {}
    try:
        found = together(model, images, classes, names) if names else {}
    except ValueError:  # one of them: no gradient reaches its places, say
        for name in names:
            try:
                found |= together(model, images, classes, [name])
            except ValueError as error:
                failed[name] = str(error)
    return {name: heats.detach().float().cpu() for name, heats in found.items()}, failed


def controls(model: VisionModel, number: int) -> dict[str, Tensor]:
    """Maps that know nothing of a picture, as coarse as a map of the last layer, by name."""
    return truth.controls(model.layouts[model.cam_layer].grid, seed=number)


def _areas(
    network: Network, images: Tensor, answer: Answer, heats: Mapping[str, Tensor], how: How
) -> dict[str, Row]:
    """Deletion and insertion by method and control; nothing without classes or steps."""
    if not how.steps or not answer.classes:
        return {}
    *_, last = truth.curves(
        network.model.net,
        images,
        heats,
        answer.classes[0],
        baseline=how.baseline,
        steps=how.steps,
    )
    return {name: {kind: last.curves[kind, name].area for kind in truth.KINDS} for name in heats}


def _of_map(heat: Tensor, second: Tensor | None, picture: Picture, box: tuple) -> Row:
    row: Row = {"silent": not (heat.max() > 0 and heat.max() > heat.min())}
    if second is not None:
        row["class_alike"] = _number(truth.rank_correlation(heat, second))
    if picture.mask is not None:
        framed, mask = to_frame(heat, box, picture.image.size), torch.from_numpy(picture.mask)
        row["energy"] = truth.energy(framed, mask)
        row["pointing"] = float(mask.double().mean() if row["silent"] else truth.pointing(framed, mask))
    return row


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


# ---------------------------------------------------------------- one picture, all networks


def compared(found: Sequence[dict[str, tuple]], picture: Picture) -> None:
    """Say in each network's rows how it agrees with the others: on the answer, and where its maps lie."""
    own = [next(iter(rows.values()))[0]["answer"] for rows in found]
    names = [None if one is None else plain(one) for one in own]
    for k, rows in enumerate(found):
        others = [name for j, name in enumerate(names) if j != k and name is not None]
        if names[k] is not None and others:
            share = sum(name == names[k] for name in others) / len(others)
            for row, _ in rows.values():
                row["answers_alike"] = share
    for method in found[0]:
        if method not in CONTROLS:
            _compare_maps([rows[method] for rows in found], picture.image.size)


def _compare_maps(pairs: list[tuple[Row, np.ndarray | None]], size: tuple[int, int]) -> None:
    framed = {k: _small(row, heat, size) for k, (row, heat) in enumerate(pairs) if heat is not None}
    alike: dict[int, list[float]] = {k: [] for k in framed}
    for one, other in combinations(framed, 2):
        both = framed[one][1] & framed[other][1]
        if both.any():
            value = truth.rank_correlation(framed[one][0][both], framed[other][0][both])
            for k in (one, other):
                alike[k] += [value] if np.isfinite(value) else []
    for k, values in alike.items():
        pairs[k][0]["maps_alike"] = float(np.mean(values)) if values else None


def _small(row: Row, heat: np.ndarray, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """A map in the frame, at ``SIDE`` × ``SIDE`` places; and which of them the network sees."""
    across, down = SIDE / size[0], SIDE / size[1]
    box = row["left"] * across, row["top"] * down, row["right_edge"] * across, row["bottom"] * down
    return to_frame(torch.from_numpy(heat), box, (SIDE, SIDE)), seen(box, (SIDE, SIDE))
