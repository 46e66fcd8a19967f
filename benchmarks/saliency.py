"""Integrated Gradients, SmoothGrad and occlusion beside captum at its best batch size."""

import torch

from benchmarks.rows import Row, apart, fastest
from vizcore import baselines
from vizcore.methods import method, smooth_grad
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model

BATCHES = (1, 2, 5, 10, 25)  # that captum may choose from


def rows(quick):
    from captum.attr import IntegratedGradients, NoiseTunnel, Occlusion, Saliency

    model = load_model("efficientnet_lite0", device=best_device())
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
    target = model.net(images)[0].argmax().item()
    blank = baselines.BASELINES["black"](model, images)
    batches = BATCHES[2:4] if quick else BATCHES

    def ours(method, **settings):
        return lambda: METHODS[method].make(model, images, target, **settings)

    there = images.clone().requires_grad_()
    yield Row(
        "gradient, EfficientNet-Lite0",
        ours("gradient"),
        {"a pass there and back": lambda: torch.autograd.grad(model.net(there)[0, target], there)},
        {"a pass there and back": 1.10},
        {
            "a pass there and back": lambda: apart(
                ours("gradient")(),
                method.strongest(torch.autograd.grad(model.net(there)[0, target], there)[0][0]),
            )
        },
    )

    steps = 10 if quick else 50
    own = ours("Integrated Gradients", steps=steps, within=None)

    def integrated(batch):
        return lambda: IntegratedGradients(model.net).attribute(
            images, blank, target, n_steps=steps, internal_batch_size=batch
        )

    yield Row(
        f"Integrated Gradients, EfficientNet-Lite0, {steps} steps",
        own,
        {"captum": fastest(integrated, batches)},
        {"captum": 1.05},
        {
            "captum": lambda: apart(
                ours("Integrated Gradients", steps=steps, within=None)(), integrated(5)().sum(1)
            )
        },
    )

    draws = 5 if quick else 25
    spread = 0.15 * (images.max() - images.min()).item()

    def tunnel(batch):
        # gradients are averaged as ours are; its noise is its own
        return lambda: NoiseTunnel(Saliency(model.net)).attribute(
            images, nt_type="smoothgrad", nt_samples=draws, nt_samples_batch_size=batch, stdevs=spread,
            target=target, abs=False,
        )  # fmt: skip

    def same_noise():
        """captum's gradients of the very pictures that ours are of."""
        noises = smooth_grad._noises(images, 0.15, seed=0)
        shaken = torch.cat([images + next(noises) for _ in range(draws)])
        expected = Saliency(model.net).attribute(shaken.requires_grad_(), target, abs=False).mean(0)
        return apart(ours("SmoothGrad", draws=draws)(), method.strongest(expected))

    yield Row(
        f"SmoothGrad, EfficientNet-Lite0, {draws} draws",
        ours("SmoothGrad", draws=draws),
        {"captum": fastest(tunnel, tuple(batch for batch in batches if batch <= draws))},
        {"captum": 1.05},
        {"captum": same_noise},
    )

    window = 56 if quick else 28

    def occlusion(batch):
        return lambda: Occlusion(model.net).attribute(
            images,
            (3, window, window),
            (3, window // 2, window // 2),
            blank,
            target,
            perturbations_per_eval=batch,
        )

    yield Row(
        f"occlusion, EfficientNet-Lite0, squares of {window} pixels",
        ours("occlusion", window=window / 224),
        {"captum": fastest(occlusion, batches)},
        {"captum": 1.05},
        {"captum": lambda: apart(ours("occlusion", window=window / 224)(), occlusion(5)()[0, 0])},
    )
