"""Random views of pictures, in one resampling and one colour matrix a view; differentiable, any device.

Activation maximisation that asks about one fixed view finds patterns that a shift by a pixel destroys. Asked
about random views, it has to find something larger (Olah et al., "Feature Visualization", Distill 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ..modes import in_any_mode

DRAWS = 21  # random numbers a view
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augment:
    """How far a random view may go from the picture; 0 switches a part off."""

    jitter: float = 0.0  # shift, share of the side
    crop: float = 0.0  # random resized crop: up to this share of the area is cut off, aspect 3/4 to 4/3
    rotation: float = 0.0  # degrees
    perspective: float = 0.0  # how far a corner moves inwards, share of half the side
    flip: float = 0.0  # probability of a left-right flip
    colour: float = 0.0  # brightness and contrast by up to this share, saturation by as much
    hue: float = 0.0  # turn around the grey axis, share of a full turn
    blur: float = 0.0  # up to this share of a 5 × 5 binomial blur

    def __bool__(self) -> bool:
        return any(vars(self).values())


class Views(NamedTuple):
    """The random part of some views."""

    homography: Tensor | None  # (B, 3, 3), from the view's coordinates to the picture's, -1 to 1
    colour: Tensor  # (B, 3, 3), and
    shift: Tensor  # (B, 3, 1): colours become colour @ rgb + shift
    blur: Tensor | None  # (B, 1, 1, 1), 0 to 1

    def part(self, which: Tensor) -> Views:
        """Some of the views, by number."""
        homography = None if self.homography is None else self.homography[which]
        blur = None if self.blur is None else self.blur[which]
        return Views(homography, self.colour[which], self.shift[which], blur)


@in_any_mode
def draw(augment: Augment, generators: list[torch.Generator], count: int) -> Views:
    """``count`` views from each generator, those of the first one first; on the CPU.

    The numbers that a view gets don't depend on which of its parts are on, nor on the other generators.
    """
    u = torch.cat([torch.rand(count, DRAWS, generator=one) for one in generators])  # (B, DRAWS), 0 to 1
    warps = (augment.jitter, augment.crop, augment.rotation, augment.perspective, augment.flip)
    homography = _homography(augment, u) if any(warps) else None
    blur = augment.blur * u[:, 17].view(-1, 1, 1, 1) if augment.blur else None
    return Views(homography, *_colours(augment, u), blur)


@in_any_mode
def look(
    pictures: Tensor,
    views: Views,
    size: tuple[int, int],
    mean: Sequence[float] | Tensor = (0.0,) * 3,
    std: Sequence[float] | Tensor = (1.0,) * 3,
) -> Tensor:
    """Pictures (B, 3, H, W), 0 to 1, as the views see them: (B, 3, *size), normalised by mean and std.

    In single precision. What lies beyond a picture's edge is its mirror image.
    """
    device, pictures = pictures.device, pictures.float()
    if views.homography is not None:
        grid = _grid(views.homography.to(device), size)
        pictures = F.grid_sample(pictures, grid, padding_mode="reflection", align_corners=False)
    elif tuple(pictures.shape[-2:]) != tuple(size):
        pictures = F.interpolate(pictures, size, mode="bilinear", antialias=True)
    if views.blur is not None:
        pictures = pictures + views.blur.to(device) * (_blurred(pictures) - pictures)
    std, mean = (torch.as_tensor(one, dtype=torch.float32).view(3, 1) for one in (std, mean))
    colour, shift = views.colour / std, (views.shift - mean) / std  # one product does it all
    colours = torch.baddbmm(shift.to(device), colour.to(device), pictures.flatten(2))  # (B, 3, H * W)
    return colours.view_as(pictures)


def _homography(augment: Augment, u: Tensor) -> Tensor:
    """(B, 3, 3): perspective after rotation, crop and flip, and jitter."""
    eye = torch.eye(3).repeat(len(u), 1, 1)
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    moved = corners * (1 - augment.perspective * u[:, 0:8].view(-1, 4, 2))
    perspective = _four_points(corners, moved) if augment.perspective else eye

    area, aspect = 1 - augment.crop * u[:, 8], ((2 * u[:, 9] - 1) * math.log(4 / 3) / 2).exp()
    aspect = aspect if augment.crop else torch.ones_like(aspect)
    half = torch.stack([area.sqrt() * aspect, area.sqrt() / aspect], -1).clamp(max=1)  # (B, xy)
    centre = (1 - half) * (2 * u[:, 10:12] - 1) + 2 * augment.jitter * (2 * u[:, 12:14] - 1)
    sign = torch.where(u[:, 14] < augment.flip, -1.0, 1.0)
    crop = eye.clone()
    crop[:, 0, 0], crop[:, 1, 1], crop[:, :2, 2] = half[:, 0] * sign, half[:, 1], centre

    angle = math.radians(augment.rotation) * (2 * u[:, 15] - 1)
    turn = eye.clone()
    turn[:, 0, 0] = turn[:, 1, 1] = angle.cos()
    turn[:, 0, 1], turn[:, 1, 0] = -angle.sin(), angle.sin()
    return crop @ turn @ perspective


def _four_points(start: Tensor, end: Tensor) -> Tensor:
    """The homographies (B, 3, 3) that take four points (4, 2) to others (B, 4, 2)."""
    (x, y), (u, v) = start.unbind(-1), end.unbind(-1)  # (4,), (B, 4)
    x, y = x.expand_as(u), y.expand_as(u)
    one, zero = torch.ones_like(u), torch.zeros_like(u)
    rows = torch.cat(
        [
            torch.stack([x, y, one, zero, zero, zero, -u * x, -u * y], -1),
            torch.stack([zero, zero, zero, x, y, one, -v * x, -v * y], -1),
        ],
        1,
    )  # (B, 8, 8)
    solved = torch.linalg.solve(rows, torch.cat([u, v], 1))
    return torch.cat([solved, torch.ones_like(solved[:, :1])], 1).view(-1, 3, 3)


def _grid(homography: Tensor, size: tuple[int, int]) -> Tensor:
    """Where each pixel of a view lies in the picture, (B, H, W, xy)."""
    height, width = size
    device = homography.device
    y = (torch.arange(height, device=device) + 0.5) / height * 2 - 1
    x = (torch.arange(width, device=device) + 0.5) / width * 2 - 1
    y, x = torch.meshgrid(y, x, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], -1).view(-1, 3)  # (H * W, 3)
    found = points @ homography.transpose(1, 2)  # (B, H * W, 3)
    return (found[..., :2] / found[..., 2:]).view(-1, height, width, 2)


def _colours(augment: Augment, u: Tensor) -> tuple[Tensor, Tensor]:
    """Contrast about mid grey, saturation and hue as a matrix (B, 3, 3); brightness as a shift (B, 3, 1)."""
    eye = torch.eye(3).repeat(len(u), 1, 1)
    if not augment.colour and not augment.hue:
        return eye, torch.zeros(len(u), 3, 1)
    bright, contrast, saturation = (augment.colour * (2 * u[:, i].view(-1, 1, 1) - 1) for i in (18, 19, 20))
    grey = torch.tensor(LUMA).expand(3, 3)
    matrix = (1 + contrast) * (grey + (1 + saturation) * (eye - grey))
    axis = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    angle = 2 * math.pi * augment.hue * (2 * u[:, 16] - 1)
    matrix = matrix @ torch.matrix_exp(angle.view(-1, 1, 1) * axis)
    return matrix, (0.5 * bright - 0.5 * contrast).expand(-1, 3, 1)


def _blurred(pictures: Tensor) -> Tensor:
    """Binomial weights 1 4 6 4 1 along both axes, edges repeated."""
    for _ in range(2):
        padded = F.pad(pictures, (1, 1, 1, 1), mode="replicate")
        rows = (padded[..., :-2, :] + padded[..., 2:, :]) / 4 + padded[..., 1:-1, :] / 2
        pictures = (rows[..., :-2] + rows[..., 2:]) / 4 + rows[..., 1:-1] / 2
    return pictures
