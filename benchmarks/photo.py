"""How well the Photo ViT names photographs that it never learnt from, with its teacher beside it.

    python -m benchmarks photo --pictures tiny-imagenet-200/train        writes vizcore/weights/photo_vit.json
    python -m benchmarks photo --pictures a.zip b.zip --count 200        a part of them; writes nothing

The pictures are those that ``python -m training photo`` leaves out: ten of each class, by their names. Each
network gets them as it gets any picture in the app. The teacher is asked among the same classes.
"""

import argparse
import io
import json
from pathlib import Path

import torch
from PIL import Image

from benchmarks.truth import wilson
from training import photo_card, photographs
from vizcore.networks.load import load_model

NETWORKS = "photo_vit", "efficientnet_lite0"


def places(model, classes, pictures):
    """At which place each picture's own class stands among those classes, from 0: [int]."""
    indices = torch.tensor([model.labels.index(words) for _, _, words in classes])
    numbers = {wnid: k for k, (wnid, _, _) in enumerate(classes)}
    found = []
    for first in range(0, len(pictures), 16):
        some = pictures[first : first + 16]
        opened = [Image.open(io.BytesIO(one.content)).convert("RGB") for one in some]
        with torch.inference_mode():
            scores = model.net(torch.cat([model.preprocess(picture) for picture in opened])).float().cpu()
        for own, one in zip(scores[:, indices.to(scores.device)], some, strict=True):
            found.append(int((own > own[numbers[one.wnid]]).sum()))
    return found


def measured(model, classes, pictures):
    """Shares of first places and of places among the first five, with 95 % intervals, and for each class."""
    found = places(model, classes, pictures)
    within = {"top1": [place < 1 for place in found], "top5": [place < 5 for place in found]}
    by_class = {}
    for wnid, _, words in classes:
        mine = [k for k, one in enumerate(pictures) if one.wnid == wnid]
        by_class[words] = [sum(hits[k] for k in mine) for hits in within.values()] + [len(mine)]
    intervals = {
        key: [round(value, 4) for value in wilson(sum(hits), len(hits))] for key, hits in within.items()
    }
    return {**intervals, "classes": by_class}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks photo", description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs="+", required=True, help="folders or zips of wnid/name.JPEG")
    parser.add_argument("--count", type=int, help="that many of them, spread over the classes")
    parser.add_argument("--out", default="vizcore/weights", help="where the figures and the card go")
    args = parser.parse_args(argv)
    every = photographs.read(args.pictures)
    classes, (_, pictures) = photographs.classes(every), photographs.divided(every)
    if args.count:
        pictures = pictures[:: max(1, len(pictures) // args.count)]
    results = {name: measured(load_model(name), classes, pictures) for name in NETWORKS}
    if not args.count:
        out = Path(args.out)
        figures = {"pictures": len(pictures), **results}
        (out / "photo_vit.json").write_text(json.dumps(figures, indent=1) + "\n")
        photo_card.write(out)
    print(f"{len(pictures)} photographs of {len(classes)} classes, left out of the training")
    for name, one in results.items():
        first, five = ("{:.1%} ({:.1%} to {:.1%})".format(*one[key]) for key in ("top1", "top5"))
        print(f"{name:20} first {first}, among the first five {five}")
    for words, (first, five, count) in results["photo_vit"]["classes"].items():
        other = results["efficientnet_lite0"]["classes"][words]
        print(f"  {words[:48]:48} {first:3} {five:3} of {count}; its teacher {other[0]:3} {other[1]:3}")
