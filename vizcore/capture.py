"""What one forward pass leaves behind: activations, attention, and the graph to differentiate them.

A network that is shared between threads is never hooked. ``private_copy`` gives the caller a module
tree of its own over the very same tensors; hooks go there and vanish with it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from .modes import in_any_mode
from .opened import Opened, by_heads

_HOOKS = [name for name, value in vars(nn.Module()).items() if "hooks" in name and isinstance(value, dict)]


class Captured(NamedTuple):
    output: Tensor  # what the network returned
    layers: dict[str, Tensor]  # by layer name, (B, ...)


def private_copy(net: nn.Module, _memo: dict | None = None) -> nn.Module:
    """A module tree of one's own that shares every parameter and buffer with ``net``.

    Hooks, flags and replaced modules or parameters on the copy are not felt by ``net``, and hooks on
    ``net`` do not come along, but for ``own_hooks``. Takes milliseconds: no tensor is copied.
    """
    memo = {} if _memo is None else _memo
    if id(net) not in memo:
        copy = net.__new__(type(net))
        memo[id(net)] = copy
        inside = copy.__dict__
        inside.update(net.__dict__)
        for table in ("_parameters", "_buffers"):
            inside[table] = dict(inside[table])
        for table in _HOOKS:
            inside[table] = OrderedDict()  # of hundreds of modules: an empty one is made in half the time
        for table, hooks in inside.get("_own_hooks", {}).items():
            inside[table].update(hooks)
        inside["_modules"] = {
            name: child if child is None else private_copy(child, memo)
            for name, child in net._modules.items()
        }
    return memo[id(net)]


def own_hooks(net: nn.Module) -> None:
    """Say of the hooks that a network has now that they are a part of it, which private copies have too."""
    for module in net.modules():
        found = {table: dict(module.__dict__[table]) for table in _HOOKS if module.__dict__.get(table)}
        if found:
            module.__dict__["_own_hooks"] = found


@in_any_mode
def capture(
    net: nn.Module,
    images: Tensor,
    layers: Iterable[str],
    *,
    grad: bool = False,
    reduce: Callable[[str, Tensor], Any] | None = None,
) -> Captured:
    """Run ``images`` (B, 3, H, W) through ``net`` and keep what the named layers put out.

    Args:
        layers: dotted module names. ``"<attention module>.attn_drop"`` gives attention after the
            softmax, (B, heads, queries, keys), for timm's attention and for any that is computed by a
            softmax or by torch's fused attention; see ``Opened`` for its name.
        grad: also build the graph from the captured layers to the output. Each layer that nothing
            before it has a graph for starts one, so gradients reach it and go no further.
        reduce: keep ``reduce(name, output)`` instead of the output, so that all layers of a network can
            be looked at without holding them all. It must not keep or change the output it is given.

    Returns:
        The network's output, and each layer's output, safe from in-place operations that follow.

    Raises:
        KeyError: a name that is not a module of ``net``.
        RuntimeError: a layer that the pass did not use.
        TypeError: a layer that puts out no tensor; of several, the first is taken if it may be a map.
        ValueError: as ``passed``.
    """
    copy = private_copy(net)
    values: dict[str, Tensor] = {}
    layers, seen = list(layers), []
    for name in layers:
        if expose_attention(copy, name):
            _submodule(copy, name).register_forward_hook(_keep(values, name, grad, reduce))
        else:
            seen.append(name.rpartition(".")[0])
    watching = Opened(copy, _put(values, grad, reduce, len(images)), seen) if seen else nullcontext()
    with torch.set_grad_enabled(grad), watching:
        output = passed(copy, images)
    unused = [name for name in layers if name not in values]
    if unused:
        raise RuntimeError(f"the forward pass of {type(net).__name__} does not run {', '.join(unused)}")
    return Captured(output, values)


def passed(net: nn.Module, images: Tensor) -> Any:
    """What a network returns for pictures.

    Raises:
        ValueError: it fails on them, and they are of another type than its weights.
    """
    try:
        return net(images)
    except RuntimeError as error:
        weights = (one.dtype for one in net.parameters() if one.is_floating_point())
        own = next(weights, images.dtype)
        if own == images.dtype:
            raise
        raise ValueError(
            f"The pictures are {images.dtype}, and this network computes in {own}: give it those of its "
            f"model's preprocess, or images.to({own})."
        ) from error


def _keep(values: dict[str, Any], name: str, grad: bool, reduce):
    def hook(_module, _inputs, whole):
        output = first_tensor(whole)
        if output is None:
            raise TypeError(f"{name} puts out a {type(whole).__name__}, not one tensor")
        if reduce is not None:
            values[name] = reduce(name, output)
            return whole
        if grad and not output.requires_grad:
            output = output.detach().requires_grad_()
        values[name] = output
        # the next module may be an in-place ReLU; after attention comes a matrix product
        handed_on = output if name.endswith("attn_drop") else output.clone()
        if whole is output or isinstance(whole, Tensor):
            return handed_on
        return type(whole)((handed_on, *whole[1:])) if type(whole) in (tuple, list) else whole

    return hook


def _put(values: dict[str, Any], grad: bool, reduce, batch: int):
    def put(name: str, matrix: Tensor) -> Tensor:
        heads = by_heads(matrix, batch)
        if grad and not heads.requires_grad:
            heads = heads.detach().requires_grad_()
        name = f"{name}.attn_drop"
        values[name] = heads if reduce is None else reduce(name, heads)
        return heads.view_as(matrix)

    return put


def first_tensor(output: Any) -> Tensor | None:
    """What a module put out; of several (tokens and their grid) the first, if it may be a map. Else None."""
    if isinstance(output, Tensor):
        return output
    first = output[0] if type(output) in (tuple, list) and output else None
    return first if isinstance(first, Tensor) and first.ndim >= 3 else None


def slopes(score: Tensor, of: Sequence[Tensor], keep: bool = False) -> tuple[Tensor, ...]:
    """The gradient of a score, a scalar, at each of some tensors; 0 where it doesn't depend on one.

    Args:
        keep: whether the graph is asked again afterwards.

    Raises:
        ValueError: as ``way_back``.
    """
    if not score.requires_grad:  # of a network that answers the same whatever it sees
        return tuple(torch.zeros_like(values) for values in of)
    return way_back(score, of, retain_graph=keep, materialize_grads=True)


def way_back(score: Tensor, of: Sequence[Tensor], **options: Any) -> tuple[Tensor, ...]:
    """``torch.autograd.grad``.

    Raises:
        ValueError: what the way back needs was overwritten on the way there.
    """
    try:
        return torch.autograd.grad(score, list(of), **options)
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        raise ValueError(
            "No gradient leads through this network: it overwrites in place (as y *= 2 behind a ReLU does) "
            "what the way back needs."
        ) from error


def _submodule(net: nn.Module, name: str) -> nn.Module:
    try:
        return net.get_submodule(name)
    except AttributeError as error:
        stem = name.split(".")[0]
        near = [n for n, _ in net.named_modules() if n.startswith(stem)][:5]
        near = near or [n for n, _ in net.named_children()]
        raise KeyError(
            f"{name!r} is not a layer of {type(net).__name__}; there are {', '.join(near)}"
        ) from error


def expose_attention(copy: nn.Module, name: str) -> bool:
    """Make the attention module that owns ``name`` compute its matrix in the open, on a private copy.

    Whether it then puts the matrix out by a module of that name; else it is seen by ``Opened`` alone.
    """
    owner_name, _, leaf = name.rpartition(".")
    if leaf != "attn_drop":
        return True
    owner = _submodule(copy, owner_name.partition("#")[0])
    if hasattr(owner, "fused_attn"):
        owner.fused_attn = False  # pyright: ignore[reportArgumentType]  a flag of timm's own
    return hasattr(owner, "attn_drop")
