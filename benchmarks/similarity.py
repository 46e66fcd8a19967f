"""CKA between all layers of two networks, beside torch_cka."""

import contextlib
import copy
import io
import warnings

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.rows import Row, apart, bare
from vizcore.capture import capture
from vizcore.networks.load import best_device, load_model
from vizcore.networks.torchvision_ops import timm
from vizcore.pictures.sets import drawn
from vizcore.studies import cka as similarity


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
        peers = [copy.deepcopy(net) for net in nets]  # it hooks them
        with torch.no_grad(), contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            peer = CKA(*peers, "A", "B", *names)
            with contextlib.suppress(AssertionError):  # at its very end, for layers that never vary
                peer.compare(loader)

    def difference():
        """Its own estimator, on copies of some layers' features."""
        some = [own[4::16] for own in names]
        estimator = CKA(*map(copy.deepcopy, nets), "A", "B", *some)
        kept = [capture(net, images, own).layers for net, own in zip(nets, some, strict=True)]
        features = [[one[name].flatten(1) for name in own] for one, own in zip(kept, some, strict=True)]
        kernels = [[(x - x.mean(0)) @ (x - x.mean(0)).T for x in own] for own in features]
        for kernel in (kernel for own in kernels for kernel in own):
            kernel.fill_diagonal_(0)
        own = [np.array([estimator._HSIC(kernel, kernel) for kernel in side]) for side in kernels]
        cross = np.array([[estimator._HSIC(k, m) for m in kernels[1]] for k in kernels[0]])
        known = np.ix_(*(side > 0 for side in own))  # norms that begin at zero put out the same for all
        theirs = (cross / np.sqrt(np.outer(*own).clip(1e-300)))[known]
        chosen = np.ix_(
            *(np.array([side.index(one) for one in few]) for side, few in zip(names, some, strict=True))
        )
        return apart(ours()[chosen][known], theirs)

    yield _in_the_box(quick)
    yield Row(
        f"CKA of {len(names[0])} × {len(names[1])} layers, ResNet-18 × ResNet-34, all cores",
        ours,
        {"torch_cka": theirs},
        {} if quick else {"torch_cka": 1 / 20},
        {"torch_cka": difference},
        rounds=3,
        all_cores=True,
        why="compared with its estimator on copies of the features: those that it keeps are overwritten",
    )


def _in_the_box(quick: bool) -> Row:
    """What the app runs: the blocks of a pair in the box, 32 pictures at a time, beside their bare passes."""
    box = ("texture_resnet", "texture_vit") if quick else ("efficientnet_lite0", "photo_vit")
    a, b = (load_model(name, device=best_device()) for name in box)
    pictures = list(drawn(64, size=224))
    passes = [bare(one.net, torch.cat([one.preprocess(image) for image in pictures[:32]])) for one in (a, b)]
    return Row(
        f"CKA of {len(a.blocks)} × {len(b.blocks)} blocks, {a.title} × {b.title}, 64 pictures",
        lambda: list(similarity.compare(a, b, pictures)),
        {"bare passes, 32 at a time": lambda: [run() for run in passes * 2]},
        {"bare passes, 32 at a time": 1.25},
        rounds=3,
    )
