"""The frame that every map is shown in: the picture's own pixel grid.

A model sees a part of the picture (its crop), at another size. ``Preprocess.box`` says which part, in
picture pixels, and ``to_frame`` brings the model's maps back to where they belong.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from PIL import Image

from .images import to_rgb
from .visible import visible

MOST_SIZES = 64  # of pictures whose boxes a network's preprocessing remembers
Box = tuple[float, float, float, float]  # left, top, right, bottom, in picture pixels


class Transform(Protocol):
    """A ``torchvision.transforms.Compose``: picture -> (3, H, W), and the steps of which it is made."""

    transforms: Iterable[Any]

    def __call__(self, img: Any, /) -> Any: ...


class Preprocess:
    """A model's own evaluation transform, which also knows what part of the picture it keeps.

    Args:
        transform: a ``torchvision.transforms.Compose`` that resizes, crops and normalises, as
            ``timm.data.create_transform`` makes it.
        device, dtype: where the model is.
    """

    def __init__(self, transform: Transform, device: torch.device, dtype: torch.dtype):
        self.transform, self.device, self.dtype = transform, device, dtype
        self._boxes: dict[tuple[int, int], Box] = {}  # by size: to resize a blank image takes 5 ms

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """The whole picture as the model's input, (1, 3, H, W), normalised."""
        return self.transform(to_rgb(image))[None].to(self.device, self.dtype)

    def box(self, size: tuple[int, int]) -> Box:
        """Which part of a picture of ``size`` (width, height) the model sees.

        Reaches beyond the picture where the model pads. Found by walking through the transform's
        own resizing and cropping steps with a blank image, so it holds for every crop mode.
        """
        size = size[0], size[1]
        found = self._boxes.get(size)
        if found is None:
            if len(self._boxes) >= MOST_SIZES:
                self._boxes.clear()
            found = self._boxes[size] = _box(self.transform, size)
        return found


def _box(transform: Transform, size: tuple[int, int]) -> Box:
    image = Image.new("RGB", size)
    left, top, scale_x, scale_y = 0.0, 0.0, 1.0, 1.0
    for step in steps(transform):
        name = type(step).__name__
        if "Resize" in name:
            resized = step(image)
            scale_x *= resized.width / image.width
            scale_y *= resized.height / image.height
            left, top = left * resized.width / image.width, top * resized.height / image.height
            image = resized
        elif "Crop" in name:
            cropped, margin = step(image), getattr(step, "margin", _margin)  # some say how they round
            left += margin(image.width - cropped.width)
            top += margin(image.height - cropped.height)
            image = cropped
    right, bottom = left + image.width, top + image.height
    return left / scale_x, top / scale_y, right / scale_x, bottom / scale_y


def steps(transform: Any) -> list[Any]:
    """The steps of a transform, and of those inside it, in order; also of torchvision's presets."""
    if hasattr(transform, "transforms"):
        return [leaf for step in transform.transforms for leaf in steps(step)]
    if not (hasattr(transform, "resize_size") and hasattr(transform, "crop_size")):
        return [transform]
    from ..networks.torchvision_ops import torchvision

    kinds = torchvision.transforms
    return [
        kinds.Resize(transform.resize_size, transform.interpolation),
        kinds.CenterCrop(transform.crop_size),
        kinds.ToTensor(),
        kinds.Normalize(transform.mean, transform.std),
    ]


def _margin(excess: int) -> int:
    """Pixels cut off (or, below 0, padded) at the left or top, rounded as torchvision and timm do."""
    return round(excess / 2) if excess > 0 else -(-excess // 2)


def to_frame(maps: torch.Tensor, box: Box, size: tuple[int, int]) -> torch.Tensor:
    """Bring maps of what a model saw into the frame.

    Args:
        maps: (..., h, w), cells of equal size that tile ``box``.
        box: the part of the frame that they cover.
        size: the frame's (width, height).

    Returns:
        (..., height, width), bilinear between the cells' centres, 0 outside ``box`` (see ``seen``).
    """
    width, height = size
    left, top, right, bottom = box
    x = (torch.arange(width, device=maps.device) + 0.5 - left) / (right - left) * 2 - 1
    y = (torch.arange(height, device=maps.device) + 0.5 - top) / (bottom - top) * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]  # (1, H, W, xy)
    flat = maps.reshape(1, -1, *maps.shape[-2:]).float()
    framed = F.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    framed = framed * seen(box, size).to(framed)
    return framed.reshape(*maps.shape[:-2], height, width)


def seen(box: Box, size: tuple[int, int]) -> torch.Tensor:
    """(H, W) bool: the frame's pixels whose centre lies in ``box``, the part that a model sees."""
    return torch.from_numpy(visible(box, size))


def on_pixels(cells: torch.Tensor, box: Box, size: tuple[int, int]) -> torch.Tensor:
    """The frame's pixels that lie in some cells over ``box``: (h, w) bool -> (H, W) bool.

    >>> on_pixels(torch.tensor([[False, True]]), (0, 0, 4, 2), (4, 2)).int().tolist()
    [[0, 0, 1, 1], [0, 0, 1, 1]]
    """
    (width, height), (left, top, right, bottom) = size, box
    rows = ((torch.arange(height) + 0.5 - top) / (bottom - top) * cells.shape[0]).floor().long()
    columns = ((torch.arange(width) + 0.5 - left) / (right - left) * cells.shape[1]).floor().long()
    inside = cells.cpu()[rows.clamp(0, cells.shape[0] - 1)][:, columns.clamp(0, cells.shape[1] - 1)]
    return inside & seen(box, size)


def cell_at(
    point: tuple[float, float], box: Box, size: tuple[int, int], grid: tuple[int, int]
) -> tuple[int, int]:
    """The (row, column) of a ``grid`` (rows, columns) over ``box`` that holds a point of the frame.

    ``point`` is (x, y) as shares of the frame's width and height, 0 to 1. A point outside of what the
    model sees gives the nearest cell.
    """
    left, top, right, bottom = box
    rows, columns = grid
    column = int((point[0] * size[0] - left) / (right - left) * columns)
    row = int((point[1] * size[1] - top) / (bottom - top) * rows)
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
