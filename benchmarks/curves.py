"""Deletion in 64 steps, beside pytorch-grad-cam's measuring of one covered picture after the other."""

import torch

from benchmarks.rows import Row, apart
from vizcore import baselines, evidence
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
