"""What a step of activation maximisation costs: ResNet-18 at 224 pixels, beside the bare passes and lucent.

    python -m benchmarks actmax [rounds]

The steps take turns; medians over the rounds. A bare step is a forward pass and a backward pass to the input
at the same batch. "processor" is the time on one core, which other programs on the machine don't lengthen
much. lucent's step is that of its ``render_vis`` without the loop: its own pixels, views and optimiser.
"""

import torch

from benchmarks import timing
from vizcore.actmax import RECIPES, Recipe, maximise
from vizcore.models import load_model
from vizcore.objectives import logit

LABEL = 3


def main(argv):
    rounds = int(argv[0]) if argv else 7
    if not torch.cuda.is_available():
        torch.set_num_threads(1)
    model = load_model("resnet18", "random")
    trained_like = load_model("resnet18", "random").net.requires_grad_(True)  # lucent takes them as they come
    for batch in (1, 8):
        print(f"\nbatch {batch}")
        timing.compare(
            {
                "bare forward and backward pass": lambda batch=batch: bare(model, batch),
                **{
                    f"a step, {name}": stepper(model, batch, recipe)
                    for name, recipe in {"clean": ours("clean"), "classic": ours("classic")}.items()
                },
                "lucent, weights frozen": lucent_stepper(model.net, batch),
                "lucent, as it comes": lucent_stepper(trained_like, batch),
            },
            rounds,
        )
    print("\neight classes")
    step = stepper(model, 8, ours("clean"))
    alone = stepper(model, 1, ours("clean"))
    timing.compare({"eight runs of one": lambda: [alone() for _ in range(8)], "one batch": step}, rounds)
    return 0


def ours(name: str) -> Recipe:
    """A recipe with one view a step, so that a batch of n is n views, and without an end."""
    return Recipe(**{**vars(RECIPES[name]), "views": 1, "steps": 10**9, "patience": 0})


def bare(model, batch):
    images = torch.rand(batch, 3, 224, 224, device=model.device, requires_grad=True)
    torch.autograd.grad(model.net(images)[:, LABEL].sum(), images)
    finish()


def stepper(model, batch, recipe):
    steps = maximise(model, [logit(model, LABEL)] * batch, recipe, range(batch))

    def step():
        next(steps)
        finish()

    return step


def lucent_stepper(net, batch):
    import torchvision.transforms  # noqa: F401  after vizcore.models, which makes it importable
    from lucent.optvis import objectives, param, render, transform

    params, image_f = param.image(224, batch=batch)
    optimiser = torch.optim.Adam(params, lr=5e-2)
    transform_f = transform.compose([*transform.standard_transforms, transform.normalize()])
    hook = render.hook_model(net, image_f)
    objective_f = objectives.as_objective(f"labels:{LABEL}")

    def step():
        optimiser.zero_grad()
        net(transform_f(image_f()))
        objective_f(hook).backward()
        optimiser.step()
        finish()

    return step


def finish():
    if torch.cuda.is_available():
        torch.cuda.synchronize()
