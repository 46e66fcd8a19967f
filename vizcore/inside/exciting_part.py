"""The part of a picture that a unit's value at one place comes from: where its gradient's energy lies.

The theoretical field of a deep layer is the whole picture (EfficientNet-Lite0's last: 851 pixels of 224),
while most of the effect comes from a part of it (Luo et al., NeurIPS 2016). The energy is the squared
gradient of the value with respect to the pixels; a box around the place that holds nine tenths of it is
shown as the crop.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..capture import slopes
from ..model import VisionModel
from ..modes import in_any_mode
from .projections import Heads
from .unit_groups import Group, check_unit, grid_of, responses

SHARE = 0.9  # of the energy that a crop holds

Box = tuple[int, int, int, int]  # left, top, right, bottom, in pixels of what a network is given


@in_any_mode
def energy(
    model: VisionModel, images: Tensor, group: Group, unit: int, places: Tensor, heads: Heads | None = None
) -> Tensor:
    """The squared gradient of a unit's value at one place of each picture, summed over colours.

    Args:
        images: (B, 3, H, W). places: (B,), row * columns + column.

    Returns:
        (B, H, W); all 0 where nothing leads from a picture to the value.

    Raises:
        ValueError: no such unit; or no gradient leads through the network.
    """
    check_unit(model, group, unit, heads)
    leaf = images.detach().clone().requires_grad_()
    rows = torch.arange(len(images))

    def at(_group: Group, maps: Tensor) -> Tensor:
        return maps[:, unit].flatten(1)[rows, places.to(maps.device)]  # (B,)

    values = responses(model, leaf, [group], at, heads)[group]
    (slope,) = slopes(values.sum(), [leaf])  # pictures of a batch don't hear of each other
    return slope.float().square().sum(1)


def centre_of(model: VisionModel, group: Group, place: int, size: tuple[int, int]) -> tuple[float, float]:
    """The middle of a place, (x, y) in pixels of the input, which is of ``size`` (height, width)."""
    rows, columns = grid_of(model, group)
    row, column = divmod(place, columns)
    return (column + 0.5) * size[1] / columns, (row + 0.5) * size[0] / rows


def place_box(model: VisionModel, group: Group, place: int, size: tuple[int, int]) -> Box:
    """The place itself: of a ViT's token, its patch. ``size`` is the input's (height, width)."""
    rows, columns = grid_of(model, group)
    row, column = divmod(place, columns)
    height, width = size
    return (
        column * width // columns,
        row * height // rows,
        -(-(column + 1) * width // columns),
        -(-(row + 1) * height // rows),
    )


def share_in(found: Tensor, box: Box) -> float:
    """The share of the energy (H, W) that lies in a box; nan where there is none."""
    left, top, right, bottom = box
    values = found.cpu().double()
    return float(values[top:bottom, left:right].sum() / values.sum())


def box_of(found: Tensor, centre: tuple[float, float] | None = None, share: float = SHARE) -> Box | None:
    """The smallest square about a point, cut off at the edges, that holds a share of the energy (H, W).

    Args:
        centre: (x, y); None: the energy's own middle.

    Returns:
        None where there is no energy, or it is no number.
    """
    values = found.cpu().double()
    total = values.sum()
    if not (total > 0 and total.isfinite()):
        return None
    x, y = (torch.arange(side) + 0.5 for side in (values.shape[1], values.shape[0]))
    if centre is None:
        centre = float((values.sum(0) * x).sum() / total), float((values.sum(1) * y).sum() / total)
    x, y = (x - centre[0]).abs(), (y - centre[1]).abs()
    far, order = torch.maximum(x[None], y[:, None]).flatten().sort()  # of each pixel's middle
    gathered = values.flatten()[order].cumsum(0)
    reach = far[int((gathered < share * total).sum().clamp(max=len(far) - 1))]
    columns, rows = (torch.nonzero(one <= reach).flatten().tolist() for one in (x, y))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
