"""Architectures that nobody built the methods for: a right map, or a true sentence."""

import random
import time
from functools import cache

import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from benchmarks import networks, reasons
from vizcore.capture import capture
from vizcore.methods import cam, tokens
from vizcore.methods import table as heatmaps
from vizcore.methods.features import as_maps
from vizcore.networks import geometry
from vizcore.networks.load import from_module, load_model
from vizcore.networks.one_pass import awake
from vizcore.networks.torchvision_ops import timm, torchvision


def prepared(height, width):
    steps = torchvision.transforms
    normalise = steps.Normalize([0.5] * 3, [0.5] * 3)
    return steps.Compose([steps.Resize((height, width)), steps.ToTensor(), normalise])


def own(net, height=64, width=64):
    """A network of one's own at a size."""
    return from_module(net, prepared(height, width))


NARROW = {  # by name, pixels and options of the same architecture with less in it
    "xcit_nano_12_p16_224": (96, {"depth": 3, "embed_dim": 32, "num_heads": 4, "img_size": 96}),
    "levit_128s": (224, {"embed_dim": (32, 48, 64), "key_dim": 8, "num_heads": (2, 3, 4)}),
    "hiera_tiny_224": (128, {"img_size": 128, "embed_dim": 24}),
    "mixer_s16_224": (64, {"img_size": 64}),
    "resmlp_12_224": (64, {"img_size": 64}),
    "convnext_atto": (64, {"depths": (1, 1, 2, 1), "dims": (8, 16, 24, 32)}),
    "resnet18": (64, {}),
    "efficientvit_b0": (96, {}),
    "lambda_resnet26t": (96, {}),
    "mobilevit_xxs": (96, {}),
    "mobilevitv2_050": (96, {}),
}


@cache
def narrow(name):
    """A small one of an architecture; ``benchmarks networks`` takes them as they are."""
    side, options = NARROW.get(name) or (timm.get_pretrained_cfg(name).input_size[-1], {})
    torch.manual_seed(0)
    return own(timm.create_model(name, num_classes=5, **options), side, side)


def noise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    size = model.preprocess(Image.new("RGB", (300, 300))).shape
    return torch.randn(size, generator=generator)


def why(model):
    """Why there is no rollout, in a sentence."""
    return model.no_rollout


# ---------------------------------------------------------------- where maps come from


def centroids(model, layer):
    """Where a layer's squared change lies when 16 squares of two pictures change, beside where they lie."""
    found, wanted = [], []
    for seed in range(2):
        picture, other = noise(model, seed), noise(model, seed + 100)
        pictures = picture.repeat(17, 1, 1, 1)
        rows, columns = (picture.shape[-2] // 4, picture.shape[-1] // 4)
        for square in range(16):
            row, column = divmod(square, 4)
            place = ..., slice(row * rows, (row + 1) * rows), slice(column * columns, (column + 1) * columns)
            pictures[square + 1][place] = other[0][place]
        values = capture(model.net, pictures, [layer]).layers[layer]
        maps = [as_maps(value[None], model.layouts[layer]).double() for value in values]
        for square, after in enumerate(maps[1:]):
            change = (after - maps[0]).square().sum(0)
            change = change / change.sum()
            h, w = change.shape
            y = (change.sum(1) * (torch.arange(h) + 0.5)).sum() / h
            x = (change.sum(0) * (torch.arange(w) + 0.5)).sum() / w
            found.append((y.item(), x.item()))
            wanted.append(((square // 4 + 0.5) / 4, (square % 4 + 0.5) / 4))
    return torch.tensor(found), torch.tensor(wanted)


def follows(model, layer):
    found, wanted = centroids(model, layer)
    table = torch.corrcoef(torch.cat([found, wanted], 1).T)[:2, 2:]  # (y, x) found × (y, x) wanted
    offset = (found - wanted).mean(0) * torch.tensor(model.layouts[layer].grid)
    return bool(
        table.diagonal().min() >= 0.8
        and table.fliplr().diagonal().abs().max() <= 0.3
        and offset.abs().max() <= 1
    )


DEEPEST = {  # by name, the parts of the network that its default layer must lie in, or the word for less
    "xcit_nano_12_p16_224": ("cls_attn_blocks.1",),
    "pit_ti_224": ("transformers.2",),
    "levit_128s": ("stages.2",),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long) if name == "pit_ti_224" else name for name in DEEPEST]
)
def test_the_default_layer_is_deep_and_a_map_of_the_picture(name):
    model = narrow(name)
    layer = cam.default_layer(model)
    said = getattr(model, "remark", "")
    assert layer.startswith(DEEPEST[name]) or any(part in said for part in DEEPEST[name])
    assert follows(model, layer)
    maps = [
        as_maps(capture(model.net, noise(model, k), [layer]).layers[layer], model.layouts[layer])
        for k in (0, 1)
    ]
    assert not torch.equal(*maps)  # a position embedding is the same for every picture


def test_tokens_in_the_order_of_windows_come_back_in_that_of_the_picture():
    model = narrow("hiera_tiny_224")
    images = noise(model, 0)
    inner = model.net.forward_intermediates(images, output_fmt="NCHW", intermediates_only=True)
    assert "blocks.0" in model.layouts
    maps = as_maps(capture(model.net, images, ["blocks.0"]).layers["blocks.0"], model.layouts["blocks.0"])
    assert maps.shape == inner[0][0].shape and torch.allclose(maps, inner[0][0], atol=1e-4)


def test_parallel_blocks_are_asked_at_the_last_one():
    net = timm.create_model(
        "vit_base_patch16_xp_224", depth=3, embed_dim=48, num_heads=3, img_size=64, num_classes=5
    )
    assert cam.default_layer(own(net)).startswith("blocks.2.")


def test_what_is_the_same_for_every_picture_is_no_layer():
    model = narrow("xcit_nano_12_p16_224")
    assert "pos_embed" not in model.layers


def small_cnn():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(), nn.Conv2d(16, 16, 5, 2, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 3),
    )  # fmt: skip


@pytest.mark.parametrize("size", [(37, 91), (301, 97), (64, 64)])
def test_a_small_cnn_keeps_its_layers_at_sizes_that_are_no_multiple_of_its_stride(size):
    model = own(small_cnn(), *size)
    assert model.layers == ["0", "1", "2", "3", "4"] and cam.default_layer(model) == "4"


def test_a_resnet_has_the_same_layers_at_every_size():
    seed = time.time_ns()  # other sizes in each run
    print("seed", seed)
    draw = random.Random(seed)
    torch.manual_seed(0)
    net = timm.create_model("test_resnet", num_classes=4)
    wanted = own(net, 224, 224).layers
    for height, width in [
        (64, 64),
        (64, 640),
        *((draw.randint(64, 250), draw.randint(64, 400)) for _ in range(2)),
    ]:
        model = own(net, height, width)
        assert model.layers == wanted, (height, width)
        assert cam.default_layer(model) == "layer4.0"


# ---------------------------------------------------------------- attention


@pytest.mark.parametrize(
    "name",
    [
        "hiera_tiny_224",
        "levit_128s",
        "efficientvit_b0",
        pytest.param("botnet26t_256", marks=pytest.mark.long),
    ],
)
def test_a_network_that_attends_is_not_said_to_have_no_attention(name):
    model = narrow(name)
    assert model.family == "vit" and model.attention == []
    assert "no attention" not in why(model)


@pytest.mark.parametrize(
    ("name", "words", "reason"),
    [
        ("resnet18", "convolution", "no attention over places"),
        pytest.param(
            "mixer_s16_224",
            "neither convolution nor attention",
            "no attention over places",
            marks=pytest.mark.long,
        ),
        pytest.param("botnet26t_256", "convolution and attention", "Only some of", marks=pytest.mark.long),
        ("lambda_resnet26t", "convolution and lambda layers", "Lambda layers sum"),
        pytest.param(
            "mobilevitv2_050",
            "convolution and attention",
            "is multiplied with no values",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "lamhalobotnet50ts_256",
            "convolution, lambda layers and attention",
            "Some of its layers are lambda",
            marks=pytest.mark.long,
        ),
    ],
)
def test_how_places_learn_of_each_other(name, words, reason):
    """Attention beside lambda layers isn't passed over, and lambda layers are no attention."""
    model = narrow(name)
    assert model.mixing == words and reason in model.no_rollout


@pytest.mark.parametrize("name", ["resnet18", "mixer_s16_224", "convnext_atto"])
def test_a_network_without_attention_says_so(name):
    assert "no attention" in why(narrow(name))


def test_a_class_token_that_joins_on_the_way():
    net = timm.create_model(
        "convit_tiny", depth=4, local_up_to_layer=2, embed_dim=48, num_heads=3, img_size=64, num_classes=5
    )
    model = own(net)
    assert len(model.attention) in (0, 4)  # all of its blocks, or none
    images, matrices = noise(model, 0), []
    for block in model.net.blocks:  # the matrix that multiplies the values, from the outside
        block.attn.attn_drop.register_forward_hook(lambda _m, inputs, _o: matrices.append(inputs[0].double()))
    model.net(images)
    rows = torch.eye(17, dtype=torch.float64)
    for matrix in matrices:
        fused = matrix[0].mean(0)
        if len(fused) == 16:
            fused = torch.block_diag(torch.ones(1, 1, dtype=torch.float64), fused)
        rows = (0.5 * torch.eye(17) + 0.5 * fused) @ rows
    found = heatmaps.METHODS["rollout"].make(model, images, 0)
    assert torch.allclose(found.double().flatten(), rows[0, 1:], atol=1e-6)


def test_a_matrix_that_is_not_applied_as_it_stands_is_not_shown():
    net = timm.create_model(
        "vit_dwee_patch16_reg1_gap_256", depth=2, embed_dim=64, num_heads=4, img_size=64, num_classes=5
    )
    model = own(net)
    assert model.attention == [] and "applied to the values" in why(model)


def test_two_attentions_side_by_side_are_not_multiplied():
    net = timm.create_model(
        "vit_small_patch16_18x2_224", depth=2, embed_dim=48, num_heads=3, img_size=64, num_classes=5
    )
    model = own(net)
    assert model.attention == [] and "side by side" in why(model)


class Fused(nn.Module):
    """A ViT as people write it, with torch's fused attention."""

    def __init__(self, width=32):
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Conv2d(3, width, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 65, width))
        self.layers = nn.ModuleList(
            nn.ModuleDict({"norm": nn.LayerNorm(width), "qkv": nn.Linear(width, 3 * width),
                           "out": nn.Linear(width, width)}) for _ in range(3)
        )  # fmt: skip
        self.head = nn.Linear(width, 4)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.places
        for layer in self.layers:
            q, k, v = layer["qkv"](layer["norm"](x)).unflatten(2, (3, 4, -1)).permute(2, 0, 3, 1, 4)
            x = x + layer["out"](F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return self.head(x[:, 0])


def test_a_vit_written_by_hand_is_one():
    model = own(Fused())
    assert model.family == "vit" and "no attention" not in why(model)
    assert {"layers.0.norm", "layers.2.norm"} <= set(model.layers)
    assert cam.default_layer(model) == "layers.2.norm"
    assert follows(model, "layers.2.norm")
    assert cam.cam(model, noise(model, 1), 2).shape == (8, 8)


# ---------------------------------------------------------------- where the answer is read


def test_the_readout_is_what_the_classifier_reads():
    model = load_model("test_vit3", "random", device="cpu")
    seen = {}

    def keep(_module, _inputs, output):
        seen["tokens"] = output.detach().requires_grad_()
        return seen["tokens"]

    handle = model.net.norm.register_forward_hook(keep)
    score = model.net(noise(model, 0))[0, 3]
    handle.remove()
    (gradient,) = torch.autograd.grad(score, seen["tokens"])
    read = gradient[0].abs().sum(-1) > 0
    assert torch.equal(tokens.readout(model.net, model.grid, model.num_prefix_tokens)[0] > 0, read)


def test_the_readout_is_not_taken_from_before_the_last_attention():
    """Behind blocks that mix every place with every other, which are left out."""
    torch.manual_seed(0)
    net = timm.create_model("test_vit", depth=2, num_classes=5, img_size=64)
    with torch.no_grad():
        net.blocks[1].attn.proj.weight.mul_(1000)
    model = own(net)
    assert "blocks.1 is left out" in model.remark and len(model.attention) == 2
    assert tokens.readout(model.net, model.grid, model.num_prefix_tokens)[0].nonzero().tolist() == [[0]]


def test_relevance_of_a_network_that_averages_its_patches_is_no_flat_map():
    torch.manual_seed(0)
    net = timm.create_model(
        "vit_medium_patch16_gap_256", depth=2, embed_dim=64, num_heads=4, img_size=96, num_classes=5
    )
    model = own(net, 96, 96)
    heat = heatmaps.METHODS["relevance"].make(model, noise(model, 0), 1)
    assert heat.max() > 1.2 * heat.min() and heat.min() >= 0


@pytest.mark.parametrize("name", ["mixer_s16_224", "resmlp_12_224"])
def test_weights_that_start_at_zero_are_called_that(name):
    model = narrow(name)
    with pytest.raises(ValueError) as error:
        cam.cam(model, noise(model, 0), 0)
    assert "elsewhere" not in str(error.value) and "zero" in str(error.value)


def test_pages_say_what_is_left_out(app):
    at = app("pages/feature_maps.py", a="levit_128s", weights_a="random", b="texture_vit")
    assert not at.exception and not at.error
    assert any("stages.2 are left out" in one.value for one in at.caption)


def test_a_block_before_the_class_token_joins_is_shown(app):
    at = app(
        "pages/feature_maps.py", a="convit_tiny", weights_a="random", layer_a="blocks.2", view_a="Attention"
    )
    assert not at.exception and not at.error


@pytest.mark.parametrize(
    "name",
    [
        "test_vit",
        pytest.param("cait_xxs24_224", marks=pytest.mark.long),
        "levit_128s",
        pytest.param("mobilevit_xxs", marks=pytest.mark.long),
    ],
)
def test_reasons_of_no_rollout_hold_for_the_operators_and_no_other_would(name):
    """By a second means: what the pass comes down to, not what modules and functions are called."""
    model = narrow(name)
    images = torch.randn(model.preprocess(Image.new("RGB", (64, 64))).shape)
    found = reasons.facts(model.net, images)
    held = {part for part, holds in reasons.REASONS.items() if holds(found)}
    said = {part for part in reasons.REASONS if part in model.no_rollout}
    assert len(said) == bool(model.no_rollout) and said <= held
    assert not reasons.checked(model.net, images, model.no_rollout) if said else not held
    if said:  # attention that is there is not denied, and a matrix that is put out is not either
        assert bool(found.products or found.mixed) and "no attention over places" not in held - said
        assert ("gives no matrix away" in held) == (not found.given)


@pytest.mark.long
def test_what_passes_the_short_test_by_luck_is_looked_at_twice():
    """Random weights of this network spread every change; four squares alone don't show it."""
    model = load_model("shvit_s1", "random", device="cpu")
    found = networks.followed(awake(model.net), model, list({*model.blocks, model.cam_layer}))
    assert not any(one.reason(geometry.STRICT) for one in found.values())
    assert "stages.1" in model.left_out and "stages.1" in model.remark
