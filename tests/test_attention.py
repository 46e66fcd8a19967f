"""Rollout and relevance against plain full-matrix references, on every kind of Vision Transformer."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from shared import shared_model
from torch.utils.flop_counter import FlopCounterMode

from vizcore.capture import private_copy
from vizcore.methods import attention, rollout, tokens
from vizcore.networks.load import load_model
from vizcore.networks.torchvision_ops import timm, torchvision
from vizcore.truth import likeness


def random_attention(blocks=4, batch=2, heads=3, tokens=13, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        (3 * torch.randn(batch, heads, tokens, tokens, generator=generator)).softmax(-1)
        for _ in range(blocks)
    ]


def reference_rollout(attentions, residual, fusion, discard, prefix, through_prefix=True):
    """The whole product, one matrix and one row at a time, as the paper writes it: (blocks, B, N, N)."""
    tokens = attentions[0].shape[-1]
    built = []
    for one in range(attentions[0].shape[0]):
        product, steps = torch.eye(tokens, dtype=torch.float64), []
        for block in attentions:
            heads = block[one].double()
            fused = {"mean": heads.mean(0), "max": heads.max(0).values, "min": heads.min(0).values}[fusion]
            matrix = torch.zeros_like(fused)
            for query in range(tokens):
                row = fused[query].clone()
                order = sorted(range(prefix, tokens), key=lambda key, row=row: row[key].item())
                row[order[: int(discard * (tokens - prefix))]] = 0
                if not through_prefix:
                    row[:prefix] = 0
                matrix[query] = row / row.sum()
            product = (residual * torch.eye(tokens) + (1 - residual) * matrix) @ product
            steps.append(product)
        built.append(torch.stack(steps))
    return torch.stack(built, dim=1)


def starts(tokens):
    return torch.eye(tokens)


# ---------------------------------------------------------------- rollout


@pytest.mark.parametrize("fusion", ["mean", "max", "min"])
@pytest.mark.parametrize("residual", [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("discard", [0.0, 0.25, 0.9])
def test_rollout_is_the_full_product(fusion, residual, discard):
    attentions = random_attention()
    settings = {"residual": residual, "fusion": fusion, "discard": discard, "prefix": 1}
    for through_prefix in (True, False):
        rows = rollout.rollout(attentions, starts(13), **settings, through_prefix=through_prefix)
        assert rows.shape == (4, 2, 13, 13)
        expected = reference_rollout(attentions, **settings, through_prefix=through_prefix)
        assert (rows - expected).abs().max() < 1e-6
        assert (rows.sum(-1) - 1).abs().max() < 1e-6


@pytest.mark.parametrize("prefix", [0, 2, 5])
def test_rollout_counts_prefix_tokens(prefix):
    attentions = random_attention(tokens=17)
    rows = rollout.rollout(attentions, starts(17), discard=0.5, prefix=prefix, through_prefix=False)
    expected = reference_rollout(attentions, 0.5, "mean", 0.5, prefix, through_prefix=False)
    assert (rows - expected).abs().max() < 1e-6


def test_rollout_of_a_mixture_is_the_mixture_of_rollouts():
    attentions = random_attention()
    start = torch.rand(2, 13)
    start /= start.sum(-1, keepdim=True)
    every = rollout.rollout(attentions, starts(13))
    assert torch.allclose(rollout.rollout(attentions, start), start @ every, atol=1e-6)


def test_rollout_of_rows_without_attention_keeps_the_tokens():
    attentions = [torch.zeros(1, 2, 5, 5)] + random_attention(1, 1, 2, 5)
    rows = rollout.rollout(attentions, starts(5))
    assert torch.allclose(rows[0, 0], torch.eye(5)) and (rows.sum(-1) - 1).abs().max() < 1e-6


def test_rollout_of_uniform_attention_discards_exactly_the_share():
    rows = rollout.rollout([torch.full((1, 2, 9, 9), 1 / 9)], starts(9), residual=0, discard=0.5, prefix=1)
    assert ((rows > 0).sum(-1) == 5).all() and (rows[..., 0] > 0).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rollout_of_half_precision_sums_to_one(dtype):
    attentions = random_attention()
    rows = rollout.rollout([a.to(dtype) for a in attentions], starts(13), discard=0.3)
    assert (rows.sum(-1) - 1).abs().max() < 1e-6
    assert (rows - rollout.rollout(attentions, starts(13), discard=0.3)).abs().max() < 0.05


def test_rollout_multiplies_the_rows_that_are_asked_for():
    blocks, tokens = 12, 197
    attentions = random_attention(blocks, 1, 2, tokens)
    with FlopCounterMode(display=False) as counter:
        rollout.rollout(attentions, starts(tokens)[:1])
    assert (
        counter.get_total_flops() == sum(range(1, blocks + 1)) * 2 * tokens**2
    )  # a row for each block above
    assert counter.get_total_flops() < blocks * 2 * tokens**3 / 25  # a product of whole matrices


def test_rollout_refuses_what_it_does_not_know():
    attentions = random_attention(1)
    with pytest.raises(ValueError, match="'median'; heads are fused by mean, max, min"):
        rollout.rollout(attentions, starts(13), fusion="median")
    with pytest.raises(ValueError, match="discard 0 to below 1, not 0.5 and 1"):
        rollout.rollout(attentions, starts(13), discard=1)


# ---------------------------------------------------------------- on networks

SMALL = {"depth": 3, "img_size": (64, 96), "num_classes": 7}
KINDS = {  # architecture, options, prefix tokens, grid, where the answer is read
    "vit": ("vit_tiny_patch16_224", SMALL, 1, (4, 6), [0]),
    "deit": ("deit_tiny_patch16_224", SMALL, 1, (4, 6), [0]),
    "distilled": ("deit_tiny_distilled_patch16_224", SMALL, 2, (4, 6), [0, 1]),
    "registers": (
        "vit_small_patch14_reg4_dinov2",
        {**SMALL, "img_size": (56, 84)},
        5,
        (4, 6),
        [0],
    ),
    "pooled": (
        "vit_tiny_patch16_224",
        {**SMALL, "class_token": False, "global_pool": "avg"},
        0,
        (4, 6),
        "all",
    ),
    "pooled beside a class token": (
        "vit_tiny_patch16_224",
        {**SMALL, "global_pool": "avg"},
        1,
        (4, 6),
        "all",
    ),
    "attention pooled": (
        "vit_base_patch16_siglip_224",
        {**SMALL, "embed_dim": 48, "num_heads": 3, "pretrained": False},
        0,
        (4, 6),
        "all",
    ),
}


@pytest.fixture(scope="module", params=[*KINDS, "torchvision"])
def kind(request):
    """A small network with sharp attention: (net, images, attention modules, grid, prefix, readers)."""
    torch.manual_seed(0)
    if request.param == "torchvision":
        net = torchvision.models.VisionTransformer(64, 16, 3, 3, 48, 96, num_classes=7)
        modules = [f"encoder.layers.encoder_layer_{i}.self_attention" for i in range(3)]
        torch.nn.init.normal_(net.heads.head.weight)
        prefix, grid, readers, size = 1, (4, 4), [0], (64, 64)
    else:
        arch, options, prefix, grid, readers = KINDS[request.param]
        net = timm.create_model(arch, **options)
        modules = [f"blocks.{i}.attn" for i in range(3)]
        size = options["img_size"]
    for name, parameter in net.named_parameters():
        if "qkv.weight" in name or "in_proj_weight" in name or "head" in name and parameter.ndim == 2:
            parameter.data.normal_(std=0.3)
    net.eval().requires_grad_(False)
    return net, torch.randn(2, 3, *size), modules, grid, prefix, readers


def test_rollout_of_a_network(kind):
    net, images, modules, grid, prefix, readers = kind
    attentions = attention.attention(net, images, modules)
    count = prefix + grid[0] * grid[1]
    assert [a.shape[2:] for a in attentions] == [(count, count)] * 3
    start = tokens.readout(net, grid, prefix)
    expected = torch.zeros(count)
    expected[slice(prefix, None) if readers == "all" else readers] = 1
    assert torch.equal(start[0], expected / expected.sum())
    rows = rollout.rollout(attentions, start, discard=0.4, prefix=prefix)
    full = reference_rollout(attentions, 0.5, "mean", 0.4, prefix)
    assert (rows - start.double() @ full).abs().max() < 1e-6
    assert (rows.sum(-1) - 1).abs().max() < 1e-6
    maps = tokens.on_patches(rows, grid, prefix)
    assert maps.shape == (3, 2, 1, *grid)
    where = tokens.patch(2, 3, grid, prefix)
    assert tokens.on_patches(where, grid, prefix)[0, 2, 3] == 1 and where.sum() == 1


class Recorder(torch.nn.Module):
    """An identity that keeps what passes, for autograd to find."""

    def forward(self, values):
        self.seen = values.requires_grad_() if not values.requires_grad else values
        return self.seen


def reference_class_attention(net, images, modules, index):
    """The attention of the unhooked network with its graph, and autograd's gradients on it."""
    copy = private_copy(net)
    recorders = []
    for module in modules:
        owner = copy.get_submodule(module)
        recorders.append(Recorder())
        if isinstance(owner, torch.nn.MultiheadAttention):
            parent, _, child = module.rpartition(".")
            copy.get_submodule(parent)._modules[child] = PlainAttention(owner, recorders[-1])
        else:
            owner.fused_attn = False
            owner._modules["attn_drop"] = recorders[-1]
    score = copy(images)[:, index].sum()
    matrices = [recorder.seen for recorder in recorders]
    gradients = torch.autograd.grad(score, matrices)
    return [
        (matrix * gradient).clamp(min=0).mean(1).detach().double()
        for matrix, gradient in zip(matrices, gradients, strict=True)
    ]


class PlainAttention(torch.nn.Module):
    """Attention head by head, from the weights of an ``nn.MultiheadAttention``."""

    def __init__(self, attention, recorder):
        super().__init__()
        self.attention, self.recorder = attention, recorder

    def forward(self, x, *_args, **_options):
        mha, (batch, tokens, width) = self.attention, x.shape
        each = width // mha.num_heads
        q, k, v = (
            (x @ w.T + b).view(batch, tokens, mha.num_heads, each).transpose(1, 2)
            for w, b in zip(mha.in_proj_weight.chunk(3), mha.in_proj_bias.chunk(3), strict=True)
        )
        matrix = self.recorder(torch.softmax(q @ k.mT / math.sqrt(each), -1))
        return mha.out_proj((matrix @ v).transpose(1, 2).reshape(batch, tokens, width)), None


def test_relevance_agrees_with_autograd(kind):
    net, images, modules, grid, prefix, _ = kind
    scores, weighted = rollout.class_attention(net, images, modules, [4, 1])
    assert torch.allclose(scores, net(images), atol=1e-4)
    start = tokens.readout(net, grid, prefix)
    rows = rollout.relevance(weighted, start)
    assert rows.shape == (3, 2, 2, 1, prefix + grid[0] * grid[1])
    for k, index in enumerate([4, 1]):
        reference = reference_class_attention(net, images, modules, index)
        relevance = torch.eye(reference[0].shape[-1], dtype=torch.float64).expand_as(reference[0])
        for depth, block in enumerate(reference):
            relevance = relevance + block @ relevance
            expected = start.double() @ relevance - start.double()  # (B, 1, N), the identity taken out
            on_patches = tokens.on_patches(expected, grid, prefix)
            error = tokens.on_patches(rows[depth, k], grid, prefix) - on_patches
            assert error.abs().max() <= 1e-4 * max(on_patches.max(), 1e-30)
        gradient_rollout = rollout.weighted_rollout(
            [b[k] for b in weighted], start, residual=0.5, prefix=prefix
        )
        assert (gradient_rollout.sum(-1) - 1).abs().max() < 1e-6
    last = tokens.on_patches(rows[-1, :, :, 0], grid, prefix)
    assert likeness.correlation(last[0], last[1]) < 0.999  # the class matters
    assert likeness.correlation(last[0], last[0]) == pytest.approx(1)


def test_nothing_is_left_behind(kind):
    net, images, modules, *_ = kind
    before = {name: value.clone() for name, value in net.state_dict().items()}
    rollout.class_attention(net, images, modules, [0])
    with pytest.raises(ValueError, match="class 7 is not one of the network's, 0 to 6"):
        rollout.class_attention(net, images, modules, [7])
    with pytest.raises(RuntimeError):
        attention.attention(net, images[:, :1], modules)  # a grey picture where three channels are expected
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())
    assert all(p.grad is None and not p.requires_grad for p in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_half_precision_network():
    net = timm.create_model("vit_tiny_patch16_224", **SMALL).eval().requires_grad_(False).bfloat16()
    images = torch.randn(1, 3, 64, 96, dtype=torch.bfloat16)
    modules = [f"blocks.{i}.attn" for i in range(3)]
    rows = rollout.rollout(attention.attention(net, images, modules), tokens.readout(net, (4, 6), 1))
    assert (rows.sum(-1) - 1).abs().max() < 1e-6
    _, weighted = rollout.class_attention(net, images, modules, [0])
    assert rollout.relevance(weighted, tokens.readout(net, (4, 6), 1)).isfinite().all()


def test_eight_threads_get_what_one_gets():
    model = shared_model("texture_vit", "random")
    pictures = [torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(i)) for i in range(8)]
    start = tokens.readout(model.net, model.grid, 1)

    def answer(images):
        rolled = rollout.rollout(attention.attention(model.net, images, model.attention), start)
        _, weighted = rollout.class_attention(model.net, images, model.attention, [3, 5])
        return torch.cat([rolled.flatten(), rollout.relevance(weighted, start).flatten()])

    alone = [answer(images) for images in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(answer, pictures))
    for a, b in zip(alone, together, strict=True):
        assert torch.allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_agrees_with_the_cpu():
    images = torch.randn(1, 3, 128, 128)
    results = []
    for device in ("cpu", "cuda"):
        model = load_model("texture_vit", "random", device=device)
        start = tokens.readout(model.net, model.grid, 1)
        matrices = attention.attention(model.net, images.to(device), model.attention)
        _, weighted = rollout.class_attention(model.net, images.to(device), model.attention, [3])
        results.append((rollout.rollout(matrices, start).cpu(), rollout.relevance(weighted, start).cpu()))
    for cpu, cuda in zip(*results, strict=True):
        assert (cpu - cuda).abs().max() <= 1e-3 * cpu.max()


# ---------------------------------------------------------------- heads


def test_distance_of_known_attention():
    grid, tokens = (3, 4), 13
    itself = torch.eye(tokens)
    itself[1:, 0] = 5  # what goes to the class token is no distance
    right = torch.zeros(tokens, tokens)
    for patch in range(12):
        row, column = divmod(patch, 4)
        right[1 + patch, 1 + row * 4 + (column + 1) % 4] = 1
    mean = attention.distances(torch.stack([itself, right])[None], grid, 1, (16, 8))
    assert mean.shape == (1, 2)
    assert mean[0, 0] == 0 and mean[0, 1] == pytest.approx((9 * 8 + 3 * 24) / 12)
    everywhere = attention.distances(torch.full((1, 1, 12, 12), 1 / 12), grid, 0, (16, 8)).item()
    places = [(16 * r, 8 * c) for r in range(3) for c in range(4)]
    assert everywhere == pytest.approx(sum(math.dist(a, b) for a in places for b in places) / 144, rel=1e-5)


def test_attended_and_fused():
    matrices = random_attention(1, 1, 3, 13)[0][0]
    heat, share = attention.attended(attention.fuse(matrices, 1), None, (3, 4), 1)
    assert torch.equal(heat.flatten(), matrices[1, 0, 1:]) and share == matrices[1, 0, 0].item()
    heat, _ = attention.attended(attention.fuse(matrices, "max"), (2, 1), (3, 4), 1)
    assert torch.equal(heat.flatten(), matrices[:, 10].amax(0)[1:])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("test_resnet", "It has no attention"),
        pytest.param("swin_tiny_patch4_window7_224", "confined to windows", marks=pytest.mark.long),
        pytest.param("lambda_resnet26t", "Lambda layers", marks=pytest.mark.long),
    ],
)
def test_why_there_is_no_rollout(name, words):
    model = shared_model(name, "random")
    assert model.attention == []
    assert words in model.no_rollout
