"""A change of a picture, too small to be seen, that takes a network's answer away.

Projected gradient descent within a bound of each pixel's change (L∞): Madry et al., ICLR 2018; in one step it
is the fast gradient sign method, Goodfellow et al., ICLR 2015. The changed picture is one of 8 bits, in the
picture's own pixels, so that any other network can be shown the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import margin, values

STEPS = 8
MODES = "bicubic", "bilinear", "nearest-exact"
APART = 2.0  # of 255: how far, in the mean, what is followed may be from what the network is shown


class Trick(NamedTuple):
    """What is found so far."""

    done: int
    total: int
    picture: np.ndarray  # (H, W, 3) uint8, no value more than the bound from the picture's
    margin: float  # the class's score above that of the best other; below 0 the answer has changed


class Followed(NamedTuple):
    """A network's preprocessing as something that can be differentiated; of the picture's size alone."""

    resized: tuple[int, int]  # rows, columns of the whole picture, before the crop
    corner: tuple[int, int]  # of the crop: row, column; below 0 where the network pads
    shape: tuple[int, int]  # rows, columns of what it gets
    mode: str
    colours: Tensor  # (3, 3): by 255, what each channel that it gets takes of red, green and blue
    black: Tensor  # (3,): what it gets of black

    def __call__(self, pictures: Tensor) -> Tensor:
        """(B, 3, H, W), 0 to 255 -> (B, 3, h, w), as the network gets them."""
        smooth = {"antialias": True} if self.mode in ("bicubic", "bilinear") else {}
        found = F.interpolate(pictures, self.resized, mode=self.mode, **smooth).clamp(0, 255)
        (top, left), (rows, columns) = self.corner, self.shape
        below, right = self.resized[0] - top - rows, self.resized[1] - left - columns
        found = F.pad(found, (-left, -right, -top, -below))  # negative: cuts off
        colours = torch.einsum("ij,bjhw->bihw", self.colours, found / 255)
        return colours + self.black[:, None, None]


def follow(model: VisionModel, picture: np.ndarray) -> Followed:
    """A network's preprocessing of a picture (H, W, 3) uint8, followed so that gradients come back.

    Raises:
        ValueError: it does something else to a picture than to resize, crop and shift its colours.
    """
    height, width = picture.shape[:2]
    wanted = model.preprocess(Image.fromarray(picture)).float()
    rows, columns = wanted.shape[-2:]
    left, top, right, bottom = model.preprocess.box((width, height))
    across, down = columns / (right - left), rows / (bottom - top)
    flat = [model.preprocess(Image.new("RGB", (width, height), colour)) for colour in _PRIMARIES]
    black, *full = (one[0, :, rows // 2, columns // 2].float() for one in flat)
    colours = torch.stack([one - black for one in full], 1)
    found = Followed(
        (round(height * down), round(width * across)), (round(top * down), round(left * across)),
        (rows, columns), "", colours, black,
    )  # fmt: skip
    images = _tensor(picture).to(wanted.device)

    def apart(one: Followed) -> float:
        return float((one(images) - wanted).abs().mean() / colours.abs().sum(1).mean().clamp(min=1e-12)) * 255

    best = min((found._replace(mode=mode) for mode in MODES), key=apart)
    if not apart(best) <= APART:
        raise ValueError(
            f"What {model.title} does to a picture first can't be followed back to its pixels, so no change "
            "of them is looked for."
        )
    return best


_PRIMARIES = "#000000", "#ff0000", "#00ff00", "#0000ff"


def _tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float()


@in_any_mode
def tricks(
    model: VisionModel, picture: np.ndarray, index: int, size: int, steps: int = STEPS
) -> Iterator[Trick]:
    """Change each value of a picture by at most ``size``, so that a class loses to another one.

    What is yielded is the best so far, asked by the network's own preprocessing after rounding to 8 bits.

    Args:
        picture: (H, W, 3) uint8. index: of the class. size: 1 to 255, of 255. steps: of gradient; in one it
            is as long as ``size``, in more a quarter of it, or what is needed to get there.

    Raises:
        ValueError: the network has fewer than two answers, or values, which don't compete; no such class; a
            size that is no whole number from 1 to 255; or its preprocessing can't be followed.
    """
    if size != int(size) or not 1 <= size <= 255:
        raise ValueError(f"the size is a whole number from 1 to 255, not {size}")
    if model.num_classes < 2:
        raise ValueError(f"{model.title} has no two answers, so none can be put in the place of another.")
    wanted, seen_as = margin(model, index), follow(model, picture)
    start = _tensor(picture).to(seen_as.black.device)
    length = size if steps == 1 else max(size / 4, size / steps)
    now, best = start, Trick(0, steps, picture, _asked(model, picture, wanted))
    for k in range(1, steps + 1):
        now = now.detach().requires_grad_()
        score = values(model.net, seen_as(now).to(model.preprocess.dtype), wanted).sum()
        (gradient,) = torch.autograd.grad(score, now)
        moved = now.detach() - length * gradient.sign()
        now = torch.minimum(torch.maximum(moved, start - size), start + size).clamp(0, 255)
        found = now[0].permute(1, 2, 0).round().byte().cpu().numpy()
        at = _asked(model, found, wanted)
        best = Trick(k, steps, found, at) if at < best.margin else best._replace(done=k)
        yield best


def _asked(model: VisionModel, picture: np.ndarray, wanted) -> float:
    with torch.no_grad():
        return float(values(model.net, model.preprocess(Image.fromarray(picture)), wanted))


def noise(picture: np.ndarray, size: int, seed: int = 0) -> np.ndarray:
    """The control: each value changed by ``size`` up or down, at random, within 0 to 255. (H, W, 3) uint8."""
    signs = np.random.default_rng(seed).choice(np.array([-size, size]), picture.shape)
    return (picture.astype(int) + signs).clip(0, 255).astype(np.uint8)


def difference(before: np.ndarray, after: np.ndarray, times: int = 20) -> np.ndarray:
    """What was changed, some times as strong, about mid-grey, which is no change. (H, W, 3) uint8 each."""
    return (128 + times * (after.astype(int) - before.astype(int))).clip(0, 255).astype(np.uint8)
