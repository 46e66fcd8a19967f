"""Imagines all classes of the bundled pair, judges the pictures, and draws the contact sheet of the README.

    python -m benchmarks gallery            make, judge, draw (half an hour on one core)
    python -m benchmarks gallery judge      judge and draw again from the stored pictures

A picture is right when most of 32 random views of it, as it is stored, are named as what it was made for.
"""

import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from vizcore.drawing.render import sheet
from vizcore.imagine.augment import Augment
from vizcore.imagine.crosseval import Made, cross_evaluate
from vizcore.imagine.gallery import load_gallery, save_gallery, save_verdicts
from vizcore.imagine.maximise import RECIPES, maximise
from vizcore.networks.load import load_model
from vizcore.objectives import logit
from vizcore.pictures import textures

PAIR = ("texture_resnet", "texture_vit")
SEED = 0
PASS_BYTES = 60_000_000  # small passes stay in the processor's cache: a quarter faster than one of all views
CONTACT_SHEET = Path(__file__).parent.parent / "docs" / "imagined.jpg"


def main(argv):
    torch.set_num_threads(1)  # the pictures of one core; more give others, by rounding
    models = [load_model(name) for name in PAIR]
    if argv != ["judge"]:
        make(models, RECIPES["clean"])
    found = load_gallery()
    made = [
        Made(model, robust, list(range(model.num_classes)), as_tensor(found.pictures[model.title, robust]))
        for model in models
        for robust in (True, False)
    ]
    *_, last = cross_evaluate(made, models)
    save_verdicts([one._asdict() for one in last.verdicts])
    table(last.verdicts)
    draw_contact_sheet(found, [model.title for model in models])
    return 0


def make(models, recipe):
    pictures = {}
    for model in models:
        objectives = [logit(model, k) for k in range(model.num_classes)]
        for robust in (True, False):
            used = recipe if robust else replace(recipe, augment=Augment(), views=1)
            start = time.process_time()
            *_, last = maximise(model, objectives, used, [SEED] * len(objectives), PASS_BYTES)
            seconds = time.process_time() - start
            print(f"{model.title}, {'random views' if robust else 'one view'}: {seconds:.0f} s on one core")
            cells = (last.best.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
            pictures[model.title, robust] = cells.cpu().numpy()
    save_gallery(pictures, models[0].labels, {**asdict(recipe), "objective": "logit", "seed": SEED})


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    return torch.tensor(pictures).permute(0, 3, 1, 2) / 255


def table(verdicts):
    print(f"\n{'made for':16}{'made with':14}{'judged by':16}{'classes right':>14}{'views right':>13}"
          f"{'probability':>13}{'rank':>7}")  # fmt: skip
    for key in dict.fromkeys((one.origin, one.robust, one.judge) for one in verdicts):
        own = [one for one in verdicts if (one.origin, one.robust, one.judge) == key]
        right = sum(one.right > 0.5 for one in own)
        means = [float(np.mean([getattr(one, field) for one in own])) for field in FIELDS]
        print(f"{key[0]:16}{'random views' if key[1] else 'one view':14}{key[2]:16}"
              f"{right:>8} of {len(own)}{means[0]:13.1%}{means[1]:13.3f}{means[2]:7.2f}")  # fmt: skip


FIELDS = ("right", "probability", "rank")


def draw_contact_sheet(found, titles):
    """For every class a drawn texture, and what each network imagines; two classes in a row of pictures."""
    cells = [
        (label, [textures.single(label, 7, 128).picture, *(found.pictures[t, True][k] for t in titles)])
        for k, label in enumerate(found.labels)
    ]
    heads = ["drawn", *titles]
    halves = [sheet(cells[start::2], heads, "") for start in (0, 1)]
    Image.fromarray(np.hstack(halves)).save(CONTACT_SHEET, quality=80)
