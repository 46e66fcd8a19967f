"""What each place says: the network's norm and head on each token; refused where that isn't defined."""

import math
from types import SimpleNamespace

import pytest
import torch
from shared import shared_model
from test_networks import noise, own
from torch import nn

from vizcore.inside import sayings
from vizcore.inside.chain import Chain, chain
from vizcore.inside.lens import NAMED, agreeing, chances, lens, named
from vizcore.inside.replaced import replaced, with_maps
from vizcore.model import Layout
from vizcore.networks.torchvision_ops import timm

NAMES = {  # that hold their answer in a class token, a mean, two tokens, registers or a last map: blocks read
    "texture_vit": 6,
    "texture_resnet": 1,
    "test_vit": 6,  # a class token
    "test_vit2": 8,  # the mean of its patches
    "test_vit3": 9,  # attention pools them
    "test_convnext": 2,
    "test_efficientnet": 1,
}


def answers(model, images):
    with torch.no_grad():
        return model.net(images)


def small(name, **options):
    torch.manual_seed(0)
    side = options.get("img_size", 64)
    return own(timm.create_model(name, num_classes=5, **options), side, side)


@pytest.mark.parametrize("name", NAMES)
def test_the_last_block_says_what_the_network_says(name):
    model = shared_model(name, "trained" if name.startswith("texture") else "random")
    images, found = noise(model, 1), chain(model)
    said = list(lens(model, images, found))
    assert [one.layer for one in said] == list(found.layers) and len(said) == NAMES[name]
    logits = answers(model, images)[0]
    assert torch.allclose(said[-1].stopped, logits, atol=1e-5)
    if name in ("texture_vit", "test_vit"):  # read from the class token alone
        assert torch.allclose(said[-1].first[0], logits, atol=1e-5)
        assert not torch.allclose(said[0].first[0], logits, atol=1e-2)
    if name in ("texture_resnet", "test_efficientnet"):  # a mean, then a linear layer
        assert torch.allclose(said[-1].places.mean((1, 2)), logits, atol=1e-5)
        assert said[-1].places.flatten(1).std(1).max() > 1e-3
    grid = model.layouts[found.layers[-1]].grid
    assert all(one.places.shape == (model.num_classes, *grid) for one in said)


def test_every_token_goes_through_the_norm_and_the_head_of_a_vit():
    model = shared_model("texture_vit")
    images, net = noise(model, 2), shared_model("texture_vit").net
    with torch.no_grad():
        tokens = net.norm_pre(net._pos_embed(net.patch_embed(images)))
        for block, said in zip(net.blocks, lens(model, images), strict=True):
            tokens = block(tokens)
            by_hand = net.head(net.norm(tokens))[0]  # (N, K)
            assert torch.allclose(said.first, by_hand[:1], atol=1e-5)
            assert torch.allclose(said.places.flatten(1).T, by_hand[1:], atol=1e-5)


def test_a_mean_and_its_norm():
    model = shared_model("test_vit2", "random")
    images, net = noise(model, 2), shared_model("test_vit2", "random").net
    with torch.no_grad():
        tokens = net.norm_pre(net._pos_embed(net.patch_embed(images)))
        for block, said in zip(net.blocks, lens(model, images), strict=True):
            tokens = block(tokens)
            head = net.head(net.fc_norm(net.norm(tokens)))[0]
            assert torch.allclose(said.places.flatten(1).T, head[net.num_prefix_tokens :], atol=1e-5)
            pooled = net.head(net.fc_norm(net.norm(tokens)[:, net.num_prefix_tokens :].mean(1)))[0]
            assert torch.allclose(said.stopped, pooled, atol=1e-5)


def test_two_tokens_that_are_read_and_registers_that_are_not():
    tiny = {"img_size": 64, "embed_dim": 24, "depth": 2, "num_heads": 2}
    model = small("deit_tiny_distilled_patch16_224", **tiny)
    images = noise(model, 0)
    *_, last = lens(model, images)
    head, second = model.net.head, model.net.head_dist
    seen = model.net.forward_features(images)  # through the norm
    both = (head(seen[0]) + second(seen[0])) / 2
    assert len(last.first) == 2 and torch.allclose(last.first, both[:2], atol=1e-5)
    assert torch.allclose(last.places.flatten(1).T, both[2:], atol=1e-5)
    assert torch.allclose(last.stopped, answers(model, images)[0], atol=1e-5)
    model = small("vit_small_patch16_dinov3", **tiny | {"num_heads": 2})
    *_, last = lens(model, noise(model, 0))
    assert len(last.first) == 5 and torch.allclose(
        last.stopped, answers(model, noise(model, 0))[0], atol=1e-5
    )


class Blocks(nn.Module):
    """Blocks with the stream within or beside them, read by the mean or by each place's own weights."""

    def __init__(self, way=""):
        super().__init__()
        torch.manual_seed(0)
        self.way, self.embed = way, nn.Conv2d(3, 8, 8, 8)
        self.blocks = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(4))
        self.flat, self.head = nn.Linear(8 * 64, 5), nn.Linear(8, 5)

    def forward(self, x):
        stem = x = self.embed(x)
        for k, block in enumerate(self.blocks):
            x = x + block(x) if self.way == "beside" else block(x).tanh()
            if self.way == "skip" and k == 2:
                x = x + stem
        if self.way == "past":
            x = x + stem
        return self.flat(x.flatten(1)) if self.way == "flat" else self.head(x.mean((2, 3)))


def test_blocks_past_which_something_leads_are_left_out():
    assert chain(own(Blocks())).layers == ("embed", "blocks.0", "blocks.1", "blocks.2", "blocks.3")
    assert chain(own(Blocks("skip"))).layers == ("blocks.3",), "the stem is heard by the last block too"
    for way in ("beside", "past"):
        model = own(Blocks(way))
        found = chain(model)
        assert found.layers == () and "something leads past the last blocks" in found.why_not
        with pytest.raises(ValueError, match="something leads past"):
            list(lens(model, noise(model, 0)))


def test_places_that_are_weighed_by_where_they_are_say_nothing_alone():
    model = own(Blocks("flat"))
    found = chain(model)
    assert len(found.layers) == 5 and not found.by_places
    with pytest.raises(ValueError, match="weighs each place by where it is"):
        list(lens(model, noise(model, 0)))


def test_other_refusals_are_sentences():
    model = shared_model("texture_vit")
    with pytest.raises(ValueError, match="One picture is expected"):
        list(lens(model, torch.zeros(2, 3, 128, 128)))
    features = own(timm.create_model("test_vit", num_classes=0), 160, 160)
    assert "has no classes, so there is no answer" in chain(features).why_not
    still = own(Blocks())
    still.net.head.weight.fill_(0.0)
    still.net.head.bias.fill_(1.0)
    still.net.head.weight[0, 0] = 1e-9
    assert "alike, but for rounding" in chain(still).why_not


def test_nothing_is_left_on_the_network():
    model = shared_model("texture_resnet")
    before = answers(model, noise(model, 3))
    list(lens(model, noise(model, 3)))
    assert torch.equal(answers(model, noise(model, 3)), before)
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.net.modules())


def test_a_whole_picture_where_one_place_would_not_do():
    model = shared_model("texture_vit")
    images, found = noise(model, 4), chain(model)
    assert found.small
    pairs = zip(lens(model, images, found), lens(model, images, found._replace(small=False)), strict=True)
    assert all(torch.allclose(one.places, other.places, atol=1e-5) for one, other in pairs)


def test_what_a_layer_puts_out_is_put_back_as_it_lay():
    maps = torch.randn(2, 3, 2, 2)
    for layout, shape in {
        Layout("NCHW", 3, (2, 2)): (2, 3, 2, 2),
        Layout("NHWC", 3, (2, 2)): (2, 2, 2, 3),
        Layout("tokens", 3, (2, 2), 1): (2, 5, 3),
        Layout("tokens", 3, (2, 2), 1, (2, 0, 3, 1)): (2, 5, 3),
    }.items():
        values = torch.randn(shape)
        fresh = with_maps(layout, values, maps)
        assert fresh.shape == shape and torch.equal(layout.maps(fresh), maps)
        if layout.kind == "tokens":
            assert torch.equal(fresh[:, 0], values[:, 0])
        assert torch.equal(with_maps(layout, values, layout.maps(values)), values)


def test_another_picture_s_output_gives_its_answer():
    model = shared_model("texture_vit")
    one, other = noise(model, 0), noise(model, 1)
    from vizcore.capture import capture

    theirs = capture(model.net, other, ["blocks.2"]).layers["blocks.2"]
    assert torch.allclose(
        replaced(model.net, one, {"blocks.2": lambda _: theirs}), answers(model, other), atol=1e-6
    )


# ---------------------------------------------------------------- words and colours


def test_how_early_the_answer_is_said_in_words():
    assert (
        "after block 1 and **80%** after block 3: half of them and more from block 2 on"
        in sayings.by_block([0.1, 0.5, 0.8], "woven")
    )
    assert "never half of them to the end" in sayings.by_block([0.6, 0.2], "woven")
    assert sayings.by_block([0.4], "woven") == "**40%** of the places say its answer, “woven”."
    assert "no class likelier" in sayings.by_block([math.nan], "woven")
    assert "much the same everywhere, so agreement" in sayings.beside_random([0.2, 0.8], [1.0, 1.0])
    assert "about as many, or more, so agreement" in sayings.beside_random([0.2, 0.4], [0.1, 0.39])
    assert "no sign" not in sayings.beside_random([0.2, 0.8], [1.0, 0.1])
    assert sayings.beside_random([math.nan], [1.0]) == "" and "no class" in sayings.beside_random(
        [0.5], [math.nan]
    )
    assert sayings.rightly([], [], 0) == ""
    assert sayings.rightly([0.5, 0.9], ["a", "b"], 12, [0.0, 0.5]) == (
        "Of 12 places that lie wholly on “a” or “b”, **90%** name the right one at the end (50% after block "
        "1); with random weights 50%."
    )
    assert sayings.names_said({"a": 0.5, "b": 0.3, "c": 0.1, "d": 0.1}) == "a 50%, b 30%, c 10%, others 10%"


def test_names_have_a_colour_each_and_the_rest_one():
    likeliest = torch.tensor([[4, 4], [7, 9]])
    colours = named(likeliest, [7, 4])
    assert colours.shape == (3, 2, 2) and colours[:, 0, 0].tolist() == pytest.approx(NAMED[1])
    assert colours[:, 1, 0].tolist() == pytest.approx(NAMED[0]) and colours[0, 1, 1] == colours[2, 1, 1]


def test_shares_and_chances():
    said = SimpleNamespace(places=torch.tensor([[[2.0, 0.0]], [[0.0, 1.0]]]))
    assert agreeing(said, 0) == 0.5 and math.isnan(agreeing(SimpleNamespace(places=torch.zeros(2, 1, 2)), 0))
    total = chances(SimpleNamespace(net=nn.Identity()), said).sum(0)
    assert torch.allclose(total, torch.ones(1, 2))
    assert Chain(()).by_places
