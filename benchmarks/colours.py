"""How alive the colours of imagined pictures are, by recipe, beside lucent's: python -m benchmarks colours.

Four of ImageNet's classes on EfficientNet-Lite0, one random view a step. Saturation is that of HSV; contrast
the standard deviation of the grey values; colourfulness Hasler and Süsstrunk's (2003): about 15 is slightly
colourful, 45 quite and 82 highly. Means over the pictures, and how often eight new views are called right.
"""

import argparse
from dataclasses import replace

import numpy as np
import torch
from PIL import Image

from benchmarks.gallery import SEED, classes
from vizcore.imagine import parameterise
from vizcore.imagine.crosseval import judge
from vizcore.imagine.maximise import ALL_VIEWS, RECIPES, input_size, maximise, normalisation
from vizcore.imagine.parameterise import (
    COLOUR_COVARIANCE,
    LIVELY,
    NATURAL_COVARIANCE,
    NATURAL_FALL,
    NATURAL_START,
    PARAMETERISATIONS,
    START,
    Parameterisation,
)
from vizcore.networks.load import load_model
from vizcore.objectives import logit

LABELS = ("goldfish", "school bus", "banana", "ladybug")
VIEWS = 8
CHANGED = {  # one thing changed in the recipe vivid: fall, covariance, how far a step goes, first noise
    "with the colours of drawn textures": (NATURAL_FALL, COLOUR_COVARIANCE, LIVELY, NATURAL_START),
    "with the recipe clean's frequencies": (parameterise.FALL, NATURAL_COVARIANCE, LIVELY, NATURAL_START),
    "with the recipe clean's first noise": (NATURAL_FALL, NATURAL_COVARIANCE, LIVELY, START),
    "with the recipe clean's steps": (NATURAL_FALL, NATURAL_COVARIANCE, 1.0, NATURAL_START),
}


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks colours", description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=RECIPES["vivid"].steps)
    parser.add_argument("--save", metavar="FILE", help="also a sheet of the pictures, a row a recipe")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    model, rows = load_model("efficientnet_lite0", device="cpu"), []
    indices = classes(model, LABELS)
    print(f"{'':44}{'saturation':>11}{'contrast':>10}{'colourfulness':>15}{'called right':>14}")
    for name, make in recipes().items():
        rows.append(make(model, indices, args.steps))
        right = judge(model, rows[-1], indices, VIEWS).right.mean().item()
        figures = measured(rows[-1])
        print(f"{name:44}{figures[0]:11.2f}{figures[1]:10.2f}{figures[2]:15.0f}{right:14.0%}", flush=True)
    if args.save:
        sheet = np.concatenate([np.concatenate(list(as_bytes(row)), 1) for row in rows])
        Image.fromarray(sheet).save(args.save)
    return 0


def recipes():
    """By name, what makes pictures (n, 3, H, W), 0 to 1, of a model's classes in some steps."""
    found = {name: ours(RECIPES[name]) for name in ("clean", "vivid")}
    for number, (name, how) in enumerate(CHANGED.items()):
        PARAMETERISATIONS[str(number)] = changed(*how)
        found[f"vivid {name}"] = ours(replace(RECIPES["vivid"], parameterisation=str(number)))
    still = replace(ALL_VIEWS, colour=0.0, hue=0.0)
    found["vivid without changes of colour"] = ours(replace(RECIPES["vivid"], augment=still))
    return {**found, "lucent": lucent}


def ours(recipe):
    def make(model, indices, steps):
        objectives = [logit(model, k) for k in indices]
        used = replace(recipe, steps=steps, views=1)
        *_, last = maximise(model, objectives, used, [SEED] * len(indices))
        return last.best

    return make


def changed(fall, covariance, lively, noise):
    """Fourier pixels with frequencies, colours, steps and first noise of their own."""

    def render(spectrum, size):
        colours = lively * parameterise.colour_matrix(covariance)
        return parameterise.mixed(spectrum, size, fall, colours)

    return Parameterisation(parameterise.spectrum_shape, render, noise / lively)


def lucent(model, indices, steps):
    """lucent's defaults, with what this network normalises by."""
    from lucent.optvis import param, render, transform

    mean, std = (torch.as_tensor(one).view(1, 3, 1, 1) for one in normalisation(model))
    transforms = [*transform.standard_transforms, lambda seen: (seen - mean) / std]
    pictures = []
    for index in indices:
        torch.manual_seed(SEED)
        np.random.seed(SEED)
        (found,) = render.render_vis(
            model.net,
            f"labels:{index}",
            lambda: param.image(input_size(model)[0]),
            transforms=transforms,
            thresholds=(steps,),
            preprocess=False,
            progress=False,
            show_image=False,
        )
        pictures.append(torch.from_numpy(found[0]).permute(2, 0, 1))
    return torch.stack(pictures)


def as_bytes(pictures):
    """(n, H, W, 3) uint8."""
    return (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def measured(pictures):
    """Saturation, contrast and colourfulness, means over pictures (n, 3, H, W), 0 to 1."""
    red, green, blue = pictures.double().unbind(1)
    most, least = pictures.amax(1), pictures.amin(1)
    saturation = ((most - least) / most.clamp(min=1e-6)).mean()
    contrast = pictures.mean(1).flatten(1).std(1).mean()
    first, second = 255 * (red - green).flatten(1), 255 * ((red + green) / 2 - blue).flatten(1)
    spread = (first.var(1) + second.var(1)).sqrt()
    away = (first.mean(1).square() + second.mean(1).square()).sqrt()
    return saturation.item(), contrast.item(), (spread + 0.3 * away).mean().item()
