"""LeGrad: where more attention would raise a class, block by block (Bousselham et al., ICCV 2025).

Each block is asked alone: what would the answer be if the blocks behind it were left out, and by how much
would it rise with each weight of this block's attention? What rises, over heads and queries, block after
block, is the map. The values enter, through the gradient; how strong the attention is does not.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn

from ..capture import capture, first_tensor, own_hooks, private_copy, slopes
from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Objective
from .method import Method, at_once
from .tokens import on_patches


def _blocks(model: VisionModel) -> list[str]:
    """The block around each attention module, from the first to the last; [] where one stands in none."""
    found = []
    for module in model.attention:
        around = [name for name in model.blocks if module.startswith(f"{name}.")]
        if not around or model.layouts[around[-1]].kind != "tokens":
            return []
        found.append(around[-1])
    return found if len(set(found)) == len(found) else []


def _why_not(model: VisionModel) -> str:
    if not model.attention:
        return model.no_rollout
    return "" if _blocks(model) else f"The attention of {model.title} doesn't stand in blocks of its own."


@in_any_mode
def legrad(model: VisionModel, images: Tensor, wanted: Objective) -> Tensor:
    """Where more attention would raise what is asked, (h, w), at least 0: one pass, and back in each block.

    Args:
        images: (1, 3, H, W), preprocessed. wanted: of the network's scores alone.

    Raises:
        ValueError: the network has no such attention, or what is asked is no score.
    """
    if why := _why_not(model):
        raise ValueError(why)
    if wanted.layers:
        raise ValueError("LeGrad can be asked for scores alone, not for what a layer puts out")
    layers, outputs, ends = _blocks(model), list[Tensor](), list[Tensor]()
    copy = private_copy(model.net)

    def keep(_module: nn.Module, _inputs: tuple, whole: Any) -> Any:
        """Hands on a block's output cut off from it, so that no way back leads through blocks behind it."""
        output = first_tensor(whole)
        if output is None:
            raise ValueError(f"A block of {model.title} puts out no tensor.")
        outputs.append(output)
        handed_on = output.detach().clone()
        if len(outputs) == len(layers):  # the answer of each block, as if it were the last: (blocks, N, C)
            handed_on = torch.cat([one.detach() for one in outputs]).requires_grad_()
            ends.append(handed_on)
        return handed_on if isinstance(whole, Tensor) else type(whole)((handed_on, *whole[1:]))

    for layer in layers:
        copy.get_submodule(layer).register_forward_hook(keep)
    own_hooks(copy)
    names = [f"{module}.attn_drop" for module in model.attention]
    scores, seen = capture(copy, images, names, grad=True)
    if len(scores) != len(layers):
        raise ValueError(f"Not every block of {model.title} can be asked for the answer.")
    (above,) = slopes(wanted.values(scores, {}).sum(), ends)  # (blocks, N, C)
    below = sum((output * slope).sum() for output, slope in zip(outputs, above.split(1), strict=True))
    gradients = slopes(cast(Tensor, below), [seen[name] for name in names])  # (1, heads, N, N) each
    patches = None
    for layer, gradient in zip(layers, gradients, strict=True):
        risen = gradient[0].float().relu().mean((0, 1))  # (N,)
        grid = model.layouts[layer].grid
        own = on_patches(risen, grid, len(risen) - grid[0] * grid[1])
        patches = own if patches is None else patches + own
    assert patches is not None
    return patches / len(names)


ROWS: dict[str, Method] = {
    "LeGrad": Method(
        at_once(legrad),
        "Asks middle blocks with the norm and the head of the end, which needn't suit them; where attention "
        "is strong is not in it.",
        page="grad_cam",
        fits=_why_not,
    ),
}
