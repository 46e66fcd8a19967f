"""What can be seen in a network: which layers are maps of the picture, and which attention is read.

Nothing is believed by its shape or its name. One pass over pictures that differ in one square each shows
which outputs follow the picture (``geometry``); timm's ``forward_intermediates`` says how tokens lie on the
way; the multiplications of the pass show which matrix is applied to the values; and one pass back shows from
which places the answer is read. All of it on a private copy, in which weights that start at zero are small
random numbers: what a network is does not depend on what its weights happen to be.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..capture import capture, expose_attention, first_tensor, private_copy
from ..methods.tokens import readout
from ..model import Layout
from . import geometry
from .watch import Watched, attends, rollout_of

LAST = 4  # blocks among which the answer is usually read
MOST_PREFIX = 16  # tokens before the first patch
VALID = 4  # cells that padding, or its absence, may add to a side or take from it
_READ_ELSEWHERE = (
    "Its answer is not read from the tokens that it is usually read from, so nothing says where to start."
)
_PLAIN = ("Identity", "Dropout", "DropPath")  # hand on what they get


class Traced(NamedTuple):
    """What a pass found of each module, in the order in which they ran."""

    output: Any  # what the network returned for the pictures
    shapes: dict[str, tuple[int, ...]]
    changes: dict[str, dict[str, Tensor]]  # squared change by kind: "NCHW", "NHWC", "tokens"
    known: dict[str, Layout]  # of outputs that are one of the network's own intermediates
    attention: Watched


def trace(net: nn.Module, images: Tensor, title: str) -> dict:
    """The fields of a ``VisionModel`` that say what can be seen.

    Args:
        net: frozen, in eval mode. images: (1, 3, H, W), of the size that the network gets.

    Raises:
        RuntimeError: whatever the network raises on pictures.
        ValueError: no layer is a map of the picture, or the output is not finite; the message begins with
            ``title``.
    """
    copy = _awake(net)
    pictures = geometry.poked(images.shape[1:]).to(images)
    found = _run(copy, pictures)
    output = found.output
    if isinstance(output, Tensor) and output.is_floating_point() and not output.isfinite().all():
        raise ValueError(f"{title} can't be visualised: its output on an ordinary picture is not finite.")
    grid, prefix = _patches(net, found)
    layouts, left_out = _layouts(net, found, pictures.shape, grid, prefix)
    if not layouts:
        reasons = list(dict.fromkeys(left_out.values()))
        why = f": {reasons[0]}" if len(reasons) == 1 else ""
        raise ValueError(
            f"{title} can't be visualised: none of its layers puts out a map of the picture{why}."
        )
    depth = _blocks(net, sum(1 for _ in net.modules()))
    blocks = _in_order(
        [name for name in depth if name in layouts] or _outermost(found.known, layouts), layouts
    )
    tokens = [layout for layout in layouts.values() if layout.kind == "tokens"]
    attending = attends(net, found.attention, layouts)
    attention, no_rollout = rollout_of(net, found.attention, layouts, blocks, grid, prefix)
    classes = getattr(net, "num_classes", None) != 0 and isinstance(output, Tensor) and output.ndim == 2
    cam_layer, read = _read_from(copy, pictures[:1], layouts, blocks, classes)
    if attention and read is not None and not torch.equal(read, readout(net, grid, prefix)[0] > 0):
        attention, no_rollout = [], _READ_ELSEWHERE
    patchy = bool(tokens) or attending
    return {
        "num_classes": output.shape[1] if classes else 0,
        "family": "vit" if patchy else "cnn",
        "mixing": found.attention.mixing(attending),
        "layers": list(layouts),
        "blocks": blocks,
        "layouts": layouts,
        "left_out": left_out,
        "cam_layer": cam_layer,
        "remark": _deeper({*found.known, *depth}, found, left_out, cam_layer),
        "attention": attention,
        "no_rollout": no_rollout,
        "grid": grid if tokens else None,
        "num_prefix_tokens": prefix if tokens else 0,
    }


def _awake(net: nn.Module) -> nn.Module:
    """A private copy whose all-zero weights are small random numbers: zeros would hide what comes behind."""
    copy, generator = private_copy(net), torch.Generator().manual_seed(0)
    for module in copy.modules():
        for name, value in module._parameters.items():
            if value is not None and value.is_floating_point() and name != "bias" and not value.any():
                scale = 0.02 if value.ndim > 1 else 0.5
                noise = scale * torch.randn(value.shape, generator=generator)
                module._parameters[name] = nn.Parameter(noise.to(value), requires_grad=False)
    return copy


# ---------------------------------------------------------------- one pass


def _run(copy: nn.Module, pictures: Tensor) -> Traced:
    """All that one pass over pictures shows of the modules of a private copy."""
    with torch.no_grad():
        inner = [value[0].float() for value in _intermediates(copy, pictures[:1])]  # (C, h, w) each
    copy = private_copy(copy)
    watched = Watched(len(pictures))
    for name, module in list(copy.named_modules()):
        if _attends(module):
            expose_attention(copy, f"{name}.attn_drop")
    near = max(1e-3, 4 * torch.finfo(pictures.dtype).eps)
    shapes: dict[str, tuple[int, ...]] = {}
    changes: dict[str, dict[str, Tensor]] = {}
    known: dict[str, Layout] = {}

    def note(name: str):
        def hook(module, inputs, output):
            value = first_tensor(output)
            watched.started[name] = next((x.data_ptr() for x in inputs if isinstance(x, Tensor)), 0)
            if value is None:
                return
            shapes.pop(name, None)
            shapes[name] = tuple(value.shape)
            if name.endswith("attn_drop"):
                watched.put_out(name.rpartition(".")[0], value)
            elif len(value) == len(pictures) and value.is_floating_point():
                changes[name] = _change(value, pictures.shape[2:])
                layout = next(filter(None, (_same(value[0].float(), one, near) for one in inner)), None)
                if layout:
                    known[name] = layout

        return hook

    for name, module in copy.named_modules():
        if name:
            module.register_forward_hook(note(name))
    with torch.no_grad(), watched:
        output = copy(pictures)
    return Traced(output, shapes, changes, known, watched)


def _intermediates(net: nn.Module, pictures: Tensor) -> list[Tensor]:
    """What timm says that stages and blocks put out, (B, C, h, w) each; empty where it doesn't."""
    if not hasattr(net, "forward_intermediates"):
        return []
    try:
        found = net.forward_intermediates(pictures, output_fmt="NCHW", intermediates_only=True)
    except Exception:  # of dozens of files some don't take these words, or none at this size
        return []
    return [value for value in found if isinstance(value, Tensor) and value.ndim == 4]


def _change(value: Tensor, image: torch.Size) -> dict[str, Tensor]:
    """The squared change from the first picture to each other one, in every way that the output may lie."""
    if value.ndim == 3:
        return {"tokens": (value[1:].float() - value[:1].float()).square().sum(2).cpu()}  # (squares, N)
    axes = {}
    if value.ndim == 4:
        axes = {"NCHW": (value.shape[2:], 1), "NHWC": (value.shape[1:3], 3)}
        axes = {kind: axis for kind, (grid, axis) in axes.items() if _plausible(grid, image)}
    if not axes:
        return {}
    change = (value[1:].float() - value[:1].float()).square()
    return {kind: change.sum(axis).cpu() for kind, axis in axes.items()}  # (squares, h, w)


def _same(value: Tensor, inner: Tensor, near: float) -> Layout | None:
    """How one picture's output has to lie to be an intermediate (C, h, w); None where it is another."""
    channels, *grid = inner.shape
    places = math.prod(grid)
    tokens = value.ndim == 2 and value.shape[1] == channels and 0 <= len(value) - places <= MOST_PREFIX
    if not tokens and value.numel() != inner.numel():
        return None
    kept = value[len(value) - places :] if tokens else value
    if not math.isclose(kept.norm().item(), inner.norm().item(), rel_tol=near):  # cheap, in whatever order
        return None

    def alike(a: Tensor) -> bool:
        return bool((a - inner).abs().max() <= near * inner.abs().max())

    if value.ndim == 3 and value.numel() == inner.numel():
        if value.shape == inner.shape and alike(value):
            return Layout("NCHW", channels, tuple(grid))
        if tuple(value.shape) == (*grid, channels) and alike(value.permute(2, 0, 1)):
            return Layout("NHWC", channels, tuple(grid))
    if not tokens:
        return None
    prefix = len(value) - places
    layout = Layout("tokens", channels, tuple(grid), prefix)
    if alike(layout.maps(value[None])[0]):
        return layout
    distances = torch.cdist(inner.flatten(1).T, value[prefix:])  # (places, tokens)
    order = distances.argmin(1)
    if len(order.unique()) < places:
        return None
    layout = layout._replace(order=tuple(order.tolist()))
    return layout if alike(layout.maps(value[None])[0]) else None


# ---------------------------------------------------------------- layers


def _patches(net: nn.Module, found: Traced) -> tuple[tuple[int, int] | None, int]:
    """The grid of patches that the network begins with, and how many tokens come before them."""
    prefix = getattr(net, "num_prefix_tokens", int(hasattr(net, "class_token")))
    for module in net.modules():
        if getattr(module, "grid_size", None) and hasattr(module, "patch_size"):
            return tuple(module.grid_size), prefix
    if hasattr(net, "image_size") and hasattr(net, "patch_size"):  # torchvision's
        side = net.image_size // net.patch_size
        return (side, side), prefix
    tokens = [layout for layout in found.known.values() if layout.kind == "tokens"]
    if tokens:
        return tokens[0].grid, tokens[0].prefix
    widths = [shape[1] for shape in found.shapes.values() if len(shape) == 3]
    for name, shape in found.shapes.items():  # a patch embedding: the first map, whose places become tokens
        if len(shape) == 4 and "NCHW" in found.changes.get(name, {}):
            extra = [width - math.prod(shape[2:]) for width in widths]
            extra = [value for value in extra if 0 <= value <= MOST_PREFIX]
            if extra and math.prod(shape[2:]) > 1:
                return tuple(shape[2:]), max(extra)
    return None, prefix


def _layouts(net: nn.Module, found: Traced, shape, grid, prefix: int) -> tuple[dict, dict]:
    """The layouts of the layers that follow the picture; and those that look like maps and don't, and why."""
    modules = dict(net.named_modules())
    lattices = {layout.grid: None for layout in found.known.values()} | ({grid: None} if grid else {})
    orders = {layout.grid: layout.order for layout in found.known.values() if layout.order}
    owners = [name for name, module in modules.items() if _attends(module)]
    for name, size in found.shapes.items():
        if len(size) == 4 and name in found.changes and _plausible(size[2:], shape[2:]):
            lattices.setdefault(tuple(size[2:]))
    layouts: dict[str, Layout] = {}
    left_out: dict[str, str] = {}
    for name, size in found.shapes.items():
        inside = any(name.startswith(f"{owner}.") for owner in owners) and len(size) == 4
        if name not in modules or name not in found.changes or type(modules[name]).__name__ in _PLAIN:
            continue
        if (
            inside
            and size[2] == size[3]
            and name not in found.known
            and not isinstance(modules[name], nn.Conv2d)
        ):
            continue  # one matrix a head: queries and keys
        choices = (
            [found.known[name]] if name in found.known else _choices(size, shape, lattices, orders, prefix)
        )
        choices = [layout for layout in choices if layout.kind in found.changes[name]]
        judged = [(layout, _judge(found.changes[name], layout)) for layout in choices]
        good = [(layout, one) for layout, one in judged if not one.reason(geometry.QUICK)]
        if good:
            layouts[name] = min(good, key=lambda pair: max(map(abs, pair[1].offset)))[0]
        elif judged:
            left_out[name] = judged[0][1].reason(geometry.QUICK)
    return layouts, left_out


def _choices(size, shape, lattices, orders, prefix: int) -> list[Layout]:
    """The ways in which an output of that size could be a map."""
    if len(size) == 3:
        fits = [grid for grid in lattices if 0 <= size[1] - math.prod(grid) <= MOST_PREFIX]
        fits = [
            grid
            for grid in fits
            if math.prod(grid) > MOST_PREFIX
            or size[1] - math.prod(grid) in (0, prefix)  # else it may be anything
        ]
        return [Layout("tokens", size[2], grid, size[1] - math.prod(grid), orders.get(grid)) for grid in fits]
    if len(size) != 4:
        return []
    first = [Layout("NCHW", size[1], size[2:])] if _plausible(size[2:], shape[2:]) else []
    return first + ([Layout("NHWC", size[3], size[1:3])] if _plausible(size[1:3], shape[2:]) else [])


def _plausible(grid, image) -> bool:
    """Whether a grid can come of the picture by one stride, whatever is rounded and padded on the way."""
    if max(grid) < 2 or any(cells > side + VALID for cells, side in zip(grid, image, strict=True)):
        return False
    least, most = 0.0, math.inf  # strides that both sides allow
    for cells, side in zip(grid, image, strict=True):
        give = min(VALID, 1 + cells / 2)
        least = max(least, side / (cells + give))
        most = min(most, side / (cells - give) if cells > give else math.inf)
    return least <= most


def _judge(changes: dict[str, Tensor], layout: Layout) -> geometry.Followed:
    change = changes[layout.kind]
    if layout.kind == "tokens":
        change = layout.maps(change[..., None])[:, 0]  # (squares, N, 1) -> (squares, h, w)
    return geometry.follow(change)


def _attends(module: nn.Module) -> bool:
    return isinstance(module, nn.MultiheadAttention) or hasattr(module, "attn_drop")


def _blocks(module: nn.Module, total: int, prefix: str = "") -> list[str]:
    """Descend through lists of modules, and through whatever holds most of the network, no further."""
    names = []
    for child_name, child in module.named_children():
        name = f"{prefix}{child_name}"
        inside = sum(1 for _ in child.modules())
        if isinstance(child, nn.Sequential | nn.ModuleList | nn.ModuleDict) or inside > total / 2:
            names += _blocks(child, total, f"{name}.")
        else:
            names.append(name)
    return names


def _outermost(known: dict[str, Layout], layouts: dict[str, Layout]) -> list[str]:
    """Of the network's own intermediates, those inside no other."""
    names = [name for name in known if name in layouts]
    return [name for name in names if not any(name.startswith(f"{other}.") for other in names)]


def _in_order(blocks: list[str], layouts: dict[str, Layout]) -> list[str]:
    """By the order in which they ran."""
    place = {name: k for k, name in enumerate(layouts)}
    return sorted(blocks, key=place.__getitem__)


# ---------------------------------------------------------------- where the answer is read


def _read_from(copy, images: Tensor, layouts, blocks: list[str], classes: bool) -> tuple[str, Tensor | None]:
    """The deepest block whose places the answer is read from, and the tokens of the last block that it reads.

    Behind the last attention of a ViT only the class token reaches the score: the gradients of the patches
    are exactly zero there, and the norm before that attention is the deepest place to ask.
    """
    names = blocks or list(layouts)
    if not classes:
        return _last_numbered(names), None
    for some in (names[-LAST:], names):  # the way back is short where the answer is read at the end
        layer, read = _reached(copy, images, layouts, some)
        if layer:
            return layer, read
    return names[-1], read


def _reached(copy, images: Tensor, layouts, names: list[str]) -> tuple[str, Tensor | None]:
    """Of some blocks the deepest layer whose places have a gradient, or ""; and the tokens that are read."""
    kinds = {name: type(module).__name__ for name, module in copy.named_modules()}
    norms = {  # of each block the norms inside, in the order in which they run
        block: [layer for layer in layouts if layer.startswith(f"{block}.") and "Norm" in kinds[layer]]
        for block in names
    }
    asked = {*names, *itertools.chain(*norms.values())}
    output, seen = capture(copy, images, [name for name in layouts if name in asked], grad=True)
    try:
        slopes = torch.autograd.grad(
            output[0, output[0].argmax()], list(seen.values()), allow_unused=True, materialize_grads=True
        )
    except RuntimeError:  # nothing behind these layers can be differentiated
        return "", None
    slope = dict(zip(seen, slopes, strict=True))
    reaches = {name: bool(layouts[name].maps(value).any()) for name, value in slope.items()}
    tokens = [name for name in names if layouts[name].kind == "tokens"]
    read = None
    if tokens:
        read = slope[_last_numbered(tokens)][0].abs().sum(-1).cpu() > 0  # (N,)
    for place in range(len(names) - 1, -1, -1):
        if not reaches[names[place]]:
            continue
        behind = itertools.chain(*(norms[name] for name in names[place + 1 :]))
        found = [names[place], *(name for name in behind if reaches[name])][-1]
        before = [name for name in names[:place] if reaches[name] and "Norm" in kinds[name]]
        return (before[-1] if before and kinds[found] == "Linear" else found), read
    return "", read


def _deeper(whole: set[str], found: Traced, left_out: dict[str, str], cam_layer: str) -> str:
    """What to know of blocks behind the deepest layer on offer, in a sentence; "" where there are none."""
    ran = {name: k for k, name in enumerate(found.shapes)}
    behind = [name for name in left_out if name in whole and ran[name] > ran[cam_layer]]
    behind = [name for name in behind if not cam_layer.startswith(f"{name}.")]  # the list that it stands in
    behind = [name for name in behind if not any(name.startswith(f"{other}.") for other in behind)]
    if not behind:
        return ""
    return (
        f"Behind {cam_layer}, {'; '.join(itertools.starmap(_clause, by_reason(left_out, behind).items()))}."
    )


def by_reason(left_out: dict[str, str], layers: Iterable[str]) -> dict[str, list[str]]:
    """Layers that are left out, together where the reason is the same."""
    found: dict[str, list[str]] = {}
    for layer in layers:
        found.setdefault(left_out[layer], []).append(layer)
    return found


def _clause(reason: str, layers: list[str]) -> str:
    if len(layers) == 1:
        return f"{layers[0]} is left out: with these weights {reason}"
    reason = reason.replace("it is", "they are").replace("it does", "they do").replace("its", "their")
    return f"{', '.join(layers[:-1])} and {layers[-1]} are left out: with these weights {reason}"


def _last_numbered(names: list[str]) -> str:
    return ([name for name in names if name.split(".")[-1].isdigit()] or names)[-1]
