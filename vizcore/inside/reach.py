"""How far a network looks: the distance that attention spans, and the field that a place hears of.

Two answers, for they are about two things. The distance of attention (Raghu et al., NeurIPS 2021) says from
how far away a head fetches what it mixes in, and nothing of what the residual connection brings along
unmoved. The effective receptive field (Luo et al., NeurIPS 2016) says which pixels a place of a layer depends
on, by the gradient, and there is one for every layer of every network.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..capture import capture, way_back
from ..methods.attention import distances
from ..model import VisionModel, check_layer
from ..modes import in_any_mode

MOST = 0.9  # of the gradient's energy: what counts as a field


def patch_size(model: VisionModel, images: Tensor) -> tuple[float, float]:
    """A patch's height and width in pixels of the network's input.

    Raises:
        ValueError: the network has no attention over the whole picture.
    """
    if not model.attention or model.grid is None:
        raise ValueError(model.no_rollout or f"{model.title} has no attention over the whole picture.")
    rows, columns = model.grid
    return images.shape[-2] / rows, images.shape[-1] / columns


@in_any_mode
def attention_distances(model: VisionModel, images: Tensor) -> Tensor:
    """How far each head of each block looks in each of some pictures, in pixels of the network's input.

    Args:
        images: (B, 3, H, W), preprocessed.

    Returns:
        (B, blocks, heads); nan where a block has fewer heads than another. No block's attention is kept.

    Raises:
        ValueError: as ``patch_size``.
    """
    size, grid = patch_size(model, images), model.grid
    assert grid is not None
    patches = grid[0] * grid[1]

    def far(_name: str, matrix: Tensor) -> Tensor:  # (B, heads, N, N) -> (B, heads)
        return distances(matrix, grid, matrix.shape[-1] - patches, size).cpu()

    names = [f"{module}.attn_drop" for module in model.attention]
    found = capture(model.net, images, names, reduce=far).layers
    most = max(one.shape[1] for one in found.values())
    padded = [
        torch.nn.functional.pad(found[name], (0, most - found[name].shape[1]), value=torch.nan)
        for name in names
    ]
    return torch.stack(padded, 1)


def even_distance(grid: tuple[int, int], size: tuple[float, float]) -> float:
    """The distance of attention that looks everywhere alike: as far as looking without preference reaches.

    >>> even_distance((1, 4), (1, 16))  # of n places in a row, (n² - 1) / 3n of their width
    20.0
    """
    patches = grid[0] * grid[1]
    return float(distances(torch.ones(1, patches, patches), grid, 0, size))


# ---------------------------------------------------------------- the field of a place


class Field(NamedTuple):
    """What one place of a layer depends on, in each of some pictures."""

    energy: Tensor  # (B, H, W): squares of the gradient at each pixel of the input
    centre: tuple[float, float]  # where the place is, (y, x) in pixels


@in_any_mode
def fields(
    model: VisionModel,
    images: Tensor,
    layers: list[str],
    at: tuple[float, float] = (0.5, 0.5),
    draws: int = 1,
    seed: int = 0,
) -> dict[str, Field]:
    """The effective receptive field (Luo et al., 2016) of a place in some layers, from one forward pass.

    What is differentiated is the sum of all channels there, each with a sign drawn by lot: the squares then
    add up to those of all channels' gradients, in the mean over draws and pictures. Without signs they would
    vanish behind a LayerNorm, whose channels always sum to the same.

    Args:
        images: (B, 3, H, W), preprocessed. layers: of ``model.layers``.
        at: the place, (y, x) as shares of what the network sees; that cell of each layer's grid is taken.
        draws: of the signs, a backward pass each.

    Raises:
        ValueError: no such layer with a map, or a place outside of the picture.
    """
    if not all(0 <= share <= 1 for share in at):
        raise ValueError(f"a place is (y, x) as shares from 0 to 1, not {at}")
    layouts = {layer: check_layer(model, layer) for layer in layers}
    images = images.detach().clone().requires_grad_()
    seen = capture(model.net, images, layers, grad=True).layers
    found = {}
    for layer, layout in layouts.items():
        maps = layout.maps(seen[layer])  # (B, C, h, w)
        grid = maps.shape[-2:]
        row, column = (min(int(share * cells), cells - 1) for share, cells in zip(at, grid, strict=True))
        generator = torch.Generator().manual_seed(seed)  # the same field whatever else is asked for
        values, energy = maps[..., row, column], torch.zeros_like(images[:, 0], dtype=torch.float32)
        for _ in range(draws):
            signs = 2 * torch.randint(0, 2, values.shape, generator=generator) - 1
            (slope,) = way_back((values * signs.to(values)).sum(), [images], retain_graph=True)
            energy += slope.float().square().sum(1) / draws  # (B, 3, H, W) -> (B, H, W)
        height, width = images.shape[-2:]
        centre = (row + 0.5) / grid[0] * height, (column + 0.5) / grid[1] * width
        found[layer] = Field(energy.cpu(), centre)
    return found


def rings(field: Field) -> Tensor:
    """The share of each picture's energy by its distance from the place, in steps of a pixel: (B, R).

    Rows sum to 1; all 0 where a picture's place depends on nothing.
    """
    height, width = field.energy.shape[-2:]
    y, x = (torch.arange(side) + 0.5 - at for side, at in zip((height, width), field.centre, strict=True))
    step = torch.hypot(y[:, None], x[None]).long().flatten()  # (H * W,)
    found = torch.zeros(len(field.energy), int(step.max()) + 1, dtype=torch.float64)
    found.index_add_(1, step, field.energy.flatten(1).double())
    total = found.sum(1, keepdim=True)
    return found / total.where(total > 0, torch.ones_like(total))


def radius(shares: Tensor, most: float = MOST) -> Tensor:
    """Within which distance from the place a share of the energy lies, in pixels: (..., R) -> (...).

    Pixels of one step count as spread over it evenly. nan where there is no energy.
    """
    total = shares.sum(-1, keepdim=True)
    inside = shares.cumsum(-1) / total
    step = (inside < most - 1e-9).sum(-1, keepdim=True).clamp(max=shares.shape[-1] - 1)
    own = shares.gather(-1, step) / total
    before = inside.gather(-1, step) - own
    return torch.where(total > 0, step + (most - before) / own, torch.nan)[..., 0]


def on_cells(energy: Tensor, most: int = 64) -> Tensor:
    """How strong the gradient is, on ``most`` by ``most`` cells or fewer: (B, H, W) -> (B, h, w)."""
    height, width = energy.shape[-2:]
    grid = min(height, most), min(width, most)
    return torch.nn.functional.adaptive_avg_pool2d(energy[:, None], grid)[:, 0].sqrt()


def shares_on_cells(energy: Tensor, most: int = 48) -> Tensor:
    """Which share of the energy lies in each of ``most`` by ``most`` cells or fewer: (B, H, W) -> (B, h, w).

    Each picture's cells sum to 1, so that pictures count alike in a mean (Luo et al., 2016, fig. 1); they are
    all 0 where a place depends on nothing.
    """
    height, width = energy.shape[-2:]
    grid = min(height, most), min(width, most)
    cells = torch.nn.functional.adaptive_avg_pool2d(energy[:, None].double(), grid)[:, 0]
    total = cells.sum((1, 2), keepdim=True)
    return cells / total.where(total > 0, torch.ones_like(total))


def even_radius(size: tuple[int, int], most: float = MOST) -> float:
    """The same of a place in the middle that depends on every pixel of a picture (height, width) alike."""
    height, width = size
    return float(radius(rings(Field(torch.ones(1, height, width), (height / 2, width / 2))), most))
