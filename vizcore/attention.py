"""What a Vision Transformer's attention says: who looks at whom, layer by layer and head by head."""

from __future__ import annotations

from torch import Tensor, nn

from .capture import capture

FUSIONS = {
    "mean": lambda attention: attention.mean(-3),
    "max": lambda attention: attention.amax(-3),
    "min": lambda attention: attention.amin(-3),
}


def attention(net: nn.Module, images: Tensor, modules: list[str]) -> list[Tensor]:
    """The attention of each named attention module, (B, heads, N, N); rows are queries and sum to 1."""
    names = [f"{module}.attn_drop" for module in modules]
    captured = capture(net, images, names).layers
    return [captured[name] for name in names]


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
