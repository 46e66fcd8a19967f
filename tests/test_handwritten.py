"""Attention of networks written by hand is the one that they apply, whatever computes it."""

import math
from contextlib import nullcontext

import pytest
import torch
from test_networks import noise, own
from torch import nn
from torch.nn import functional as F

from benchmarks import reasons
from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.table import METHODS
from vizcore.networks.torchvision_ops import timm

WIDTH, HEADS, PATCHES = 24, 4, 16


def heads(x, count=HEADS):
    return x.unflatten(2, (count, -1)).transpose(1, 2)  # (B, N, C) -> (B, heads, N, C / heads)


def rotated(x):
    """Rotary positions: pairs of features turned by an angle that grows with the token's number."""
    angles = torch.arange(x.shape[-2])[:, None] / 10 ** torch.arange(0, x.shape[-1] // 2)
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


class Attention(nn.Module):
    """Says itself what it multiplies its values with: ``kept`` gets a copy of each matrix."""

    def __init__(self, way: str, kept: list):
        super().__init__()
        self.way, self.kept, keys = way, kept, 2 if "grouped" in way else HEADS
        self.q, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.k, self.v = (nn.Linear(WIDTH, WIDTH // HEADS * keys) for _ in range(2))
        self.keys = keys

    def forward(self, x):
        q, k, v = heads(self.q(x)), heads(self.k(x), self.keys), heads(self.v(x), self.keys)
        if "rotary" in self.way:
            q, k = rotated(q), rotated(k)
        mask = torch.rand(x.shape[1], x.shape[1], generator=torch.Generator().manual_seed(0)) < 0.7
        mask = mask | torch.eye(x.shape[1], dtype=torch.bool) if "masked" in self.way else None
        wide = [one.repeat_interleave(HEADS // self.keys, 1) for one in (k, v)]
        scores = q @ wide[0].transpose(-2, -1) / math.sqrt(q.shape[-1])
        scores = scores if mask is None else scores.masked_fill(~mask, -math.inf)
        with torch._C.DisableTorchFunction() if "SDPA" in self.way else nullcontext():
            own = FUNCTIONS.get(self.way, lambda scores: scores.softmax(-1))(scores)
        self.kept.append(own.detach().clone())
        if "SDPA" in self.way:
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=self.keys != HEADS)
        elif "einsum" in self.way:
            mixed = torch.einsum("bhqk,bhkd->bhqd", own, wide[1])
        elif "bmm" in self.way:
            mixed = torch.bmm(own.flatten(0, 1), wide[1].flatten(0, 1)).unflatten(0, (-1, HEADS))
        elif "linear" in self.way:
            mixed = q.relu() @ (k.relu().transpose(-2, -1) @ v)
        elif "mixed" in self.way:
            mixed = own.flip(1) * 0.5 @ wide[1]
        else:
            mixed = own @ wide[1]
        return self.out(mixed.transpose(1, 2).flatten(2))


class Torch(nn.Module):
    """torch's own module, and what it says of itself."""

    def __init__(self, kept: list):
        super().__init__()
        self.inner, self.kept = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True), kept

    def forward(self, x):
        with torch._C.DisableTorchFunction():
            self.kept.append(self.inner(x, x, x, average_attn_weights=False)[1].detach())
        return self.inner(x, x, x, need_weights=False)[0]


class Vit(nn.Module):
    def __init__(self, way: str, kept: list):
        super().__init__()
        torch.manual_seed(0)
        self.registers = 4 if "registers" in way else 0
        self.embed = nn.Conv2d(3, WIDTH, 16, 16)
        self.first = nn.Parameter(torch.randn(1, 1 + self.registers, WIDTH))
        self.places = nn.Parameter(torch.randn(1, PATCHES + 1 + self.registers, WIDTH))
        make = Torch if "nn.MultiheadAttention" in way else lambda kept: Attention(way, kept)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(3))
        self.attend = nn.ModuleList(make(kept) for _ in range(3))
        self.way, self.head = way, nn.Linear(WIDTH, 5)

    def forward(self, x):
        x = self.embed(x)
        x = (x.mT if "columns" in self.way else x).flatten(2).transpose(1, 2)
        first = self.first.expand(len(x), -1, -1)
        tokens = [first[:, :1], x, first[:, 1:]] if "behind" in self.way else [first, x]
        x = torch.cat(tokens, 1) + self.places
        for norm, attend in zip(self.norms, self.attend, strict=True):
            x = x + 3 * attend(norm(x))
        return self.head(x[:, 1 + self.registers :].mean(1) if "mean" in self.way else x[:, 0])


FUNCTIONS = {  # of the scores, in place of a softmax
    "relu": lambda scores: scores.relu() / scores.shape[-1],
    "sigmoid": torch.sigmoid,
    "none": lambda scores: scores / scores.shape[-1],
    "exp": lambda scores: scores.exp() / scores.exp().sum(-1, keepdim=True),
    "linear": torch.zeros_like,
}
WAYS = [
    "SDPA",
    "SDPA masked rotary",
    "SDPA grouped registers",
    "q @ k.T",
    "q @ k.T masked grouped",
    "q @ k.T rotary registers mean",
    "einsum",
    "bmm",
    "nn.MultiheadAttention",
]


@pytest.mark.parametrize("way", WAYS)
def test_attention_is_the_networks_own_and_gradients_reach_it(way):
    kept = []
    model = own(Vit(way, kept))
    assert len(model.attention) == 3 and model.num_prefix_tokens == (5 if "registers" in way else 1)
    kept = model.net.attend[0].kept  # of the model's copy
    images = noise(model, 1)
    kept.clear()
    answer = model.net(images)
    theirs = [one.kept for one in model.net.attend]
    theirs = kept[:3] if theirs[0] is theirs[1] else [one[0] for one in theirs]
    for one, other in zip(attention(model.net, images, model.attention), theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
    found = capture(model.net, images, [f"{name}.attn_drop" for name in model.attention], grad=True)
    assert torch.allclose(found.output, answer, atol=1e-5)
    slopes = torch.autograd.grad(found.output[:, 2].sum(), list(found.layers.values()))
    assert all(slope.abs().max() > 0 for slope in slopes)
    heat = METHODS["relevance"].make(model, images, 2)
    assert heat.shape == (4, 4) and heat.max() > heat.min()


def test_a_matrix_that_is_changed_before_it_is_applied_is_refused():
    model = own(Vit("mixed", []))
    assert not model.attention and "not, as it stands" in model.no_rollout


class Unnamed(Attention):
    """Nothing in its name says that it attends."""


@pytest.mark.parametrize("way", FUNCTIONS)
def test_attention_without_a_softmax_is_not_said_to_be_none(way):
    net = Vit(way, [])
    for one in net.attend:
        one.__class__ = Unnamed
    model = own(net)
    assert not model.attention and "weigh each other by products" in model.no_rollout
    assert (model.family, model.mixing) == ("vit", "products of their features")
    assert not reasons.checked(model.net, noise(model, 0), model.no_rollout)


class Without(nn.Module):
    """Places learn of each other by neither convolution nor attention, or by a convolution along tokens."""

    def __init__(self, way: str):
        super().__init__()
        torch.manual_seed(0)
        self.way, self.embed, self.head = way, nn.Conv2d(3, WIDTH, 16, 16), nn.Linear(WIDTH, 5)
        self.squeeze, self.along = nn.Linear(WIDTH, WIDTH), nn.Conv1d(WIDTH, WIDTH, 3, padding=1)
        self.memory = nn.LSTM(WIDTH, WIDTH, batch_first=True)
        self.last = nn.Identity()

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2)
        if self.way == "squeeze":
            x = x * self.squeeze(x.mean(1, keepdim=True)).sigmoid()
        elif self.way == "LSTM":
            x = self.memory(x)[0]
        else:
            x = self.along(x.mT).mT
        return self.head(self.last(x).mean(1))


@pytest.mark.parametrize(
    ("way", "mixing"),
    [
        ("squeeze", "neither convolution nor attention"),
        ("LSTM", "neither convolution nor attention"),
        ("along", "convolution"),
    ],
)
def test_what_weighs_places_by_no_attention_is_told_no_more_than_that(way, mixing):
    model = own(Without(way))
    assert model.mixing == mixing and "no attention over places" in model.no_rollout
    assert not reasons.checked(model.net, noise(model, 0), model.no_rollout)


class Again(Vit):
    """The same attention in every block."""

    def __init__(self, way: str):
        super().__init__(way, [])
        self.attend = nn.ModuleList([self.attend[0]] * 3)


@pytest.mark.parametrize("way", ["q @ k.T", "SDPA", "nn.MultiheadAttention"])
def test_attention_that_blocks_share_is_each_blocks_own(way):
    model = own(Again(way))
    images = noise(model, 1)
    found = attention(model.net, images, model.attention)
    kept = model.net.attend[0].kept
    kept.clear()
    model.net(images)
    assert len(found) == 3
    for one, other in zip(found, kept, strict=True):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_block_of_timms_that_runs_twice_is_told_so():
    net = timm.create_model("test_vit", img_size=64, num_classes=5)
    net.blocks = nn.Sequential(net.blocks[0], net.blocks[0], net.blocks[1])
    model = own(net)
    assert not model.attention and "several times in one pass with the same module" in model.no_rollout
    assert not reasons.checked(model.net, noise(model, 0), model.no_rollout)


@pytest.mark.parametrize("way", ["q @ k.T columns", "q @ k.T registers behind"])
def test_attention_of_tokens_in_another_order_is_not_shown_in_the_wrong_place(way):
    model = own(Vit(way, []))
    assert not model.attention and "don't lie as the picture's patches do" in model.no_rollout


def test_tokens_before_registers_lie_where_they_are_in_the_picture():
    model = own(Vit("q @ k.T registers behind", []))
    layout, images = model.layouts["norms.0"], noise(model, 1)
    assert (layout.prefix, layout.order) == (1, tuple(range(PATCHES)))
    changed = images.clone()
    changed[..., 32:48, 16:32] += 1
    seen = [layout.maps(capture(model.net, one, ["norms.0"]).layers["norms.0"]) for one in (images, changed)]
    where = (seen[1] - seen[0]).abs().sum((0, 1)).nonzero().tolist()
    assert where == [[2, 1]]


class Beside(nn.Module):
    """Two attentions of the same tokens, added up, in the network's own forward."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Conv2d(3, WIDTH, 16, 16), nn.Linear(WIDTH, 5)

    def forward(self, x):
        x = heads(self.embed(x).flatten(2).transpose(1, 2))
        x = F.scaled_dot_product_attention(x, x, x) + F.scaled_dot_product_attention(x, -x, x)
        return self.head(x.transpose(1, 2).flatten(2).mean(1))


def test_attentions_of_one_forward_side_by_side_are_not_multiplied():
    model = own(Beside())
    assert not model.attention and "side by side" in model.no_rollout


class TokensFirst(nn.Module):
    """torch's encoder as it comes: tokens, then pictures."""

    def __init__(self, batch_first):
        super().__init__()
        torch.manual_seed(0)
        self.batch_first, self.embed = batch_first, nn.Conv2d(3, WIDTH, 16, 16)
        self.places, self.head = nn.Parameter(torch.randn(1, 16, WIDTH)), nn.Linear(WIDTH, 5)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 32, batch_first=batch_first, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x):
        x = self.embed(x).flatten(2).transpose(1, 2) + self.places
        x = self.blocks(x) if self.batch_first else self.blocks(x.transpose(0, 1)).transpose(0, 1)
        return self.head(x.mean(1))


def test_attention_of_tokens_before_pictures_is_that_of_pictures_before_tokens():
    one, other = own(TokensFirst(False)), own(TokensFirst(True))
    images = noise(one, 0)
    assert (one.grid, one.no_rollout) == (other.grid, "") == ((4, 4), "")
    assert "blocks.layers.1 are left out: they put out pictures behind places" in one.remark
    assert not other.remark
    for name in ("rollout", "relevance"):
        maps = [METHODS[name].make(model, images, 1) for model in (one, other)]
        assert maps[0].max() > 0 and torch.allclose(*maps, atol=1e-6)


class HeadsFirst(nn.Module):
    """One axis for heads and pictures, heads first."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.head = nn.Conv2d(3, WIDTH, 16, 16), nn.Linear(WIDTH, 5)

    def forward(self, x):
        x = heads(self.embed(x).flatten(2).transpose(1, 2)).transpose(0, 1)  # (heads, B, N, C)
        tokens = x.flatten(0, 1)
        mixed = torch.bmm((3 * tokens @ tokens.mT).softmax(-1), tokens)
        return self.head(mixed.view_as(x).permute(1, 2, 0, 3).flatten(2).mean(1))


def test_heads_before_pictures_are_not_said_to_be_side_by_side():
    model = own(HeadsFirst())
    assert not model.attention and "an order that isn't known" in model.no_rollout


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_torchs_attention_in_the_open_is_torchs(masked, batch_first):
    """Tokens first or pictures first, with masks of both kinds, and the weights that it returns."""
    torch.manual_seed(0)
    mha = nn.MultiheadAttention(WIDTH, HEADS, batch_first=batch_first).eval().requires_grad_(False)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.mha = mha

        def forward(self, x):
            hide = torch.zeros(2, 9, dtype=torch.bool)
            hide[1, 5:] = True
            ahead = torch.ones(9, 9, dtype=torch.bool).triu(1)
            masks = {"key_padding_mask": hide, "attn_mask": ahead} if masked else {}
            return self.mha(x, x, x, **masks)

    images = torch.randn(2, 9, WIDTH) if batch_first else torch.randn(9, 2, WIDTH)
    whole, weights = Net()(images)
    found = capture(Net(), images, ["mha.attn_drop"])
    assert torch.allclose(found.output[0], whole, atol=1e-5)
    assert torch.allclose(found.output[1], weights, atol=1e-6)
