"""What the photographs' ViT learns from: views of photographs, and what its teacher says of each.

A view is one photograph, four or nine as a mosaic, or one pasted on another, so that the network learns to
say what is where. The stem's features, the slow part, are kept on disk with the teacher's answers: for the
picture, and for each patch (its classifier at each place of its last map; Yun et al., CVPR 2021).
"""

import copy
import os
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from training import photographs
from vizcore.models import load_model
from vizcore.networks.torchvision_ops import timm

SIDE = 192  # pixels
CELLS, PATCHES, CHANNELS = 12, 6, 112  # the stem's cells a side; patches of 2 x 2 of them
CHUNK = 2048  # views in a file
SMALL = 64  # pixels a side of the pictures that it is trained on most
KINDS = {"one": 0.62, "four": 0.18, "nine": 0.08, "pasted": 0.12}


def record(classes):
    """What is kept of a view, as a numpy type."""
    return np.dtype(
        [
            ("stem", "f2", (CHANNELS, CELLS, CELLS)),
            ("patches", "f2", (PATCHES * PATCHES, classes)),  # the teacher's answer at each place
            ("whole", "f2", (classes,)),  # and for the picture
            ("labels", "f2", (classes,)),  # shares of the area
        ]
    )


def enlarged(picture, side, rng):
    """A photograph as a square: mirrored or not, cut or not, sharpened or blunted now and then."""
    if min(picture.shape[:2]) > SMALL and rng.random() < 0.5:  # large ones as blurred as small ones are
        picture = cv2.resize(picture, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    if rng.random() < 0.7:
        full, area, ratio = picture.shape[0], rng.uniform(0.5, 1), np.exp(rng.uniform(-0.25, 0.25))
        height, width = (min(full, round(full * (area * r) ** 0.5)) for r in (ratio, 1 / ratio))
        top, left = int(rng.integers(full - height + 1)), int(rng.integers(full - width + 1))
        picture = picture[top : top + height, left : left + width]
    large = cv2.resize(np.ascontiguousarray(picture), (side, side), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.3:
        blurred = cv2.GaussianBlur(large, (0, 0), side / 96)
        large = cv2.addWeighted(large, 1 + (strength := rng.uniform(0.3, 1.2)), blurred, -strength, 0)
    return large


def view(index, pictures, targets, classes, seed):
    """View ``index`` of the endless row of them: (SIDE, SIDE, 3) uint8, and each class's share of its area.

    Every photograph is a view's first one before any is so again.
    """
    count, rng = len(pictures), np.random.default_rng([seed, 1, index])
    order = np.random.default_rng([seed, 2, index // count]).permutation(count)
    kind = rng.choice(list(KINDS), p=list(KINDS.values()))
    across = {"four": 2, "nine": 3}.get(kind, 1)
    taken = [order[index % count], *rng.integers(count, size=across**2 - 1 + (kind == "pasted"))]
    cell = SIDE // across
    canvas, labels = np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros(classes, np.float32)
    for place, which in enumerate(taken[: across**2]):
        top, left = place // across * cell, place % across * cell
        canvas[top : top + cell, left : left + cell] = enlarged(
            photographs.decoded(pictures[which]), cell, rng
        )
        labels[targets[which]] += 1 / across**2
    if kind == "pasted":
        side = int(rng.integers(64, 129))
        top, left = rng.integers(SIDE - side + 1, size=2)
        picture = enlarged(photographs.decoded(pictures[taken[1]]), side, rng)
        canvas[top : top + side, left : left + side] = picture
        labels *= 1 - side**2 / SIDE**2
        labels[targets[taken[1]]] += side**2 / SIDE**2
    return canvas, labels


class Teacher(nn.Module):
    """EfficientNet-Lite0, asked for some of its classes; twice as fast with its norms folded away."""

    def __init__(self, indices):
        super().__init__()
        model = load_model("efficientnet_lite0", device="cpu")
        self.net, self.indices = copy.deepcopy(model.net), list(indices)
        _fold(self.net)

    @torch.inference_mode()
    def forward(self, pictures):
        """(B, SIDE, SIDE, 3) uint8 -> stem (B, C, h, w); shares at places (B, N, K), and in all (B, K)."""
        x = (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() - 127) / 128
        x = self.net.bn1(self.net.conv_stem(x.contiguous(memory_format=torch.channels_last)))
        stem = self.net.blocks[:5](x)
        last = self.net.bn2(self.net.conv_head(self.net.blocks[5:](stem)))  # (B, 1280, h / 2, w / 2)
        places = self.net.classifier(last.flatten(2).transpose(1, 2))[..., self.indices]
        whole = self.net.classifier(last.mean((2, 3)))[..., self.indices]
        return stem, places.softmax(-1), whole.softmax(-1)


def _fold(module):
    """Each convolution takes over the norm behind it."""
    children = list(module.named_children())
    for (_, conv), (name, norm) in zip(children, children[1:], strict=False):
        if isinstance(conv, nn.Conv2d) and isinstance(norm, timm.layers.BatchNormAct2d):
            conv.weight, conv.bias = (
                nn.Parameter(value.detach(), False)
                for value in fuse_conv_bn_weights(
                    conv.weight,
                    conv.bias,
                    norm.running_mean,
                    norm.running_var,
                    norm.eps,
                    norm.weight,
                    norm.bias,
                )
            )
            setattr(module, name, norm.act)
    for _, child in children:
        _fold(child)


class Views:
    """The views in files of a folder, each made when it is first asked for."""

    def __init__(self, folder, pictures, classes, seed, chunk=CHUNK, report=print):
        self.folder = Path(folder) / f"views-{len(pictures)}-{seed}-{chunk}"
        self.folder.mkdir(parents=True, exist_ok=True)
        numbers = {wnid: k for k, (wnid, _, _) in enumerate(classes)}
        self.pictures, self.targets = pictures, [numbers[photograph.wnid] for photograph in pictures]
        self.classes, self.seed, self.size, self.report = classes, seed, chunk, report
        self.teacher, self.open = None, {}

    def chunk(self, number):
        """Views ``number`` * CHUNK onwards: a memory map of ``record``."""
        if number not in self.open:
            path = self.folder / f"{number:04}.npy"
            if not path.exists():
                self._make(number, path)
            self.open[number] = np.load(path, mmap_mode="r")
        return self.open[number]

    def _make(self, number, path):
        self.teacher = self.teacher or Teacher(k for _, k, _ in self.classes)
        made = np.empty(self.size, record(len(self.classes)))
        for first in range(0, self.size, 16):
            span = range(first, min(first + 16, self.size))
            drawn = [
                view(number * self.size + k, self.pictures, self.targets, len(self.classes), self.seed)
                for k in span
            ]
            stem, places, whole = self.teacher(np.stack([picture for picture, _ in drawn]))
            rows = made[span.start : span.stop]
            rows["stem"], rows["patches"], rows["whole"] = stem.numpy(), places.numpy(), whole.numpy()
            rows["labels"] = [labels for _, labels in drawn]
        part = path.with_name(f"{path.stem}.{os.getpid()}.part.npy")
        np.save(part, made)
        part.replace(path)
        self.report(f"views: {(number + 1) * self.size} made")
