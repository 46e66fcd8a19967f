"""Are the maps true? Every method of every model on many pictures, against maps that know nothing.

    python -m benchmarks evidence                                        the bundled pair on drawn scenes
    python -m benchmarks evidence --models texture_vit --methods Grad-CAM rollout --scenes 100
    python -m benchmarks evidence --pictures FOLDER --models efficientnet_lite0

On scenes of two textures each map is asked for both (``benchmarks.truth`` says which scenes): pointing, the
share whose maximum lies in the right region; energy, the share of the map that lies there; deletion and
insertion, the mean probability of the class while the picture is covered, or uncovered, in the map's order.
On a folder of pictures the class is each model's own first guess, and nobody knows the right region. The
controls are a random map as coarse as the method's, one that always points at the middle, and the picture's
edges, which no network drew. A star marks a method that beats all three on the same pictures: each paired
difference is on the right side of 0, at a level of 5 % for the whole table. So many differences are tested
that some would pass by luck: their p-values are corrected by Holm's method.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from vizcore import baselines, evidence
from vizcore.methods import table as heatmaps
from vizcore.networks.load import VisionModel, load_model
from vizcore.pictures import textures
from vizcore.pictures.images import read_picture

from . import truth

BETTER = {"pointing": 1, "energy": 1, "deletion": -1, "insertion": 1}
CONTROLS = ("random", "centre", "edges")


def questions(model: VisionModel, scenes: int, folder: str | None) -> Iterator[tuple[Image.Image, dict]]:
    """Pictures, and for each the classes to ask for: index -> mask, or None where it isn't known."""
    if folder is None:
        index = {label: model.labels.index(label) for label in textures.LABELS}
        for image, masks in truth.two_textures(scenes):
            yield image, {index[label]: mask for label, mask in masks.items()}
        return
    files = [path for path in sorted(Path(folder).iterdir()) if path.suffix.lower() in SUFFIXES]
    if not files:
        raise SystemExit(f"there are no pictures in {folder}; these end in {', '.join(SUFFIXES)}")
    for path in files[:scenes]:
        image = read_picture(path.read_bytes())
        yield image, {model.net(model.preprocess(image))[0].argmax().item(): None}


SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")


def measure(model: VisionModel, methods: list[str], scenes: int, folder=None, baseline="blur", steps=16):
    """Scores by method and figure, one for each picture: the mean over the classes asked for."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, (image, classes) in enumerate(questions(model, scenes, folder), 1):
        images = model.preprocess(image)
        here: dict[tuple[str, str], list[float]] = defaultdict(list)
        for target, mask in classes.items():
            maps = {name: heatmaps.METHODS[name].make(model, images, target) for name in methods}
            grid = tuple(next(iter(maps.values())).shape)
            maps |= evidence.controls(grid, seed=1000 * number + target)
            maps["edges"] = evidence.edges(images, *grid)
            *_, last = evidence.curves(
                model.net, images, maps, target, baseline=baseline, steps=steps, chunk=64
            )
            for (kind, name), curve in last.curves.items():
                here[name, kind].append(curve.area)
            for name, heat in maps.items() if mask is not None else ():
                framed = heatmaps.in_frame(model, image, heat).cpu()
                here[name, "pointing"].append(evidence.pointing(framed, mask))
                here[name, "energy"].append(evidence.energy(framed, mask))
        for (name, figure), values in here.items():
            scores[name][figure].append(float(np.mean(values)))
        if sys.stderr.isatty():
            print(f"\r{model.name}: {number}", end="\n" if number == scenes else "", file=sys.stderr)
    return scores


class Difference(NamedTuple):
    """How much better a method is than a control, on the same pictures: above 0, it is better."""

    value: float
    low: float  # of the 95 % interval of the mean
    high: float
    p: float  # two-sided, of a mean of 0


def difference(own: list[float], control: list[float], sign: int) -> Difference:
    """The paired difference of two rows of scores; ``sign`` is -1 where less is better."""
    paired = sign * (np.array(own) - np.array(control))
    value, low, high = truth.normal(list(paired))
    error = (high - value) / 1.96
    if math.isinf(error):
        return Difference(value, low, high, 1.0)
    if error == 0:  # every picture says the same
        return Difference(value, low, high, float(value == 0))
    return Difference(value, low, high, math.erfc(abs(value) / error / math.sqrt(2)))


def holm(values: list[float]) -> list[float]:
    """P-values corrected for being many (Holm, 1979): all of those below 0.05 hold together at 5 %."""
    order, largest = sorted(range(len(values)), key=values.__getitem__), 0.0
    corrected = [1.0] * len(values)
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[i]))
        corrected[i] = largest
    return corrected


def table(model: VisionModel, scores: dict) -> list[dict]:
    """A row a method: each figure with its interval, and its paired difference from each control."""
    rows = []
    for name, figures in scores.items():
        row = {"model": model.title, "method": name + " (control)" * (name in CONTROLS)}
        for figure, values in figures.items():
            row[figure] = truth.normal(values)
            for control in CONTROLS if name not in CONTROLS else ():
                other = scores[control][figure]
                row[f"{figure} beyond {control}"] = difference(values, other, BETTER[figure])
        rows.append(row)
    return rows


def mark(rows: list[dict], level: float = 0.05) -> None:
    """Say of each figure whether it beats every control, with all differences of the table counted."""
    tested = [(row, key) for row in rows for key in row if " beyond " in key]
    better: dict[tuple[int, str], bool] = {}
    for (row, key), p in zip(tested, holm([row[key].p for row, key in tested]), strict=True):
        place = id(row), key.split(" beyond ")[0]
        better[place] = better.get(place, True) and row[key].value > 0 and p < level
        row[key] = (*row[key], p)
    for row in rows:
        for figure in BETTER:
            if figure in row:
                row[f"{figure} beats controls"] = better.get((id(row), figure), False)


def show(rows: list[dict]) -> None:
    """Print the rows as a Markdown table."""
    figures = [figure for figure in BETTER if figure in rows[0]]
    print("| model | method | " + " | ".join(figures) + " |")
    print("|---|---|" + "---|" * len(figures))
    for row in rows:
        cells = []
        for figure in figures:
            value, low, _ = row[figure]
            star = " ★" if row[f"{figure} beats controls"] else ""
            cells.append(f"{value:.3f} ± {value - low:.3f}{star}")
        print(f"| {row['model']} | {row['method']} | " + " | ".join(cells) + " |")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks evidence", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--models", nargs="+", default=["texture_resnet", "texture_vit"], metavar="NAME")
    parser.add_argument(
        "--methods", nargs="+", default=heatmaps.QUICK, choices=list(heatmaps.METHODS), metavar="METHOD",
        help="by default all that take few passes",
    )  # fmt: skip
    parser.add_argument("--scenes", type=int, default=100, help="pictures")
    parser.add_argument("--pictures", metavar="FOLDER", help="instead of drawn scenes")
    parser.add_argument("--baseline", default="blur", choices=list(baselines.COVERS))
    parser.add_argument("--steps", type=int, default=16, help="of the curves")
    parser.add_argument("--device", help="cpu or cuda (default: the best there is)")
    parser.add_argument("--json", metavar="PATH", help="also write the rows")
    args = parser.parse_args(argv)
    rows = []
    for name in args.models:
        model = load_model(name, device=args.device)
        methods = [method for method in args.methods if heatmaps.METHODS[method].applies(model)]
        for coarse in (True, False):  # each kind beside controls as coarse, or fine, as itself
            kind = [method for method in methods if (heatmaps.METHODS[method].page == "grad_cam") == coarse]
            if kind:
                scores = measure(model, kind, args.scenes, args.pictures, args.baseline, args.steps)
                rows += table(model, scores)
    mark(rows)
    show(rows)
    if args.json:
        Path(args.json).write_text(json.dumps(rows, indent=1))
    return 0
