"""Do the networks know the textures, and do heatmaps point at them? Scored on pictures whose answer is known.

    python -m benchmarks truth                                  the bundled pair, every method
    python -m benchmarks truth --models texture_vit --pairs 100 --scenes 0
    python -m benchmarks truth --models texture_resnet=runs/mine.safetensors      another file of weights
    python -m benchmarks truth --json truth.json
    python -m benchmarks truth --photographs [FOLDER] --models efficientnet_lite0     see photographs.py

A heatmap method is a function (vision_model, image, class_index) -> (H, W) tensor in the picture's frame. On
a scene of two textures it is asked for both. Pointing: the map's maximum lies in the region of the texture
asked for. Energy: the share of the map that lies there. A map that doesn't depend on the class scores exactly
one half on both, whatever it looks like, because the two regions partition the frame.

Scenes are fixed by their number, and no training used their seeds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from benchmarks import photographs
from vizcore import evidence
from vizcore.at_scale.by_name import network
from vizcore.methods import table as heatmaps
from vizcore.methods.together import parted
from vizcore.model import VisionModel
from vizcore.pictures import textures
from vizcore.truth.intervals import Interval, normal, wilson

SIZE = 128  # pixels a side of the scenes
FIRST_SEED = {"one": 0, "distractor": 500_000, "two": 800_000}  # training starts at a billion

Make = Callable[[VisionModel, torch.Tensor, int], torch.Tensor]
Heatmap = Callable[[VisionModel, Image.Image, int], torch.Tensor]

# ---------------------------------------------------------------- heatmap methods


def _framed(make: Make) -> Heatmap:
    """A method that gives a map over what the model sees, as one that gives it in the frame."""
    return lambda model, image, target: heatmaps.in_frame(
        model, image, make(model, model.preprocess(image), target)
    )


def _head_everywhere(model: VisionModel, images: torch.Tensor, target: int) -> torch.Tensor:
    """What the bundled pair's own classifier says at every cell or patch, as it was trained to."""
    with torch.no_grad():
        features = model.net.forward_features(images)
    if model.grid:
        scores = model.net.get_classifier()(features[0, model.num_prefix_tokens :])  # (N, classes)
        scores = scores.T.unflatten(1, model.grid)
    else:
        scores = torch.einsum("kc,chw->khw", model.net.get_classifier().weight, features[0])
    return scores.softmax(0)[target]


def _distance_from_the_middle(model: VisionModel, image: Image.Image, target: int) -> torch.Tensor:
    y, x = np.mgrid[-1 : 1 : image.height * 1j, -1 : 1 : image.width * 1j]
    return torch.from_numpy(np.exp(-2 * (x**2 + y**2)))


# name -> (whether it applies to a model, function); slow ones are left to ``python -m benchmarks evidence``
HEATMAPS: dict[str, tuple[Callable[[VisionModel], bool], Heatmap]] = {
    **{
        name: (heatmaps.METHODS[name].applies, _framed(heatmaps.METHODS[name].make))
        for name in heatmaps.QUICK
    },
    "head at every cell": (lambda model: True, _framed(_head_everywhere)),
    "the middle (control)": (lambda model: True, _distance_from_the_middle),
}

# ---------------------------------------------------------------- scenes and scores


def one_texture(count: int, kind: str = "one") -> Iterator[tuple[Image.Image, str]]:
    """Scenes of one texture, over the whole frame ("one") or in a region ("distractor"), and its label."""
    draw = {"one": textures.single, "distractor": textures.on_distractor}[kind]
    for n in range(count):
        label = textures.LABELS[n % len(textures.LABELS)]
        yield Image.fromarray(draw(label, FIRST_SEED[kind] + n, SIZE).picture), label


def two_textures(count: int) -> Iterator[tuple[Image.Image, dict[str, np.ndarray]]]:
    """Scenes of two textures, and the mask of each. All ordered pairs come before any comes again."""
    labels = textures.LABELS
    pairs = [(a, b) for a in labels for b in labels if a != b]
    order = np.random.default_rng(0).permutation(len(pairs))
    for n in range(count):
        scene = textures.two(*pairs[order[n % len(pairs)]], FIRST_SEED["two"] + n, SIZE)
        yield Image.fromarray(scene.picture), scene.masks


def confusion(model: VisionModel, count: int, kind: str = "one") -> np.ndarray:
    """How often each texture (row) is taken for each (column): (20, 20) counts."""
    index = _indices(model)
    table = np.zeros((len(index),) * 2, int)
    batch: list[torch.Tensor] = []
    truth: list[int] = []
    for n, (image, label) in enumerate(one_texture(count, kind), 1):
        batch.append(model.preprocess(image))
        truth.append(textures.LABELS.index(label))
        if len(batch) == 50 or n == count:
            with torch.inference_mode():
                scores = model.net(torch.cat(batch))[:, index]
            np.add.at(table, (truth, scores.argmax(1).cpu().numpy()), 1)
            batch, truth = [], []
    return table


class Score(NamedTuple):
    pointing: Interval  # over questions, two a scene
    energy: Interval  # over scenes
    scenes: int


def score(model: VisionModel, heatmap: Heatmap, count: int) -> Score:
    """Pointing and energy of a heatmap method on scenes of two textures, averaged over both classes."""
    index = dict(zip(textures.LABELS, _indices(model), strict=True))
    hits, energies = 0, []
    for image, masks in two_textures(count):
        inside = []
        for label, mask in masks.items():
            heat = heatmap(model, image, index[label]).detach().cpu()
            hits += evidence.pointing(heat, mask)
            inside.append(evidence.energy(heat, mask))
        energies.append(float(np.mean(inside)))
    return Score(wilson(hits, 2 * count), normal(energies), count)


def _indices(model: VisionModel) -> list[int]:
    """Where each of the textures is among the model's classes."""
    missing = [label for label in textures.LABELS if label not in model.labels]
    if missing:
        raise ValueError(f"{model.name} doesn't know the textures {', '.join(missing)}; it can't be scored")
    return [model.labels.index(label) for label in textures.LABELS]


# ---------------------------------------------------------------- the command


def measure(name: str, scenes: int, pairs: int, methods: list[str], device: str | None = None) -> dict:
    """Everything about one model, as plain data."""
    model = network(name, device)
    result: dict = {"model": model.title if "=" in name else name}
    for kind in ("one", "distractor") if scenes else ():
        table = confusion(model, scenes, kind)
        result[kind] = {
            "accuracy": wilson(int(np.trace(table)), scenes),
            "scenes": scenes,
            "confusion": table.tolist(),
        }
    if pairs:
        result["two"] = {
            method: score(model, HEATMAPS[method][1], pairs)._asdict()
            for method in methods
            if HEATMAPS[method][0](model)
        }
    return result


def show(result: dict) -> None:
    """Print one model's figures."""
    titles = {"one": "one texture, whole frame", "distractor": "one texture before a distractor"}
    print(f"\n{result['model']}")
    for kind in ("one", "distractor"):
        if kind in result:
            part = result[kind]
            print(f"  {titles[kind]}: {_percent(part['accuracy'])} of {part['scenes']} right")
    if "one" in result:
        print("\n".join(f"    {line}" for line in _confusions(np.array(result["one"]["confusion"]))))
    if "two" in result:
        print(f"  {'two textures':24}{'pointing':>24}{'energy':>24}")
        for method, part in result["two"].items():
            print(f"    {method:22}{_decimal(part['pointing']):>24}{_decimal(part['energy']):>24}")


def _percent(interval: Interval) -> str:
    return f"{interval[0]:.1%} ({interval[1]:.1%} to {interval[2]:.1%})"


def _decimal(interval: Interval) -> str:
    return f"{interval[0]:.3f} ({interval[1]:.3f} to {interval[2]:.3f})"


def _confusions(table: np.ndarray, least: float = 0.02) -> Iterator[str]:
    """A line a class: how often it is recognised, and what it is mostly taken for otherwise."""
    shares = table / table.sum(1, keepdims=True).clip(1)
    for k, label in enumerate(textures.LABELS):
        others = [j for j in np.argsort(-shares[k]) if j != k and shares[k, j] >= least]
        taken = ", ".join(f"{textures.LABELS[j]} {shares[k, j]:.0%}" for j in others)
        yield f"{label:14}{shares[k, k]:5.0%}  {taken}".rstrip()


def _method(name: str) -> str:
    if parted(name)[0] not in {*HEATMAPS, *heatmaps.METHODS}:
        raise argparse.ArgumentTypeError(f"there is no {name!r}, but {', '.join(HEATMAPS)}")
    return name


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks truth", description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", metavar="NAME")
    parser.add_argument(
        "--methods", nargs="+", type=_method, metavar="METHOD", help='of photographs also "METHOD at LAYER"'
    )
    parser.add_argument(
        "--scenes", type=int, help="scenes of one texture (2000; 0: none), or of photographs (200)"
    )
    parser.add_argument("--pairs", type=int, default=380, help="scenes of two textures (0: none)")
    parser.add_argument("--device", help="cpu or cuda (default: the best there is)")
    parser.add_argument(
        "--json", metavar="PATH", help="also write the figures, with whole confusion matrices"
    )
    parser.add_argument(
        "--photographs",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="mosaics of a folder's photographs; without one, mosaics and cut-outs of tuxpaint's stamps",
    )
    parser.add_argument(
        "--kinds", nargs="+", default=photographs.SHOWN, choices=photographs.SHOWN, help="of photographs"
    )
    args = parser.parse_args(argv)
    if args.photographs is not None:
        args.scenes, args.models = args.scenes or 200, args.models or ["efficientnet_lite0"]
        return photographs.run(args)
    results = []
    scenes = 2000 if args.scenes is None else args.scenes
    methods = [name for name in args.methods or HEATMAPS if name in HEATMAPS]
    for name in args.models or ["texture_resnet", "texture_vit"]:
        results.append(measure(name, scenes, args.pairs, methods, args.device))
        show(results[-1])
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"labels": textures.LABELS, "results": results}, file)
            file.write("\n")
    return 0
