"""``sightlines study``: tables and pictures of whole folders, by any networks and any number of processes."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from typing import Any

STUDIES = {
    "maps": "for each picture, network and method: the map, the answer, and the evidence for it",
    "judge": "what networks say of a folder of pictures, by origin, augmentation, judge and class",
    "similarity": "CKA between each pair of a list of networks, all of their layers",
    "imagine": "pictures that classes of networks like, with and without random views, ready to be judged",
}


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the main parser of it."""
    parser = commands.add_parser("study", help="tables of whole folders: " + ", ".join(STUDIES))
    kinds = parser.add_subparsers(dest="study", required=True, metavar="|".join(STUDIES))
    for name, what in STUDIES.items():
        kinds.add_parser(name, add_help=False, help=what)


def main(options: argparse.Namespace, others: list[str]) -> int:
    """Run the study that is named; what ``ended`` returns."""
    return ended(importlib.import_module(f"vizcore.commands.study_{options.study}").run, others)


def ended(run: Callable[[Any], None], asked: Any) -> int:
    """How a run of what is asked ends: 0; 1 where it can't be, with the reason; 130 where it was stopped."""
    from ..at_scale.shards import StudyError
    from ..networks.checkpoints import ModelError
    from ..pictures.images import PictureError

    try:
        run(asked)
    except (StudyError, ModelError, PictureError) as error:
        print(f"sightlines: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsightlines: stopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


def say(words: str) -> None:
    """A run's last words, by one of its processes."""
    from ..at_scale.shards import own_rank

    if own_rank().rank == 0:
        print(words)


def parser_of(study: str, what: str) -> argparse.ArgumentParser:
    """The parser of one study's options."""
    return argparse.ArgumentParser(prog=f"sightlines study {study}", description=what)


NETWORKS = (
    "names of the catalogue or of timm (resnet50, or resnet50:random), files (mine.safetensors, or "
    "resnet50=mine.safetensors), or names of the folder SIGHTLINES_MODELS"
)
DATA = "a folder of pictures (a folder for each class, or flat), a zip, or cifar100 or dtd"
