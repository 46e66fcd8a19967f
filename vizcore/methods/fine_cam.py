"""Grad-CAM × LayerCAM: the class from the deepest layer, the place from one with smaller cells.

The cells of a CNN's last layer are a seventh of the picture wide, so the largest value of Grad-CAM often
lies just beside a small thing. LayerCAM of an earlier layer (Jiang et al., TIP 2021) lies closer, but shows
more than what decided. Their product keeps what both claim, as Guided Grad-CAM (Selvaraju et al., ICCV 2017)
does with the gradient of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Objective, Target
from ..shapes import one_picture
from .cam import cams, default_layer
from .method import Method, at_once

NAME = "Grad-CAM × LayerCAM"


def finer_layer(model: VisionModel) -> str | None:
    """The deepest block whose cells are smaller, both ways, than those of ``default_layer``; None: none is.

    >>> from vizcore.models import load_model
    >>> finer_layer(load_model("efficientnet_lite0", "random", device="cpu"))
    'blocks.4.2'
    """
    rows, columns = model.layouts[default_layer(model)].grid
    grids = {name: model.layouts[name].grid for name in model.blocks}
    finer = [name for name, grid in grids.items() if grid[0] > rows and grid[1] > columns]
    return finer[-1] if finer else None


@in_any_mode
def fine_cams(
    model: VisionModel, images: Tensor, targets: Sequence[Target], coarse: Tensor | None = None
) -> Tensor:
    """LayerCAM at ``finer_layer`` × Grad-CAM at ``default_layer``, that one as a share of its largest value.

    Args:
        images: (B, 3, H, W), preprocessed. targets: K, as of ``cams``.
        coarse: these targets' Grad-CAM, (K, B, h, w), where it is there already.

    Returns:
        (K, B, h, w) on the finer layer's grid, at least 0; all 0 where either says nothing.

    Raises:
        ValueError: no layer has smaller cells; or as ``cams``.
    """
    layer = finer_layer(model)
    if layer is None:
        raise ValueError(_why_not(model))
    fine = cams(model, images, targets, layer, "LayerCAM")
    coarse = cams(model, images, targets) if coarse is None else coarse
    share = coarse / coarse.amax((-2, -1), keepdim=True).clamp(min=1e-30)
    return fine * F.interpolate(share, fine.shape[-2:], mode="bilinear")


def _why_not(model: VisionModel) -> str:
    if finer_layer(model) is None:
        return f"{model.title} has no block with smaller cells than {default_layer(model)}."
    return ""


def _map(model: VisionModel, images: Tensor, wanted: Objective) -> Tensor:
    one_picture(images)
    return fine_cams(model, images, [wanted])[0, 0]


ROWS: dict[str, Method] = {
    NAME: Method(
        at_once(_map),
        "Shows only what both claim: evidence that one of them misses is missing here.",
        page="grad_cam",
        fits=_why_not,
        passes=4,
    ),
}
