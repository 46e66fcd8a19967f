"""CKA between all layers: how much memory it takes, and what the bundled pair shows.

python -m benchmarks cka --memory  ViT-L/32 × ResNet-50, 512 pictures; the largest it grew
python -m benchmarks cka --pair    the bundled pair's four matrices; writes docs/similarity.png
python -m benchmarks cka --stored  what the similarity page opens with; writes vizcore/weights/similarity.json
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib.util
import io
import json
import resource
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.rows import Row, apart, bare
from vizcore.capture import capture
from vizcore.drawing.matrix import matrix_picture
from vizcore.networks.load import load_model
from vizcore.pictures.sets import drawn
from vizcore.studies import cka as similarity
from vizcore.studies import stored_cka

DOCS = Path(__file__).parent.parent / "docs"
FOUR = {  # of the pair: rows, columns, each (name, weights)
    "Both trained": (("texture_resnet", "trained"), ("texture_vit", "trained")),
    "Both random": (("texture_resnet", "random"), ("texture_vit", "random")),
    "The CNN and its random self": (("texture_resnet", "trained"), ("texture_resnet", "random")),
    "The ViT and its random self": (("texture_vit", "trained"), ("texture_vit", "random")),
}


def rows(quick: bool):
    """All blocks of ResNet-18 against all of ResNet-34 in minibatches, a part of ``python -m benchmarks``.

    ckatorch's own loop takes no layer of a CNN (it multiplies outputs of three axes), takes a ViT's tokens
    for pictures, and keeps the last minibatch alone. Its estimator, ``cka_batch``, is given the features of
    the minibatches, stacked, and then is that of Nguyen et al. (2021), as torch_cka's and ours are.
    cka-pytorch, which wants lightning, adds 1e-4 below the root; here nothing.
    """
    models = [load_model(name, "random", device="cpu") for name in ("resnet18", "resnet34")]
    nets = [model.net for model in models]  # what stands before the blocks is overwritten by ReLUs in place
    names = [[name for name in model.blocks if name.startswith("layer")] for model in models]
    side, many, size = (64, 64, 32) if quick else (128, 128, 32)
    pictures = [
        torch.from_numpy(np.array(one)).permute(2, 0, 1) / 255 - 0.5 for one in drawn(many, size=side)
    ]
    batches = torch.stack(pictures).split(size)
    loader = DataLoader(TensorDataset(torch.cat(batches)), batch_size=size)
    labelled = DataLoader(TensorDataset(torch.cat(batches), torch.zeros(many)), batch_size=size)

    def ours():
        pairs = (tuple(map(similarity.grams, nets, (batch, batch), names)) for batch in batches)
        *_, last = similarity.estimates(pairs, many)
        return last.cka["unbiased"]

    def by_ckatorch():
        from ckatorch import cka_batch

        with torch.no_grad():
            pairs = list(zip(nets, names, strict=True))
            kept = [[capture(net, batch, own).layers for batch in batches] for net, own in pairs]
            a, b = (
                [
                    torch.stack([one[name].flatten(1) for one in side]) for name in own
                ]  # (minibatches, n, features)
                for side, own in zip(kept, names, strict=True)
            )
            return torch.tensor([[cka_batch(x, y) for y in b] for x in a])

    def by_torch_cka():
        from torch_cka import CKA

        with silence(), torch.no_grad():
            peer = CKA(*map(copy.deepcopy, nets), "A", "B", *names)  # it hooks them
            peer.compare(loader)
            return peer.hsic_matrix

    def by_cka_pytorch():
        with silence():
            calculator = importlib.import_module("cka_pytorch").CKACalculator
            peer = calculator(*map(copy.deepcopy, nets), *names, verbose=False)
            return peer.calculate_cka_matrix(labelled, num_epochs=1, epsilon=0)

    peers = {"torch_cka": by_torch_cka, "ckatorch": by_ckatorch, "cka_pytorch": by_cka_pytorch}
    peers = {name: run for name, run in peers.items() if importlib.util.find_spec(name)}
    floor = [bare(net, batch) for batch in batches for net in nets]
    yield Row(
        f"CKA of {len(names[0])} × {len(names[1])} blocks, ResNet-18 × ResNet-34, {many} pictures",
        ours,
        {"bare passes": lambda: [run() for run in floor], **peers},
        {"bare passes": 1.25, **dict.fromkeys(peers, 1.05)},
        {name: lambda run=run: apart(ours(), run()) for name, run in peers.items()},
        rounds=3 if quick else 5,
    )


@contextlib.contextmanager
def silence():
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def memory(pictures: int) -> None:
    """All layers of ViT-L/32 and of ResNet-50, random weights: memory depends on the batch alone."""
    a, b = (load_model(name, "random") for name in ("vit_large_patch32_224", "resnet50"))
    steps = similarity.compare(a, b, drawn(pictures, size=224), a.layers, b.layers)
    start = time.perf_counter()
    for step in steps:
        largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        if step.done in (32, 64, 128, 256) or step.done == step.total:
            noise = np.nanquantile(np.abs(step.noise["unbiased"]), 0.95)
            print(
                f"{step.done:4} pictures, {time.perf_counter() - start:5.0f} s: {step.cka['unbiased'].shape} "
                f"cells, largest size {largest:.2f} GB, noise within ±{noise:.3f}",
                flush=True,
            )


def mean_colour(count: int, name: str) -> dict[str, float]:
    """CKA of each block of a random network with nothing but the picture's mean colour (3 features)."""
    model = load_model(name, "random", device="cpu")
    sums = similarity.Sums()
    for images in similarity.batches(drawn(count), 64):
        inputs = torch.cat([model.preprocess(image) for image in images])
        found = similarity.grams(model.net, inputs, model.blocks)
        sums.add(found.values, similarity.gram(inputs.mean((2, 3)))[None])
    return dict(zip(model.blocks, sums.cka()[:, 0].tolist(), strict=True))


def pair(count: int, seed: int) -> None:
    """The four matrices of the bundled pair on drawn textures: figures, a picture, a JSON file."""
    parts, figures = [], {"pictures": count, "estimator": "unbiased, linear, minibatches of 64"}
    for title, sides in FOUR.items():
        a, b = (load_model(name, weights, seed=seed, device="cpu") for name, weights in sides)
        *_, last = similarity.compare(a, b, drawn(count), batch=64)
        cka = last.cka["unbiased"]
        names = [f"{model.title}, {model.weights}" for model in (a, b)]
        best = similarity.best_matches(cka)
        noise = float(np.quantile(np.abs(last.noise["unbiased"]), 0.95))
        matches = {a.blocks[i]: [b.blocks[j], round(float(cka[i, j]), 3)] for i, j in enumerate(best)}
        figures[title] = {
            "rows": [names[0], a.blocks],
            "columns": [names[1], b.blocks],
            "cka": np.round(cka, 3).tolist(),
            "best match of each row": matches,
            "last × last": round(float(cka[-1, -1]), 3),
            "95 % of noise within": round(noise, 3),
        }
        print(f"{title}: last × last {cka[-1, -1]:.2f}, mean {cka.mean():.2f}, noise within ±{noise:.3f}")
        print("   " + ", ".join(f"{row} → {column} {value:.2f}" for row, (column, value) in matches.items()))
        parts.append(matrix_picture(cka, a.blocks, b.blocks, title, tuple(names)))
    for name in ("texture_resnet", "texture_vit"):
        figures[f"random {name} × mean colour"] = alike = mean_colour(count, name)
        print(f"random {name} × mean colour: " + ", ".join(f"{k} {v:.2f}" for k, v in alike.items()))
    size = [max(part.shape[i] for part in parts) for i in (0, 1)]
    padded = [
        np.pad(p, [(0, size[0] - p.shape[0]), (0, size[1] - p.shape[1]), (0, 0)], constant_values=255)
        for p in parts
    ]
    sheet = np.vstack([np.hstack(padded[:2]), np.hstack(padded[2:])])
    Image.fromarray(sheet).quantize(256).save(DOCS / "similarity.png", optimize=True)
    (DOCS / "similarity.json").write_text(json.dumps(figures, indent=1, ensure_ascii=False))
    print(f"wrote {DOCS / 'similarity.png'} and similarity.json")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks cka", description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--pair", action="store_true", help="the bundled pair's matrices")
    what.add_argument("--stored", action="store_true", help="what the page opens with")
    what.add_argument("--memory", action="store_true", help="two large networks on many pictures")
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--seed", type=int, default=0, help="of the random weights of --pair")
    args = parser.parse_args(argv)
    if args.stored:
        start = time.perf_counter()
        print(f"last × last {stored_cka.store().found.cka['unbiased'][-1, -1]:.2f}, "
              f"{time.perf_counter() - start:.0f} s")  # fmt: skip
    elif args.pair:
        pair(args.pictures, args.seed)
    else:
        memory(args.pictures)
    return 0
