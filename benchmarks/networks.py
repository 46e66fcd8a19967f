"""One architecture of each of timm's model files: a right map, or one true sentence.

    python -m benchmarks networks                 the smallest of each file, below 60 million parameters
    python -m benchmarks networks NAME ...        these
    python -m benchmarks networks --sizes         ResNet-18 at 20 random sizes: the layers of 224 × 224

For each, with random weights: do the layers on offer follow the picture (16 squares of two pictures,
changed one by one)? Is Grad-CAM at the default layer that of pytorch-grad-cam, in double precision, with
the layout taken from timm's ``forward_intermediates`` or written by hand; or, where that can't run, that of
autograd on the module's output? Is rollout that of the queries and keys that the network hands to torch's
own attention, or of hooks before the values? Where there is none: is the reason so, by the operators that the
pass comes down to (``reasons``)? Weights that start at zero are small random numbers here, for
else nothing passes them.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from copy import deepcopy

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from benchmarks import reasons
from vizcore.capture import capture, first_tensor
from vizcore.methods import cam, tokens
from vizcore.methods import table as heatmaps
from vizcore.networks import geometry
from vizcore.networks.load import ModelError, from_module, load_model
from vizcore.networks.one_pass import awake
from vizcore.networks.shapes_only import shapes_only
from vizcore.networks.torchvision_ops import timm, torchvision

MOST = 60_000_000  # parameters
AGREE = 1e-4  # of the largest value
ASIDE = 1.0  # GiB of pictures and maps that a pass over all squares may take: those above go one by one


def smallest() -> dict[str, str]:
    """By model file, its smallest architecture that can be built below ``MOST`` parameters."""
    found: dict[str, tuple[int, str]] = {}
    for name in timm.list_models():
        file = timm.models._registry._model_to_module[name]
        try:
            with shapes_only():
                size = sum(value.numel() for value in timm.create_model(name).parameters())
        except Exception:  # some need more than a name
            continue
        if size <= MOST and (file not in found or size < found[file][0]):
            found[file] = size, name
    return {file: name for file, (_, name) in sorted(found.items())}


# ---------------------------------------------------------------- does it follow the picture


def followed(net: nn.Module, model, layers: list[str]) -> dict[str, geometry.Followed]:
    """How each layer follows 16 squares of two pictures."""
    size = model.preprocess(_blank()).shape[1:]
    changes: dict[str, list] = {layer: [] for layer in layers}
    for seed in range(2):
        pictures = geometry.poked(size, geometry.EVERY, seed)
        maps: dict[str, list] = {layer: [] for layer in layers}
        for one in pictures.split(4):
            with torch.no_grad():
                seen = capture(net, one, layers).layers
            for layer in layers:
                maps[layer].append(model.layouts[layer].maps(seen[layer]))
        for layer in layers:
            values = torch.cat(maps[layer])
            changes[layer].append((values[1:] - values[:1]).square().sum(1))
    return {
        layer: geometry.follow(torch.cat(change), geometry.EVERY * 2) for layer, change in changes.items()
    }


def _blank():
    from PIL import Image

    return Image.new("RGB", (256, 256))


# ---------------------------------------------------------------- is the map that of others


def by_hand(net: nn.Module, images, module: nn.Module):
    """How a module's output lies in the picture, found without ``vizcore``: a function to (B, C, h, w)."""
    kept = {}
    handle = module.register_forward_hook(lambda _m, _i, output: kept.update(value=first_tensor(output)))
    with torch.no_grad():
        net(images)
        handle.remove()
        inner = net.forward_intermediates(images, output_fmt="NCHW", intermediates_only=True)
    value = kept["value"]
    for one in inner:
        if value.ndim == 4 and value.shape == one.shape:
            return lambda values: values
        if value.ndim == 4 and value.permute(0, 3, 1, 2).shape == one.shape:
            return lambda values: values.permute(0, 3, 1, 2)
    if value.ndim == 4:  # behind the last intermediate
        last = inner[-1].shape[-2:]
        return (
            (lambda values: values)
            if value.shape[-2:] == last
            else (lambda values: values.permute(0, 3, 1, 2))
        )
    for one in inner:
        rows, columns = one.shape[-2:]
        if value.shape[1] - rows * columns not in range(17):
            continue
        straight = _straight(value, rows, columns)
        order = None
        if value.shape[2] == one.shape[1] and not torch.allclose(straight, one, atol=1e-9):
            order = torch.cdist(one[0].flatten(1).T, value[0]).argmin(1)
            if not torch.allclose(value[0, order], one[0].flatten(1).T, atol=1e-6):  # another one
                order = None
        if order is None:
            return lambda values, rows=rows, columns=columns: _straight(values, rows, columns)
        return lambda values, order=order, rows=rows, columns=columns: (
            values[:, order].transpose(1, 2).unflatten(2, (rows, columns))
        )
    raise LookupError("no intermediate of that size")


def _straight(values, rows: int, columns: int):
    return values[:, values.shape[1] - rows * columns :].transpose(1, 2).unflatten(2, (rows, columns))


def reference_cam(net: nn.Module, images, layer: str, target: int):
    """Grad-CAM (h, w) by pytorch-grad-cam before its scaling, or by autograd; and by whom."""
    module = net.get_submodule(layer)
    lay = by_hand(net, images, module)
    kept = {}

    def keep(_module, _inputs, output):
        kept["value"] = first_tensor(output)
        kept["value"].requires_grad_()

    try:
        from pytorch_grad_cam import GradCAM
        from pytorch_grad_cam.activations_and_gradients import ActivationsAndGradients
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

        watch = ActivationsAndGradients(net, [module], lay)
        watch.device = "cpu"
        score = ClassifierOutputTarget(target)(watch(images.clone().requires_grad_())[0])
        score.backward()
        values, slopes = watch.activations[0].numpy(), watch.gradients[0].numpy()
        weights = GradCAM.get_cam_weights(None, images, [module], None, values, slopes)
        watch.release()
        return torch.from_numpy((weights[..., None, None] * values).sum(1)[0]), "pytorch-grad-cam"
    except (AttributeError, TypeError, RuntimeError, IndexError):
        handle = module.register_forward_hook(keep)
        score = net(images.clone())[0, target]
        handle.remove()
        (slope,) = torch.autograd.grad(score, kept["value"])
        values, slopes = lay(kept["value"].detach()), lay(slope)
        return (slopes.mean((2, 3), keepdim=True) * values).sum(1)[0], "autograd"


class _Queries(TorchFunctionMode):
    """Takes queries and keys where they are handed to torch's attention."""

    def __init__(self):
        super().__init__()
        self.matrices = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(function, "__name__", "") == "scaled_dot_product_attention":
            q, k = args[:2]
            mask = kwargs.get("attn_mask", args[3] if len(args) > 3 else None)
            logits = q @ k.transpose(-2, -1) * (kwargs.get("scale") or q.shape[-1] ** -0.5)
            self.matrices.append((logits if mask is None else logits + mask).softmax(-1))
        return function(*args, **kwargs)


def reference_rollout(net: nn.Module, images, read, blocks: int):
    """Rollout of the network's own queries and keys, (N,); None where it hands none to torch's attention."""
    with torch.no_grad(), _Queries() as watch:
        net(images)
    whole = [matrix for matrix in watch.matrices if matrix.shape[-2:] == (len(read), len(read))]
    if len(whole) != blocks:
        return None
    rows = read.double()
    for matrix in reversed(whole):
        rows = 0.5 * rows + 0.5 * rows @ matrix[0].mean(0)
    return rows


# ---------------------------------------------------------------- a row


def row(file: str, name: str) -> tuple[bool, str]:
    """Whether it passes, and its line of the table."""
    start = time.perf_counter()
    try:
        model = load_model(name, "random", device="cpu")
    except ModelError as error:
        return False, f"| {file} | {name} | refused: {error} | | | |"
    loaded = time.perf_counter() - start
    net = awake(model.net)
    layers = list(dict.fromkeys([*model.blocks, model.cam_layer]))
    poked = followed(net, model, layers)
    wrong = {
        layer: one.reason(geometry.STRICT) for layer, one in poked.items() if one.reason(geometry.STRICT)
    }
    good = model.cam_layer not in wrong
    same, by = "", ""
    images = torch.randn(
        model.preprocess(_blank()).shape, generator=torch.Generator().manual_seed(5)
    ).double()
    double = deepcopy(net).double()
    if model.num_classes:
        try:
            ours = cam.cams(_with(model, double), images, [3], None, "Grad-CAM")[0, 0]
            theirs, by = reference_cam(double, images, model.cam_layer, 3)
            apart = ((ours - theirs.relu()).abs().max() / theirs.abs().max()).item()
            same = f"{apart:.0e} {by}" if apart <= AGREE else f"**{apart:.0e}** {by}"
            good = good and apart <= AGREE
        except (ValueError, LookupError) as error:
            same = f"{error}"[:80]
    rolled = model.no_rollout
    if model.attention:
        ours = heatmaps.METHODS["rollout"].make(_with(model, double), images, 0).flatten()
        read = tokens.readout(model.net, model.grid, model.num_prefix_tokens)[0]
        theirs = reference_rollout(double, images, read, len(model.attention))
        if theirs is None:
            rolled = "no queries to take"
        else:
            apart = (ours - theirs[model.num_prefix_tokens :]).abs().max() / theirs.max()
            rolled, good = f"{apart.item():.0e}", good and apart <= AGREE
    if model.no_rollout and (contradicted := reasons.checked(net, images.float(), model.no_rollout)):
        rolled, good = f"**{rolled}** {contradicted}", False
    said = "; ".join(f"{layer}: {reason}" for layer, reason in wrong.items())
    where = f"{model.cam_layer} {model.layouts[model.cam_layer].grid}"
    line = f"| {file} | {name} | {where} {said} {model.remark} | {same} | {rolled} | {loaded:.1f} |"
    return good, line


def _with(model, net: nn.Module):
    from dataclasses import replace

    return replace(model, net=net.eval().requires_grad_(False))


def sizes(count: int = 20) -> int:
    """ResNet-18 offers the same layers whatever its pictures' size."""
    seed = time.time_ns()
    draw = random.Random(seed)
    net = timm.create_model("resnet18")
    steps = torchvision.transforms

    def layers(height: int, width: int):
        normalise = steps.Normalize([0.5] * 3, [0.5] * 3)
        model = from_module(net, steps.Compose([steps.Resize((height, width)), steps.ToTensor(), normalise]))
        return model.layers, model.cam_layer

    wanted, wrong = layers(224, 224), 0
    for _ in range(count):
        size = draw.randint(64, 720), draw.randint(64, 1280)
        same = layers(*size) == wanted
        wrong += not same
        print(f"{size[0]} × {size[1]}: {'the same layers' if same else 'OTHER LAYERS'}", flush=True)
    print(f"seed {seed}: {count - wrong} of {count}")
    return int(wrong > 0)


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks networks", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sizes", action="store_true")
    options = parser.parse_args(argv)
    if options.sizes:
        return sizes()
    asked = {name: name for name in options.names} or smallest()
    print(
        "| file | architecture | default layer | Grad-CAM | rollout | s |\n|---|---|---|---|---|---|",
        flush=True,
    )
    passed = 0
    for file, name in asked.items():
        good, line = row(file, name)
        passed += good
        print(line if good else f"{line} ✗", flush=True)
    print(f"\n{passed} of {len(asked)} pass.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
