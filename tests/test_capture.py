import threading

import pytest
import torch
from shared import shared_model
from torch import nn

from vizcore.capture import capture, private_copy
from vizcore.methods.attention import attention
from vizcore.methods.features import as_maps, pca_colours
from vizcore.networks.torchvision_ops import timm, torchvision


def hooks(net: nn.Module) -> int:
    return sum(
        len(value)
        for module in net.modules()
        for name, value in vars(module).items()
        if "hooks" in name and isinstance(value, dict)
    )


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return timm.create_model("resnet18").eval().requires_grad_(False)


def vit(name, **kwargs):
    torch.manual_seed(0)
    return timm.create_model(name, img_size=64, **kwargs).eval().requires_grad_(False)


def test_activations_are_what_a_plain_hook_sees_and_in_place_relus_do_not_touch_them(resnet, images):
    seen = {}
    names = [
        "bn1",
        "layer1.0.bn2",
        "layer2.0.conv1",
        "layer4",
    ]  # an in-place ReLU or += follows the first two
    handles = [
        resnet.get_submodule(name).register_forward_hook(
            lambda _m, _i, out, name=name: seen.__setitem__(name, out.clone())
        )
        for name in names
    ]
    with torch.no_grad():
        expected = resnet(images)
    for handle in handles:
        handle.remove()
    captured = capture(resnet, images, names)
    assert torch.equal(captured.output, expected)
    for name in names:
        assert torch.equal(captured.layers[name], seen[name])
    assert (captured.layers["bn1"] < 0).any()


def test_gradients_agree_with_autograd_and_go_no_further(resnet, images):
    captured = capture(resnet, images, ["layer1", "layer3.0.conv1"], grad=True)
    layers = list(captured.layers.values())
    gradients = torch.autograd.grad(captured.output[:, 7].sum(), layers)
    assert layers[0].is_leaf and not layers[1].is_leaf
    x = layers[0].detach().clone().requires_grad_()
    head = nn.Sequential(resnet.layer2, resnet.layer3, resnet.layer4, resnet.global_pool, resnet.fc)
    (expected,) = torch.autograd.grad(head(x)[:, 7].sum(), x)
    assert torch.allclose(gradients[0], expected, atol=1e-7)
    assert all(p.grad is None for p in resnet.parameters())


MODELS = {
    "vit": ("vit_tiny_patch16_224", {}, 1),
    "distilled": ("deit_tiny_distilled_patch16_224", {}, 2),
    "registers": ("vit_small_patch14_reg4_dinov2", {"patch_size": 16, "depth": 2}, 5),
    "no class token": ("vit_base_patch16_siglip_gap_224", {"embed_dim": 96, "num_heads": 3, "depth": 2}, 0),
}


@pytest.mark.parametrize("kind", MODELS)
def test_attention_rows_sum_to_one_and_explain_the_blocks_own_output(kind, images):
    name, kwargs, prefix = MODELS[kind]
    net = vit(name, **kwargs)
    assert net.num_prefix_tokens == prefix
    block = "blocks.1.attn"
    (matrix,) = attention(net, images, [block])
    tokens = 16 + prefix
    assert matrix.shape[0] == 2 and matrix.shape[2:] == (tokens, tokens)
    assert torch.allclose(matrix.sum(-1), torch.ones(()), atol=1e-5)
    fused = capture(net, images, [f"{block}.qkv", block]).layers  # no attn_drop asked for: stays fused
    module = net.get_submodule(block)
    assert module.fused_attn
    value = fused[f"{block}.qkv"].reshape(2, tokens, 3, module.num_heads, -1)[:, :, 2].transpose(1, 2)
    mixed = module.proj((matrix @ value).transpose(1, 2).reshape(2, tokens, -1))
    assert torch.allclose(mixed, fused[block], atol=1e-5)


def test_torchvisions_vit_is_opened_without_changing_its_answer(images):
    torch.manual_seed(0)
    net = torchvision.models.VisionTransformer(64, 16, 2, 3, 48, 96).eval().requires_grad_(False)
    nn.init.normal_(net.heads.head.weight)
    names = [f"encoder.layers.encoder_layer_{i}.self_attention" for i in range(2)]
    captured = capture(net, images, [f"{name}.attn_drop" for name in names], grad=True)
    assert torch.allclose(captured.output, net(images), atol=1e-5)
    matrices = list(captured.layers.values())
    assert all(torch.allclose(m.sum(-1), torch.ones(()), atol=1e-5) for m in matrices)
    gradients = torch.autograd.grad(captured.output[:, 0].sum(), matrices)
    assert all(gradient.abs().max() > 0 for gradient in gradients)


def test_a_private_copy_shares_tensors_and_nothing_else(resnet):
    copy = private_copy(resnet)
    assert all(a is b for a, b in zip(copy.parameters(), resnet.parameters(), strict=True))
    assert not {id(m) for m in copy.modules()} & {id(m) for m in resnet.modules()}
    assert list(copy.state_dict()) == list(resnet.state_dict())
    copy.layer1[0].act1.inplace = False
    copy.conv1.weight = nn.Parameter(torch.zeros(1))
    assert resnet.layer1[0].act1.inplace and resnet.conv1.weight.numel() > 1


def test_errors_name_the_layer(resnet, images):
    with pytest.raises(KeyError, match="'layer9' is not a layer of ResNet; there are conv1"):
        capture(resnet, images, ["layer9"])
    unused = nn.ModuleDict({"used": nn.Conv2d(3, 3, 1), "idle": nn.Conv2d(3, 3, 1)})
    unused.forward = unused["used"].forward
    with pytest.raises(RuntimeError, match="does not run idle"):
        capture(unused, images, ["idle"])


class Interrupt(BaseException):
    """As Streamlit stops a script: no Exception."""


@pytest.mark.parametrize("error", [RuntimeError, Interrupt])
def test_nothing_is_left_hooked_after_success_error_and_interruption(resnet, images, error):
    class Fails(nn.Module):
        def forward(self, x):
            raise error

    before = hooks(resnet)
    capture(resnet, images, ["layer1"], grad=True)
    broken = nn.Sequential(resnet, Fails())
    with pytest.raises(error):
        capture(broken, images, ["0.layer1", "0.layer4"], grad=True)
    assert hooks(resnet) == before == 0 and hooks(broken) == 0


def test_eight_threads_on_one_shared_model_get_what_they_get_one_after_another(chelsea):
    model = shared_model("texture_vit", "random")
    shared = model.net
    before = {name: tensor.clone() for name, tensor in shared.state_dict().items()}
    pictures = [model.preprocess(chelsea.rotate(angle)) for angle in range(0, 80, 10)]

    def features(x):
        return as_maps(capture(shared, x, ["blocks.2"]).layers["blocks.2"], model.layouts["blocks.2"])

    def gradients(x):
        captured = capture(shared, x, ["blocks.3"], grad=True)
        return torch.autograd.grad(captured.output[0, 3], captured.layers["blocks.3"])[0]

    methods = [
        lambda x: shared(x),
        features,
        lambda x: attention(shared, x, model.attention)[-1],
        gradients,
        lambda x: pca_colours(features(x)),
    ]
    jobs = [(methods[i % len(methods)], pictures[i % 8]) for i in range(40)]
    expected = [method(x) for method, x in jobs]
    results = [None] * len(jobs)

    def work(thread):
        for i in range(thread, len(jobs), 8):
            results[i] = jobs[i][0](jobs[i][1])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(a, b) for a, b in zip(results, expected, strict=True))
    assert hooks(shared) == 0
    assert all(torch.equal(before[name], tensor) for name, tensor in shared.state_dict().items())
    assert not any(p.requires_grad or p.grad is not None for p in shared.parameters())
