"""Figures that a reshaping of the code must leave as they are, bit for bit: a digest of each.

    python -m benchmarks digest > before.txt       and again afterwards; the two must be equal

Runs on one thread. Equal on the same machine with the same packages; elsewhere last digits may differ.
"""

from __future__ import annotations

import hashlib
from itertools import islice

import numpy as np
import torch
from PIL import Image

from vizcore import evidence, objectives
from vizcore.imagine import crosseval
from vizcore.imagine import maximise as actmax
from vizcore.methods import table as heatmaps
from vizcore.networks.load import load_model
from vizcore.pictures import sets as pictures
from vizcore.studies import cka as similarity

from . import truth

SCENES, STEPS = 50, 12


def digest(*values) -> str:
    found = hashlib.sha256()
    for value in values:
        found.update(np.ascontiguousarray(torch.as_tensor(value).numpy()).tobytes())
    return found.hexdigest()[:24]


def scenes(model) -> dict[str, str]:
    """By method: its maps of both textures of each scene in the frame, and the figures of their truth."""
    kept: dict[str, list] = {name: [] for name in heatmaps.QUICK if heatmaps.METHODS[name].applies(model)}
    for image, masks in truth.two_textures(SCENES):
        images = model.preprocess(image)
        for label, mask in masks.items():
            for name, found in kept.items():
                heat = heatmaps.METHODS[name].make(model, images, model.labels.index(label)).detach()
                framed = heatmaps.in_frame(model, image, heat)
                found += [framed, evidence.energy(framed, mask), float(evidence.pointing(framed, mask))]
    return {name: digest(*found) for name, found in kept.items()}


def imagined(model) -> str:
    """Two classes imagined for a few steps, and what the network says of them."""
    wanted = [objectives.logit(model, index) for index in (3, 8)]
    *_, last = islice(actmax.maximise(model, wanted, actmax.Recipe(), [0, 0]), STEPS)
    return digest(last.best, *crosseval.judge(model, last.best, [3, 8]))


def compared(a, b) -> str:
    *_, last = similarity.compare(a, b, pictures.drawn(64), a.blocks, b.blocks)
    return digest(*last.cka.values(), *last.noise.values())


def curves(model) -> str:
    image, masks = next(truth.two_textures(1))
    images, target = (
        model.preprocess(Image.fromarray(np.asarray(image))),
        model.labels.index(next(iter(masks))),
    )
    maps = {"map": heatmaps.METHODS["Grad-CAM"].make(model, images, target)}
    *_, last = evidence.curves(model.net, images, maps | evidence.controls((8, 8)), target)
    return digest(*(curve.probabilities for curve in last.curves.values()))


def main(argv: list[str] | None = None) -> int:
    torch.set_num_threads(1)
    models = [load_model(name, device="cpu") for name in ("texture_resnet", "texture_vit")]
    for model in models:
        for name, found in scenes(model).items():
            print(f"{model.name:16}{name:24}{found}", flush=True)
        print(f"{model.name:16}{'imagined':24}{imagined(model)}", flush=True)
        print(f"{model.name:16}{'curves':24}{curves(model)}", flush=True)
    print(f"{'both':16}{'CKA':24}{compared(*models)}")
    return 0
