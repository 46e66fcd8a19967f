"""A network learns the classes of a folder: its head on frozen features, and, if asked for, all of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch

from ..at_scale.by_name import network
from ..at_scale.plans import list_digest
from ..at_scale.run_maps import device
from ..at_scale.shards import Rank, StudyError, own_rank
from ..model import VisionModel
from ..networks.headed import with_head
from ..studies import probe_files
from ..studies.probe import Head, Result
from . import frozen_head, own_file
from .classes_of import Lots, lots
from .own_file import Outcome
from .together_as import group, wait
from .whole_network import STATE, Recipe, asked, learn


class Preset(NamedTuple):
    """A study's fine-tuning: its data, its networks, how they learn."""

    data: str
    networks: tuple[str, ...]
    recipe: Recipe


PRESETS = {
    "dtd": Preset("dtd", ("resnet50", "deit_tiny_patch16_224"), Recipe(epochs=30, batch=64)),
    "cifar100": Preset(
        "cifar100",
        (
            "resnet18", "resnet34", "resnet50", "lambda_resnet26t", "lambda_resnet38t", "lambda_resnet50ts",
            "vit_large_patch32_224",
        ),
        Recipe(epochs=30, batch=128, rate=5e-4),
    ),
}  # fmt: skip


class Learnt(NamedTuple):
    path: Path
    labels: Sequence[str]
    said: str  # how good it is, in a sentence
    tested: Outcome | None  # None where an earlier run had finished it


def finetune(
    spoken: str,
    data: str,
    folder: Path,
    name: str,
    recipe: Recipe | None,
    seed: int = 0,
    rank: Rank | None = None,
) -> Learnt:
    """Learn, and write ``name``.safetensors, .md, .png and .json into ``folder``.

    What an earlier run of the same finished stays as it is.

    Args:
        spoken: the network, as ``by_name.network`` has it. recipe: of all of it; None: the head alone.

    Raises:
        StudyError, ModelError, PictureError: in a sentence; another network of this name is there.
    """
    if not re.fullmatch(r"[\w. +-]{1,100}", name):
        raise StudyError(f"A network's name has letters, digits, spaces and . + - alone, not {name[:60]!r}.")
    rank, found = rank or own_rank(), lots(data, seed)
    model = network(spoken, device(rank))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StudyError(f"{folder} can't be written to ({error.strerror}).") from error
    plan = json.dumps(
        [spoken, probe_files.weights_digest(model), list_digest([*found.learn.items, *found.test.items]),
         found.labels, seed, recipe and [str(value) for value in recipe]]
    )  # fmt: skip
    before = _finished(folder, name, plan)
    if before is not None:
        return Learnt(folder / f"{name}.safetensors", found.labels, before, None)
    with group(rank, model.device):
        return _learnt(model, found, folder, name, recipe, seed, rank, plan)


def _finished(folder: Path, name: str, plan: str) -> str | None:
    """What an earlier run of the same plan came to; None where there was none.

    Raises:
        StudyError: the name is another network's.
    """
    if not (folder / f"{name}.safetensors").exists():
        return None
    try:
        there = json.loads((folder / f"{name}.json").read_text("utf-8"))
        same, said = there["plan"] == plan, str(there["said"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        same, said = False, ""
    if not same:
        raise StudyError(
            f"{folder} has a network {name!r} already, which learnt otherwise; choose another --name, or "
            "delete it."
        )
    return said


def _learnt(
    model: VisionModel, found: Lots, folder: Path, name: str, recipe: Recipe | None, seed: int,
    rank: Rank, plan: str
) -> Learnt:  # fmt: skip
    learn_values = frozen_head.features_of(model, found.learn.items, rank)
    test_values = frozen_head.features_of(model, found.test.items, rank)
    head = frozen_head.fitted(learn_values, found.learn, len(found.labels))
    tested = Outcome(torch.tensor(found.test.answers), frozen_head.said(head, test_values), None)
    if recipe is None:
        weights, how = (
            _head_file(model, found, head, tested),
            "The head alone has learnt, on frozen features.",
        )
    else:
        state_folder = folder / f".{name}"
        state_folder.mkdir(exist_ok=True)
        state = learn(model, head, found.learn, found.choose, recipe, state_folder, plan, rank, seed)
        net = _with(model, head, state)
        tested = tested._replace(whole=asked(net, model, found.test, rank))
        weights, how = (
            own_file.weights_file(model, state, found.labels, own_file.in_words(tested)),
            (
                f"All of it has learnt: at most {recipe.epochs} epochs"
                + (f" or {recipe.minutes:g} minutes" if recipe.minutes < 1e9 else "")
                + f", {recipe.optimizer}, rate {recipe.rate:g}, batches of {recipe.batch}."
            ),
        )
    if rank.rank == 0:
        page = own_file.card(name, model, found.labels, tested, _counts(found), how)
        drawn = own_file.picture(name, tested, found.labels)
        own_file.write(folder, name, weights, page, drawn, {"plan": plan, **_figures(found, tested)})
        if recipe is not None:
            (folder / f".{name}" / STATE).unlink(missing_ok=True)
            (folder / f".{name}").rmdir()
    wait()
    return Learnt(folder / f"{name}.safetensors", found.labels, own_file.in_words(tested), tested)


def _with(model: VisionModel, head: Head, state: dict) -> torch.nn.Module:
    from .whole_network import begun

    net = begun(model, head)
    net.load_state_dict(state)
    return net.eval().requires_grad_(False)


def _head_file(model: VisionModel, found: Lots, head: Head, tested: Outcome) -> bytes:
    """A linear probe as the app keeps it; how good it is, is told by the test."""
    result = Result(tuple(found.labels), head, tested.answers, tested.frozen, 1)
    with_head(model, *head, found.labels, "tried")  # whatever is wrong with it, now
    return probe_files.to_file(replace(model), result)


def _counts(found: Lots) -> dict[str, int]:
    return {
        "learnt from": len(found.learn.items),
        "held out, to choose the best moment": len(found.choose.items),
        "of the test": len(found.test.items),
        "left out, as they can't be read": len(found.unread),
    }


def _figures(found: Lots, tested: Outcome) -> dict:
    value, ends = own_file.difference(tested)
    said = tested.frozen if tested.whole is None else tested.whole
    return {
        "said": own_file.in_words(tested),
        "labels": found.labels,
        "pictures": _counts(found),
        "left out": found.unread[:1000],
        "frozen head": (tested.frozen == tested.answers).double().mean().item(),
        "whole": None if tested.whole is None else (tested.whole == tested.answers).double().mean().item(),
        "difference": [value, *(ends or (None, None))],
        "confusion": own_file.confusion(tested.answers, said, len(found.labels)),
    }


def default_folder() -> Path:
    """Where networks of one's own are: ``SIGHTLINES_MODELS``, else a folder here."""
    return Path(os.environ.get("SIGHTLINES_MODELS") or "models").expanduser()
