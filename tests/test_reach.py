"""How far a network looks: known distances, known fields, and what no other place can be heard of."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model
from torch import nn

from ui.answers import head_rows
from vizcore.inside import reach
from vizcore.networks.load import from_module
from vizcore.pictures.sets import drawn
from vizcore.studies import reaches


def model_of(net, side=32):
    """A network of one's own, without classes' names."""

    class Whole(nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.pool = net, nn.AdaptiveAvgPool2d(1)
            self.head = nn.LazyLinear(3)

        def forward(self, x):
            return self.head(self.pool(self.net(x)).flatten(1))

    torch.manual_seed(0)
    whole = Whole().eval()
    whole(torch.zeros(1, 3, side, side))

    def transform(image):
        return torch.from_numpy(np.asarray(image.resize((side, side))) / 255.0).permute(2, 0, 1).float()

    return from_module(whole, transform, ["a", "b", "c"])


def boxes(count, size):
    """A row of convolutions whose kernels are all ones, on one channel."""
    convs = [nn.Conv2d(3 if not k else 1, 1, size, padding=size // 2, bias=False) for k in range(count)]
    for one in convs:
        nn.init.ones_(one.weight)
    return nn.Sequential(*convs)


@pytest.mark.parametrize("size", [3, 5])
def test_the_field_of_constant_kernels_is_the_box_convolved_with_itself(size):
    model, images = model_of(boxes(4, size)), torch.rand(2, 3, 32, 32)
    row = np.ones(1)
    for count in range(1, 5):
        row = np.convolve(row, np.ones(size))
        field = reach.fields(model, images, [f"net.{count - 1}"])[f"net.{count - 1}"]
        found = (field.energy / 3).sqrt()  # of three colours alike
        wanted = torch.zeros(32, 32, dtype=torch.float64)
        start = 16 - len(row) // 2  # the place's cell is 16
        wanted[start : start + len(row), start : start + len(row)] = torch.from_numpy(np.outer(row, row))
        assert (found - wanted).abs().max() <= 1e-5 * wanted.max() and field.centre == (16.5, 16.5)
    box = reach.fields(model, images, ["net.0"])["net.0"]
    assert reach.rings(box).sum(1) == pytest.approx([1, 1]) and float(reach.radius(reach.rings(box))[0]) < 4


def theoretical(convs, row):
    """From which to which input row a place of the last of (kernel, stride, padding) reaches."""
    low = high = row
    for kernel, stride, padding in reversed(convs):
        low, high = low * stride - padding, high * stride - padding + kernel - 1
    return max(low, 0), high


def test_the_gradient_outside_of_the_theoretical_field_is_exactly_0():
    convs = [(3, 2, 1), (5, 1, 2), (3, 2, 1), (1, 1, 0)]
    layers = []
    for k, (kernel, stride, padding) in enumerate(convs):
        layers += [nn.Conv2d(3 if not k else 6, 6, kernel, stride, padding), nn.BatchNorm2d(6), nn.ReLU()]
    model = model_of(nn.Sequential(*layers), 64)
    images = torch.rand(4, 3, 64, 64)
    for at in ((0.5, 0.5), (0.0, 0.99)):
        found = reach.fields(model, images, model.layers, at, draws=3)
        for k in range(len(convs)):
            field = found[f"net.{3 * k + 2}"]  # behind its ReLU
            rows, columns = (field.energy.sum((0, 2 - axis)) > 0 for axis in (0, 1))
            cells = model.layouts[f"net.{3 * k + 2}"].grid
            places = [min(int(one * n), n - 1) for one, n in zip(at, cells, strict=True)]
            for heard, place in zip((rows, columns), places, strict=True):
                low, high = theoretical(convs[: k + 1], place)
                inside = torch.zeros(64, dtype=torch.bool)
                inside[low : high + 1] = True
                assert not heard[~inside].any(), "exactly 0 outside"
                assert heard[inside].any()


def test_the_signs_keep_the_field_of_a_layer_norm():
    """The plain sum of its channels is the same whatever the picture: that gradient is rounding noise."""
    model = shared_model("texture_vit", "random")
    images = model.preprocess(drawn(1)[0])
    field = reach.fields(model, images, ["norm"], draws=2)["norm"].energy
    plain = images.clone().requires_grad_()
    tokens = model.net.norm(model.net.forward_features(plain))
    (slope,) = torch.autograd.grad(tokens[0, 1 + 4 * 8 + 4].sum(), plain)
    assert slope.square().sum() < 1e-6 * field.sum()


def test_squares_over_draws_are_those_of_all_channels():
    torch.manual_seed(1)
    net = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.Tanh(), nn.Conv2d(5, 4, 3, padding=1))
    model, images = model_of(net, 16), torch.rand(1, 3, 16, 16)
    found = reach.fields(model, images, ["net.2"], draws=500)["net.2"].energy[0]
    x = images.clone().requires_grad_()
    maps, wanted = net(x), torch.zeros(16, 16)
    for k in range(4):
        wanted += torch.autograd.grad(maps[0, k, 8, 8], x, retain_graph=True)[0][0].square().sum(0)
    assert (found - wanted).abs().max() < 0.15 * wanted.max() and wanted.max() > 0


def test_radii_of_known_fields():
    even = reach.even_radius((101, 101), 0.5)
    assert even == pytest.approx(math.sqrt(0.5 * 101**2 / math.pi), rel=0.02)
    point = torch.zeros(1, 21, 21)
    point[0, 10, 18] = 2
    found = reach.rings(reach.Field(point, (10.5, 10.5)))
    assert found[0, 8] == 1 and 8 <= float(reach.radius(found)[0]) <= 9
    nothing = reach.rings(reach.Field(torch.zeros(1, 8, 8), (4, 4)))
    assert nothing.sum() == 0 and reach.radius(nothing)[0].isnan()


def test_attention_alike_has_its_closed_form_and_attention_to_itself_none():
    for count in (4, 7):
        expected = (count**2 - 1) / (3 * count) * 8
        assert reach.even_distance((1, count), (8, 8)) == pytest.approx(expected, rel=1e-6)
    from vizcore.methods.attention import distances

    assert distances(torch.eye(17)[None], (4, 4), 1, (8, 8)) == 0


def test_distances_over_pictures_are_those_that_the_page_shows_of_one():
    model, pictures = shared_model("texture_vit"), list(drawn(3))
    *_, last = reaches.reaches(model, pictures, [])
    assert last.distances.shape == (3, 6, 3)
    each = [head_rows.__wrapped__(None, str(k), None, model, one)[1] for k, one in enumerate(pictures)]
    assert np.abs(last.distances - np.stack(each)).max() < 0.05  # the page keeps attention in half precision
    summary = reaches.summed_up(model, last)
    assert np.allclose(summary.heads, np.mean(each, 0), atol=0.05)
    assert summary.blocks[0].low < np.mean(each, 0)[0].mean() < summary.blocks[0].high


def test_networks_without_attention_have_fields_and_no_distances():
    model = shared_model("texture_resnet")
    *_, last = reaches.reaches(model, list(drawn(4)), ["maxpool", "layer4.0"])
    found = reaches.summed_up(model, last)
    assert found.heads == [] and math.isnan(found.even_distance) and found.pictures == 4
    near, far = (found.fields[layer][1] for layer in ("maxpool", "layer4.0"))
    assert near.low <= near.value <= near.high < far.value < found.even_radius[1]
    with pytest.raises(ValueError, match="has no attention over places"):
        reach.attention_distances(model, model.preprocess(drawn(1)[0]))
    with pytest.raises(ValueError, match="shares from 0 to 1"):
        reach.fields(model, model.preprocess(drawn(1)[0]), ["layer4.0"], at=(2, 0))
    assert reaches.from_data(reaches.as_data(found)).fields["layer4.0"][1].value == round(far.value, 1)


def test_training_makes_the_last_block_look_far_and_attention_alone_does_not():
    """As it begins, the bundled ViT attends everywhere alike, and a place depends on its own patch alone."""
    pictures = list(drawn(4))
    own, began = (
        reaches.summed_up(model, list(reaches.reaches(model, pictures, ["blocks.0", "blocks.5"]))[-1])
        for model in (shared_model("texture_vit"), shared_model("texture_vit", "random"))
    )
    assert began.blocks[0].value > 0.98 * began.even_distance
    assert began.fields["blocks.5"][1].high < 16 < 40 < own.fields["blocks.5"][1].low
    assert own.fields["blocks.0"][1].high < 16 and own.blocks[0].value > 0.8 * own.even_distance


def test_the_picture_is_not_touched():
    model = shared_model("texture_vit")
    images = model.preprocess(Image.new("RGB", (128, 128), "red"))
    before = images.clone()
    reach.fields(model, images, ["blocks.1"])
    assert torch.equal(images, before) and not images.requires_grad
