"""What goes back to the pixels, and occlusion, beside bare passes and captum at their best batch sizes."""

from functools import partial
from typing import NamedTuple

import torch

from benchmarks.rows import Row, apart, fastest, passes
from vizcore import baselines
from vizcore.methods import method, smooth_grad
from vizcore.methods.passes import there_and_back
from vizcore.methods.table import METHODS
from vizcore.model import VisionModel
from vizcore.networks.load import best_device, load_model
from vizcore.objectives import objective

BATCHES = (1, 2, 4, 10, 25)  # that captum, and the bare passes, may choose from


class Setup(NamedTuple):
    """A trained network, noise to ask it about, and the class that it names."""

    model: VisionModel
    images: torch.Tensor
    target: int
    batches: tuple[int, ...]

    def ours(self, name, **settings):
        return partial(METHODS[name].make, self.model, self.images, self.target, **settings)

    def row(self, what, own, peer, count, difference, back=True):
        """Beside ``count`` passes, there and ``back``, and captum's ``peer`` of a batch size."""
        few = tuple(batch for batch in self.batches if batch <= count) or (1,)
        bare = passes(self.model.net, self.images, count, self.target if back else None)
        floor, bare_run = fastest("bare passes", bare, few)
        name, run = fastest("captum", peer, few)
        return Row(
            f"{what}, EfficientNet-Lite0",
            own,
            {floor: bare_run, name: run},
            {floor: 1.10, name: 1.05},
            {name: difference},
            rounds=5 if count > 1 else 0,
        )


def setup(quick):
    model = load_model("efficientnet_lite0", device=best_device())
    images = torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(model.device)
    return Setup(model, images, model.net(images)[0].argmax().item(), (4, 10) if quick else BATCHES)


def rows(quick):
    from captum.attr import IntegratedGradients, NoiseTunnel, Saliency

    found = setup(quick)
    net, images, target, ours = found.model.net, found.images, found.target, found.ours
    blank = baselines.BASELINES["black"](found.model, images)

    def saliency(_batch):
        return lambda: Saliency(net).attribute(images.clone().requires_grad_(), target, abs=False)

    own = ours("gradient")
    yield found.row("gradient", own, saliency, 1, lambda: apart(own(), method.strongest(saliency(1)()[0])))

    steps = 10 if quick else 50
    integrated_own = ours("Integrated Gradients", steps=steps, within=None)

    def integrated(batch, gap=True):
        # with what its sum lacks, which ours always says: a pass each of the picture and of the baseline
        return lambda: IntegratedGradients(net).attribute(
            images, blank, target, n_steps=steps, internal_batch_size=batch, return_convergence_delta=gap
        )

    yield found.row(
        f"Integrated Gradients, {steps} steps", integrated_own, integrated, steps,
        lambda: apart(integrated_own(), integrated(5, gap=False)().sum(1)),
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
        """captum's gradients of the very pictures that ours are of, and as many in a pass.

        What is behind a kink of an activation in one size of a pass may be before it in another, by rounding.
        """
        noises = smooth_grad._noises(images, 0.15, seed=0)
        at_once = there_and_back(net, images, objective(found.model, target))
        shaken = torch.cat([images + next(noises) for _ in range(draws)]).split(at_once)
        told = [Saliency(net).attribute(some.requires_grad_(), target, abs=False) for some in shaken]
        expected = torch.cat(told).mean(0)
        return apart(ours("SmoothGrad", draws=draws)(), method.strongest(expected))

    yield found.row(f"SmoothGrad, {draws} draws", ours("SmoothGrad", draws=draws), tunnel, draws, same_noise)


def covered(quick):
    from captum.attr import Occlusion

    found = setup(quick)
    model, images, target = found.model, found.images, found.target
    blank = baselines.BASELINES["black"](model, images)
    window = 56 if quick else 28
    covering = found.ours("occlusion", window=window / 224)
    *_, whole = METHODS["occlusion"].steps(model, images, target, window=window / 224)

    def occlusion(batch):
        return lambda: Occlusion(model.net).attribute(
            images, (3, window, window), (3, window // 2, window // 2), blank, target,
            perturbations_per_eval=batch,
        )  # fmt: skip

    yield found.row(
        f"occlusion, squares of {window} pixels", covering, occlusion, 1 + whole.total,
        lambda: apart(covering(), occlusion(5)()[0, 0]), back=False,
    )  # fmt: skip
