"""How much memory a server takes: one session on all pages with the networks in the box, then at random.

    python -m benchmarks memory [interactions]

Resident memory as Linux counts it. The walk opens every page with every bundled network and EfficientNet,
runs activation maximisation and a comparison; then come random clicks, and what they add is stated.
"""

import contextlib
import random
import sys

from benchmarks.visitor import OFFLINE, Visitor, act, megabytes, server

WARM = 100  # random interactions before what they add is counted
RUNS = {"activation_maximization": ("m_part=Make+your+own", "Imagine"), "similarity": ("", "Compare")}


def main(argv):
    count = int(argv[0]) if argv else 300
    with server() as (address, process):

        def line(words: str) -> None:
            now, peak = megabytes(process.pid, "VmRSS"), megabytes(process.pid)
            print(f"{words:36} {now:5} MB, at most {peak} MB", flush=True)

        with contextlib.closing(Visitor(address)) as visitor:
            visitor.open()
            line("the first page")
            for name in OFFLINE:
                visitor.change(visitor.widget("Model A"), name)
                for page in visitor.pages:
                    visitor.visit(page)
                    assert not visitor.errors(), visitor.errors()
        for page, (link, button) in RUNS.items():
            with contextlib.closing(Visitor(address, link, page)) as visitor:
                visitor.open()
                visitor.change(visitor.widget(button), True)
        line(f"all pages, {len(OFFLINE)} networks, two runs")
        with contextlib.closing(Visitor(address)) as visitor:
            visitor.open()
            choose = random.Random("memory")
            for _ in range(WARM):
                act(visitor, choose)
            before = megabytes(process.pid, "VmRSS")
            line(f"{WARM} random interactions later")
            for _ in range(count):
                act(visitor, choose)
            after = megabytes(process.pid, "VmRSS")
            line(f"{count} more, {after / before - 1:+.1%}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
