"""Grad-CAM: against captum, on any layer of both families, for several classes at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from captum.attr import LayerGradCam

from vizcore.cam import METHODS, cam, cams, default_layer, grad_cam
from vizcore.models import load_model


@pytest.fixture(scope="module")
def vit():
    return load_model("texture_vit", "random")


@pytest.mark.parametrize(
    ("name", "weights", "layers"),
    [("resnet18", "random", [None, "layer2.0"]), ("efficientnet_lite0", "trained", [None, "blocks.3.0"])],
)
def test_agrees_with_captum(name, weights, layers, chelsea):
    model = load_model(name, weights)
    images = torch.cat([model.preprocess(chelsea), model.preprocess(chelsea).flip(-1)])
    classes = model.net(images)[0].topk(2).indices.tolist()
    for layer in layers:
        found = cams(model, images, classes, layer)
        module = model.net.get_submodule(layer or default_layer(model))
        for k, index in enumerate(classes):
            expected = LayerGradCam(model.net, module).attribute(
                images.clone().requires_grad_(), index, relu_attributions=True
            )[:, 0]
            assert found.shape[2:] == expected.shape[1:] and expected.max() > 0
            assert (found[k] - expected).abs().max() <= 1e-4 * expected.max()
        assert torch.allclose(cam(model, images[:1], classes[0], layer), found[0, 0], rtol=1e-4, atol=1e-6)


def test_of_a_known_pair():
    activation = torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 0.0]]])
    gradient = torch.tensor([[[0.0, 0.0], [0.0, 4.0]], [[-2.0, -2.0], [-2.0, -2.0]]])  # means 1 and -2
    assert grad_cam(activation, gradient).tolist() == [[-1.0, 2.0], [3.0, 4.0]]
    assert torch.equal(
        grad_cam(activation[None, None], gradient[None, None])[0, 0], grad_cam(activation, gradient)
    )


def test_default_layers(vit):
    assert default_layer(vit) == "blocks.5.norm1"
    assert default_layer(load_model("texture_resnet", "random")) == "layer4.0"
    assert default_layer(load_model("vit_b_16", "random")).endswith("encoder_layer_11.ln_1")


@pytest.mark.parametrize("method", METHODS)
def test_vit_on_patch_tokens(vit, method):
    maps = cams(vit, torch.randn(2, 3, 128, 128), [0, 3, 7], method=method)
    assert maps.shape == (3, 2, 8, 8)
    assert (maps >= 0).all() and maps.flatten(1).amax(1).gt(0).all()
    assert not torch.allclose(maps[0] / maps[0].max(), maps[1] / maps[1].max(), atol=1e-3)


@pytest.mark.parametrize("layer", ["blocks.5", "blocks.5.mlp", "norm"])
def test_refuses_layers_that_no_patch_leaves(vit, layer):
    with pytest.raises(ValueError, match="exactly zero. Choose an earlier layer, such as blocks.5.norm1"):
        cam(vit, torch.randn(1, 3, 128, 128), 0, layer)


def test_swin_has_cams_where_it_has_no_rollout():
    model = load_model("swin_tiny_patch4_window7_224", "random")
    assert not model.attention
    assert cam(model, torch.randn(1, 3, 224, 224), 1).max() > 0


def test_errors_name_what_is_permitted(vit):
    images = torch.randn(1, 3, 128, 128)
    with pytest.raises(ValueError, match="'Score'; the methods are Grad-CAM"):
        cam(vit, images, 0, method="Score")
    with pytest.raises(ValueError, match="class 20 is not one of Texture ViT's, 0 to 19"):
        cam(vit, images, 20)
    with pytest.raises(ValueError, match="'head' of Texture ViT puts out no map; these do: .*blocks.0.norm1"):
        cam(vit, images, 0, "head")
    with pytest.raises(ValueError, match="Texture ViT has no classes"):
        cam(replace(vit, num_classes=0), images, 0)


def test_eight_threads_and_nothing_left_behind(vit):
    before = {name: value.clone() for name, value in vit.net.state_dict().items()}
    pictures = [torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(i)) for i in range(8)]
    alone = [cams(vit, images, [1, 2]) for images in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda images: cams(vit, images, [1, 2]), pictures))
    for a, b in zip(alone, together, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-9)
    assert not any(module._forward_hooks for module in vit.net.modules())
    assert all(p.grad is None and not p.requires_grad for p in vit.net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in vit.net.state_dict().items())
