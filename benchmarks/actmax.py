"""A step of activation maximisation on ResNet-18: beside its own two passes, beside lucent, and in a batch.

lucent's step is that of its ``render_vis`` without the loop: its own pixels, views and optimiser, on a
network as its users have it, whose weights ask for gradients too, and on a frozen one.
"""

import torch

from benchmarks.rows import Row, bare
from vizcore.imagine.crosseval import judge
from vizcore.imagine.maximise import RECIPES, Recipe, maximise
from vizcore.networks.load import best_device, load_model
from vizcore.objectives import logit

LABEL = 3
BATCH = 0.5 if torch.cuda.is_available() else 0.8  # of eight runs; one core is nearly busy with one picture


def rows(quick):
    model = load_model("resnet18", "random", device=best_device())
    usual = load_model("resnet18", "random", device=best_device()).net.requires_grad_(True)
    for pictures in (1,) if quick else (1, 8):
        yield Row(
            f"a step on {pictures} picture{'s' * (pictures > 1)}, {model.title}",
            stepper(model, pictures),
            {
                "bare passes": passes(model, pictures),
                "lucent": lucent(usual, pictures),
                "lucent, frozen": lucent(model.net, pictures),
            },
            {"bare passes": 1.25, "lucent": 1, "lucent, frozen": 1},
        )
    alone = stepper(model, 1)
    yield Row(
        f"a step on 8 pictures at once, {model.title}",
        stepper(model, 8),
        {"8 runs": lambda: [alone() for _ in range(8)]},
        {"8 runs": BATCH},
    )
    if not quick:
        yield from asked_of_photographs()


def asked_of_photographs():
    """What the app does for a class of ImageNet: a step of "fast", and a picture before a judge."""
    model, few = load_model("efficientnet_lite0", device=best_device()), 4
    yield Row(
        f"a step of the recipe “fast”, {model.title}",
        stepper(model, 1, "fast"),
        {"bare passes": passes(model, 1)},
        {"bare passes": 1.25},
    )
    picture = torch.rand(1, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    once = bare(model.net, picture.repeat(few, 1, 1, 1).to(model.device))
    yield Row(
        f"a picture judged in 32 views, {model.title}",
        lambda: judge(model, picture, [LABEL]),
        {f"32 bare passes, {few} at a time": lambda: [once() for _ in range(32 // few)]},
        {f"32 bare passes, {few} at a time": 1.25},
    )


def passes(model, pictures):
    """The floor: forward, and back to the input."""
    images = torch.rand(pictures, 3, 224, 224, device=model.device, requires_grad=True)
    return lambda: torch.autograd.grad(model.net(images)[:, LABEL].sum(), images)


def stepper(model, pictures, name="clean"):
    """A step of a recipe with one view, so that a batch of n pictures is n views."""
    recipe = Recipe(**{**vars(RECIPES[name]), "views": 1, "steps": 10**9})
    steps = maximise(model, [logit(model, LABEL)] * pictures, recipe, range(pictures))
    return lambda: next(steps)


def lucent(net, pictures):
    from lucent.optvis import objectives, param, render, transform

    params, image_f = param.image(224, batch=pictures)
    optimiser = torch.optim.Adam(params, lr=5e-2)
    transform_f = transform.compose([*transform.standard_transforms, transform.normalize()])
    hook = render.hook_model(net, image_f)
    objective_f = objectives.as_objective(f"labels:{LABEL}")

    def step():
        optimiser.zero_grad()
        net(transform_f(image_f()))
        objective_f(hook).backward()
        optimiser.step()

    return step
