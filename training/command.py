"""Make the bundled pair again.

    python -m training                                  both networks, into vizcore/weights
    python -m training --only vit --out elsewhere       one of them
    python -m training --steps 50 --pool 420 --out tmp  a try that takes a minute

Interrupted, the same command goes on where it stopped (from the checkpoints in runs/).
"""

import argparse
import multiprocessing
import os
import platform
from pathlib import Path

import cv2
from safetensors.torch import load_file

from training import card, export, loop, nets, pool

STEPS = {"resnet": 4000, "vit": 3500}  # batches of 64
RATE = {"resnet": 8e-3, "vit": 3e-3}


def make(name, args):
    """Train one network, export it and score it."""
    cv2.setNumThreads(1)
    steps = args.steps or STEPS[name]
    with loop.one_thread():
        net, history = loop.train(
            name,
            args.runs,
            steps,
            args.seed,
            args.pool,
            args.rate or RATE[name],
            args.device,
            report=lambda line: print(line, flush=True),
            masked=not args.without_masks,
            begin=load_file(Path(args.begin, f"texture_{name}.safetensors")) if args.begin else None,
        )
    path = export.weights(net, name, args.out)
    facts = dict(
        steps=steps,
        seed=args.seed,
        pool=args.pool,
        minutes=round(history[-1]["seconds"] / 60, 1),
        machine=f"{loop.device_by_name(args.device)}, {os.cpu_count()} cores ({platform.machine()})",
        note=args.note,
        loss=[[row["step"], row["whole"], row["local"]] for row in history[3::4]],
    )
    scored = export.metrics(net, name, args.out, facts, args.scenes)
    print(
        f"{name}: {scored['accuracy']:.1%} of {scored['scenes']} fresh scenes right; wrote {path}", flush=True
    )


def arguments(argv=None):
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="vizcore/weights", help="where weights, metrics and card go")
    parser.add_argument("--runs", default="runs", help="where the pool and the checkpoints are kept")
    parser.add_argument("--only", choices=sorted(nets.ARCHITECTURES), help="one network instead of both")
    parser.add_argument("--steps", type=int, help=f"batches of 64 (default {STEPS})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pool", type=int, default=84_000, help="pictures drawn before training starts")
    parser.add_argument("--scenes", type=int, default=export.EXAMINED, help="fresh scenes to score on")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--rate", type=float, help=f"highest learning rate (default {RATE})")
    parser.add_argument("--begin", metavar="FOLDER", help="go on from weights there, not random ones")
    parser.add_argument(
        "--without-masks",
        action="store_true",
        help="pictures of one texture each, and no word on what is where, for comparison",
    )
    parser.add_argument("--note", default="", help="a remark on this run for the model card")
    args = parser.parse_args(argv)
    if args.without_masks and args.out == parser.get_default("out"):
        parser.error("--without-masks needs another folder with --out: it makes no network of the app's")
    return args


def main(argv=None):
    args = arguments(argv)
    names = [args.only] if args.only else list(nets.ARCHITECTURES)
    pool.draw(args.runs, args.pool, args.seed)
    if len(names) > 1 and loop.device_by_name(args.device).type == "cpu" and os.cpu_count() > 1:
        workers = [
            multiprocessing.get_context("spawn").Process(target=make, args=(name, args)) for name in names
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if any(worker.exitcode for worker in workers):
            raise SystemExit("a training failed; see above")
    else:
        for name in names:
            make(name, args)
    if not args.without_masks:  # the card says how those with masks are made
        card.write(args.out)
