"""Ours beside the bare pass and what people would use instead, in one run: python -m benchmarks.

    python -m benchmarks [--quick] [--json FILE] [PART ...]

A ratio is our time over that of the thing beside it: the median over rounds in which all of them take
turns, with its middle half. Times are of the processor, on one core, which other programs hardly lengthen,
unless a row says that it has all cores; on a CUDA machine they are those of the GPU. Results are compared
before times are, where both have any. Memory is the most that a run took above what was there before it.
The exit status tells whether all results are equal; times are for people to judge.
"""

import argparse
import contextlib
import gc
import importlib
import json
import os
import platform
import time
from importlib import metadata

import torch

from benchmarks.rows import ROUNDS, Growth, Sent, measure, measure_growth

PARTS = {
    "cams": "cams.rows",
    "rollout": "rollout.rows",
    "features": "features.rows",
    "saliency": "saliency.rows",
    "occlusion": "saliency.covered",
    "score": "cams.score_cam",
    "actmax": "actmax.rows",
    "similarity": "similarity.rows",
    "cka": "cka.rows",
    "curves": "curves.rows",
    "forgetting": "forgetting.rows",
    "growth": "growth.rows",
    "wire": "wire.rows",
    "tried": "tried.rows",
}
PEERS = (  # by their names on PyPI
    "captum", "grad-cam", "torchcam", "torch-lucent", "torch_cka", "ckatorch", "cka-pytorch", "legrad_torch",
    "torchvision",
)  # fmt: skip


def main(argv):
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="three minutes: fewer rounds, smaller networks")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    asked = parser.parse_args(argv)
    for part in asked.parts:
        if part not in PARTS:
            parser.error(f"there is no part {part!r}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    found, growths, sent = [], [], []
    print(f"{time.strftime('%Y-%m-%d')}, {machine()}\n\n{HEAD}")
    for part in asked.parts or PARTS:
        module, _, function = PARTS[part].partition(".")
        for row in getattr(importlib.import_module(f"benchmarks.{module}"), function)(asked.quick):
            if isinstance(row, Growth):
                growths.append(measure_growth(row, 2 if asked.quick else 5))
            elif isinstance(row, Sent):
                sent.append(row)
            else:
                found.append(measure(row, ROUNDS[asked.quick]))
                print(table(found[-1]), flush=True)
            del row
        gc.collect()
    print(f"\n{versions()}")
    for head, line, some in ((GROWTH_HEAD, growth_line, growths), (SENT_HEAD, sent_line, sent)):
        if some:
            print(f"\n{head}", *map(line, some), sep="\n")
    if asked.json:
        with open(asked.json, "w") as file:
            figures = {"machine": machine(), "peers": versions(), "rows": found, "growth": growths}
            figures["pages"] = [page._asdict() for page in sent]
            json.dump(figures, file, indent=1)
    unequal = [row["what"] for row in found if not all(one["equal"] for one in row["beside"].values())]
    if unequal:
        print(f"\nnot equal: {', '.join(unequal)}")
    return 1 if unequal else 0


HEAD = """| what | ms | MB | beside | ms | MB | ratio | aim | | difference |
|---|---|---|---|---|---|---|---|---|---|"""
GROWTH_HEAD = """| cost grows with | from, to | exponent | the network's own | of memory | the network's own |
|---|---|---|---|---|---|"""

SENT_HEAD = """| page | messages | kB | of another class | kB |
|---|---|---|---|---|"""


def table(row: dict) -> str:
    """A row in Markdown, one line for each thing beside."""
    lines = []
    for name, one in row["beside"].items():
        what = f"{row['what']} | {row['ms']:.1f} | {shown(row['mb'], '.0f')}" if not lines else " | | "
        ratio = f"{one['ratio']:.3f} ({one['from']:.3f}–{one['to']:.3f})"
        aim = "" if one["aim"] is None else f"≤ {one['aim']:.3g}"
        met = "" if one["aim"] is None else "met" if one["ratio"] <= one["aim"] else "**missed**"
        beside = f"{name} | {one['ms']:.1f} | {shown(one['mb'], '.0f')}"
        lines.append(f"| {what} | {beside} | {ratio} | {aim} | {met} | {shown(one['difference'], '.0e')} |")
    if row["why"]:
        lines.append(f"| | | | {row['why']} | | | | | | |")
    return "\n".join(lines)


def growth_line(growth: dict) -> str:
    sizes = f"{growth['sizes'][0]}, {growth['sizes'][-1]} {growth['unit']}"
    exponents = (shown(growth[key], ".2f") for key in ("exponent", "own", "memory", "own memory"))
    return f"| {growth['what']} | {sizes} | {' | '.join(exponents)} |"


def sent_line(sent: Sent) -> str:
    (messages, size), another = sent.opened, sent.another or (None, None)
    return f"| {sent.page} | {messages} | {size:.0f} | {shown(another[0], '')} | {shown(another[1], '.0f')} |"


def shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def versions() -> str:
    """Which peers it was measured beside."""
    found = {}
    for name in PEERS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    absent = [name for name in PEERS if name not in found]
    told = f"Peers: {', '.join(f'{name} {version}' for name, version in found.items())}."
    return told + (f" Not installed: {', '.join(absent)}." if absent else "")


def machine() -> str:
    """What the figures were taken on, in words."""
    cores = f"{os.cpu_count()} CPU cores, one used unless stated"
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else cores
    return f"{device}; {platform.system()}, Python {platform.python_version()}, torch {torch.__version__}"
