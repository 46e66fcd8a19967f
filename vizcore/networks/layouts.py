"""How the layers of a network lie: which of them are maps of the picture, and which make up its depth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

from torch import Tensor, nn

from ..model import Layout
from . import geometry
from .geometry import plausible
from .one_pass import MOST_PREFIX, Traced
from .watch import is_attention

Grid = tuple[int, int]  # rows, columns
HALVED = 4  # patches on a side, above which tokens may be those of a grid of half as many
_PLAIN = ("Identity", "Dropout", "DropPath")  # hand on what they get


def patches(net: nn.Module, found: Traced) -> tuple[Grid | None, int]:
    """The grid of patches that the network begins with, and how many tokens come before them."""
    owner = next((one for one in net.modules() if hasattr(one, "num_prefix_tokens")), net)
    prefix = cast(int, getattr(owner, "num_prefix_tokens", int(hasattr(net, "class_token"))))
    seen = [layout.grid for layout in found.known.values() if layout.kind == "tokens"]
    for module in net.modules():
        if getattr(module, "grid_size", None) and hasattr(module, "patch_size"):
            rows, columns = cast(Grid, module.grid_size)
            if seen and (rows, columns) not in seen:  # of another size than it was built for
                return seen[0], prefix
            if seen or any(_fits(shape, (rows, columns), prefix) for shape in found.shapes.values()):
                return (rows, columns), prefix
    if hasattr(net, "image_size") and hasattr(net, "patch_size"):  # torchvision's
        side = cast(int, net.image_size) // cast(int, net.patch_size)
        return (side, side), prefix
    tokens = [layout for layout in found.known.values() if layout.kind == "tokens"]
    if tokens:
        return tokens[0].grid, tokens[0].prefix
    widths = [shape[1] for shape in found.shapes.values() if len(shape) == 3]
    widths += [shape[-1] for shape in found.attention.computed.shapes.values()]
    for name, shape in found.shapes.items():  # a patch embedding: the first map, whose places become tokens
        if len(shape) == 4 and "NCHW" in found.changes.get(name, {}):
            extra = [width - math.prod(shape[2:]) for width in widths]
            extra = [value for value in extra if 0 <= value <= MOST_PREFIX]
            if extra and math.prod(shape[2:]) > 1:
                return (shape[2], shape[3]), max(extra)
    return None, prefix


def _behind(size: Sequence[int], batch: int, grid: Grid | None, prefix: int) -> bool:
    """Whether an output holds tokens of the patches and then pictures, (N, B, C), as torch's layers do."""
    return len(size) == 3 and size[1] == batch and bool(grid) and size[0] - math.prod(grid) in (0, prefix)


def _fits(shape: Sequence[int], grid: Grid, prefix: int) -> bool:
    """Whether an output of that size may hold that many patches."""
    tokens = len(shape) == 3 and shape[1] - math.prod(grid) in (0, prefix)
    return tokens or (len(shape) == 4 and grid in (tuple(shape[1:3]), tuple(shape[2:])))


def layouts(
    net: nn.Module, found: Traced, image: Grid, grid: Grid | None, prefix: int
) -> tuple[dict[str, Layout], dict[str, str]]:
    """The layouts of the layers that follow the picture; and those that look like maps and don't, and why."""
    modules = dict(net.named_modules())
    owners = [name for name, module in modules.items() if is_attention(module)]
    lattices = _lattices(found, image, grid)
    orders = {layout.grid: layout.order for layout in found.known.values() if layout.order}
    on_offer: dict[str, Layout] = {}
    left_out: dict[str, str] = {}
    starts: dict[tuple[int, Grid], int] = {}  # by tokens and grid, where the patches begin
    for name, size in found.shapes.items():
        if name not in modules or type(modules[name]).__name__ in _PLAIN:
            continue
        if name not in found.changes:
            if _behind(size, found.attention.batch, grid, prefix):
                left_out[name] = geometry.BEHIND
            continue
        choices = [found.known[name]] if name in found.known else []
        if not choices:
            inside = any(name.startswith(f"{owner}.") for owner in owners) and len(size) == 4
            if inside and size[2] == size[3] and not isinstance(modules[name], nn.Conv2d):
                continue  # one matrix a head: queries and keys
            choices = _choices(size, image, lattices, orders, prefix)
        choices = [layout for layout in choices if layout.kind in found.changes[name]]
        if name not in found.known:
            choices = [_started(layout, size, found.changes[name], starts) for layout in choices]
        judged = [(layout, judge(found.changes[name], layout)) for layout in choices]
        good = [(layout, one) for layout, one in judged if not one.reason(geometry.QUICK)]
        if good:
            on_offer[name] = min(good, key=lambda pair: max(map(abs, pair[1].offset)))[0]
        elif judged and (judged[0][0].kind == "tokens" or plausible(judged[0][0].grid, image, 1)):
            left_out[name] = judged[0][1].reason(geometry.QUICK)
    return on_offer, left_out


def _lattices(found: Traced, image: Grid, grid: Grid | None) -> list[Grid]:
    """The grids in which tokens may lie: the network's own, the patches', and those of its maps."""
    lattices = [layout.grid for layout in found.known.values()] + ([grid] if grid else [])
    for name, size in found.shapes.items():
        if len(size) == 4 and name in found.changes and plausible(size[2:], image):
            lattices.append((size[2], size[3]))
    rows, columns = grid or (0, 0)
    while not found.known and max(rows, columns) > HALVED:  # stages merge 2 × 2 patches, out of sight
        rows, columns = (rows + 1) // 2, (columns + 1) // 2
        lattices.append((rows, columns))
    return list(dict.fromkeys(lattices))


def _choices(
    size: tuple[int, ...],
    image: Grid,
    lattices: Sequence[Grid],
    orders: Mapping[Grid, tuple[int, ...] | None],
    prefix: int,
) -> list[Layout]:
    """The ways in which an output of that size could be a map."""
    if len(size) == 3:
        _, tokens, channels = size
        extra = {grid: tokens - math.prod(grid) for grid in lattices}
        fits = [grid for grid in lattices if 0 <= extra[grid] <= MOST_PREFIX]
        fits = [  # few places may be anything
            grid for grid in fits if math.prod(grid) > MOST_PREFIX or extra[grid] in (0, prefix)
        ]
        return [Layout("tokens", channels, grid, extra[grid], orders.get(grid)) for grid in fits]
    if len(size) != 4 or sorted(size[1:])[1] == 1:  # one value a channel is none a place
        return []
    first = [Layout("NCHW", size[1], (size[2], size[3]))] if plausible(size[2:], image) else []
    return first + ([Layout("NHWC", size[3], (size[1], size[2]))] if plausible(size[1:3], image) else [])


def _started(
    layout: Layout, size: tuple[int, ...], changes: Mapping[str, Tensor], starts: dict[tuple[int, Grid], int]
) -> Layout:
    """The layout, or one with some of its further tokens behind the patches, if that follows the picture.

    The first layer with so many tokens says so: nothing has mixed them yet, so a shift by a cell is clear.
    """
    if layout.kind != "tokens" or not layout.prefix or layout.order is not None:
        return layout
    key = size[1], layout.grid
    if key not in starts:
        starts[key] = geometry.start(changes["tokens"], layout.grid, layout.prefix)
    if starts[key] == layout.prefix:
        return layout
    return layout._replace(prefix=starts[key], order=tuple(range(math.prod(layout.grid))))


def judge(changes: Mapping[str, Tensor], layout: Layout) -> geometry.Followed:
    """How a layer's changes, by kind, follow the few squares if it lies like that."""
    change = changes[layout.kind]
    if layout.kind == "tokens":
        change = layout.maps(change[..., None])[:, 0]  # (squares, N, 1) -> (squares, h, w)
    return geometry.follow(change)


def blocks(net: nn.Module, known: Mapping[str, Layout], on_offer: Mapping[str, Layout]) -> list[str]:
    """The layers on offer that make up the depth, in the order in which they ran."""
    names = [name for name in depth(net) if name in on_offer] or _outermost(known, on_offer)
    place = {name: k for k, name in enumerate(on_offer)}
    return sorted(names, key=place.__getitem__)


def depth(net: nn.Module) -> list[str]:
    """Names of modules, one behind the other, that together are the network."""
    return _descend(net, sum(1 for _ in net.modules()))


def _descend(module: nn.Module, total: int, prefix: str = "") -> list[str]:
    """Descend through lists of modules, and through whatever holds most of the network, no further."""
    names = []
    for child_name, child in module.named_children():
        name = f"{prefix}{child_name}"
        inside = sum(1 for _ in child.modules())
        if isinstance(child, nn.Sequential | nn.ModuleList | nn.ModuleDict) or inside > total / 2:
            names += _descend(child, total, f"{name}.")
        else:
            names.append(name)
    return names


def _outermost(known: Mapping[str, Layout], on_offer: Mapping[str, Layout]) -> list[str]:
    """Of the network's own intermediates, those inside no other."""
    names = [name for name in known if name in on_offer]
    return [name for name in names if not any(name.startswith(f"{other}.") for other in names)]
