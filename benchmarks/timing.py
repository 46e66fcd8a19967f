"""Times of several things that do comparable work, as ratios in one run."""

import statistics
import time


def compare(passes, rounds):
    """Run ``passes`` (name -> function) in turns, ``rounds`` times; print medians beside the first one's."""
    seconds = {name: [] for name in passes}
    for _ in range(rounds):
        for name, run in passes.items():
            wall, processor = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - wall, time.process_time() - processor))
    base = None
    print(f"{'':34}{'wall':>10}{'processor':>12}{'of the bare pass':>19}")
    for name, taken in seconds.items():
        wall, processor = (1000 * statistics.median(column) for column in zip(*taken, strict=True))
        base = base or processor
        print(f"{name:34}{wall:7.1f} ms{processor:9.1f} ms{processor / base:19.3f}")
