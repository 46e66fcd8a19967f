"""What a Vision Transformer's attention says: who looks at whom, layer by layer, and through all layers.

Tokens are numbered as the network has them: prefix tokens (class, distillation, registers), then the patches
row by row. Rows of an attention matrix are queries. A *start* (Q, N) says whose information is traced back,
each row as shares of the tokens: one token, or several that a classifier averages. Each method goes from the
last block down, multiplies only these rows, and returns the build-up (blocks, B, Q, N): entry k is the result
of blocks 1 to k + 1, so the last entry is the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    return [_widened(captured[name], tokens, 1.0) for name in names]


def _widened(matrix: Tensor, tokens: int, itself: float) -> Tensor:
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


# ---------------------------------------------------------------- whose information is traced


def readout(net: nn.Module, grid: tuple[int, int], prefix: int) -> Tensor:
    """The tokens that the network's answer is read from, as a start: (1, N), sums to 1.

    The class token; class and distillation token alike in a distilled DeiT; all patches alike in a network
    that pools them (by a mean, or by an attention of its own, which is left out here).
    """
    start = torch.zeros(1, prefix + grid[0] * grid[1])
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


# ---------------------------------------------------------------- through all layers


@in_any_mode
def rollout(
    attentions: Sequence[Tensor],
    start: Tensor,
    *,
    residual: float = 0.5,
    fusion: str = "mean",
    discard: float = 0.0,
    prefix: int = 1,
    through_prefix: bool = True,
) -> Tensor:
    """Attention rollout (Abnar & Zuidema, ACL 2020): how much of each token reaches the start's tokens.

    In each block a token keeps ``residual`` of itself and takes the rest as its attention says. Knows nothing
    of any class.

    Args:
        attentions: by block, (B, heads, N, N).
        start: (Q, N).
        residual: 0 to 1; 0.5 counts the skip connection as much as the attention.
        fusion: of the heads, one of ``FUSIONS``.
        discard: share of the patches, 0 to below 1, whose attention is dropped from each row: the smallest.
        prefix: tokens before the first patch, never discarded.
        through_prefix: False drops attention to prefix tokens, as if there were none to pass through.

    Returns:
        (blocks, B, Q, N), each row sums to 1.

    >>> everywhere = torch.full((1, 2, 5, 5), 1 / 5)  # the attention of two heads on five tokens
    >>> rollout([everywhere] * 3, start=torch.eye(5)[:1])[-1, 0, 0]
    tensor([0.3000, 0.1750, 0.1750, 0.1750, 0.1750])
    """
    if fusion not in FUSIONS:
        raise ValueError(f"unknown fusion {fusion!r}; heads are fused by {', '.join(FUSIONS)}")
    if not (0 <= residual <= 1 and 0 <= discard < 1):
        raise ValueError(f"residual is 0 to 1 and discard 0 to below 1, not {residual} and {discard}")

    def transition(block: Tensor) -> Tensor:
        matrix = _precise(fuse(block.float(), fusion))  # (B, N, N)
        dropped = int(discard * (matrix.shape[-1] - prefix))
        if dropped:
            smallest = matrix[..., prefix:].topk(dropped, largest=False).indices + prefix
            matrix = matrix.scatter(-1, smallest, 0)
        if not through_prefix and prefix:
            matrix = nn.functional.pad(matrix[..., prefix:], (prefix, 0))
        total = matrix.sum(-1, keepdim=True)
        stays = torch.diag_embed((total == 0).squeeze(-1).to(matrix))  # a row with nothing left keeps itself
        return matrix / total.where(total > 0, torch.ones_like(total)) + stays

    return _trace_back(attentions, start, transition, residual, 1 - residual)


@in_any_mode
def class_attention(
    net: nn.Module, images: Tensor, modules: list[str], classes: Sequence[int]
) -> tuple[Tensor, list[Tensor]]:
    """Attention that raises a class's score, from one forward pass and one backward pass for each class.

    Returns:
        The scores (B, classes of the network), and by block E_h[(∇A ⊙ A)⁺], (K, B, N, N) for K classes: the
        attention times the gradient of the class's score, positive part, mean over heads.

    Raises:
        ValueError: the network has no such class.
    """
    names = [f"{module}.attn_drop" for module in modules]
    scores, captured = capture(net, images, names, grad=True)
    _check_classes(scores, classes)
    matrices = [captured[name] for name in names]
    weighted = []  # by class, by block
    for i, index in enumerate(classes):
        gradients = torch.autograd.grad(
            scores[:, index].sum(), matrices, retain_graph=i + 1 < len(classes), materialize_grads=True
        )
        products = zip(matrices, gradients, strict=True)
        blocks = [(a.detach().float() * g.float()).relu().mean(1) for a, g in products]  # (B, N, N)
        tokens = max(block.shape[-1] for block in blocks)
        weighted.append([_widened(block, tokens, 0.0) for block in blocks])
    return scores.detach(), [torch.stack(block) for block in zip(*weighted, strict=True)]


def _check_classes(scores: Tensor, classes: Sequence[int]) -> None:
    if scores.ndim != 2:
        raise ValueError("the network has no classes, so no map can be asked for one")
    for index in classes:
        if not 0 <= index < scores.shape[1]:
            raise ValueError(f"class {index} is not one of the network's, 0 to {scores.shape[1] - 1}")


@in_any_mode
def relevance(weighted: Sequence[Tensor], start: Tensor) -> Tensor:
    """Class-specific relevance: R ← R + E_h[(∇A ⊙ A)⁺] R (Chefer, Gur & Wolf, ICCV 2021), without the
    identity.

    R begins as the identity, which says only that a token is itself. In a network that averages its patches
    it would give each of them 1/N and drown what the attention adds, so that alone is returned.

    Args:
        weighted: by block, (..., N, N) from ``class_attention``.
        start: (Q, N); ``readout``, since gradients belong to the tokens that the score is read from.

    Returns:
        (blocks, ..., Q, N), at least 0.
    """
    return _trace_back(weighted, start, _precise, 1, 1, apart=True)


@in_any_mode
def weighted_rollout(weighted: Sequence[Tensor], start: Tensor, **settings) -> Tensor:
    """Rollout (its ``settings``, without the fusion) of attention that raises a class's score.

    The gradient-weighted variant of rollout: ``rollout`` over E_h[(∇A ⊙ A)⁺], rows rescaled to sum to 1. A
    row without any positive product keeps itself.
    """
    return rollout([block.unsqueeze(-3) for block in weighted], start, **settings)


def _trace_back(
    blocks: Sequence[Tensor], start: Tensor, transition, keep: float, take: float, apart: bool = False
) -> Tensor:
    """Rows of (keep + take M_k) ... (keep + take M_1) for every k at once, from the last block down.

    At block l the rows for k ≥ l are there to be multiplied; those for k = l begin as the start. So M_l is
    made and read once, and all k together cost a small part of one full product. ``apart`` leaves the start
    out of the sum, which else would drown what is much smaller.
    """
    rows = beside = None  # (..., k, Q, N): ``beside`` is what is added to rows at each block
    for block in reversed(blocks):
        matrix = transition(block)  # (..., N, N)
        fresh = start.to(matrix).expand(*matrix.shape[:-2], 1, *start.shape)
        none = torch.zeros_like(fresh)
        rows = fresh if rows is None else torch.cat([fresh, rows], dim=-3)
        beside = none if beside is None else torch.cat([none, beside], dim=-3)
        moved = (rows.flatten(-3, -2) @ matrix).view_as(rows)
        rows, beside = keep * rows + take * moved, keep * beside + take * moved
    return (beside if apart else rows).movedim(-3, 0).float()


def _precise(values: Tensor) -> Tensor:
    """float64, where the device has it: products over many blocks then agree in whatever order."""
    return values.float() if values.device.type == "mps" else values.double()


# ---------------------------------------------------------------- what the heads do


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


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's, over all places of two maps; nan where one of them is flat."""
    return torch.corrcoef(torch.stack([a.flatten(), b.flatten()]).double())[0, 1].item()
