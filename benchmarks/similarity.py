"""CKA between all layers of two networks, beside torch_cka."""

import contextlib
import io
import warnings

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.rows import Row
from vizcore import similarity
from vizcore.pictures import drawn
from vizcore.torchvision_ops import timm


def rows(quick: bool):
    """All 93 modules of ResNet-18 against all 165 of ResNet-34, 64 pictures at 64 pixels."""
    from torch_cka import CKA

    torch.manual_seed(0)
    nets = [timm.create_model(name).eval().requires_grad_(False) for name in ("resnet18", "resnet34")]
    names = [[name for name, _ in net.named_modules() if name] for net in nets]
    if quick:
        names = [own[::8] for own in names]
    images = torch.stack(
        [torch.from_numpy(np.array(one)).permute(2, 0, 1) / 255 - 0.5 for one in drawn(64, size=64)]
    )

    def ours():
        pair = tuple(similarity.grams(net, images, layers) for net, layers in zip(nets, names, strict=True))
        return next(similarity.estimates([pair], 64)).cka["unbiased"]

    def theirs():
        loader = DataLoader(TensorDataset(images), batch_size=64)
        peers = [timm.create_model(name).eval() for name in ("resnet18", "resnet34")]  # it hooks them
        for peer, net in zip(peers, nets, strict=True):
            peer.load_state_dict(net.state_dict())
        with torch.no_grad(), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = CKA(*peers, "A", "B", *names)
            with contextlib.suppress(AssertionError):  # at its very end, for layers that never vary
                peer.compare(loader)

    yield Row(
        f"CKA of {len(names[0])} × {len(names[1])} layers, ResNet-18 × ResNet-34",
        ours,
        {"torch_cka": theirs},
        {} if quick else {"torch_cka": 1 / 20},
        rounds=2,
        why="results are compared in tests/test_similarity.py: torch_cka's here are of overwritten layers",
    )
