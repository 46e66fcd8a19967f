"""A table of truth for photographs of one's own, as the page "Your own model" has it, from its first rows on.

    python -m benchmarks own                                the sample photographs
    python -m benchmarks own cat.jpg dog.jpg bus.jpg cup.jpg
    python -m benchmarks own FOLDER --models efficientnet_lite0 resnet18:random --mosaics 50

Photographs are put together four at a time, and each network is asked for each cell by what it calls that
photograph alone; one that names none, or learnt nothing, is asked for the other networks' classes. Ctrl-C
stops it, and what there is by then is the table. At the end it says how long the first rows and all took.
"""

import argparse
import json
import os
import time
from pathlib import Path

import torch

from ui.network_picker import Choice
from ui.your_model.asking import CONTROLS, Network, answers, unasked
from vizcore.methods.table import METHODS, QUICK
from vizcore.networks.load import load_model
from vizcore.pictures.images import read_picture
from vizcore.pictures.sets import SUFFIXES

SAMPLES = Path(__file__).parent.parent / "samples"
MODELS = ["efficientnet_lite0", "photo_vit", "resnet50:random"]
EVERY = 10.0  # seconds between two tables


def photographs(places):
    """By name, of files and folders."""
    files = [
        file
        for place in map(Path, places)
        for file in (sorted(place.rglob("*")) if place.is_dir() else [place])
        if file.suffix.lower() in SUFFIXES
    ]
    if len(files) < 4:
        raise SystemExit(f"A mosaic takes four photographs; there are {len(files)} in {', '.join(places)}.")
    return {file.stem: read_picture(file.read_bytes()) for file in files}


def network(words):
    """Of "resnet50:random", or of a name alone."""
    name, _, weights = words.partition(":")
    choice = Choice("", name, weights or "trained")
    model = load_model(name, choice.weights)
    return Network(choice, model.title + ", random" * (choice.weights == "random"), model)


def show(networks, found, seconds):
    """The table so far."""
    print(f"\n{found.done} of {found.total} after {seconds:.0f} s", flush=True)
    for one in networks:
        of = found.networks.get(one.title)
        if of is None or not of.questions:
            continue
        print(f"{one.title}: {of.questions} questions, chance {of.chance:.2f}; points right:")
        for name, score in of.scores.items():
            words = f"{name} (control)" if name in CONTROLS else name
            at, share = score.pointing, score.energy.value
            print(f"    {words:24} {at.value:.2f} ({at.low:.2f} to {at.high:.2f}), heat {share:.2f}")
        for words in unasked(one, found):
            print(f"    {words}")


def main(argv=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks own", description=__doc__.splitlines()[0])
    parser.add_argument("photographs", nargs="*", default=[str(SAMPLES)], help="files and folders")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME[:random]")
    parser.add_argument("--methods", nargs="+", default=QUICK, choices=list(METHODS), metavar="METHOD")
    parser.add_argument("--mosaics", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="PATH", help="also write the figures")
    args = parser.parse_args(argv)
    pictures, networks = photographs(args.photographs), [network(words) for words in args.models]
    begin, used, first, shown, found = time.perf_counter(), time.process_time(), None, 0.0, None
    try:
        for found in answers(networks, pictures, args.mosaics, args.seed, args.methods):
            passed = time.perf_counter() - begin
            if found.networks and (first is None or passed - shown > EVERY):
                first, shown = first or passed, passed
                show(networks, found, passed)
    except KeyboardInterrupt:
        print("\nStopped.")
    if found is None or first is None:
        return 1
    passed = time.perf_counter() - begin
    show(networks, found, passed)
    print(
        f"\n{len(pictures)} photographs: first rows after {first:.1f} s, {found.done} of {found.total} steps "
        f"after {passed:.1f} s ({time.process_time() - used:.1f} s of processors; {torch.get_num_threads()} "
        f"threads, {os.cpu_count()} processors)"
    )
    if args.json:
        tables = {name: of._asdict() for name, of in found.networks.items()}
        Path(args.json).write_text(json.dumps(tables) + "\n")
    return 0
