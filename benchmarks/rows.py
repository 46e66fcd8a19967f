"""Rows of a table: ours beside a floor and beside peers, equal first, then timed in turns in one run."""

import ctypes
import gc
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

EQUAL = 1e-3  # of the largest value: how far a peer's result may be from ours
ROUNDS = {True: 3, False: 11}  # by quick
LEAST_MB = 1  # below that a peak is the allocator's pages and no exponent of anything


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


class Sent(NamedTuple):
    page: str
    opened: tuple[int, float]  # messages, kilobytes
    another: tuple[int, float] | None  # the same for another class; None where a page asks for none


def bare(net: torch.nn.Module, images: torch.Tensor) -> Callable[[], object]:
    """The floor: one forward pass and nothing else."""

    def run():
        with torch.inference_mode():
            return net(images)

    return run


def passes(
    net: torch.nn.Module, images: torch.Tensor, count: int, back: int | None = None
) -> Callable[[int], Callable[[], object]]:
    """The floor of what takes many passes, by how many go at once; ``back``: to the pixels, from a class."""

    def at_batch(size: int):
        pictures = images.repeat(size, 1, 1, 1)

        def run():
            for first in range(0, count, size):
                some = pictures[: min(size, count - first)]
                if back is None:
                    bare(net, some)()
                else:
                    some = some.clone().requires_grad_()
                    torch.autograd.grad(net(some)[:, back].sum(), some)

        return run

    return at_batch


def apart(ours, theirs) -> float:
    """The largest difference of two results, as a share of the largest value."""
    ours, theirs = (torch.as_tensor(np.asarray(one.detach().cpu() if isinstance(one, torch.Tensor) else one))
                    .double().flatten() for one in (ours, theirs))  # fmt: skip
    return ((ours - theirs).abs().max() / ours.abs().max().clamp(min=1e-30)).item()


def fastest(
    peer: str, make: Callable[[int], Callable[[], object]], batches: tuple[int, ...]
) -> tuple[str, Callable[[], object]]:
    """A peer at its best batch size, and its name with that: one run of each decides."""
    runs = {batch: make(batch) for batch in batches}
    best = batches[0]
    if len(runs) > 1:
        runs[best]()  # warm
        taken = {batch: timed(run) for batch, run in runs.items()}
        best = min(taken, key=taken.get)
    return f"{peer}, {best} at a time", runs[best]


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
    gc.freeze()  # as the app does: what was there before isn't looked through for garbage
    peaks: dict[str, float | None] = {}
    taken = [{name: first_peak(run, name, peaks, row.all_cores) for name, run in passes.items()}]
    taken += [{name: timed(run, row.all_cores) for name, run in passes.items()} for _ in range(rounds - 1)]
    torch.set_num_threads(1)
    gc.unfreeze()
    middle = statistics.median(one[""] for one in taken)
    found = {"what": row.what, "ms": 1000 * middle, "mb": peaks[""], "beside": {}}
    for name in row.beside:
        ratios = sorted(one[""] / one[name] for one in taken)
        found["beside"][name] = {
            "ms": 1000 * statistics.median(one[name] for one in taken),
            "mb": peaks[name],
            "ratio": statistics.median(ratios),
            "from": ratios[len(ratios) // 4],
            "to": ratios[-1 - len(ratios) // 4],
            "aim": row.aims.get(name),
            "difference": differences.get(name),
            "equal": name not in differences or differences[name] <= row.equal,
        }
    found["why"] = row.why
    return found


def first_peak(run: Callable[[], object], name: str, peaks: dict, wall: bool) -> float:
    """The time of the first of the rounds, in which memory is watched too."""
    taken = []
    peaks[name] = peak_mb(lambda: taken.append(timed(run, wall)))
    return taken[0]


def peak_mb(run: Callable[[], object]) -> float | None:
    """The most memory in use while ``run`` runs, above that before it, in MB; None where nothing tells.

    On Linux the growth of the resident set (its peak is set back before), on CUDA the allocator's peak.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        return (torch.cuda.max_memory_allocated() - before) / 1e6
    forget = Path("/proc/self/clear_refs")
    if not forget.exists():
        run()
        return None
    ctypes.CDLL(None).malloc_trim(0)  # what was freed goes back, so that it counts when it is taken again
    forget.write_text("5")
    before = _status("VmRSS")
    run()
    return _status("VmHWM") - before


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


def measure_growth(growth: Growth, rounds: int) -> dict:
    """Exponents of our time and memory and of the network's own over the sizes: slopes of log over log."""
    both = {"": growth.ours, "own": growth.own}
    passes = {(name, size): run(size) for name, run in both.items() for size in growth.sizes}
    for run in passes.values():
        run()
    taken = [{name: timed(run) for name, run in passes.items()} for _ in range(rounds)]
    found = {"what": growth.what, "unit": growth.unit, "sizes": list(growth.sizes)}
    for name, time_of, memory_of in (("", "exponent", "memory"), ("own", "own", "own memory")):
        medians = [statistics.median(one[name, size] for one in taken) for size in growth.sizes]
        peaks = [peak_mb(passes[name, size]) for size in growth.sizes]
        found[time_of] = slope(growth.sizes, medians)
        found[memory_of] = slope(growth.sizes, peaks) if min(one or 0 for one in peaks) >= LEAST_MB else None
    return found


def slope(sizes: tuple[int, ...], values: list[float]) -> float:
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
