"""timm's convolutions with TensorFlow's padding: the same answers without a padded copy."""

import sys
from copy import deepcopy
from itertools import product

import pytest
import torch
from torch import nn

from vizcore.networks.load import load_model
from vizcore.networks.same_padding import without_copies
from vizcore.networks.torchvision_ops import timm


@pytest.mark.parametrize(("kernel", "stride"), list(product((1, 2, 3, 5, 7), (1, 2, 3))))
def test_answers_and_gradients_stay(kernel, stride):
    for height, width, groups, dilation in product((1, 2, 5, 14), (1, 4, 7, 16), (1, 6), (1, 2)):
        own = timm.layers.Conv2dSame(6, 6, kernel, stride=stride, groups=groups, dilation=dilation)
        other = nn.Sequential(deepcopy(own))
        without_copies(other)
        assert type(other[0]) is not type(own)
        image = torch.randn(2, 6, height, width, generator=torch.Generator().manual_seed(0)).requires_grad_()
        first, second = own(image), other(image)
        torch.testing.assert_close(second, first)
        gradients = [torch.autograd.grad(value.square().sum(), image)[0] for value in (first, second)]
        torch.testing.assert_close(*gradients)


def test_no_padded_copy_is_made_in_the_networks_of_the_box(monkeypatch):
    def refuse(x, *_):
        pytest.fail(f"a copy of {tuple(x.shape)} was padded")

    model = load_model("efficientnet_lite0", device="cpu")
    assert any(isinstance(module, timm.layers.Conv2dSame) for module in model.net.modules())
    monkeypatch.setattr(sys.modules["timm.layers.conv2d_same"], "pad_same", refuse)
    assert model.net(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)
    with pytest.raises(pytest.fail.Exception, match="padded"):
        model.net(torch.zeros(1, 3, 223, 223))  # symmetric there, and timm's own
