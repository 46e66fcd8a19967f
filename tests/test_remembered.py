"""Blocks that remember: the same maps, from fewer operations."""

import sys

import pytest
import torch
from shared import shared_model
from torch import nn

from vizcore.capture import capture, private_copy
from vizcore.methods.table import METHODS
from vizcore.objectives import objective
from vizcore.truth.randomised import parts, randomisation
from vizcore.truth.remembered import remembering


class Count(nn.Module):
    """Adds its weight to what it reads, and counts how often."""

    def __init__(self, inplace: bool = False):
        super().__init__()
        self.weight, self.inner, self.inplace = nn.Parameter(torch.ones(())), nn.Identity(), inplace
        self.asked = []

    def forward(self, x):
        self.asked.append(1)
        x = self.inner(x)
        return x.add_(self.weight.detach()) if self.inplace else x + self.weight.detach()


def counting(inplace: bool = False):
    net = nn.Sequential(Count(), Count(inplace)).requires_grad_(False)
    return net, remembering(net, ["0", "1"]), lambda: [len(one.asked) for one in net]


def test_a_block_answers_once_until_what_it_reads_or_what_it_is_changes():
    net, copy, asked = counting()
    x, other = torch.zeros(1, 3, 2, 2), torch.ones(1, 3, 2, 2)
    first = copy(x)
    assert torch.equal(copy(x.clone()), first) and asked() == [1, 1]  # alike is enough
    assert torch.equal(copy(other), net(other)) and asked() == [3, 3]
    assert torch.equal(copy(x), first) and asked() == [4, 4]

    changed = private_copy(copy)
    changed[1]._parameters["weight"] = nn.Parameter(torch.tensor(5.0), requires_grad=False)
    assert torch.equal(changed(x), first + 4) and asked() == [4, 5]
    replaced = private_copy(copy)
    replaced[0].inner = nn.ReLU()
    assert torch.equal(replaced(x - 1), (x - 1).relu() + 2)
    assert torch.equal(copy(x - 1), first - 1)  # which the other has not told it


def test_what_was_overwritten_in_place_is_not_given_again():
    net, copy, asked = counting(inplace=True)
    x = torch.zeros(1, 3, 2, 2)
    for _ in range(3):
        assert torch.equal(copy(x), x + 2)
    assert asked()[0] == 3  # the second has changed each of its answers


def test_who_listens_inside_or_wants_a_gradient_gets_it():
    net, copy, asked = counting()
    x = torch.zeros(1, 3, 2, 2)
    copy(x)
    assert torch.equal(capture(copy, x, ["1.inner"]).layers["1.inner"], x + 1) and asked() == [1, 2]
    leaf = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(copy(leaf).sum(), leaf)
    assert torch.equal(gradient, torch.ones_like(x)) and asked() == [2, 3]
    with torch.inference_mode():
        assert torch.equal(copy(x + 7), x + 9)
    assert torch.equal(copy(x + 7), x + 9)


@pytest.mark.parametrize("name", ["texture_resnet", "texture_vit"])
def test_maps_of_weights_drawn_anew_are_the_same_bit_for_bit(name, monkeypatch):
    model = shared_model(name)
    images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    for method in METHODS.values():
        if method.fits(model) or method.passes > 40:
            continue

        def maps(method=method):
            def heatmap(changed, x):
                return method.make(changed, x, objective(changed, 3))

            return [one.heatmap for one in randomisation(model, images, heatmap)]

        ours = maps()
        with monkeypatch.context() as plain:
            plain.setattr(sys.modules[randomisation.__module__], "remembering", lambda net, _: net)
            for one, other in zip(ours, maps(), strict=True):
                assert torch.equal(one, other)


def test_a_part_is_asked_no_more_than_it_has_to(monkeypatch):
    model = shared_model("texture_resnet")
    images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    kind, asked = type(model.net.get_submodule("layer2.0")), []
    own = kind.forward
    monkeypatch.setattr(kind, "forward", lambda self, x: asked.append(x.shape[1:]) or own(self, x))
    make = METHODS["Grad-CAM"].make
    total = len(list(randomisation(model, images, lambda changed, x: make(changed, x, 3))))
    assert total == 1 + len(parts(model)) == 8
    # the last of four blocks is the first to be drawn anew, after the head: once as it is, then from there on
    assert len(asked) == sum(1 + total - 2 - k for k in range(4)) < 4 * total
