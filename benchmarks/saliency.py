"""What goes back to the pixels, and occlusion, beside bare passes and captum at their best batch sizes."""

from functools import partial

import torch

from benchmarks.rows import Row, apart, fastest, passes
from vizcore import baselines
from vizcore.methods import method, smooth_grad
from vizcore.methods.table import METHODS
from vizcore.networks.load import best_device, load_model

BATCHES = (1, 2, 4, 5, 10, 25)  # that captum, and the bare passes, may choose from


def rows(quick):
    from captum.attr import IntegratedGradients, NoiseTunnel, Occlusion, Saliency

    model = load_model("efficientnet_lite0", device=best_device())
    net = model.net
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
    target = net(images)[0].argmax().item()
    blank = baselines.BASELINES["black"](model, images)
    batches = (4, 10) if quick else BATCHES

    def ours(name, **settings):
        return partial(METHODS[name].make, model, images, target, **settings)

    def row(what, own, peer, count, difference, back=target):
        """Beside ``count`` passes, and captum's ``peer`` of a batch size."""
        few = tuple(batch for batch in batches if batch <= count) or (1,)
        floor, bare = fastest("bare passes", passes(net, images, count, back), few)
        name, run = fastest("captum", peer, few)
        beside, aims = {floor: bare, name: run}, {floor: 1.10, name: 1.05}
        return Row(f"{what}, EfficientNet-Lite0", own, beside, aims, {name: difference})

    def saliency(_batch):
        return lambda: Saliency(net).attribute(images.clone().requires_grad_(), target, abs=False)

    own = ours("gradient")
    yield row("gradient", own, saliency, 1, lambda: apart(own(), method.strongest(saliency(1)()[0])))

    steps = 10 if quick else 50
    integrated_own = ours("Integrated Gradients", steps=steps, within=None)

    def integrated(batch):
        return lambda: IntegratedGradients(net).attribute(
            images, blank, target, n_steps=steps, internal_batch_size=batch
        )

    yield row(
        f"Integrated Gradients, {steps} steps", integrated_own, integrated, steps,
        lambda: apart(integrated_own(), integrated(5)().sum(1)),
    )  # fmt: skip

    draws = 5 if quick else 25
    spread = 0.15 * (images.max() - images.min()).item()

    def tunnel(batch):
        # gradients are averaged as ours are; its noise is its own
        return lambda: NoiseTunnel(Saliency(net)).attribute(
            images, nt_type="smoothgrad", nt_samples=draws, nt_samples_batch_size=batch, stdevs=spread,
            target=target, abs=False,
        )  # fmt: skip

    def same_noise():
        """captum's gradients of the very pictures that ours are of."""
        noises = smooth_grad._noises(images, 0.15, seed=0)
        shaken = torch.cat([images + next(noises) for _ in range(draws)])
        expected = Saliency(net).attribute(shaken.requires_grad_(), target, abs=False).mean(0)
        return apart(ours("SmoothGrad", draws=draws)(), method.strongest(expected))

    yield row(f"SmoothGrad, {draws} draws", ours("SmoothGrad", draws=draws), tunnel, draws, same_noise)

    window = 56 if quick else 28
    covering = ours("occlusion", window=window / 224)
    *_, whole = METHODS["occlusion"].steps(model, images, target, window=window / 224)

    def occlusion(batch):
        return lambda: Occlusion(net).attribute(
            images, (3, window, window), (3, window // 2, window // 2), blank, target,
            perturbations_per_eval=batch,
        )  # fmt: skip

    yield row(
        f"occlusion, squares of {window} pixels", covering, occlusion, 1 + whole.total,
        lambda: apart(covering(), occlusion(5)()[0, 0]), back=None,
    )  # fmt: skip
