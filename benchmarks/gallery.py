"""Imagines classes of a pair of networks in the box, judges the pictures, and draws the contact sheet.

    python -m benchmarks gallery                        the texture pair, all classes (half an hour on a core)
    python -m benchmarks gallery judge                  judge and draw again from the stored pictures
    python -m benchmarks gallery --pair photographs     EfficientNet-Lite0 and the Photo ViT, 24 classes
    python -m benchmarks gallery --pair photographs --real tiny-imagenet-200/train       beside real pictures

A picture is right when most of 32 random views of it, as it is stored, are named as what it was made for.
Real pictures are those of each class that the Photo ViT did not learn from, in eight views each.
"""

import argparse
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from training import photographs
from vizcore.drawing.render import sheet
from vizcore.imagine.augment import Augment
from vizcore.imagine.crosseval import Made, cross_evaluate, judge
from vizcore.imagine.gallery import load_gallery, save_gallery, save_verdicts
from vizcore.imagine.maximise import RECIPES, maximise
from vizcore.networks.load import load_model
from vizcore.objectives import logit
from vizcore.pictures import textures

PAIRS = {"textures": ("texture_resnet", "texture_vit"), "photographs": ("efficientnet_lite0", "photo_vit")}
THINGS = (  # that a person can name, and the Photo ViT in most of the photographs that it didn't learn from
    "goldfish", "monarch", "ladybug", "bee", "dragonfly", "spider web", "king penguin", "koala",
    "lion", "brown bear", "orangutan", "Persian cat", "school bus", "sports car", "go-kart", "water tower",
    "teapot", "hourglass", "computer keyboard", "pizza", "banana", "lemon", "mushroom", "espresso",
)  # fmt: skip
SIDE = 192  # of stored pictures of photographs' classes
SEED = 0
REAL_VIEWS = 8
PASS_BYTES = 60_000_000  # small passes stay in the processor's cache: a quarter faster than one of all views
CONTACT_SHEETS = {"textures": "imagined.jpg", "photographs": "imagined_photographs.jpg"}
DOCS = Path(__file__).parent.parent / "docs"


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks gallery", description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="?", default="make", choices=["make", "judge"])
    parser.add_argument("--pair", default="textures", choices=list(PAIRS))
    parser.add_argument("--real", nargs="+", metavar="PLACE", help="folders or zips of wnid/name.JPEG")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)  # the pictures of one core; more give others, by rounding
    models = [load_model(name) for name in PAIRS[args.pair]]
    labels = models[0].labels if args.pair == "textures" else list(THINGS)
    if args.what == "make":
        make(models, labels, args.pair)
    found = load_gallery(args.pair)
    made = [
        Made(model, robust, classes(model, labels), as_tensor(found.pictures[model.title, robust]))
        for model in models
        for robust in (True, False)
        if (model.title, robust) in found.pictures
    ]
    *_, last = cross_evaluate(made, models)
    short = dict(zip([models[0].label(k) for k in classes(models[0], labels)], labels, strict=True))
    verdicts = [one._replace(name=short[one.name])._asdict() for one in last.verdicts]
    told = real(models, labels, args.real) if args.real else None
    save_verdicts(verdicts, args.pair, told)
    table(last.verdicts)
    draw_contact_sheet(load_gallery(args.pair), [model.title for model in models], args.pair)
    return 0


def classes(model, labels):
    """The index of each class, by the first of its names."""
    first = [model.label(k).split(",")[0] for k in range(model.num_classes)]
    return [first.index(label) for label in labels]


def make(models, labels, pair):
    recipe, pictures = RECIPES["clean" if pair == "textures" else "vivid"], {}
    for model in models:
        objectives = [logit(model, k) for k in classes(model, labels)]
        for robust in (True, False) if pair == "textures" else (True,):
            used = recipe if robust else replace(recipe, augment=Augment(), views=1)
            start = time.process_time()
            *_, last = maximise(model, objectives, used, [SEED] * len(objectives), PASS_BYTES)
            seconds = time.process_time() - start
            print(f"{model.title}, {'random views' if robust else 'one view'}: {seconds:.0f} s on one core")
            cells = last.best if pair == "textures" else F.interpolate(
                last.best, (SIDE, SIDE), mode="bilinear", antialias=True
            )  # fmt: skip
            cells = (cells.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
            pictures[model.title, robust] = cells.cpu().numpy()
    save_gallery(pictures, labels, {**asdict(recipe), "objective": "logit", "seed": SEED}, pair)


def real(models, labels, places):
    """What the networks say of real pictures of each class, over all pictures and views: rows of a table."""
    every = photographs.read(places)
    wnids = {words.split(",")[0]: wnid for wnid, _, words in photographs.classes(every)}
    _, away = photographs.divided(every)
    rows = []
    for label in labels:
        own = [photographs.decoded(one) for one in away if one.wnid == wnids[label]]
        stack = as_tensor(np.stack(own))
        for model in models:
            (index,) = classes(model, [label])
            said = [value.mean().item() for value in judge(model, stack, [index] * len(own), REAL_VIEWS)]
            named = dict(zip(("right", "probability", "rank"), said, strict=True))
            rows.append({"judge": model.title, "name": label, "pictures": len(own), **named})
    return rows


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    return torch.tensor(pictures).permute(0, 3, 1, 2) / 255


def table(verdicts):
    print(f"\n{'made for':20}{'made with':14}{'judged by':20}{'classes right':>14}{'views right':>13}"
          f"{'probability':>13}{'rank':>7}")  # fmt: skip
    for key in dict.fromkeys((one.origin, one.robust, one.judge) for one in verdicts):
        own = [one for one in verdicts if (one.origin, one.robust, one.judge) == key]
        right = sum(one.right > 0.5 for one in own)
        means = [float(np.mean([getattr(one, field) for one in own])) for field in FIELDS]
        print(f"{key[0]:20}{'random views' if key[1] else 'one view':14}{key[2]:20}"
              f"{right:>8} of {len(own)}{means[0]:13.1%}{means[1]:13.3f}{means[2]:7.2f}")  # fmt: skip


FIELDS = ("right", "probability", "rank")


def draw_contact_sheet(found, titles, pair):
    """For every class what each network imagines, textures drawn too; two or three classes in a row."""
    drawn, columns = pair == "textures", 2 if pair == "textures" else 3
    cells = []
    for k, label in enumerate(found.labels):
        real = [textures.single(label, 7, 128).picture] if drawn else []
        imagined = [Image.fromarray(found.pictures[title, True][k]).resize((128, 128)) for title in titles]
        cells.append((label, [*real, *map(np.asarray, imagined)]))
    heads = ["drawn"] * drawn + titles
    parts = [sheet(cells[start::columns], heads, "") for start in range(columns)]
    Image.fromarray(np.hstack(parts)).save(DOCS / CONTACT_SHEETS[pair], quality=80)
