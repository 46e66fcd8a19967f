"""What excites a unit: a set's extremes in one pass, what counts in a picture, what it speaks for."""

from functools import cache

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model
from test_networks import own
from torch import nn

from vizcore.capture import capture
from vizcore.inside.exciting_part import box_of, centre_of, energy, place_box, share_in
from vizcore.inside.extremes import extremes
from vizcore.inside.projections import heads
from vizcore.inside.speaks_for import linear_behind, speaks_for, spoken_for
from vizcore.inside.switched_off import Off, switched_off
from vizcore.inside.unit_groups import Group, responses
from vizcore.networks.torchvision_ops import timm
from vizcore.pictures.images import PictureError
from vizcore.pictures.sets import Pictures

CLASSES = Group("classes")


def picture(seed, side=64):
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@cache
def heads_of(name):
    return heads(shared_model(name))


def noise(count, side=64, broken=()):
    def make(index):
        if index in broken:
            raise PictureError(f"{index} is broken")
        return picture(index, side)

    return Pictures(count, make)


def last(steps):
    *_, found = steps
    return found


def highest(model, group, images):
    """A group's maps of one picture (U, h, w), by another way."""
    if group.kind == "classes":
        return model.net(images)[0][:, None, None]
    if group.kind == "channels":
        return model.layouts[group.layer].maps(capture(model.net, images, [group.layer]).layers[group.layer])[
            0
        ]
    attention = f"{group.layer}.attn_drop"
    matrix = capture(model.net, images, [attention, group.layer]).layers[attention][0]  # (heads, N, N)
    module = model.net.get_submodule(group.layer)
    given = {}
    handle = module.register_forward_pre_hook(lambda _, inputs: given.update(x=inputs[0]))
    model.net(images)
    handle.remove()
    value = module.qkv(given["x"])[0].chunk(3, -1)[2].unflatten(-1, (len(matrix), -1))  # (N, heads, d)
    maps = []
    for head in range(heads_of(model.name)[group.layer].count):
        one = matrix[head] @ value[:, head]
        width = one.shape[1]
        added = one @ module.proj.weight[:, head * width : (head + 1) * width].T
        maps.append(added.norm(dim=1)[model.num_prefix_tokens :].view(model.grid))
    return torch.stack(maps)


@pytest.mark.parametrize(
    "name, groups",
    [
        ("texture_resnet", [Group("channels", "layer2.0"), Group("channels", "layer4.0"), CLASSES]),
        ("texture_vit", [Group("channels", "blocks.3"), Group("heads", "blocks.2.attn"), CLASSES]),
    ],
)
@torch.no_grad()
def test_one_pass_finds_what_sorting_everything_finds(name, groups):
    model = shared_model(name)
    pictures, broken = noise(19, broken=[4]), [4]
    labels = [k % 3 for k in range(19)]
    steps = list(extremes(model, pictures, groups, labels, heads_of(name), k=3))
    assert [step.done for step in steps] == [4, 8, 12, 16, 19] and steps[-1].total == 19
    assert steps[-1].left_out == ("4 is broken",)
    there = [k for k in range(19) if k not in broken]
    for group in groups:
        maps = torch.stack([highest(model, group, model.preprocess(pictures[k])) for k in there]).flatten(2)
        values, found = maps.amax(2).T, steps[-1].found[group]  # (U, N)
        for shown, wanted in ((found.most, values.sort(descending=True)), (found.least, values.sort())):
            torch.testing.assert_close(shown.values, wanted.values[:, :3], rtol=1e-4, atol=1e-4)
            at = torch.tensor([there.index(k) for k in shown.pictures.flatten()]).view_as(shown.pictures)
            rows = torch.arange(len(values))[:, None]
            torch.testing.assert_close(values[rows, at], shown.values, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(maps[at, rows, shown.places], shown.values, rtol=1e-4, atol=1e-4)
        assert len({tuple(row) for row in found.by_lot.pictures.tolist()}) == 1, "the same for every unit"
        torch.testing.assert_close(found.lowest, maps.amin((0, 2)), rtol=1e-4, atol=1e-4)
        by_class = torch.tensor([labels[k] for k in there])
        means = torch.stack([values[:, by_class == label].mean(1) for label in range(3)], 1)
        within = sum(((values - means[:, [c]]) ** 2)[:, by_class == c].sum(1) for c in range(3))
        whole = (values - values.mean(1, keepdim=True)).square().sum(1)
        torch.testing.assert_close(found.spread.means, means, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            found.spread.explained, (1 - within / whole).nan_to_num(0.0), rtol=1e-3, atol=1e-3
        )
        assert found.spread.counts.tolist() == [7, 5, 6]


class Matched(nn.Module):
    """Two channels: one is most excited by a pattern, one says nothing."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 2, 5, stride=2, padding=2, bias=False), nn.Linear(2, 3)
        self.act = nn.ReLU()
        pattern = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(1))
        self.pattern = (pattern - pattern.mean()).sign()
        self.conv.weight = nn.Parameter(torch.stack([self.pattern, torch.zeros(3, 5, 5)]))
        self.head.weight = nn.Parameter(torch.tensor([[1.0, 0.0], [-2.0, 0.0], [0.5, 1.0]]))

    def forward(self, x):
        return self.head(self.act(self.conv(x)).mean((2, 3)))


@pytest.fixture(scope="module")
def matched():
    return own(Matched())


def test_a_planted_picture_comes_first_at_its_place(matched):
    side = matched.preprocess(picture(0)).shape[-1]
    grid = matched.layouts["conv"].grid
    planted = np.asarray(picture(11, side)).copy()
    row, column = 5, 9  # of the layer, whose stride is 2
    pattern = (127.5 + 127.5 * matched.net.pattern.permute(1, 2, 0).numpy()).astype(np.uint8)
    planted[2 * row - 2 : 2 * row + 3, 2 * column - 2 : 2 * column + 3] = pattern

    def make(index):
        return Image.fromarray(planted) if index == 11 else picture(index, side)

    group = Group("channels", "act")
    found = last(extremes(matched, Pictures(20, make), [group])).found[group]
    assert found.most.pictures[0, 0] == 11 and divmod(int(found.most.places[0, 0]), grid[1]) == (row, column)
    assert found.silent(1) and not found.silent(0)
    assert found.most.pictures[1].tolist() == [0, 1, 2, 3, 4, 5], "equal values are in the set's order"


def test_what_is_kept_does_not_grow_with_the_set(matched):
    asked, group = [], Group("channels", "act")

    def make(index):
        asked.append(index)
        return picture(index % 5)

    sizes = []
    for step in extremes(matched, Pictures(48, make), [group], [0] * 48, k=2):
        found = step.found[group]
        parts = [*found.most, *found.least, *found.by_lot, found.lowest, *found.spread]
        sizes.append(sum(part.untyped_storage().nbytes() for part in parts))
    assert asked == list(range(48)) and len(set(sizes)) == 1
    with pytest.raises(PictureError, match="broken"):
        last(extremes(matched, noise(3, broken=range(3)), [group]))
    with pytest.raises(PictureError, match="no picture"):
        last(extremes(matched, [], [group]))
    assert last(extremes(matched, noise(1), [group])).found[group].most.values.shape == (2, 1)
    assert torch.equal(
        last(extremes(matched, noise(9, broken=[0, 1]), [group])).found[group].lowest[1:], torch.zeros(1)
    )


def test_a_unit_that_there_isnt_is_a_sentence(matched):
    for group, unit, words in (
        (Group("channels", "act"), 2, "channel 2 is not one of act"),
        (CLASSES, 3, "class 3 is not one of"),
        (Group("heads", "act"), 0, "has no heads 'act'"),
        (Group("channels", "nowhere"), 0, "puts out no map"),
    ):
        with pytest.raises(ValueError, match=words):
            energy(matched, torch.zeros(1, 3, 64, 64), group, unit, torch.zeros(1, dtype=torch.long))


# ---------------------------------------------------------------- where it comes from


def test_outside_of_a_unit_s_theoretical_field_there_is_no_gradient():
    """The texture ResNet's stem and first block, whose field convolution arithmetic tells."""
    model, layer = shared_model("texture_resnet"), "layer1.0"
    net, reach, stride = model.net, 0, 1
    block = net.get_submodule(layer)
    for module in (net.conv1, net.maxpool, block.conv1, block.conv2):
        size, step, pad = (one if isinstance(one, int) else one[0] for one in
                           (module.kernel_size, module.stride, module.padding))  # fmt: skip
        assert pad == size // 2
        reach, stride = reach + stride * pad, stride * step
    images = torch.cat([model.preprocess(picture(k, 128)) for k in range(3)])
    rows, columns = model.layouts[layer].grid
    places = torch.tensor([0, (rows // 2) * columns + columns // 2, rows * columns - 3])
    group = Group("channels", layer)
    alive = responses(model, images, [group], lambda _, maps: maps.clone())[group].flatten(2)
    unit = int(
        (alive[torch.arange(3), :, places] > 0).all(0).nonzero()[0]
    )  # of those that say something there
    found = energy(model, images, group, unit, places)
    assert found.amax((1, 2)).min() > 0
    for values, place in zip(found, places.tolist(), strict=True):
        row, column = (one * stride for one in divmod(place, columns))
        inside = torch.zeros_like(values, dtype=torch.bool)
        inside[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = True
        assert not inside.all() and (values[~inside] == 0).all() and values[inside].sum() > 0


def test_the_gradient_is_that_of_one_place(matched):
    """Of a convolution it is its own kernel, squared, around the place; of no other picture of the batch."""
    images = torch.rand(2, 3, 64, 64)
    group, place = Group("channels", "conv"), 5 * 32 + 9
    found = energy(matched, images, group, 0, torch.tensor([place, place + 1]))
    wanted = torch.zeros(64, 64)
    wanted[8:13, 16:21] = matched.net.pattern.square().sum(0)
    torch.testing.assert_close(found[0], wanted)
    assert centre_of(matched, group, place, (64, 64)) == (19.0, 11.0)
    assert place_box(matched, group, place, (64, 64)) == (18, 10, 20, 12)
    assert not energy(matched, images, group, 1, torch.tensor([0, 0])).any()


def test_the_box_holds_nine_tenths_and_no_smaller_one_does():
    generator = torch.Generator().manual_seed(0)
    for power, centre in ((1, (20.0, 40.0)), (8, (3.5, 60.0)), (30, None), (4, (63.5, 0.5))):
        values = torch.rand(50, 64, generator=generator) ** power
        left, top, right, bottom = box = box_of(values, centre)
        assert 0 <= left < right <= 64 and 0 <= top < bottom <= 50
        assert share_in(values, box) >= 0.9
        if centre:
            around = [box, (centre[0] - 0.5, centre[1] - 0.5)]
            reach = max(
                *(abs(edge - middle) for edge, middle in zip(box[:2], around[1], strict=True)),
                *(abs(edge - 1 - middle) for edge, middle in zip(box[2:], around[1], strict=True)),
            )
            x, y = torch.arange(64) - around[1][0], torch.arange(50) - around[1][1]
            far = torch.maximum(x.abs()[None], y.abs()[:, None])
            inside = torch.zeros(50, 64, dtype=torch.bool)
            inside[top:bottom, left:right] = True
            assert (inside == (far <= reach)).all(), "a square about the point, cut off"
            assert values[far < reach].sum() < 0.9 * values.sum()
    one = torch.zeros(50, 64)
    one[10, 20] = 1
    left, top, right, bottom = box_of(one, (20.5, 10.5))
    assert (right - left) * (bottom - top) <= 4 and left <= 20 < right and top <= 10 < bottom
    assert box_of(torch.zeros(5, 5)) is None and box_of(torch.full((5, 5), torch.nan)) is None


# ---------------------------------------------------------------- what it speaks for


def test_behind_a_mean_and_a_linear_layer_it_is_the_classifier_s_weight():
    for name, layer, weight in (("texture_resnet", "layer4.0", "fc"), ("texture_vit", "norm", "head")):
        model = shared_model(name)
        images = model.preprocess(picture(0))
        wanted = model.net.get_submodule(weight).weight  # (K, C)
        found = speaks_for(model, Group("channels", layer), 7, images)
        assert found.exact
        torch.testing.assert_close(found.mean, wanted[:, 7], rtol=1e-4, atol=1e-5)
        other = spoken_for(model, 3, layer, images)
        assert other.exact
    resnet = shared_model("texture_resnet")
    torch.testing.assert_close(
        spoken_for(resnet, 3, "layer4.0", resnet.preprocess(picture(0))).mean,
        resnet.net.fc.weight[3],
        rtol=1e-4,
        atol=1e-5,
    )
    assert not linear_behind(resnet, "layer3.0", resnet.preprocess(picture(0)))


def double(name="vit_tiny_patch16_224"):
    torch.manual_seed(0)
    net = timm.create_model(name, num_classes=5, embed_dim=24, depth=2, num_heads=3, img_size=64)
    nn.init.normal_(net.head.weight)
    return own(net.double())


def test_elsewhere_it_is_the_slope_of_every_class():
    model = double()
    images = torch.cat([model.preprocess(picture(k)) for k in range(2)]).double()
    layer, unit, step = "blocks.0", 4, 1e-5
    found = speaks_for(model, Group("channels", layer), unit, images)
    assert not found.exact and found.apart.min() > 0

    def raised(by):
        def more(_module, _inputs, output):
            output = output.clone()
            output[..., unit] += by
            return output

        handle = model.net.get_submodule(layer).register_forward_hook(more)
        scores = model.net(images)
        handle.remove()
        return scores.detach()

    wanted = (raised(step) - raised(-step)) / (2 * step)
    torch.testing.assert_close(found.mean, wanted.mean(0), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found.apart, wanted.std(0, correction=0), rtol=1e-5, atol=1e-7)
    for index in range(5):
        torch.testing.assert_close(spoken_for(model, index, layer, images).mean[unit], found.mean[index])


def test_of_a_head_it_is_the_slope_towards_none_of_it():
    model = double()
    images, own_heads, step = model.preprocess(picture(1)).double(), heads(model), 1e-4
    group = Group("heads", "blocks.1.attn")
    found = speaks_for(model, group, 2, images, own_heads)
    proj = model.net.blocks[1].attn.proj
    before, kept = model.net(images).detach(), proj.weight.clone()
    with torch.no_grad():
        proj.weight[:, 16:] *= 1 - step
        after = model.net(images)
        proj.weight.copy_(kept)
    torch.testing.assert_close(found.mean, ((before - after) / step)[0], rtol=1e-2, atol=1e-4)
    off = switched_off(model, [Off("heads", "blocks.1.attn", (2,))], own_heads).net(images)
    assert not torch.allclose(off, before)


def test_units_are_asked_without_touching_the_network(matched):
    before = {name: len(module._forward_hooks) for name, module in matched.net.named_modules()}
    images = torch.rand(1, 3, 64, 64)
    responses(matched, images, [CLASSES, Group("channels", "act")], lambda _, maps: maps.sum())
    speaks_for(matched, Group("channels", "act"), 0, images)
    assert before == {name: len(module._forward_hooks) for name, module in matched.net.named_modules()}
    assert all(one.grad is None for one in matched.net.parameters())
    torch.testing.assert_close(
        speaks_for(matched, Group("channels", "act"), 0, images).mean, torch.tensor([1.0, -2.0, 0.5])
    )
