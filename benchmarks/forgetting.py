"""Weights drawn anew, layer by layer, with a map after each: beside as many bare passes."""

import torch

from benchmarks.rows import Row, passes
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model
from vizcore.truth.randomised import parts, randomisation


def rows(quick):
    for name in ("texture_resnet", "texture_vit") if quick else ("resnet18", "deit_tiny_patch16_224"):
        model = load_model(name, "random", device=best_device())
        shape = model.preprocess.size if hasattr(model.preprocess, "size") else (128 if quick else 224,) * 2
        images = torch.randn(1, 3, *shape, generator=torch.Generator().manual_seed(0)).to(model.device)
        count = 1 + len(parts(model))

        def ours(model=model, images=images):
            make = METHODS["Grad-CAM"].make
            return list(randomisation(model, images, lambda changed, x: make(changed, x, 3)))

        yield Row(
            f"weights drawn anew, {count - 1} parts, Grad-CAM, {model.title}",
            ours,
            {f"{count} bare passes": passes(model.net, images, count)(1)},
            {f"{count} bare passes": 1.25},
            why="beside the passes numbers are drawn, and each map is compared with the first",
        )
