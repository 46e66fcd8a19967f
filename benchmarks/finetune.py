"""Fine-tuning EfficientNet-Lite0 whole on drawn textures, beside its frozen head, within a budget.

    python -m benchmarks finetune
    python -m benchmarks finetune --data FOLDER

Twenty textures, 60 pictures each to learn from and 500 in all for the test, ten minutes with what comes
before and after learning. The interval of the paired difference from the frozen head has to leave 0 out; of
photographs it may be 2 points worse.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from PIL import Image

from vizcore.__main__ import main as sightlines
from vizcore.pictures import textures

TESTED = 25  # pictures of each class
SEED = 7_000_000  # no training here used seeds from it on


def pictures(room: Path, learnt: int) -> Path:
    """train/ and test/ with a folder for each texture."""
    for part, count, seed in (("train", learnt, SEED), ("test", TESTED, 2 * SEED)):
        for label in textures.LABELS:
            folder = room / part / label
            folder.mkdir(parents=True)
            for k in range(count):
                Image.fromarray(textures.single(label, seed + k, 128).picture).save(folder / f"{k}.png")
    return room


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks finetune", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--data", help="a folder of photographs instead")
    parser.add_argument("--learnt", type=int, default=60, help="pictures of each texture to learn from")
    parser.add_argument(
        "--minutes", type=float, default=8, help="of learning; about two more go before and after"
    )
    parser.add_argument("--epochs", type=int, help="at most")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        room = Path(place)
        data = args.data or str(pictures(room / "textures", args.learnt))
        begun, spent = time.monotonic(), time.process_time()
        epochs = ["--epochs", str(args.epochs)] if args.epochs else []
        command = ["finetune", "efficientnet_lite0", "--data", data, "--minutes", str(args.minutes), *epochs]
        if sightlines([*command, "--out", str(room / "out"), "--name", "tried"]):
            return 1
        found = json.loads((room / "out" / "tried.json").read_text())
    value, low, high = found["difference"]
    print(
        f"frozen head {found['frozen head']:.1%}, whole {found['whole']:.1%} of "
        f"{found['pictures']['of the test']}: {value:+.1%} ({low:+.1%} to {high:+.1%}), "
        f"{time.monotonic() - begun:.0f} s, {time.process_time() - spent:.0f} of them computing"
    )
    return 0 if (value >= -0.02 if args.data else low > 0) else 1
