"""People who paint a picture out, by the browser's protocol: how long from a lifted brush to the bars.

One alone, then thirty who each lift the brush every four seconds for a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from ui import brush, marks
from ui.picture_picker import sample

from .load import at_once
from .visitor import Visitor, server

PICTURE, LINK = "A spiral on bands", "picture=A+spiral+on+bands&e_part=Paint+it+out"
EVERY = 4.0  # seconds between two lifts


class Painter(Visitor):
    """Notes when the bars of either network come."""

    heard: tuple[float, ...] = ()

    def _take(self, fresh: dict, message) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super()._take(fresh, message)
        if "answers" in message.delta.new_element.html.body:
            self.heard += (time.monotonic(),)


def board(visitor: Visitor):
    """The brush, the fragment that it belongs to, and what it was told."""
    element: Any
    for kind, element, fragment in visitor.shown.values():
        if kind == "bidi_component" and element.component_name.endswith("brush"):
            return element, fragment, json.loads(element.json)
    raise LookupError("no brush on the page")


def bars(visitor: Visitor) -> str:
    """The answers of both networks, as they are drawn."""
    return "".join(one.body for one in visitor.elements("html") if "answers" in one.body)


def lift(visitor: Painter, mask: np.ndarray, turn: int) -> float:
    """Lift the brush; seconds until the bars of both networks are there. The page's rest comes after them."""
    element, fragment, told = board(visitor)
    said = {"of": told["of"], "turn": turn, "mask": brush.encode(mask), "lifted": True}
    visitor.heard, begin = (), time.monotonic()
    visitor.change(element, ("painted", said), fragment)
    return visitor.heard[1] - begin if len(visitor.heard) > 1 else float("inf")


def paint(address: str, number: int, seconds: float, every: float) -> list[tuple[float, bool]]:
    """One person: seconds of each lift, and whether it was answered before the next one."""
    draw, picture = np.random.default_rng(number), sample(PICTURE)
    grid = marks.grid_of(picture)
    visitor = Painter(address, LINK, "experiments")
    visitor.open()
    mask, took = np.zeros(grid, bool), []
    start = time.monotonic() + every * draw.random()
    for turn in range(1, int(seconds / every) + 1):
        time.sleep(max(start + every * (turn - 1) - time.monotonic(), 0))
        late = time.monotonic() - (start + every * (turn - 1))
        row, column = draw.integers(0, grid[0] - 4), draw.integers(0, grid[1] - 4)
        mask[row : row + 4, column : column + 4] = True
        spent = late + lift(visitor, mask, turn)
        heard = visitor.link.get("e_cover") == marks.coded(picture, mask)  # and its bars are of this cover
        took.append((spent, heard and not visitor.errors() and spent <= every))
    visitor.close()
    return took


def processor_seconds(pid: int) -> float:
    """What a process has taken of the processor, all its threads together; from Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def main(argv) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks painting", description=__doc__)
    parser.add_argument("--people", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args(argv)
    with server() as (address, process):
        paint(address, 999, 8, 1.0)  # the first visitor waits for the networks
        alone = [spent for spent, _ in paint(address, 1000, 20, 2.0)]
        print(f"one alone, from lift to bars: median {statistics.median(alone):.2f} s, most {max(alone):.2f}")
        before = processor_seconds(process.pid), time.process_time()
        found = at_once(lambda number: paint(address, number, options.seconds, EVERY), options.people)
        spent = processor_seconds(process.pid) - before[0], time.process_time() - before[1]
    lifts = [one for own in found for one in own]
    answered = sum(good for _, good in lifts) / len(lifts)
    last = sum(bool(own) and own[-1][1] for own in found)
    median = statistics.median(spent for spent, _ in lifts)
    print(f"{options.people} together, {len(lifts)} lifts: median {median:.2f} s, answered {answered:.1%}")
    print(f"the last lift answered: {last} of {len(found)}")
    server_s, painters_s = (one / len(lifts) for one in spent)
    print(f"a lift takes {server_s:.3f} s of the server's processor, and {painters_s:.3f} of the painters'")
    return int(statistics.median(alone) > 0.4 or median > 1 or answered < 0.9 or last < len(found))
