"""A study of maps by one process, by two, and killed at random moments: one table; time and memory.

    python -m benchmarks study
    python -m benchmarks study --pictures 24 --kills 1
    python -m benchmarks study --memory
    python -m benchmarks study --bare

The table of 120 drawn textures × the bundled pair × Grad-CAM, relevance and two controls, curves of 8 steps,
is made by one process, by two under torchrun, and by runs that are killed by SIGKILL (one rank, torchrun,
all of them) and taken up again; each has to be the first one's to the last digit. ``--memory`` has the peak
for 1,000 and 10,000 pictures, one method, without curves; ``--bare`` pictures a second beside a bare loop of
the same passes that is fed by PyTorch's DataLoader.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from vizcore.at_scale import tables
from vizcore.at_scale.shards import MOST, parts_of
from vizcore.pictures.sets import drawn

ROOT = Path(__file__).parent.parent
ENOUGH = 100  # pictures from which on the time of two processes is judged; few are half their beginning
PAIR = ["texture_resnet", "texture_vit"]
KILLS = "one rank", "torchrun", "all of them"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
PEAK = """
import resource, sys
from vizcore.__main__ import main
rc = main(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
sys.exit(rc)"""
TIMED = """
import os, sys, time
import pyarrow.parquet, torch, vizcore.networks.load, vizcore.studies.cka
from vizcore.__main__ import main
from vizcore.at_scale import measures, told, contact_sheets

compared, log = measures.compared, open(os.environ["LOOKED_AT"], "a")

def noted(found, picture):
    compared(found, picture)
    print(picture.number, file=log, flush=True)

measures.compared = noted
begun = time.monotonic()
rc = main(sys.argv[1:])
print(f"after imports {time.monotonic() - begun:.2f}", flush=True)
sys.exit(rc)"""


def pictures(folder: Path, count: int) -> Path:
    """Drawn textures, a folder for each class; a thousand different ones, then links to them."""
    made = drawn(min(count, 1000))
    for k in range(count):
        path = folder / made.names[k % len(made)] / f"{k:05}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        if k < len(made):
            made[k].save(path)
        else:
            os.link(folder / made.names[k % len(made)] / f"{k % len(made):05}.png", path)
    return folder


def options(data: Path, out: Path, *more: str) -> list[str]:
    return ["study", "maps", "--data", str(data), "--out", str(out), *more]


def whole(data: Path, out: Path) -> list[str]:
    return options(data, out, "--networks", *PAIR, "--methods", "Grad-CAM", "relevance", "--steps", "8")


def started(data: Path, out: Path, processes: int, script: Path) -> subprocess.Popen:
    """The study in one process, or under torchrun; a group of its own, to be killed as a whole.

    The numbers of the pictures that it looks at are written beside ``out``, a line each.
    """
    python = [sys.executable]
    if processes > 1:
        port = str(random.randrange(20_000, 40_000))
        python += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--master-port", port]
    with open(errors(out), "a") as said:
        return subprocess.Popen(
            [*python, str(script), *whole(data, out)], env={**ENVIRONMENT, "LOOKED_AT": str(looked_at(out))},
            cwd=ROOT, start_new_session=True, stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip


def looked_at(out: Path) -> Path:
    return out.with_name(f"{out.name}.numbers")


def errors(out: Path) -> Path:
    return out.with_name(f"{out.name}.stderr")


def finished(process: subprocess.Popen, out: Path) -> float:
    """The seconds after imports, of the slowest process."""
    said = process.communicate()[0]
    if process.returncode:
        raise SystemExit(f"a run ended with {process.returncode}: {errors(out).read_text()[-2000:]}")
    return max(float(line.split()[-1]) for line in said.splitlines() if line.startswith("after imports"))


def rows(out: Path) -> dict:
    """The table, by what its rows are about."""
    found = tables.rows_of(tables.read(out / tables.TABLE))
    return {(row["number"], row["network"], row["method"]): row for row in found}


def children(pid: int) -> list[int]:
    """The processes that one has started."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True).stdout
    return [int(one) for one in found.split()]


def kill(process: subprocess.Popen, whom: str) -> None:
    """One rank, torchrun alone (its ranks become orphans), or the whole group with the ranks' own groups."""
    ranks = children(process.pid)
    targets = {"one rank": ranks[:1], "torchrun": [process.pid], "all of them": [process.pid, *ranks]}[whom]
    for pid in targets:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if whom == "one rank":
        process.wait()  # torchrun ends the others


def same(data: Path, room: Path, kills: int) -> bool:
    """One table, whoever makes it and whatever is killed."""
    script = room / "run.py"
    script.write_text(TIMED)
    alone = finished(started(data, room / "one", 1, script), room / "one")
    both = finished(started(data, room / "two", 2, script), room / "two")
    first = rows(room / "one")
    count = len({number for number, *_ in first})
    equal = rows(room / "two") == first
    good = equal and (count < ENOUGH or both <= 0.6 * alone)
    print(f"one process {alone:.1f} s, two {both:.1f} s: {both / alone:.2f} (aim 0.60); same table: {equal}")
    for turn, whom in [(k, whom) for whom in KILLS for k in range(kills)]:
        out, moment = room / f"{whom} {turn}", random.randrange(count)
        process = started(data, out, 2, script)
        while process.poll() is None and len(numbers(out)) <= moment:
            time.sleep(0.01)
        time.sleep(random.uniform(0, 1))  # anywhere in what comes then, a part's end among it
        kill(process, whom)
        there = len(list(out.glob("parts-*/*.parquet")))
        finished(started(data, out, 2, script), out)
        equal, twice = rows(out) == first, made_twice(out)
        good = good and equal and twice <= 2 * MOST
        parts = len(parts_of(count))
        print(
            f"killed {whom} after {moment + 1} pictures or more, {there} of {parts} parts there: "
            f"same table {equal}, {twice} pictures made twice (at most {MOST} a process)",
            flush=True,
        )
    return good


def made_twice(out: Path) -> int:
    """How many pictures were looked at more often than once, over all runs of a study."""
    found = numbers(out)
    return len(found) - len(set(found))


def numbers(out: Path) -> list[str]:
    """Those of the pictures that were looked at so far, by any process of any run."""
    path = looked_at(out)
    return path.read_text().split() if path.exists() else []


def memory(room: Path) -> bool:
    """The peak for a thousand and ten thousand pictures."""
    found = {}
    for count in (1000, 10_000):
        data = pictures(room / f"data{count}", count)
        words = options(
            data, room / f"out{count}", "--networks", PAIR[0], "--methods", "Grad-CAM", "--steps", "0"
        )
        said = subprocess.run(
            [sys.executable, "-c", PEAK, *words], env=ENVIRONMENT, cwd=ROOT, capture_output=True, text=True
        ).stdout
        found[count] = int(said.split("peak ")[-1])
    more = found[10_000] / found[1000] - 1
    print(f"peak {found[1000]} MB for 1,000 pictures, {found[10_000]} for 10,000: {more:+.1%} (aim 5 %)")
    return more <= 0.05


def bare(room: Path, count: int) -> bool:
    """CPU seconds a picture beside a loop of the same passes over PyTorch's DataLoader, in turns."""
    import torch
    from torch.utils.data import DataLoader

    from vizcore.at_scale import run_maps, sources
    from vizcore.at_scale.measures import How
    from vizcore.at_scale.shards import Rank
    from vizcore.methods.together import together
    from vizcore.networks.load import load_model

    torch.set_num_threads(1)
    model = load_model(PAIR[0], device="cpu")
    source = sources.pictures_of(pictures(room / "data", count))
    run_maps.network = lambda *_: model  # type: ignore[assignment]  loaded once for both

    def loop() -> None:
        data = [item.read for item in source.items]
        loader = DataLoader(
            data,
            batch_size=run_maps.BATCH,
            collate_fn=lambda some: torch.cat([model.preprocess(r()) for r in some]),
        )  # type: ignore[arg-type]
        for images in loader:
            best = model.net(images).topk(2).indices.tolist()
            for image, classes in zip(images, best, strict=True):
                together(model, image[None], classes, ["Grad-CAM"])

    def study(number: int) -> None:
        asked = run_maps.Asked(source, PAIR[:1], How(("Grad-CAM",), steps=0), room / f"out{number}")
        run_maps.run(asked, Rank())

    times: dict[str, list[float]] = {"study": [], "loop": []}
    for number in range(3):
        for name, call in (("study", lambda n=number: study(n)), ("loop", loop)):
            begun = time.process_time()
            call()
            times[name].append(count / (time.process_time() - begun))
    ours, theirs = (sorted(times[name])[1] for name in ("study", "loop"))
    print(f"{ours:.1f} pictures a CPU second, {theirs:.1f} in a bare loop: {ours / theirs:.2f} (aim 0.85)")
    return ours >= 0.85 * theirs


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks study", description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, help="120; 1,000 beside a bare loop")
    parser.add_argument("--kills", type=int, default=1, help="random moments at which each kind is killed")
    parser.add_argument(
        "--memory", action="store_true", help="the peak for 1,000 and 10,000 pictures instead"
    )
    parser.add_argument("--bare", action="store_true", help="beside a bare loop instead")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        room = Path(place)
        if args.memory:
            return 0 if memory(room) else 1
        if args.bare:
            return 0 if bare(room, args.pictures or 1000) else 1
        return 0 if same(pictures(room / "data", args.pictures or 120), room, args.kills) else 1
