"""Who looks at whom in a Vision Transformer, block by block, and how far each head looks.

Tokens are numbered as the network has them: prefix tokens (class, distillation, registers), then the patches
row by row. Rows of an attention matrix are queries.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..capture import capture
from ..modes import in_any_mode

FUSIONS = {
    "mean": lambda attention: attention.mean(-3),
    "max": lambda attention: attention.amax(-3),
    "min": lambda attention: attention.amin(-3),
}


@in_any_mode
def attention(net: nn.Module, images: Tensor, modules: list[str], tokens: int = 0) -> list[Tensor]:
    """The attention of each named attention module, (B, heads, N, N); rows are queries and sum to 1.

    Where a class token joins on the way (ConViT), it looks at itself alone in the blocks before. N is the
    largest number of tokens in these modules, or ``tokens`` where that is larger.
    """
    names = [f"{module}.attn_drop" for module in modules]
    captured = capture(net, images, names).layers
    tokens = max(tokens, *(captured[name].shape[-1] for name in names))
    return [widened(captured[name], tokens, 1.0) for name in names]


def widened(matrix: Tensor, tokens: int, itself: float) -> Tensor:
    """(..., n, n) as (..., tokens, tokens): further tokens at the front that keep to themselves."""
    more = tokens - matrix.shape[-1]
    if not more:
        return matrix
    wide = nn.functional.pad(matrix, (more, 0, more, 0))
    diagonal = torch.arange(more, device=matrix.device)
    wide[..., diagonal, diagonal] = itself
    return wide


def fuse(attention: Tensor, head: int | str) -> Tensor:
    """One head by index, or all by ``FUSIONS`` name: (..., heads, N, N) -> (..., N, N).

    A maximum or minimum over heads no longer sums to 1.
    """
    return FUSIONS[head](attention) if isinstance(head, str) else attention[..., head, :, :]


def attended(
    attention: Tensor, query: tuple[int, int] | None, grid: tuple[int, int], prefix: int
) -> tuple[Tensor, float]:
    """Where one query attends.

    Args:
        attention: (N, N), heads already fused.
        query: a patch (row, column); None for the class token, or the mean over all patches in a
            network without one.
        grid: patches (rows, columns).
        prefix: tokens before the first patch.

    Returns:
        The attention that each patch gets, (rows, columns), and the share that prefix tokens get.
    """
    if attention.ndim != 2:
        raise ValueError(f"One picture's (N, N) is expected, heads fused, no batch: {tuple(attention.shape)}")
    if query is not None:
        row = attention[prefix + query[0] * grid[1] + query[1]]
    else:
        row = attention[0] if prefix else attention.mean(0)
    return row[prefix:].reshape(grid), row[:prefix].sum().item()


def block_of(layer: str, modules: list[str]) -> str:
    """The attention module in the same block as ``layer``, or else the one nearest by name."""

    def shared(module: str) -> int:
        pairs = zip(module.split("."), layer.split("."), strict=False)
        return next((i for i, (a, b) in enumerate(pairs) if a != b), 99)

    return max(modules, key=shared)


def distances(
    attention: Tensor, grid: tuple[int, int], prefix: int, patch_size: tuple[float, float]
) -> Tensor:
    """How far each head looks (Raghu et al., NeurIPS 2021): mean distance from a patch to what it attends to.

    Args:
        attention: (..., heads, N, N).
        patch_size: a patch's height and width; the result is in its unit.

    Returns:
        (..., heads). Only attention between patches counts, each patch's rescaled to sum to 1.
    """
    rows, columns = (
        torch.arange(n, device=attention.device) * size for n, size in zip(grid, patch_size, strict=True)
    )
    places = torch.cartesian_prod(rows.float(), columns.float())  # (patches, 2)
    between = torch.cdist(places, places)
    among = attention[..., prefix:, prefix:].float()
    mean = (among * between).sum(-1) / among.sum(-1).clamp(min=1e-12)  # (..., heads, patches)
    return mean.mean(-1)
