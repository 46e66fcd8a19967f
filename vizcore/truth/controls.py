"""Maps that know nothing of the picture: what any map has to beat."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from ..shapes import one_picture


def centre_gaussian(rows: int, columns: int) -> Tensor:
    """The control that knows how people frame photographs: largest in the middle, (rows, columns)."""
    y, x = torch.linspace(-1, 1, rows)[:, None], torch.linspace(-1, 1, columns)[None]
    return torch.exp(-2 * (x**2 + y**2))


def random_map(rows: int, columns: int, seed: int = 0) -> Tensor:
    """The control that knows nothing: noise on a grid as coarse as the map that it is compared with.

    Single random pixels would be no fair control: they destroy texture everywhere at once.
    """
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


def edges(images: Tensor, rows: int, columns: int) -> Tensor:
    """The control that sees the picture and no network: where it changes most, (rows, columns), at least 0.

    Adebayo et al. (NeurIPS 2018) found maps that say little more than an edge detector.

    Args:
        images: (1, 3, H, W), as the network gets them.
    """
    one_picture(images)
    grey = images[0].float().mean(0)  # (H, W)
    padded = F.pad(grey[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    across, down = padded[1:-1, 2:] - padded[1:-1, :-2], padded[2:, 1:-1] - padded[:-2, 1:-1]
    return F.adaptive_avg_pool2d(torch.hypot(across, down)[None, None], (rows, columns))[0, 0].cpu()


def controls(grid: tuple[int, int], seed: int = 0) -> dict[str, Tensor]:
    """Both controls on a ``grid`` (rows, columns), by name."""
    return {"random": random_map(*grid, seed), "centre": centre_gaussian(*grid)}
