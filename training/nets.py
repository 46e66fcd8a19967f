"""The two architectures, both timm's, and what each says about every cell of the picture."""

import math

import timm
import torch
from torch import nn
from torch.nn import functional as F

from vizcore.pictures.textures import LABELS

MEAN, STD, SIZE = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 128

# name -> (timm architecture, its arguments)
ARCHITECTURES = {
    "resnet": (
        "resnet18",
        dict(layers=(1, 1, 1, 1), channels=(32, 64, 128, 256), output_stride=16, num_classes=len(LABELS)),
    ),
    "vit": ("vit_tiny_patch16_224", dict(img_size=SIZE, depth=6, num_classes=len(LABELS))),
}


# name -> (the layer that sees the pixels, how much stronger than one its filters are)
FIRST_LAYER = {"resnet": ("conv1", 3.0), "vit": ("patch_embed.proj", 4.0)}


def gabor_filters(count, side):
    """Random wavelets of all directions and sizes, a third of them coloured: (count, 3, side, side).

    A filter is as strong as its frequency is high, for pictures are weak there. Starting from these instead
    of from noise, a network meets edges and stripes on its first day: the ViT's loss after 200 steps was
    0.2 lower.
    """
    axis = torch.arange(side) + 0.5 - side / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")

    def between(low, high):
        return torch.rand(count, 1, 1) * (high - low) + low

    x, y = x - between(-side / 4, side / 4), y - between(-side / 4, side / 4)
    angle, phase = between(0, math.pi), between(0, 2 * math.pi)
    frequency = torch.exp(between(math.log(0.04), math.log(0.35)))  # cycles a pixel
    width = (0.45 / frequency).clamp(1.6, side / 3)
    wave = torch.cos(2 * math.pi * frequency * (x * angle.cos() + y * angle.sin()) + phase)
    wavelet = torch.exp(-(x**2 + y**2) / (2 * width**2)) * wave
    wavelet = wavelet - wavelet.mean((1, 2), keepdim=True) * (frequency > 0.08)
    wavelet = wavelet / wavelet.flatten(1).norm(dim=1)[:, None, None] * frequency
    colour = torch.where(torch.rand(count, 1) < 0.7, torch.ones(count, 3), torch.randn(count, 3))
    return wavelet[:, None] * (colour / colour.norm(dim=1, keepdim=True))[..., None, None]


def create(name):
    """A fresh network by its name here: random weights from torch's seed, wavelets in the first layer."""
    architecture, arguments = ARCHITECTURES[name]
    net = timm.create_model(architecture, **arguments)
    layer, strength = FIRST_LAYER[name]
    weight = net.get_parameter(f"{layer}.weight")
    weight.data = gabor_filters(weight.shape[0], weight.shape[-1]) * strength
    return net


class Resnet(nn.Module):
    """The network and its class scores in every cell, by the very weights that class the whole picture."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, rng):
        features = self.net.forward_features(x)  # (B, C, h, w)
        cells = F.conv2d(features, self.net.fc.weight[..., None, None], self.net.fc.bias)  # (B, 20, h, w)
        return cells.mean((2, 3)), cells


class Vit(nn.Module):
    """The network, its head read at every patch token too, and one extra score for "none of them".

    A picture smaller than the network's own sees a random window of the position embedding, so that
    neighbouring patches are as far apart as they will be later.
    """

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.background = nn.Linear(net.embed_dim, 1)

    def forward(self, x, rng):
        net = self.net
        tokens = net.patch_embed.proj(x)  # (B, D, h, w)
        h, w = tokens.shape[-2:]
        rows, columns = net.patch_embed.grid_size
        top, left = int(rng.integers(rows - h + 1)), int(rng.integers(columns - w + 1))
        place = net.pos_embed[:, 1:].unflatten(1, (rows, columns))[:, top : top + h, left : left + w]
        tokens = tokens.flatten(2).transpose(1, 2) + place.flatten(1, 2)  # (B, h * w, D)
        token = (net.cls_token + net.pos_embed[:, :1]).expand(len(x), -1, -1)
        tokens = net.norm(net.blocks(torch.cat([token, tokens], 1)))  # (B, 1 + h * w, D)
        patches = torch.cat([net.head(tokens[:, 1:]), self.background(tokens[:, 1:])], -1)  # (B, h * w, 21)
        return net.head(tokens[:, 0]), patches.transpose(1, 2).unflatten(2, (h, w))


WRAPPERS = {"resnet": Resnet, "vit": Vit}


def loss(scores, cell_scores, target, cells, smoothing=0.05, share=1.0):
    """Cross-entropy for the picture plus ``share`` of that for its cells; also each of the two alone.

    scores (B, 20) against target (B, 20); cell_scores (B, 20 or 21, h, w) against cells (B, 21, h, w). A
    network without a score for the background learns nothing from background.
    """
    whole = F.cross_entropy(scores, target, label_smoothing=smoothing)
    cells = cells[:, : cell_scores.shape[1]]
    local = -(cells * F.log_softmax(cell_scores, 1)).sum(1).mean()
    return whole + share * local, whole.detach(), local.detach()
