"""How well the Photo ViT names photographs that it never learnt from, with its teacher beside it.

    python -m benchmarks photo --pictures tiny-imagenet-200/train        writes vizcore/weights/photo_vit.json
    python -m benchmarks photo --pictures a.zip b.zip --count 200        a part of them; writes nothing
    python -m benchmarks photo --folder photographs                      all of another set; writes nothing

The pictures are those that ``python -m training photo`` leaves out: ten of each class, by their names. Each
network gets them as it gets any picture in the app. The teacher is asked among the same classes. Of another
set every picture of the Photo ViT's 200 classes is taken, whose path has the class's name ("n01443537") or
whose file's name ends in its number of a thousand ("_1.jpg"); all 200 classes are there to be mistaken for.
"""

import argparse
import io
import json
import re
from pathlib import Path

import torch
from PIL import Image

from benchmarks.truth import wilson
from training import photo_card, photographs
from vizcore.networks.load import load_model
from vizcore.networks.torchvision_ops import timm

NETWORKS = "photo_vit", "efficientnet_lite0"
WNID, NUMBER = re.compile(r"n\d{8}"), re.compile(r"_(\d{1,3})$")


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


def another(folder):
    """(the Photo ViT's classes, the pictures of a folder that are of them, how many others there are)."""
    info = timm.data.imagenet_info.ImageNetInfo("imagenet-1k")
    wnids, every = info.label_names(), iter(range(1000))
    classes = []
    for label in load_model("photo_vit").labels:  # in ImageNet's order, which has two classes called crane
        place = next(k for k in every if info.index_to_description(k) == label)
        classes.append((wnids[place], place, label))
    known, found, others = {wnid for wnid, *_ in classes}, [], 0
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() not in photographs.SUFFIXES:
            continue
        named, numbered = WNID.findall(str(path.relative_to(folder))), NUMBER.search(path.stem)
        wnid = named[-1] if named else wnids[int(numbered[1])] if numbered else ""
        if wnid in known:
            found.append(photographs.Photograph(wnid, path.name, path.read_bytes()))
        else:
            others += 1
    return classes, found, others


def tell(results):
    for name, one in results.items():
        first, five = ("{:.1%} ({:.1%} to {:.1%})".format(*one[key]) for key in ("top1", "top5"))
        print(f"{name:20} first {first}, among the first five {five}")
    for words, (first, five, count) in results["photo_vit"]["classes"].items():
        other = results["efficientnet_lite0"]["classes"][words]
        if count:
            print(f"  {words[:48]:48} {first:3} {five:3} of {count}; its teacher {other[0]:3} {other[1]:3}")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks photo", description=__doc__.splitlines()[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--pictures", nargs="+", help="folders or zips of wnid/name.JPEG")
    which.add_argument("--folder", help="of another set: all pictures of the Photo ViT's classes")
    parser.add_argument("--count", type=int, help="that many of them, spread over the classes")
    parser.add_argument("--out", default="vizcore/weights", help="where the figures and the card go")
    args = parser.parse_args(argv)
    if args.folder:
        classes, pictures, others = another(args.folder)
        if not pictures:
            parser.error(f"no picture of the Photo ViT's classes in {args.folder}")
        print(f"{len(pictures)} photographs of its {len(classes)} classes, and {others} others, left aside")
        tell({name: measured(load_model(name), classes, pictures) for name in NETWORKS})
        return
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
    tell(results)
