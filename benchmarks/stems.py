"""What the Photo ViT's stem is worth, cut after three, four or five of EfficientNet-Lite0's stages.

    python -m benchmarks stems --pictures tiny-imagenet-200/train
    python -m benchmarks stems --pictures a.zip b.zip --views 2000 --steps 100

The earlier the cut, the more is left for attention to learn. Each cut gets the same: views of single
photographs, EfficientNet-Lite0's answers to them, a transformer of one size with 6 x 6 patches, and as many
steps; only some minutes of them, so read the differences, and not how good a network would become.
"""

import argparse
import time

import cv2
import numpy as np
import torch
from torch import nn

from benchmarks.truth import wilson
from training import loop, photo, photographs, views

CUTS = {5: (112, 12), 4: (80, 12), 3: (40, 24)}  # stages -> channels, cells a side at 192 pixels
BATCH, SEED = 128, 0


def stems(teacher, pictures):
    """(B, 192, 192, 3) uint8 -> {stages: (B, C, h, w)}, answers at places (B, N, K), and in all (B, K)."""
    found = {}
    hooks = [
        teacher.net.blocks[cut - 1].register_forward_hook(
            lambda _m, _i, out, cut=cut: found.update({cut: out})
        )
        for cut in CUTS
    ]
    _, places, whole = teacher(pictures)
    for hook in hooks:
        hook.remove()
    return {cut: out.half().contiguous() for cut, out in found.items()}, places.half(), whole.half()


def seen(teacher, pictures, rng=None):
    """The same of photographs; with a generator, as a view varies them."""
    parts = []
    for first in range(0, len(pictures), 32):
        some = [photographs.decoded(one) for one in pictures[first : first + 32]]
        square = [
            cv2.resize(one, (views.SIDE, views.SIDE), interpolation=cv2.INTER_CUBIC)
            if rng is None
            else views.enlarged(one, views.SIDE, rng)
            for one in some
        ]
        parts.append(stems(teacher, np.stack(square)))
    return (
        {cut: torch.cat([part[0][cut] for part in parts]) for cut in CUTS},
        torch.cat([part[1] for part in parts]),
        torch.cat([part[2] for part in parts]),
    )


def learner(cut, classes):
    """The Photo ViT's transformer on features of another depth."""
    net = photo.learner(classes, SEED)
    channels, cells = CUTS[cut]
    size = cells // views.PATCHES
    net.net.patch_embed.proj = nn.Conv2d(channels, net.net.embed_dim, size, size)
    return net


def trained(cut, made, targets, classes, steps):
    """A learner after so many steps, and how long that took."""
    features, places, whole = made[0][cut], made[1], made[2]
    net, labels = learner(cut, classes), torch.eye(classes)
    optimizer = loop.optimiser(net, photo.RATE)
    rates, began = [group["lr"] for group in optimizer.param_groups], time.monotonic()
    for step in range(steps):
        rows = torch.from_numpy(np.random.default_rng([SEED, step]).integers(len(whole), size=BATCH))
        asked = {
            "labels": labels[targets[rows]], "whole": whole[rows].float(), "patches": places[rows].float()
        }  # fmt: skip
        for group, highest in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = highest * loop.rate_at(step, steps)
        kept = photo.patches_at(step, steps, SEED)
        wrong = photo.loss(*net(features[rows].float(), kept), asked, kept)
        optimizer.zero_grad(set_to_none=True)
        wrong.backward()
        optimizer.step()
    return net.eval(), time.monotonic() - began


@torch.inference_mode()
def ranks(net, features, targets):
    """At which place each picture's own class stands, from 0: (N,)."""
    every = torch.arange(views.PATCHES**2)
    scores = torch.cat([net(some.float(), every)[0] for some in features.split(64)])
    return (scores > scores.gather(1, targets[:, None])).sum(1)


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks stems", description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs="+", required=True, help="folders or zips of wnid/name.JPEG")
    parser.add_argument("--views", type=int, default=12_000)
    parser.add_argument("--steps", type=int, default=500, help=f"batches of {BATCH}")
    args = parser.parse_args(argv)
    every = photographs.read(args.pictures)
    classes, (learnt, left_out) = photographs.classes(every), photographs.divided(every)
    numbers = {wnid: k for k, (wnid, _, _) in enumerate(classes)}
    rng = np.random.default_rng(SEED)
    learnt = [learnt[k] for k in rng.permutation(len(learnt))[: args.views]]
    teacher = views.Teacher(index for _, index, _ in classes)
    made, asked = seen(teacher, learnt, rng), seen(teacher, left_out)
    targets, own = (torch.tensor([numbers[one.wnid] for one in some]) for some in (learnt, left_out))
    print(f"{len(learnt)} views, {args.steps} steps of {BATCH}; {len(own)} photographs that were left out")
    for cut in CUTS:
        net, seconds = trained(cut, made, targets, len(classes), args.steps)
        found = ranks(net, asked[0][cut], own)
        first, five = (
            "{:.1%} ({:.1%} to {:.1%})".format(*wilson(int((found < k).sum()), len(own))) for k in (1, 5)
        )
        print(f"{cut} stages: first {first}, among the first five {five}; {seconds / 60:.1f} min", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
