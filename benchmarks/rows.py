"""Rows of a table: ours beside a floor and beside peers, equal first, then timed in turns in one run."""

import gc
import os
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

EQUAL = 1e-3  # of the largest value: how far a peer's result may be from ours
ROUNDS = {True: 3, False: 11}  # by quick


class Row(NamedTuple):
    what: str
    ours: Callable[[], object]
    beside: dict[str, Callable[[], object]]  # the bare pass, the peers
    aims: dict[str, float]  # the largest wanted ratio of our time to that of ``beside``
    differences: dict[str, Callable[[], float]] = {}  # by peer, see ``apart``
    equal: float = EQUAL
    rounds: int = 0  # where one takes minutes; 0: as many as all others
    why: str = ""  # an aim is missed, or a difference is expected
    all_cores: bool = False  # by the clock on the wall, for what gains from several cores


class Growth(NamedTuple):
    what: str
    unit: str
    sizes: tuple[int, ...]
    ours: Callable[[int], Callable[[], object]]  # a size -> what is timed
    own: Callable[[int], Callable[[], object]]  # the network's own pass, likewise


def bare(net: torch.nn.Module, images: torch.Tensor) -> Callable[[], object]:
    """The floor: one forward pass and nothing else."""

    def run():
        with torch.inference_mode():
            return net(images)

    return run


def apart(ours, theirs) -> float:
    """The largest difference of two results, as a share of the largest value."""
    ours, theirs = (torch.as_tensor(np.asarray(one.detach().cpu() if isinstance(one, torch.Tensor) else one))
                    .double().flatten() for one in (ours, theirs))  # fmt: skip
    return ((ours - theirs).abs().max() / ours.abs().max().clamp(min=1e-30)).item()


def fastest(make: Callable[[int], Callable[[], object]], batches: tuple[int, ...]) -> Callable[[], object]:
    """A peer at its best batch size: one run of each decides."""
    taken = {}
    for batch in batches if len(batches) > 1 else ():
        start = clock()
        make(batch)()
        taken[batch] = clock() - start
    return make(min(taken, key=taken.get) if taken else batches[0])


def clock(wall: bool = False) -> float:
    """Seconds of work: of the processor, which other programs hardly lengthen, or until a GPU is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.perf_counter() if wall else time.process_time()


def timed(run: Callable[[], object], wall: bool = False) -> float:
    start = clock(wall)
    run()
    return clock(wall) - start


def measure(row: Row, rounds: int) -> dict:
    """Run a row; what there is to say about it, as JSON has it."""
    differences = {name: check() for name, check in row.differences.items()}
    passes, rounds = {"": row.ours, **row.beside}, row.rounds or rounds
    if row.all_cores:
        torch.set_num_threads(os.cpu_count())
    for run in passes.values() if not row.rounds else [row.ours]:
        run()  # warm
    gc.collect()
    taken = [{name: timed(run, row.all_cores) for name, run in passes.items()} for _ in range(rounds)]
    torch.set_num_threads(1)
    found = {"what": row.what, "ms": 1000 * statistics.median(one[""] for one in taken), "beside": {}}
    for name in row.beside:
        ratios = sorted(one[""] / one[name] for one in taken)
        found["beside"][name] = {
            "ms": 1000 * statistics.median(one[name] for one in taken),
            "ratio": statistics.median(ratios),
            "from": ratios[len(ratios) // 4],
            "to": ratios[-1 - len(ratios) // 4],
            "aim": row.aims.get(name),
            "difference": differences.get(name),
            "equal": name not in differences or differences[name] <= row.equal,
        }
    found["why"] = row.why
    return found


def measure_growth(growth: Growth, rounds: int) -> dict:
    """Exponents of our time and of the network's own over the sizes: the slope of log over log."""
    both = {"": growth.ours, "own": growth.own}
    passes = {(name, size): run(size) for name, run in both.items() for size in growth.sizes}
    for run in passes.values():
        run()
    taken = [{name: timed(run) for name, run in passes.items()} for _ in range(rounds)]
    exponents = {}
    for name in ("", "own"):
        medians = [statistics.median(one[name, size] for one in taken) for size in growth.sizes]
        exponents[name] = float(np.polyfit(np.log(growth.sizes), np.log(medians), 1)[0])
    return {
        "what": growth.what,
        "unit": growth.unit,
        "sizes": list(growth.sizes),
        "exponent": exponents[""],
        "own": exponents["own"],
    }
