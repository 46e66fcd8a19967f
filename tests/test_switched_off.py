"""What is off is off, and only that; patching a picture with itself changes nothing."""

import pytest
import torch
from shared import shared_model
from test_handwritten import Vit
from test_networks import noise, own
from torch import nn

from vizcore.capture import capture
from vizcore.inside.patching import has_first, patched
from vizcore.inside.projections import heads
from vizcore.inside.switched_off import Off, means_over, switched_off, without_heads
from vizcore.methods.table import METHODS
from vizcore.networks.load import load_model
from vizcore.networks.torchvision_ops import timm, torchvision


def answers(model, images):
    with torch.no_grad():
        return model.net(images)


def zeroed(net, projection, columns):
    """The same network with columns of a projection at zero, by another way."""
    weight = net.get_submodule(projection).weight
    kept = weight.clone()
    weight[:, columns] = 0
    return lambda: weight.copy_(kept)


TIMM = {"embed_dim": 24, "depth": 2, "num_heads": 3, "img_size": 64}


def vit(name="vit_tiny_patch16_224", **options):
    torch.manual_seed(0)
    net = timm.create_model(name, num_classes=5, **TIMM | options)
    nn.init.normal_(net.head.weight)  # which begins next to zero
    return own(net)


def torch_vit():
    torch.manual_seed(0)
    net = torchvision.models.VisionTransformer(64, 16, 2, 3, 24, 48, num_classes=5)
    nn.init.normal_(net.heads.head.weight)  # timm and torchvision begin with zeros
    return own(net)


NETWORKS = {  # by what computes its attention: the way, and the projection
    "timm": (vit, "projection", "blocks.{}.attn.proj"),
    "distilled": (lambda: vit("deit_tiny_distilled_patch16_224"), "projection", "blocks.{}.attn.proj"),
    "registers": (
        lambda: vit("vit_small_patch16_dinov3", init_values=0.5),
        "projection",
        "blocks.{}.attn.proj",
    ),
    "by hand": (lambda: own(Vit("q @ k.T", [])), "projection", "attend.{}.out"),
    "by torch's function": (lambda: own(Vit("SDPA grouped registers", [])), "projection", "attend.{}.out"),
    "by torch's module": (torch_vit, "weights", "encoder.layers.encoder_layer_{}.self_attention.out_proj"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_head_that_is_off_is_zeroed_columns_of_the_projection(name):
    make, way, projection = NETWORKS[name]
    model = make()
    images, found = noise(model, 0), heads(model)
    assert list(found) == model.attention and {one.way for one in found.values()} == {way}
    module = model.attention[1]
    before, count = answers(model, images), found[module].count
    width = found[module].width
    for which in [(0,), (count - 1,), (0, 1)]:
        got = answers(switched_off(model, [Off("heads", module, which)], found), images)
        columns = [c for head in which for c in range(head * width, (head + 1) * width)]
        undo = zeroed(model.net, projection.format(1), columns)
        wanted = answers(model, images)
        undo()
        assert torch.allclose(got, wanted, atol=1e-6) and (got - before).abs().max() > 1e-5
    assert torch.equal(answers(model, images), before), "the network itself stays as it is"
    if way == "projection":
        rows = [[], [(module, 0)], [(model.attention[0], 1), (module, 0)]]
        some = without_heads(model, images, rows, found)
        assert torch.allclose(some[0], before[0], atol=1e-5)
        for row, one in zip(rows, some, strict=True):
            off = [Off("heads", owner, (head,)) for owner, head in row]
            assert torch.allclose(one, answers(switched_off(model, off, found), images)[0], atol=1e-5)


def test_a_head_whose_projection_a_norm_hides_is_off_by_its_matrix():
    torch.manual_seed(0)
    model = own(timm.create_model("vit_tiny_patch16_224", num_classes=5, scale_attn_norm=True, **TIMM))
    found = heads(model)
    assert {one.way for one in found.values()} == {"matrix"}
    images, module = noise(model, 0), model.attention[0]
    off = switched_off(model, [Off("heads", module, (1,))], found)
    matrix = capture(off.net, images, [f"{module}.attn_drop"]).layers[f"{module}.attn_drop"]
    assert not matrix[:, 1].any() and torch.allclose(matrix[:, 0].sum(-1), torch.ones(1, 17), atol=1e-5)
    assert torch.allclose(
        without_heads(model, images, [[(module, 1)]], found), answers(off, images), atol=1e-6
    )
    with pytest.raises(ValueError, match="can't be seen"):
        means_over(model, [images], [Off("heads", module, (1,))], found)


def test_the_mean_over_one_picture_changes_nothing_on_that_picture():
    model = shared_model("texture_vit")
    images, found = noise(model, 0), heads(shared_model("texture_vit"))
    off = [
        Off("heads", "blocks.3.attn", (0, 2)),
        Off("block", "blocks.1"),
        Off("channels", "blocks.2", (5, 191)),
        Off("places", "blocks.4", ((0, 0), (7, 3))),
    ]
    before = answers(model, images)
    means = means_over(model, [images], off, found)
    assert torch.allclose(answers(switched_off(model, off, found, means), images), before, atol=1e-4)
    assert not torch.allclose(answers(switched_off(model, off, found), images), before, atol=1e-2)
    others = [torch.cat([noise(model, seed) for seed in (1, 2)]), noise(model, 3)]
    means = means_over(model, others, off[2:3])
    wanted = capture(model.net, torch.cat(others), ["blocks.2"]).layers["blocks.2"].mean(0)
    assert torch.allclose(means["channels", "blocks.2"][0], wanted, atol=1e-5)
    seen = capture(switched_off(model, off[2:3], means=means).net, images, ["blocks.2"]).layers["blocks.2"]
    assert torch.allclose(seen[0, :, 5], wanted[:, 5], atol=1e-5)


@pytest.mark.parametrize("name, block", [("texture_vit", "blocks.2"), ("efficientnet_lite0", "blocks.5.1")])
def test_a_block_that_is_off_hands_on_what_it_is_given(name, block):
    model = shared_model(name)
    images = noise(model, 0)
    off = switched_off(model, [Off("block", block)])
    before = {"blocks.2": "blocks.1", "blocks.5.1": "blocks.5.0"}[block]
    seen = capture(off.net, images, [before, block]).layers
    assert torch.equal(seen[before], seen[block])
    with pytest.raises(ValueError, match="puts out another shape than it is given"):
        answers(switched_off(shared_model("texture_resnet"), [Off("block", "layer2.0")]),
                noise(shared_model("texture_resnet"), 0))  # fmt: skip


@pytest.mark.parametrize("name, layer", [("texture_resnet", "layer3.0"), ("texture_vit", "blocks.2")])
def test_channels_and_places_that_are_off(name, layer):
    model = shared_model(name)
    images, layout = noise(model, 0), model.layouts[layer]
    before = layout.maps(capture(model.net, images, [layer]).layers[layer])
    off = switched_off(model, [Off("channels", layer, (3,))])
    maps = layout.maps(capture(off.net, images, [layer]).layers[layer])
    assert not maps[:, 3].any() and torch.equal(maps[:, 4:], before[:, 4:])
    off = switched_off(model, [Off("places", layer, ((1, 2),))])
    maps = layout.maps(capture(off.net, images, [layer]).layers[layer])
    assert not maps[0, :, 1, 2].any() and torch.equal(maps[0, :, 2], before[0, :, 2])


def test_a_layer_of_channels_last():
    model = own(timm.create_model("swin_tiny_patch4_window7_224", num_classes=5, embed_dim=12, depths=(1, 2),
                                  num_heads=(1, 2), img_size=56, window_size=7), 56, 56)  # fmt: skip
    layer = next(name for name in reversed(model.layers) if model.layouts[name].kind == "NHWC")
    images = noise(model, 0)
    off = switched_off(model, [Off("channels", layer, (1,)), Off("places", layer, ((0, 1),))])
    seen = capture(off.net, images, [layer]).layers[layer]
    assert not seen[..., 1].any() and not seen[:, 0, 1].any() and seen[:, 1, 1, 2].all()


def test_every_method_works_on_what_is_left():
    model = shared_model("texture_vit")
    images = noise(model, 0)
    off = switched_off(model, [Off("heads", "blocks.3.attn", (0,))], heads(model))
    for method in ("Grad-CAM", "relevance", "rollout"):
        one, other = (METHODS[method].make(each, images, 2) for each in (model, off))
        assert one.shape == other.shape and not torch.equal(one, other), method
    assert not any(module._forward_pre_hooks for module in model.net.modules())


def test_what_cant_be_off_is_a_sentence():
    model = shared_model("texture_vit")
    found = heads(model)
    for off, words in [
        (Off("head", "blocks.3.attn", (0,)), "'head' can't be switched off; there are heads, block"),
        (Off("heads", "blocks.3.attn", (3,)), "head 3 is not one of blocks.3.attn of Texture ViT, 0 to 2"),
        (Off("heads", "blocks.3", (0,)), "has no heads that are known"),
        (Off("block", "blocks.9"), "puts out no map"),
        (Off("channels", "blocks.3", (192,)), "channel 192 is not one of blocks.3 of Texture ViT, 0 to 191"),
        (Off("places", "blocks.3", ((8, 0),)), "8 × 8 places; \\(8, 0\\) is none of them"),
    ]:
        with pytest.raises(ValueError, match=words):
            switched_off(model, [off], found)
    assert heads(shared_model("texture_resnet")) == {}
    with pytest.raises(ValueError, match="no pictures"):
        means_over(model, [], [Off("block", "blocks.1")])


# ---------------------------------------------------------------- patching


@pytest.mark.parametrize("name", ["texture_vit", "texture_resnet", "test_vit2", "by hand"])
def test_patching(name):
    model = own(Vit("q @ k.T", [])) if name == "by hand" else shared_model(
        name, "trained" if name.startswith("texture") else "random"
    )  # fmt: skip
    one, other = noise(model, 0), noise(model, 1)
    mine, theirs = answers(model, one), answers(model, other)
    layers = [layer for layer in model.blocks if name != "by hand"][2:] or ["norms.1"]
    for layer in layers[:: max(1, len(layers) // 3)]:
        assert torch.allclose(answers(patched(model, one, layer, first=True), one), mine, atol=1e-6)
        assert torch.equal(answers(patched(model, other, layer, [], first=False), one), mine)
        if name != "by hand":
            assert torch.allclose(answers(patched(model, other, layer, first=True), one), theirs, atol=1e-6)
    assert (mine - theirs).abs().max() > 1e-4


def test_tokens_beside_a_map_come_from_the_other_picture_too():
    """PiT's stages hand on their map and their class tokens apart."""
    torch.manual_seed(0)
    model = load_model("pit_ti_distilled_224", "random", device="cpu")
    layer = next(name for name in model.layers if name == "transformers.1")
    one, other = noise(model, 0), noise(model, 1)
    mine, theirs = answers(model, one), answers(model, other)
    assert has_first(model, layer, one) and not has_first(model, layer)
    assert torch.equal(answers(patched(model, one, layer, first=True), one), mine)
    assert torch.allclose(answers(patched(model, other, layer, first=True), one), theirs, atol=1e-6)
    places = answers(patched(model, other, layer, first=False), one)
    assert (places - theirs).abs().max() > 1e-4 and (places - mine).abs().max() > 1e-4


def test_some_places_of_another_picture():
    model = shared_model("texture_vit")
    one, other = noise(model, 0), noise(model, 1)
    layout = model.layouts["blocks.2"]
    mine, theirs = (layout.maps(capture(model.net, x, ["blocks.2"]).layers["blocks.2"]) for x in (one, other))
    net = patched(model, other, "blocks.2", [(0, 1), (7, 7)]).net
    seen = capture(net, one, ["blocks.2"]).layers["blocks.2"]
    maps = layout.maps(seen)
    assert torch.equal(maps[..., 0, 1], theirs[..., 0, 1]) and torch.equal(maps[..., 7, 7], theirs[..., 7, 7])
    assert torch.equal(maps[..., 1:7, :], mine[..., 1:7, :])
    assert has_first(model, "blocks.2") and not has_first(model, "patch_embed")
    with pytest.raises(ValueError, match="none of them"):
        patched(model, other, "blocks.2", [(9, 9)])
