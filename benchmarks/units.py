"""Units' cards: what is stored of the pair in the box, and how long a new set of pictures takes.

python -m benchmarks units --store  looks through 400 pictures; writes vizcore/weights/units_*.npz
python -m benchmarks units          256 pictures on each network in the box, and one card, in seconds
"""

from __future__ import annotations

import argparse
import time

import torch

from ui.picture_picker import SAMPLES, sample
from vizcore.inside.crops import card
from vizcore.inside.extremes import extremes
from vizcore.inside.projections import heads
from vizcore.inside.stored_units import NETWORKS, PHOTOGRAPHS, groups_of, store_units, stored_set
from vizcore.networks.load import load_model
from vizcore.pictures.sets import drawn

COUNT = 256


def timed(name: str, side: int) -> None:
    """A new set and a card of it, each in seconds by the clock and of processor time."""
    model = load_model(name, device="cpu")
    own = heads(model)
    groups, pictures = groups_of(model, own), drawn(COUNT, 1, side)
    start, spent = time.perf_counter(), time.process_time()
    *_, last = extremes(model, pictures, groups, [0] * COUNT, own)
    clock, cpu = time.perf_counter() - start, time.process_time() - spent
    start = time.perf_counter()
    card(model, pictures, groups[-2], 0, last.found[groups[-2]], own)
    print(
        f"{model.title}: {COUNT} pictures {clock:.1f} s ({cpu:.1f} s of processor time), "
        f"pictures of a card {time.perf_counter() - start:.2f} s",
        flush=True,
    )


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks units", description=__doc__)
    parser.add_argument("--store", action="store_true", help="write what the page opens with")
    options = parser.parse_args(argv)
    if options.store:
        for name in NETWORKS:
            some = {title: sample(title).image for title in SAMPLES} if name in PHOTOGRAPHS else {}
            pictures = stored_set(list(some.values()), list(some))
            path = store_units(load_model(name, device="cpu"), pictures)
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        return 0
    torch.set_num_threads(1)  # as a long job of the app has on two cores
    for name in NETWORKS:
        timed(name, 224 if name in PHOTOGRAPHS else 128)
    return 0
