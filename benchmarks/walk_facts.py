"""What is so of the networks in the box, whatever the app says: answers, maps and regions, with plain torch.

For ``walk``, which compares the pages' sentences with it. Nothing here is computed by what computes it there.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from ui.picture_picker import PHOTOGRAPHS, SAMPLES_FOLDER, SCENES
from vizcore.methods.cam import default_layer
from vizcore.networks.load import load_model
from vizcore.pictures import textures
from vizcore.pictures.images import read_picture

PRE = {  # the share of the shorter side that each sees
    "texture_resnet": 1.0, "texture_vit": 1.0, "efficientnet_lite0": 0.875
}  # fmt: skip


class Half(NamedTuple):
    """One network on one picture: what is so, whatever the app says."""

    slot: str
    name: str
    weights: str
    title: str
    picture: str
    method: str = "Grad-CAM"  # whose map is looked at

    @property
    def lost(self) -> bool:
        return self.name not in PRE

    @property
    def random(self) -> bool:
        return self.weights == "random"

    @property
    def textures_only(self) -> bool:
        return self.name.startswith("texture")

    def labels(self) -> list[str]:
        return [label.split(",")[0].strip() for label in network(self.name, self.weights).labels]

    def knows(self, name: str) -> bool:
        return name.casefold() in [label.casefold() for label in self.labels()]

    def probabilities(self) -> torch.Tensor:
        return _probabilities(self.name, self.weights, self.picture)

    def first(self) -> str:
        return self.labels()[int(self.probabilities().argmax())]

    def index(self, name: str) -> int:
        """Of the class, or of its own first answer where it doesn't know it."""
        folded = [label.casefold() for label in self.labels()]
        return folded.index(name.casefold()) if self.knows(name) else int(self.probabilities().argmax())

    def map(self, name: str) -> torch.Tensor:
        """(h, w), for a class or for its own first answer."""
        return map_by(self.method, self.name, self.weights, self.picture, self.index(name))

    def flat(self, name: str) -> bool:
        """Whether nothing in the map speaks for the class that it is for."""
        return not float(self.map(name).max()) > 0

    def inside(self, name: str) -> bool:
        """Whether the largest value of the map lies where the texture was drawn."""
        return bool(mask(self.picture, name).flatten()[in_frame(self, self.map(name)).argmax()])

    def share(self, name: str) -> float:
        """Of the map's positive part, what lies there."""
        framed = in_frame(self, self.map(name)).clamp(min=0)
        return float(framed[torch.from_numpy(mask(self.picture, name))].sum() / framed.sum())


@cache
def network(name: str, weights: str):
    return load_model(name, weights, seed=0, device="cpu")


@cache
def picture(name: str) -> Image.Image:
    if name in SCENES:
        return Image.fromarray(textures.two(*SCENES[name], 384).picture)
    return read_picture((SAMPLES_FOLDER / PHOTOGRAPHS[name]).read_bytes())


@cache
def masks(name: str) -> dict[str, np.ndarray]:
    return textures.two(*SCENES[name], 384).masks if name in SCENES else {}


def mask(name: str, label: str) -> np.ndarray:
    return masks(name)[label.casefold()]


@cache
def _inputs(name: str, weights: str, of: str) -> torch.Tensor:
    return network(name, weights).preprocess(picture(of))


@cache
def _probabilities(name: str, weights: str, of: str) -> torch.Tensor:
    with torch.no_grad():
        return deepcopy(network(name, weights).net)(_inputs(name, weights, of))[0].softmax(0)


def _hooked(name: str, weights: str, of: str, layer: str):
    """A layer's output and the scores of one pass, in a graph; by a hook on a copy."""
    net, kept = deepcopy(network(name, weights).net), []
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    handle = net.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    scores = net(_inputs(name, weights, of))
    handle.remove()
    return kept[-1], scores


@cache
def layer_output(name: str, weights: str, of: str, layer: str) -> torch.Tensor:
    """(1, C, h, w) of a CNN, (1, tokens, C) of a ViT."""
    return _hooked(name, weights, of, layer)[0].detach()


WEIGH = {  # (activation, gradient), (C, h, w) each -> (h, w)
    "Grad-CAM": lambda out, slope: (slope.mean((1, 2), keepdim=True) * out).sum(0).relu(),
    "HiResCAM": lambda out, slope: (slope * out).sum(0).relu(),
    "LayerCAM": lambda out, slope: (slope.relu() * out).sum(0).relu(),
}


@cache
def map_by(method: str, name: str, weights: str, of: str, index: int) -> torch.Tensor:
    """(h, w), at the CAM layer that the app takes if it is told none; of pixels, (H, W)."""
    if method in WEIGH:
        layer = default_layer(network(name, weights))  # what is asked; the answer is one's own
        out, scores = _hooked(name, weights, of, layer)
        (slope,) = torch.autograd.grad(scores[0, index], out)
        return WEIGH[method](as_map(out.detach())[0], as_map(slope)[0])
    if method in ("gradient", "gradient × input"):
        images = _inputs(name, weights, of).clone().requires_grad_()
        score = deepcopy(network(name, weights).net)(images.clone())[0, index]
        slope = torch.autograd.grad(score, images)[0][0]
        return slope.abs().amax(0) if method == "gradient" else (slope * images.detach()[0]).sum(0)
    attentions, slopes = _attended(weights, of, index)
    if method == "attention":
        return attentions[-1].mean(0)[0, 1:].unflatten(0, (8, 8))
    arrived = torch.eye(attentions[0].shape[-1])
    for attention, slope in zip(attentions, slopes, strict=True):
        if method == "rollout":  # half of it past the attention (Abnar & Zuidema, 2020)
            arrived = (attention.mean(0) + torch.eye(len(arrived))) / 2 @ arrived
        else:  # relevance (Chefer et al., 2021)
            arrived = arrived + (attention * slope).clamp(min=0).mean(0) @ arrived
    return arrived[0, 1:].unflatten(0, (8, 8))


def as_map(out: torch.Tensor) -> torch.Tensor:
    """(B, C, h, w), also of one class token and then 8 × 8 patches."""
    return out if out.ndim == 4 else out[:, 1:].transpose(1, 2).unflatten(2, (8, 8))


def _attended(weights: str, of: str, index: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Each block's attention in the bundled ViT, whose first token is read, and its slope: (heads, N, N)."""
    net, kept = deepcopy(network("texture_vit", weights).net), []
    for block in net.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _m, inputs, _out: kept.append(inputs[0]))
    score = net(_inputs("texture_vit", weights, of).clone().requires_grad_())[0, index]
    slopes = torch.autograd.grad(score, kept)
    return [one[0].detach() for one in kept], [one[0] for one in slopes]


def in_frame(half: Half, heat: torch.Tensor) -> torch.Tensor:
    """A map over what the network sees, in the picture's own pixels."""
    width, height = picture(half.picture).size
    side = round(min(width, height) * PRE[half.name])
    top, left = round((height - side) / 2), round((width - side) / 2)
    framed = torch.zeros(height, width)
    large = F.interpolate(heat[None, None].float(), (side, side), mode="bilinear")[0, 0]
    framed[top : top + side, left : left + side] = large
    return framed


def ranks(values: np.ndarray) -> np.ndarray:
    """Equal values share a rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[where]


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """nan where one of them is flat."""
    if one.max() == one.min() or other.max() == other.min():
        return float("nan")
    return float(np.corrcoef(ranks(one.flatten()), ranks(other.flatten()))[0, 1])
