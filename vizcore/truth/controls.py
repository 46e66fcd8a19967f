"""Maps that know nothing of the picture: what any map has to beat."""

from __future__ import annotations

import torch
from torch import Tensor


def centre_gaussian(rows: int, columns: int) -> Tensor:
    """The control that knows how people frame photographs: largest in the middle, (rows, columns)."""
    y, x = torch.linspace(-1, 1, rows)[:, None], torch.linspace(-1, 1, columns)[None]
    return torch.exp(-2 * (x**2 + y**2))


def random_map(rows: int, columns: int, seed: int = 0) -> Tensor:
    """The control that knows nothing: noise on a grid as coarse as the map that it is compared with.

    Single random pixels would be no fair control: they destroy texture everywhere at once.
    """
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


def controls(grid: tuple[int, int], seed: int = 0) -> dict[str, Tensor]:
    """Both controls on a ``grid`` (rows, columns), by name."""
    return {"random": random_map(*grid, seed), "centre": centre_gaussian(*grid)}
