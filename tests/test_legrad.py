"""LeGrad beside a second implementation; Finer-CAM by hand; norms of tokens."""

import pytest
import torch
from shared import shared_model

from vizcore import objectives
from vizcore.capture import capture
from vizcore.methods.cam import cam
from vizcore.methods.features import norms, outliers
from vizcore.methods.table import METHODS
from vizcore.pictures import textures
from vizcore.truth import pointing


def picture(model, first="honeycombed", second="banded", seed=5):
    from PIL import Image

    from vizcore.pictures.frame import to_frame

    scene = textures.two(first, second, seed, 256)
    image = Image.fromarray(scene.picture)
    box = model.preprocess.box(image.size)
    return model.preprocess(image), scene, lambda heat: to_frame(heat, box, image.size)


def by_hand(net, images, index):
    """Block by block with plain tensors: the gradient of the class, read behind a block, at its attention."""
    x, maps = net.pos_drop(net._pos_embed(net.patch_embed(images))), []
    x = net.norm_pre(net.patch_drop(x)).detach()
    for block in net.blocks:
        given, own = block.norm1(x), block.attn
        count, width = given.shape[1:]
        q, k, v = own.qkv(given).reshape(1, count, 3, own.num_heads, -1).permute(2, 0, 3, 1, 4)
        matrix = ((q * own.scale) @ k.transpose(-2, -1)).softmax(-1).detach().requires_grad_()
        mixed = own.proj((matrix @ v).transpose(1, 2).reshape(1, count, width))
        y = x + block.ls1(mixed)
        y = y + block.ls2(block.mlp(block.norm2(y)))
        score = net.forward_head(net.norm(y))[0, index]
        (slope,) = torch.autograd.grad(score, matrix)
        maps.append(slope[0].clamp(min=0).mean((0, 1))[1:])
        x = y.detach()
    return torch.stack(maps).mean(0).reshape(8, 8)


@pytest.mark.parametrize("weights", ["trained", "random"])
def test_legrad_agrees_with_plain_tensors(weights):
    model = shared_model("texture_vit", weights)
    images, *_ = picture(model)
    for index in (3, 11):
        found, wanted = METHODS["LeGrad"].make(model, images, index), by_hand(model.net, images, index)
        assert found.shape == (8, 8) and (found >= 0).all() and wanted.max() > 0
        assert (found - wanted).abs().max() <= 1e-4 * wanted.max()


def test_legrad_points_right_and_leaves_nothing_behind():
    model, hits = shared_model("texture_vit"), []
    for seed, (first, second) in enumerate(
        (("honeycombed", "banded"), ("spiralled", "woven"), ("scaly", "cracked"))
    ):
        images, scene, framed = picture(model, first, second, 40 + seed)
        for label in (first, second):
            heat = framed(METHODS["LeGrad"].make(model, images, label))
            hits.append(pointing(heat, torch.from_numpy(scene.masks[label])))
    assert sum(hits) >= 5
    assert not any(one._forward_hooks for one in model.net.modules())


def test_the_way_back_leads_through_each_block_alone():
    """It would be a way through all blocks behind as well, whose gradients are zeros."""
    model = shared_model("texture_vit")
    images, _, _ = picture(model)
    with torch.autograd.profiler.profile() as ran:
        METHODS["LeGrad"].make(model, images, 3)
    products = [one for one in ran.function_events if one.name in ("AddmmBackward0", "LinearBackward0")]
    blocks = len(model.attention)
    assert (
        blocks >= 4 and blocks < len(products) <= 3 * blocks + 1
    )  # two of the MLP, one behind the attention


def test_legrad_says_why_not():
    assert "attention" in METHODS["LeGrad"].why_not(shared_model("texture_resnet"))
    model = shared_model("texture_vit")
    images, *_ = picture(model)
    with pytest.raises(ValueError, match="scores alone"):
        METHODS["LeGrad"].make(model, images, objectives.channel(model, "blocks.2", 3))


def test_finer_cam_is_grad_cam_of_the_difference():
    for name in ("texture_resnet", "texture_vit"):
        model = shared_model(name)
        images, *_ = picture(model)
        own = textures.LABELS.index("honeycombed")
        for others, factor in (([4], 1.0), ([4, 7, 9], 0.6)):
            found = cam(model, images, objectives.finer(model, own, others, factor))
            output, seen = capture(model.net, images, [model.cam_layer], grad=True)
            score = output[0, own] - factor * output[0, others].mean()
            (slope,) = torch.autograd.grad(score, seen[model.cam_layer])
            layout = model.layouts[model.cam_layer]
            maps, slope = layout.maps(seen[model.cam_layer].detach())[0], layout.maps(slope)[0]
            wanted = (slope.mean((1, 2), keepdim=True) * maps).sum(0).clamp(min=0)
            assert wanted.max() > 0 and (found - wanted).abs().max() <= 1e-5 * wanted.max()
    with pytest.raises(ValueError, match="no class to tell it from"):
        objectives.finer(model, 3, [])


@pytest.mark.parametrize("name", ["LayerCAM", "relevance", "LeGrad", "gradient"])
def test_other_methods_can_be_asked_for_the_difference(name):
    model = shared_model("texture_vit")
    images, *_ = picture(model)
    wanted = objectives.finer(model, "honeycombed", ["banded", "woven"], 0.6)
    assert wanted.words == "honeycombed rather than classes like it"
    plain, apart = (METHODS[name].make(model, images, one) for one in ("honeycombed", wanted))
    assert apart.isfinite().all() and not torch.allclose(plain, apart)


def test_norms_and_the_places_far_beyond_the_rest():
    maps = torch.randn(16, 6, 7, generator=torch.Generator().manual_seed(0))
    maps[:, 2, 3] *= 12
    found = norms(maps)
    assert torch.allclose(found, maps.square().sum(0).sqrt())
    assert outliers(found).nonzero().tolist() == [[2, 3]]
    assert not outliers(torch.ones(5, 5)).any()
