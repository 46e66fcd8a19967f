"""A network that sees the cells of a mosaic one by one: only the right one can hold evidence for a class.

In a network that sees a mosaic whole, features of one cell may depend on its neighbours, so a map may be
right to leave the cell. Here it can't be: what lies elsewhere is the method's own doing (DiFull, Rao et al.,
CVPR 2022).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from torch import Tensor, nn

from ..model import VisionModel
from ..pictures.frame import Preprocess, Transform, steps
from ..pictures.known.mosaics import MARGIN, SIDE
from ..pictures.textures.scenes import Scene
from .torchvision_ops import torchvision


class Disconnected(nn.Module):
    """(B, 3, n H, n W) -> a score for each class in each cell, (B, cells * classes), cell by cell.

    The features of all cells, laid side by side, pass through ``together``.
    """

    def __init__(self, net: nn.Module, columns: int = 2):
        super().__init__()
        self.seen_alone, self.columns, self.together = net, columns, nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        each = self.seen_alone.forward_features(self._apart(images))  # type: ignore[operator]
        maps = self.together(self._side_by_side(each))
        scores = self.seen_alone.forward_head(self._apart(maps))  # type: ignore[operator]  (B * n * n, classes)
        return scores.unflatten(0, (len(images), -1)).flatten(1)

    def _apart(self, whole: Tensor) -> Tensor:
        """(B, C, n h, n w) -> (B * n * n, C, h, w), row by row."""
        n = self.columns
        cells = whole.unflatten(3, (n, -1)).unflatten(2, (n, -1))  # (B, C, n, h, n, w)
        return cells.permute(0, 2, 4, 1, 3, 5).flatten(0, 2)

    def _side_by_side(self, cells: Tensor) -> Tensor:
        n = self.columns
        found = cells.unflatten(0, (-1, n, n)).permute(0, 3, 1, 4, 2, 5)  # (B, C, n, h, n, w)
        return found.flatten(4, 5).flatten(2, 3)


def why_not_disconnected(model: VisionModel) -> str:
    """Why a network can't see cells one by one here, in a sentence; "" where it can."""
    if not model.num_classes:
        return f"{model.title} has no classes to be asked for."
    parts = all(hasattr(model.net, name) for name in ("forward_features", "forward_head"))
    if model.family == "vit" or not parts or model.layouts[model.cam_layer].kind != "NCHW":
        return (
            f"{model.title} can't be taken apart into the features of places and a head that pools them: "
            "cells are seen one by one in timm's convolutional networks."
        )
    return ""


def disconnected(model: VisionModel, columns: int = 2, side: int = SIDE) -> VisionModel:
    """A network that sees each cell of a mosaic of ``side`` pixels alone, as large as it sees a picture.

    Its classes are those of the first cell, then those of the second, and so on; see ``in_cells``.

    Raises:
        ValueError: ``why_not_disconnected``.
    """
    if reason := why_not_disconnected(model):
        raise ValueError(reason)
    transforms = torchvision.transforms
    given = steps(model.preprocess.transform)
    height, width = next(step.size for step in reversed(given) if "Crop" in type(step).__name__)
    cell = int(side * (1 - 2 * MARGIN)) // columns
    seen_large = transforms.InterpolationMode.BICUBIC
    seen = [
        transforms.CenterCrop(cell * columns),
        transforms.Resize((height * columns, width * columns), seen_large),
        transforms.ToTensor(),
        given[-1],
    ]
    layout = model.layouts[model.cam_layer]
    rows, across = layout.grid
    layer = "together"
    return replace(
        model,
        title=f"{model.title}, cell by cell",
        net=Disconnected(model.net, columns).eval(),
        preprocess=Preprocess(
            cast(Transform, transforms.Compose(seen)), model.preprocess.device, model.preprocess.dtype
        ),
        labels=[
            f"{model.label(k)} in cell {at + 1}" for at in range(columns**2) for k in range(model.num_classes)
        ],
        num_classes=model.num_classes * columns**2,
        layers=[layer],
        blocks=[layer],
        layouts={layer: layout._replace(grid=(rows * columns, across * columns))},
        left_out={},
        cam_layer=layer,
    )


def in_cells(scene: Scene, classes: Mapping[str, int], count: int) -> dict[str, int]:
    """What to ask such a network about a mosaic: for each name, its class in its own cell.

    Args:
        classes: of each name, as the network itself counts them. count: how many it has.
    """
    return {name: at * count + classes[name] for at, name in enumerate(scene.masks) if name in classes}
