"""Tests of maps: deletion beside pytorch-grad-cam, which measures one covered picture after the other.

And what the app runs, curves and weights drawn anew, beside as many bare passes.
"""

import gc

import torch
from PIL import Image

from benchmarks.rows import Row, apart, bare
from vizcore import baselines, evidence
from vizcore.batch_size import batch_size
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model

STEPS = 64


def rows(quick):
    from pytorch_grad_cam.metrics.perturbation_confidence import PerturbationConfidenceMetric
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget

    model = load_model("texture_resnet" if quick else "resnet18", "random", device=best_device())
    side = 128 if quick else 224
    images = torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(0)).to(model.device)
    heatmap = evidence.random_map(side // 16, side // 16)
    ranks = evidence.ranked(heatmap, (side, side)).view(side, side).to(model.device)
    covered = baselines.COVERS["mean"](images)[0]

    def ours():
        *_, last = evidence.curves(
            model.net, images, {"map": heatmap}, 3, baseline="mean", kinds=("deletion",), steps=STEPS
        )
        return last.curves["deletion", "map"].probabilities

    def theirs():
        target, cams = [ClassifierOutputSoftmaxTarget(3)], ranks[None].cpu().float().numpy()
        found = []
        for step in range(STEPS + 1):
            count = round(step / STEPS * side * side)
            metric = PerturbationConfidenceMetric(
                lambda picture, mask, count=count: torch.where(mask < count, covered.cpu(), picture)
            )
            found.append(metric(images, cams, target, model.net, return_diff=False)[0])
        return found

    yield Row(
        f"deletion, {STEPS} steps, {model.title}",
        ours,
        {"pytorch-grad-cam": theirs},
        {"pytorch-grad-cam": 1},
        {"pytorch-grad-cam": lambda: apart(torch.tensor(ours()), torch.tensor(theirs()))},
    )
    yield from _of_a_photograph(quick)


def _of_a_photograph(quick):
    """Both curves of a map and three controls, and both orders of drawing weights anew."""
    gc.collect()
    gc.freeze()  # as the app does: garbage is looked for at each private copy, among all that was imported
    model = load_model("texture_resnet" if quick else "efficientnet_lite0", device=best_device())
    images = model.preprocess(Image.open("samples/german_shepherd.webp").convert("RGB"))
    target = model.net(images)[0].argmax().item()
    heatmap = METHODS["Grad-CAM"].make(model, images, target)
    maps = {"map": heatmap, **evidence.controls(tuple(heatmap.shape))}
    maps["edges"] = evidence.edges(images, *heatmap.shape)
    count, some = 2 + 2 * 15 * len(maps), batch_size(model.device)
    passes = bare(model.net, images.repeat(some, 1, 1, 1))
    yield Row(
        f"deletion and insertion, a map and three controls, 16 steps, {model.title}",
        lambda: list(evidence.curves(model.net, images, maps, target, steps=16)),
        {f"{count} bare passes, {some} at a time": lambda: [passes() for _ in range(-(-count // some))]},
        {f"{count} bare passes, {some} at a time": 1.25},
        rounds=3,
    )
    one, count = bare(model.net, images), 2 * (1 + len(evidence.parts(model)))

    def grad_cam(changed, given):
        return METHODS["Grad-CAM"].make(changed, given, target)

    def anew():
        for order in evidence.ORDERS:
            list(evidence.randomisation(model, images, grad_cam, order=order))

    yield Row(
        f"Grad-CAM with weights drawn anew, from both ends, {model.title}",
        anew,
        {f"{count} bare passes": lambda: [one() for _ in range(count)]},
        {f"{count} bare passes": 1.25},
        rounds=3,
    )
