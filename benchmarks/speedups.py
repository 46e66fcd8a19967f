"""What large pages, a thread for each network and torch.compile bring: python -m benchmarks speedups.

Each in a process of its own, for torch reads such settings once. By the clock on the wall, in a thread, as
the app computes, on a machine where nothing else runs.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from threading import Thread

VARIANTS = {
    "as torch comes": {},
    "large pages": {"THP_MEM_ALLOC_ENABLE": "1"},
    "large pages, two OpenMP threads": {"THP_MEM_ALLOC_ENABLE": "1", "OMP_NUM_THREADS": "2"},
    "one arena of memory": {
        "MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": str(2**30), "MALLOC_TRIM_THRESHOLD_": str(2**30),
    },
    "large pages, compiled": {"THP_MEM_ALLOC_ENABLE": "1", "COMPILED": "1"},
}  # fmt: skip
PICTURES = (1, 4, 32)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks speedups", description=__doc__.split("\n")[0])
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help=", ".join(VARIANTS))
    asked = parser.parse_args(argv).variants or VARIANTS
    heads = [
        *(f"{count} at a time" for count in PICTURES),
        "there and back",
        "both at once",
        "there and back",
    ]
    print(f"| EfficientNet-Lite0, ms a picture | {' | '.join(heads)} |\n|{'---|' * 7}")
    for name in asked:
        setting = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", **VARIANTS[name], "VARIANT": name}
        command = [sys.executable, "-c", "from benchmarks.speedups import one; one()"]
        subprocess.run(command, env=os.environ | setting, check=True)
    return 0


def one() -> None:
    """A row, in its own process."""
    import torch

    from vizcore.networks.load import load_model

    nets = [(load_model(name).net, side) for name, side in (("efficientnet_lite0", 224), ("photo_vit", 192))]
    if os.environ.get("COMPILED"):
        begun = time.perf_counter()
        nets = [(torch.compile(net), side) for net, side in nets]
        for net, side in nets:
            with torch.no_grad():
                net(torch.randn(4, 3, side, side))
        print(f"(both compiled in {time.perf_counter() - begun:.0f} s)")

    def there(which: int, count: int, rounds: int = 8) -> Callable[[], None]:
        net, side = nets[which]
        images = torch.randn(count, 3, side, side)

        def run():
            with torch.no_grad():
                for _ in range(rounds):
                    net(images)

        return run

    def back(which: int) -> Callable[[], None]:
        net, side = nets[which]
        images = torch.randn(1, 3, side, side, requires_grad=True)
        return lambda: [torch.autograd.grad(net(images)[:, 5].sum(), images) for _ in range(8)] and None

    each = [
        1000 * taken(there(0, count, 2 if count > 8 else 8)) / count / (2 if count > 8 else 8)
        for count in PICTURES
    ]
    each.append(1000 * taken(back(0)) / 8)
    both = [taken(*some) / sum(map(taken, some)) for some in ([there(0, 4), there(1, 4)], [back(0), back(1)])]
    figures = " | ".join([*(f"{value:.1f}" for value in each), *(f"{value:.2f}" for value in both)])
    print(f"| {os.environ['VARIANT']} | {figures} |", flush=True)


def taken(*runs: Callable[[], None], rounds: int = 3) -> float:
    """Seconds of the fastest of some rounds, each run in a thread of its own, at the same time."""
    found = []
    for _ in range(rounds + 1):
        threads = [Thread(target=run) for run in runs]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found.append(time.perf_counter() - begun)
    return min(found[1:])
