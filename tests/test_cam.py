"""CAMs: against pytorch-grad-cam and captum, on any layer of both families, for several classes at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import pytest
import torch
import torchvision
from captum.attr import LayerGradCam
from shared import shared_model
from torchvision.transforms import Compose, Resize, ToTensor

from ui.picture_picker import SAMPLES_FOLDER
from vizcore.capture import private_copy
from vizcore.methods.cam import (
    CAMS,
    cam,
    cams,
    default_layer,
    grad_cam,
    grad_cam_plus_plus,
    hold,
)
from vizcore.methods.fine_cam import NAME, fine_cams, finer_layer
from vizcore.methods.score_cam import score_cams
from vizcore.methods.table import METHODS
from vizcore.networks.load import from_module, load_model
from vizcore.pictures.frame import to_frame
from vizcore.pictures.images import read_picture

PEERS = {  # by the names that pytorch-grad-cam has for them
    "Grad-CAM": "GradCAM",
    "Grad-CAM++": "GradCAMPlusPlus",
    "HiResCAM": "HiResCAM",
    "LayerCAM": "LayerCAM",
    "XGrad-CAM": "XGradCAM",
    "Score-CAM": "ScoreCAM",
}


@pytest.fixture(scope="module")
def vit():
    return shared_model("texture_vit", "random")


@pytest.fixture(scope="module")
def resnet():
    return shared_model("texture_resnet", "random")


@pytest.fixture(scope="module")
def peer():
    """pytorch-grad-cam: (model, layer, method) -> its object, for a copy whose weights have gradients."""
    import pytorch_grad_cam

    def make(model, layer, method):
        layout = model.layouts[layer]

        def reshape(tokens):
            return tokens[:, layout.prefix :].transpose(1, 2).unflatten(2, layout.grid)

        net = private_copy(model.net)
        for module in net.modules():
            for name, value in module._parameters.items():
                if value is not None:
                    module._parameters[name] = value.detach().requires_grad_()
        return getattr(pytorch_grad_cam, PEERS[method])(
            net, [net.get_submodule(layer)], reshape_transform=reshape if layout.kind == "tokens" else None
        )

    return make


def category(index):
    return lambda scores: scores[index]


def shown(found, size):
    """As the peer shows it: ReLU, upsampling, then 0 to 1."""
    values = cv2.resize(found.relu().numpy(), size)
    return (values - values.min()) / max(values.max() - values.min(), 1e-12)


@pytest.mark.parametrize(
    ("name", "weights", "layer"),
    [
        pytest.param("resnet18", "random", None, marks=pytest.mark.long),
        ("texture_resnet", "trained", "layer2.0"),
        ("efficientnet_lite0", "trained", None),
        ("texture_vit", "trained", None),
    ],
)
def test_agrees_with_pytorch_grad_cam(name, weights, layer, peer):
    model = shared_model(name, weights)
    layer = layer or default_layer(model)
    for file in ("chelsea.png", "coffee.png"):
        images = model.preprocess(read_picture((SAMPLES_FOLDER / file).read_bytes()))
        index = model.net(images)[0].argmax().item()
        for method in CAMS:
            expected = peer(model, layer, method)(images, [category(index)])[0]
            found = shown(cam(model, images, index, layer, method), images.shape[:1:-1])
            assert abs(found - expected).max() <= 1e-4, (file, method)


@pytest.mark.parametrize("name", ["texture_vit", pytest.param("texture_resnet", marks=pytest.mark.long)])
def test_score_cam_agrees_with_pytorch_grad_cam_on_the_same_masks(name, peer, chelsea, monkeypatch):
    class SameMasks(torch.nn.Upsample):
        def __init__(self, size):  # the peer's own upsampling puts the outer cells' centres on the edges
            super().__init__(size=size, mode="bilinear")

    monkeypatch.setattr(torch.nn, "UpsamplingBilinear2d", SameMasks)
    model = shared_model(name)
    layer, images = default_layer(model), model.preprocess(chelsea)
    theirs, weights = peer(model, layer, "Score-CAM"), []
    score = theirs.get_cam_weights
    theirs.get_cam_weights = lambda *args: weights.append(score(*args)) or weights[-1]
    expected = theirs(images, [category(4)])[0]
    *_, last = score_cams(model, images, [4])
    assert abs(last.weights[0].numpy() - weights[0]).max() <= 1e-4 * weights[0].max()
    assert abs(shown(last.maps[0, 0], images.shape[:1:-1]) - expected).max() <= 1e-3


@pytest.mark.long
def test_score_cam_of_several_pictures_and_classes_and_what_it_knows_half_way(resnet, chelsea):
    images = torch.cat([resnet.preprocess(chelsea), resnet.preprocess(chelsea).flip(-1)])
    steps = list(score_cams(resnet, images, [0, 5], chunk=64))
    assert [step.done for step in steps] == list(range(32, 257, 32)) and steps[0].total == 256
    assert steps[-1].maps.shape == (2, 2, 8, 8) and steps[-1].weights.shape == (2, 2, 256)
    for step in steps:
        assert torch.allclose(step.weights.sum(-1), torch.ones(2, 2)) and (step.maps >= 0).all()
        assert ((step.weights > 0).sum(-1) <= step.done).all()
    alone = METHODS["Score-CAM"].make(resnet, images[1:], 5)
    assert torch.allclose(steps[-1].maps[1, 1], alone, rtol=1e-3, atol=1e-6)
    half = torch.corrcoef(torch.stack([step.maps[0, 0].flatten() for step in (steps[4], steps[-1])]))
    assert half[0, 1] > 0.9


@pytest.mark.parametrize(
    ("name", "weights", "layers"),
    [
        pytest.param("resnet18", "random", [None, "layer2.0"], marks=pytest.mark.long),
        ("efficientnet_lite0", "trained", [None, "blocks.3.0"]),
    ],
)
def test_agrees_with_captum(name, weights, layers, chelsea):
    model = shared_model(name, weights)
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


def test_grad_cam_plus_plus_by_hand():
    activation = torch.tensor([[[1.0, 2.0], [0.0, 1.0]]])  # sums to 4
    gradient = torch.tensor([[[0.5, 0.0], [-1.0, 2.0]]])
    alpha = [0.25 / (0.5 + 4 * 0.125 + 1e-6), 4 / (8 + 4 * 8 + 1e-6)]  # of the two positive gradients
    weight = alpha[0] * 0.5 + alpha[1] * 2
    assert torch.allclose(grad_cam_plus_plus(activation, gradient), weight * activation[0])
    assert not grad_cam_plus_plus(activation, torch.zeros(1, 2, 2)).isnan().any()


@pytest.mark.parametrize("method", CAMS)
def test_where_nothing_speaks_for_the_class_the_map_is_zero(method, resnet):
    net = private_copy(resnet.net)
    net.fc = torch.nn.Linear(256, 20)
    with torch.no_grad():
        net.fc.weight.fill_(-1.0)  # every feature, at least 0 after the ReLU, speaks against every class
    maps = cams(
        replace(resnet, net=net.requires_grad_(False)), torch.randn(2, 3, 128, 128), [0, 1], method=method
    )
    assert maps.shape == (2, 2, 8, 8) and not maps.any()


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("texture_resnet", torch.bfloat16),
        pytest.param("texture_vit", torch.float16, marks=pytest.mark.long),
    ],
)
def test_half_precision(name, dtype, chelsea):
    model, half = shared_model(name), load_model(name, device="cpu")
    half.net.to(dtype)
    images = model.preprocess(chelsea)
    index = model.net(images)[0].argmax().item()
    for method in CAMS:
        whole = cam(model, images, index, method=method)
        found = cam(half, images.to(dtype), index, method=method)
        assert found.dtype == torch.float32 and found.isfinite().all()
        assert torch.corrcoef(torch.stack([whole.flatten(), found.flatten()]))[0, 1] > 0.97
    first = next(score_cams(half, images.to(dtype), [3], chunk=4))
    assert first.maps.isfinite().all() and first.done == 4


def test_a_tall_input_and_in_place_relus(resnet):
    tall = torch.randn(1, 3, 192, 96)
    for layer in ("conv1", "bn1", "layer2.0.bn2", "layer4.0"):  # a ReLU in place follows the first three
        found = cams(resnet, tall, [0, 1], layer)
        rows, columns = found.shape[-2:]
        assert rows == 2 * columns and found.isfinite().all()


def test_default_layers(vit, resnet):
    assert default_layer(vit) == "blocks.5.norm1"
    assert default_layer(resnet) == "layer4.0"
    torchvisions = torchvision.models.VisionTransformer(32, 8, 3, 2, 32, 64, num_classes=5)  # of three blocks
    prepared = Compose([Resize((32, 32)), ToTensor()])
    assert default_layer(from_module(torchvisions, prepared)).endswith("encoder_layer_2.ln_1")


@pytest.mark.parametrize("method", CAMS)
def test_vit_on_patch_tokens(vit, method):
    maps = cams(vit, torch.randn(2, 3, 128, 128), [0, 3, 7], method=method)
    assert maps.shape == (3, 2, 8, 8)
    assert (maps >= 0).all() and maps.flatten(1).amax(1).gt(0).all()
    assert not torch.allclose(maps[0] / maps[0].max(), maps[1] / maps[1].max(), atol=1e-3)


@pytest.mark.parametrize("layer", ["blocks.5", "blocks.5.mlp", "norm"])
def test_refuses_layers_that_no_patch_leaves(vit, layer):
    with pytest.raises(ValueError, match="exactly zero. Choose an earlier layer, such as blocks.5.norm1"):
        cam(vit, torch.randn(1, 3, 128, 128), 0, layer)


@pytest.mark.long
def test_swin_has_cams_where_it_has_no_rollout():
    model = shared_model("swin_tiny_patch4_window7_224", "random")
    assert not model.attention
    assert cam(model, torch.randn(1, 3, 224, 224), 1).max() > 0


@pytest.mark.parametrize("name", ["texture_vit", "texture_resnet"])
def test_a_pass_that_is_held_answers_again_and_again(name, monkeypatch):
    """For other classes and other methods at its layer, from several threads at once, to the last digit."""
    model, images = shared_model(name), torch.randn(2, 3, 128, 128)
    asked = [([2, 5], "Grad-CAM"), ([7], "LayerCAM"), ([5, 7, 2], "HiResCAM"), ([2], "Grad-CAM++")] * 3
    expected = [cams(model, images, classes, method=method) for classes, method in asked]
    other = cams(model, images, [2], model.blocks[1])
    held = hold(model, images)
    assert torch.equal(held.output.detach(), model.net(images).detach())
    assert torch.equal(cams(model, images, [2], model.blocks[1], held=held), other)  # has a pass of its own

    def no_pass(*_, **__):
        raise AssertionError("another pass")

    monkeypatch.setattr("vizcore.methods.cam.capture", no_pass)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(cams, model, images, one, method=method, held=held) for one, method in asked]
    for run, wanted in zip(runs, expected, strict=True):
        assert torch.equal(run.result(), wanted)


def test_errors_name_what_is_permitted(vit):
    images = torch.randn(1, 3, 128, 128)
    with pytest.raises(ValueError, match="'Score'; the methods are Grad-CAM.*, XGrad-CAM"):
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


@pytest.mark.parametrize("name", ["texture_resnet", "efficientnet_lite0"])
def test_the_product_is_layer_cam_times_grad_cam_as_it_lies_in_the_picture(name, chelsea):
    model, layer = shared_model(name), {"texture_resnet": "layer2.0"}.get(name, "blocks.4.2")
    images = model.preprocess(chelsea)
    targets = model.net(images)[0].topk(2).indices.tolist()
    assert finer_layer(model) == layer
    fine, coarse = cams(model, images, targets, layer, "LayerCAM"), cams(model, images, targets)
    found = fine_cams(model, images, targets)
    rows, columns = fine.shape[-2:]
    share = to_frame(coarse / coarse.amax((-2, -1), keepdim=True), (0, 0, columns, rows), (columns, rows))
    assert found.shape == fine.shape and (found > 0).any(-1).any(-1).all()
    assert torch.allclose(found, fine * share, rtol=1e-3, atol=1e-5 * float(fine.max()))
    alone = fine_cams(model, images, targets[1:])[0, 0]
    assert torch.equal(METHODS[NAME].make(model, images, targets[1]), alone)


def test_a_network_whose_blocks_have_one_grid_is_not_asked_for_a_finer_one(vit, chelsea):
    assert not METHODS[NAME].applies(vit) and "no block with smaller cells" in METHODS[NAME].why_not(vit)
    with pytest.raises(ValueError, match="no block with smaller cells"):
        fine_cams(vit, vit.preprocess(chelsea), [1])
