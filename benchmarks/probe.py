"""A linear probe of photographs: its answers about pictures left out, its time, and where its maps point.

    python -m benchmarks probe --pictures tiny-imagenet-200/train           ten classes, 30 pictures of each
    python -m benchmarks probe --pictures a.zip b.zip --classes 5 --model photo_vit

Classes are taken at even distances, pictures by their names. The mosaics are of further pictures of the same
classes, that the probe never saw and names rightly with over 50 %; the time is that of two cores, or what
``torch`` takes, once the network is loaded.
"""

import argparse
import io
import time
from itertools import groupby

from PIL import Image

from training import photographs
from vizcore.networks.load import load_model
from vizcore.pictures import known
from vizcore.studies.known_answers import known_answers
from vizcore.studies.named import classes, named
from vizcore.studies.probe import probe, probed

FURTHER = 30  # pictures of each class for the mosaics
METHODS = "Grad-CAM", "gradient × input"


def opened(some):
    return [Image.open(io.BytesIO(one.content)).convert("RGB") for one in some]


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks probe", description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", nargs="+", required=True, help="folders or zips of wnid/name.JPEG")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--each", type=int, default=30, help="pictures of a class")
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--scenes", type=int, default=50, help="mosaics")
    args = parser.parse_args(argv)
    every = {key: list(own) for key, own in groupby(photographs.read(args.pictures), lambda one: one.wnid)}
    chosen = sorted(every)[:: max(len(every) // args.classes, 1)][: args.classes]
    model = load_model(args.model)
    asked = [(k, picture) for k, wnid in enumerate(chosen) for picture in opened(every[wnid][: args.each])]
    begin = time.perf_counter()
    *_, last = probe(model, asked, chosen, len(asked))
    seconds, share = time.perf_counter() - begin, last.result.accuracy
    print(
        f"{model.title}, {len(chosen)} classes, {len(asked)} pictures: {share.value:.1%} right about those "
        f"left out ({share.low:.1%} to {share.high:.1%}), {last.result.folds} folds, {seconds:.1f} s"
    )
    own = probed(model, last.result)
    further = {
        f"{chosen[k]} {number}": picture
        for k, wnid in enumerate(chosen)
        for number, picture in enumerate(opened(every[wnid][args.each : args.each + FURTHER]))
    }
    *_, told = named(own, further)
    right = {
        title: index for title, index in classes(told.names).items() if chosen[index] == title.split()[0]
    }
    scenes = list(known.mosaics({title: further[title] for title in right}, args.scenes))
    *_, found = known_answers({"probe": own}, {"probe": right}, scenes, METHODS, count=len(scenes))
    of = found.networks["probe"]
    print(f"{len(right)} of {len(further)} further pictures named rightly, {of.questions} questions")
    for name, score in of.scores.items():
        at = score.pointing
        print(f"    {name:20} points right {at.value:.3f} ({at.low:.3f} to {at.high:.3f})")
    return 0
