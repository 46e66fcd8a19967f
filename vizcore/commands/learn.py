"""``sightlines finetune``: a network learns the classes of a folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from .study import DATA, NETWORKS, ended, say

PRESETS = "dtd", "cifar100"


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the main parser of it."""
    parser = commands.add_parser("finetune", help="a network learns the classes of a folder of pictures")
    parser.add_argument("network", metavar="NETWORK", help=f"one of {NETWORKS}")
    parser.add_argument(
        "--data", metavar="FOLDER", help=f"{DATA}; with train/ and val/ or test/ in it, or not"
    )
    parser.add_argument("--preset", choices=PRESETS, help="a study's own data and options")
    parser.add_argument("--head", action="store_true", help="the head alone, on frozen features")
    parser.add_argument("--epochs", type=int, help="times through the pictures (10)")
    parser.add_argument("--minutes", type=float, help="at most; the schedule comes to its end then")
    parser.add_argument("--batch", type=int, help="pictures a step, over all processes (32)")
    parser.add_argument("--rate", type=float, help="of learning (2e-4)")
    parser.add_argument("--name", help="of what is written; DATA-NETWORK by default")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="SIGHTLINES_MODELS by default, else models/"
    )
    parser.add_argument("--seed", type=int, default=0)


def main(options: argparse.Namespace) -> int:
    """Learn, or go on with it; what ``ended`` returns."""
    return ended(learnt, options)


def learnt(options: argparse.Namespace) -> None:
    """Do what the options ask for, and say what came of it."""
    from ..at_scale.shards import StudyError
    from ..finetune.run_finetune import PRESETS, default_folder, finetune
    from ..finetune.whole_network import Recipe

    preset = PRESETS.get(options.preset)
    data = options.data or (preset.data if preset else None)
    if not data:
        raise StudyError("Say what to learn from: --data FOLDER.")
    given = {name: getattr(options, name) for name in ("epochs", "minutes", "batch", "rate")}
    given = {name: value for name, value in given.items() if value is not None}
    if any(value <= 0 for value in given.values()):
        raise StudyError("--epochs, --minutes, --batch and --rate are above 0.")
    if "minutes" in given and "epochs" not in given and not preset:
        given["epochs"] = 1000  # until the time is over
    recipe = (preset.recipe if preset else Recipe())._replace(**given)
    name = (
        options.name or f"{options.preset or Path(data).name}-{Path(options.network).stem.partition(':')[0]}"
    )
    found = finetune(
        options.network,
        data,
        options.out or default_folder(),
        name,
        None if options.head else recipe,
        options.seed,
    )
    before = "" if found.tested else "It was finished before. "
    say(f"{before}{found.path}: {found.said}.")
