"""Make ``photo_vit`` again, the ViT that knows photographs.

    python -m training photo --pictures tiny-imagenet-200/train       an hour or two, into vizcore/weights
    python -m training photo --pictures a.zip b.zip --views 4096      a try of some minutes

EfficientNet-Lite0's first stages are its stem, frozen, and the whole of EfficientNet-Lite0 its teacher.
Interrupted, the same command goes on where it stopped (from the checkpoint and the views in runs/).
"""

import argparse
import copy
import json
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from training import loop, photographs, views
from vizcore.networks import hybrid

BATCH = 256
RATE = 4e-3
LABELS, WHOLE, PLACES = 0.5, 1.0, 1.0  # what each counts: labels, the teacher's answer, its answer at places
MIXED = 0.5  # of the samples get a rectangle of another one's patches
KEPT, SPARSE = 18, 0.85  # patches that are looked at, in that share of the steps; in the last ones all are
ALONG = 0.5  # of the steps are taken while views are still being made


class Learner(torch.nn.Module):
    """The transformer on the stem's features, its head read at the class token and at every patch."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, stem, kept):
        """(B, C, h, w), numbers of K patches -> scores (B, classes), at each of these (B, K, classes)."""
        net = self.net
        tokens = net.patch_embed.proj(stem).flatten(2).transpose(1, 2) + net.pos_embed[:, 1:]  # (B, N, D)
        first = (net.cls_token + net.pos_embed[:, :1]).expand(len(stem), -1, -1)
        tokens = torch.cat([first, tokens[:, kept]], 1)
        scores = net.head(net.norm(net.blocks(tokens)))
        return scores[:, 0], scores[:, 1:]


def learner(classes, seed):
    """A fresh one. Its stem is left out: it is frozen, and its features lie on disk."""
    torch.manual_seed(seed)
    net = hybrid.photo_vit("photo_vit", num_classes=classes)
    net.patch_embed.backbone = torch.nn.Identity()
    return Learner(net)


def chunks_at(step, steps, chunks):
    """How many chunks of views there are to draw from: one more as soon as each had its turn, then all."""
    return min(chunks, max(1, math.ceil(chunks * math.sqrt((step + 1) / (ALONG * steps)))))


def drawn(made, step, steps, chunks, seed, batch):
    """The views of a step, the same ones whenever it is asked: a dictionary of tensors."""
    rng = np.random.default_rng([seed, 3, step])
    there = chunks_at(step, steps, chunks)
    numbers = np.sort(rng.integers(there * made.size, size=batch))
    rows = np.concatenate([made.chunk(int(n) // made.size)[int(n) % made.size][None] for n in numbers])
    rows = {key: torch.from_numpy(rows[key]).float() for key in rows.dtype.names}
    order = torch.from_numpy(rng.permutation(batch))
    return mixed({key: value[order] for key, value in rows.items()}, rng)


def mixed(rows, rng):
    """Rectangles of patches change hands, and with them what is said of them (Yun et al., ICCV 2019)."""
    side = views.PATCHES
    swap = torch.zeros(len(rows["stem"]), side, side)  # 1: from the next one in the batch
    for mask in swap[: round(MIXED * len(swap))]:
        height, width = rng.integers(1, side, size=2)
        top, left = int(rng.integers(side - height + 1)), int(rng.integers(side - width + 1))
        mask[top : top + height, left : left + width] = 1
    share = swap.mean((1, 2))[:, None]
    cells = F.interpolate(swap[:, None], scale_factor=views.CELLS // side)
    masks = {"stem": cells, "patches": swap.flatten(1)[..., None], "whole": share, "labels": share}
    return {key: torch.lerp(rows[key], rows[key].roll(1, 0), masks[key]) for key in rows}


def patches_at(step, steps, seed):
    """Which patches are looked at: half of them for most of the time, which is twice as fast."""
    count = views.PATCHES**2
    order = np.random.default_rng([seed, 4, step]).permutation(count)
    return torch.from_numpy(np.sort(order[: KEPT if step < SPARSE * steps else count]))


def loss(scores, places, rows, kept):
    """Weighted cross-entropies with the labels, the teacher's answer, and the teacher's answer at places."""
    log = F.log_softmax(scores, -1)
    labels, whole = (-(rows[key] * log).sum(-1).mean() for key in ("labels", "whole"))
    local = -(rows["patches"][:, kept] * F.log_softmax(places, -1)).sum(-1).mean()
    return LABELS * labels + WHOLE * whole + PLACES * local


def train(made, runs, steps, chunks, seed, batch=BATCH, until=None, report=print):
    """Train and return (the network with averaged weights, without its stem; seconds that it took).

    Resumes from runs/photo_vit.pt when that was made with the same settings. ``until`` stops early, as if
    interrupted.
    """
    settings = dict(steps=steps, chunks=chunks, seed=seed, batch=batch, views=made.folder.name, rate=RATE)
    model = learner(len(made.classes), seed)
    mean, optimizer = copy.deepcopy(model), loop.optimiser(model, RATE)
    rates, start, before = [group["lr"] for group in optimizer.param_groups], 0, 0.0
    path = Path(runs) / "photo_vit.pt"
    if path.exists():
        saved = torch.load(path, weights_only=True)
        if saved["settings"] != settings:
            raise ValueError(f"{path} was made with {saved['settings']}, not {settings}; choose other --runs")
        for part, state in ((model, "model"), (mean, "mean"), (optimizer, "optimizer")):
            part.load_state_dict(saved[state])
        start, before = saved["step"], json.loads(saved["history"])[-1]
        report(f"resumed at step {start}")
    began, total = time.monotonic(), 0.0
    last = steps if until is None else min(until, steps)
    for step in range(start, last):
        rows = drawn(made, step, steps, chunks, seed, batch)
        for group, highest in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = highest * loop.rate_at(step, steps)
        kept = patches_at(step, steps, seed)
        wrong = loss(*model(rows["stem"], kept), rows, kept)
        optimizer.zero_grad(set_to_none=True)
        wrong.backward()
        optimizer.step()
        loop.average(mean, model, step)
        total += wrong.item()
        done = step + 1
        if done % 20 == 0 or done == last:
            seconds = before + time.monotonic() - began
            report(f"step {done} of {steps}, loss {total / (step % 20 + 1):.3f}, {seconds / 60:.1f} min")
            total = 0.0
            loop.save(path, settings, model, mean, optimizer, [seconds], done)
    return mean.net.eval(), before + time.monotonic() - began


def export(net, classes, out, facts):
    """Write out/photo_vit.safetensors: half precision, without the stem; and the labels beside it.

    ``facts`` on how it was made, for the model card, go with the weights.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    labels = [words for _, _, words in classes]
    state = {key: value.half().contiguous() for key, value in hybrid.without_stem(net.state_dict()).items()}
    path = out / "photo_vit.safetensors"
    save_file(state, path, {"labels": json.dumps(labels), "facts": json.dumps(facts), "license": "MIT"})
    (out / "photo_vit.txt").write_text("".join(f"{label}\n" for label in labels), "utf-8")
    return path


def arguments(argv=None):
    parser = argparse.ArgumentParser(prog="python -m training photo", description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs="+", required=True, help="folders or zips of wnid/name.JPEG")
    parser.add_argument("--out", default="vizcore/weights", help="where the weights and the labels go")
    parser.add_argument("--runs", default="runs", help="where the views (1 GB) and the checkpoint are kept")
    parser.add_argument("--views", type=int, default=11 * views.CHUNK, help="pictures to learn from")
    parser.add_argument("--steps", type=int, default=400, help=f"batches of {BATCH}")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--note", default="", help="a remark on this run for the model card")
    return parser.parse_args(argv)


def main(argv=None):
    args = arguments(argv)
    cv2.setNumThreads(1)
    every = photographs.read(args.pictures)
    pictures, away = photographs.divided(every)
    classes = photographs.classes(every)
    print(
        f"{len(pictures)} pictures of {len(classes)} classes to learn from; {len(away)} left out", flush=True
    )
    size = min(views.CHUNK, args.views)
    made = views.Views(args.runs, pictures, classes, args.seed, size, lambda line: print(line, flush=True))
    chunks = math.ceil(args.views / size)
    net, seconds = train(made, args.runs, args.steps, chunks, args.seed, BATCH, report=made.report)
    facts = dict(steps=args.steps, batch=BATCH, views=chunks * size, learnt=len(pictures), seed=args.seed)
    path = export(net, classes, args.out, {**facts, "note": args.note})
    print(f"{seconds / 60:.0f} minutes; wrote {path}", flush=True)
