"""Tokens as the network numbers them: where its answer is read, one patch, and what patches get as maps.

A *start* (Q, N) says whose information is traced back, each row as shares of the tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def readout(net: nn.Module, grid: tuple[int, int], prefix: int) -> Tensor:
    """The tokens that the network's answer is read from, as a start: (1, N), sums to 1.

    The class token; class and distillation token alike in a distilled DeiT; all patches alike in a network
    that pools them (by a mean, or by an attention of its own, which is left out here).
    """
    start = torch.zeros(1, prefix + grid[0] * grid[1])
    if (found := getattr(net, "reads_from", None)) is not None:  # as it was seen when the network was brought
        return torch.tensor(found)[None]
    if not prefix or getattr(net, "global_pool", "token") not in ("token", ""):
        start[:, 0 if getattr(net, "pool_include_prefix", False) else prefix :] = 1
    else:
        start[:, : 2 if hasattr(net, "head_dist") else 1] = 1
    return start / start.sum()


def patch(row: int, column: int, grid: tuple[int, int], prefix: int) -> Tensor:
    """One patch as a start, (1, N)."""
    start = torch.zeros(1, prefix + grid[0] * grid[1])
    start[0, prefix + row * grid[1] + column] = 1
    return start


def on_patches(rows: Tensor, grid: tuple[int, int], prefix: int) -> Tensor:
    """What the patches get, as maps: (..., N) -> (..., rows, columns)."""
    return rows[..., prefix:].unflatten(-1, grid)


def prefix_names(net: nn.Module, prefix: int) -> list[str]:
    """What the tokens before the first patch are called."""
    named = ["class token"] + ["distillation token"] * hasattr(net, "head_dist")
    return [named[i] if i < len(named) else f"register {i - len(named) + 1}" for i in range(prefix)]
