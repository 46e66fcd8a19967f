"""What a network has learnt, in files: safetensors with its labels, and a card with a confusion matrix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor

from .. import truth
from ..at_scale.shards import written
from ..drawing.encoding import png
from ..drawing.matrix import matrix_picture
from ..model import VisionModel
from ..networks.preprocessing import preprocessing_of

SHOWN = 30  # classes up to which a card has the whole matrix
WORST = 20  # confusions that are listed beyond


class Outcome(NamedTuple):
    """What was said of the pictures of the test, which nothing was learnt from."""

    answers: Tensor  # (N,)
    frozen: Tensor  # (N,) by the frozen network with a head of its own
    whole: Tensor | None  # (N,) by the network that learnt as a whole


def difference(tested: Outcome) -> tuple[float, tuple[float, float] | None]:
    """What share of the test more the whole network names right than the frozen one, and its interval."""
    if tested.whole is None:
        return 0.0, None
    apart = (tested.whole == tested.answers).double() - (tested.frozen == tested.answers).double()
    return apart.mean().item(), truth.paired(apart.tolist())


def confusion(answers: Tensor, said: Tensor, classes: int) -> list[list[int]]:
    """How often each class (row) is called what (column)."""
    return torch.bincount(answers * classes + said, minlength=classes**2).view(classes, classes).tolist()


def weights_file(model: VisionModel, state: Mapping[str, Tensor], labels: Sequence[str], said: str) -> bytes:
    """A network's weights with what is needed to have it again by ``by_name.from_file``."""
    done = preprocessing_of(model)
    words = {
        "labels": json.dumps(list(labels), ensure_ascii=False),
        "architecture": model.name,
        "preprocessing": json.dumps(done.as_dict() if done else None),
        "accuracy": said,
    }
    return save({key: value.contiguous() for key, value in state.items()}, words)


def in_words(tested: Outcome) -> str:
    """How good it is, in a sentence."""
    said = tested.frozen if tested.whole is None else tested.whole
    share = truth.wilson(int((said == tested.answers).sum()), len(said))
    return (
        f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%}) of {len(said)} pictures of the test right"
    )


def card(
    name: str, model: VisionModel, labels: Sequence[str], tested: Outcome, counts: Mapping[str, int], how: str
) -> str:
    """A model card in Markdown."""
    said = tested.frozen if tested.whole is None else tested.whole
    lines = [f"# {name}", "", f"{model.title}, whose weights came from: {model.source}. {how}", ""]
    lines += [f"{in_words(tested)}."]
    if tested.whole is not None:
        value, ends = difference(tested)
        share = (tested.frozen == tested.answers).double().mean().item()
        between = f" ({ends[0]:+.1%} to {ends[1]:+.1%}, paired)" if ends else ""
        lines += [
            "",
            f"Its frozen features with a linear head: {share:.1%}; the difference is {value:+.1%}{between}.",
        ]
    lines += ["", "| pictures | |", "|---|---|", *(f"| {what} | {count} |" for what, count in counts.items())]
    matrix = confusion(tested.answers, said, len(labels))
    lines += ["", "## What is taken for what", "", f"![Shares as colours](<{name}.png>)", ""]
    lines += _matrix(matrix, [_cell(label) for label in labels])
    lines += ["", "What it says of pictures of another kind, or of other classes, is a guess."]
    return "\n".join(lines) + "\n"


def _cell(label: str) -> str:
    return label.replace("|", "/")


def _matrix(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> list[str]:
    """The whole matrix of few classes; of many, each class's share and the commonest confusions."""
    if len(labels) <= SHOWN:
        head = ["Rows are what is there, columns what is said.", "", "| | " + " | ".join(labels) + " |"]
        head += ["|---|" + "---|" * len(labels)]
        return head + [
            f"| {label} | " + " | ".join(str(n) if n else "" for n in row) + " |"
            for label, row in zip(labels, matrix, strict=True)
        ]
    wrong = [
        (n, labels[i], labels[j]) for i, row in enumerate(matrix) for j, n in enumerate(row) if i != j and n
    ]
    wrong.sort(key=lambda one: -one[0])
    lines = ["| what is there | what is said | times |", "|---|---|---|"]
    lines += [f"| {one} | {other} | {n} |" for n, one, other in wrong[:WORST]]
    right = [
        f"{label} {row[i]} of {sum(row)}" for i, (label, row) in enumerate(zip(labels, matrix, strict=True))
    ]
    return [*lines, "", "Right: " + ", ".join(right) + "."]


def picture(name: str, tested: Outcome, labels: Sequence[str]) -> bytes:
    """What is taken for what as a PNG: shares of each class, the first one at the top."""
    said = tested.frozen if tested.whole is None else tested.whole
    counts = np.array(confusion(tested.answers, said, len(labels)), float)[::-1]
    with np.errstate(invalid="ignore"):  # a class without a picture in the test stays grey
        shares = counts / counts.sum(1, keepdims=True)
    sides = "what is there", "what is said"
    return png(
        matrix_picture(shares, labels[::-1], labels, name, sides, f"{in_words(tested)}.", "of the class")
    )


def write(folder: Path, name: str, weights: bytes, page: str, drawn: bytes, figures: dict[str, Any]) -> Path:
    """The four files of a network, itself last; its path."""
    path = folder / f"{name}.safetensors"
    text = json.dumps(figures, indent=1, ensure_ascii=False) + "\n"
    written(folder / f"{name}.json", lambda file: file.write(text.encode()))
    written(folder / f"{name}.md", lambda file: file.write(page.encode()))
    written(folder / f"{name}.png", lambda file: file.write(drawn))
    written(path, lambda file: file.write(weights))
    return path
