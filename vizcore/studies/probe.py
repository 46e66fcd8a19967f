"""A linear probe: what frozen features know of a few classes of one's own, told by pictures left out.

Multinomial logistic regression on pooled features (Alain & Bengio, 2016), with K-fold cross-validation. The
head that is fitted on all pictures makes a network for these classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from ..model import VisionModel
from ..modes import in_any_mode
from ..networks.headed import featured, with_head
from ..truth.intervals import Interval, wilson

STRENGTH = 0.01  # weight of the pictures against that of small coefficients: scikit-learn's C
FOLDS = 5
BATCH = 8  # pictures a pass
STEPS = 500  # of L-BFGS, at most; some dozens are usual


class Head(NamedTuple):
    """A linear layer on features, (N, D) -> (N, K)."""

    weight: Tensor  # (K, D), single precision
    bias: Tensor  # (K,)


class Result(NamedTuple):
    """A head for some classes, and how often one like it was right about pictures that it didn't see."""

    labels: tuple[str, ...]
    head: Head  # fitted on all pictures
    answers: Tensor  # (N,) of the pictures
    said: Tensor  # (N,) by the head that was fitted without the picture's fold
    folds: int

    @property
    def accuracy(self) -> Interval:
        """The share of right answers about pictures left out, with its 95 % interval (Wilson's)."""
        return wilson(int((self.said == self.answers).sum()), len(self.answers))

    def of_class(self, index: int) -> tuple[int, int]:
        """How many pictures of a class were named right, and how many there are."""
        own = self.answers == index
        return int((self.said[own] == index).sum()), int(own.sum())


class Step(NamedTuple):
    """What is known so far."""

    done: int
    total: int
    result: Result | None = None  # with the last


# ---------------------------------------------------------------- features


@in_any_mode
def features(net: nn.Module, model: VisionModel, pictures: Sequence[Image.Image]) -> Tensor:
    """Pooled features of pictures, (N, D), by the network of ``featured(model)``."""
    images = torch.cat([model.preprocess(picture) for picture in pictures])
    with torch.no_grad():
        return net(images).float().cpu()


# ---------------------------------------------------------------- regression


@in_any_mode
def fit(values: Tensor, answers: Tensor, classes: int, strength: float = STRENGTH) -> Head:
    """Multinomial logistic regression: the minimum of strength · Σ cross-entropy + ½ Σ weight².

    As scikit-learn's ``LogisticRegression(C=strength)``: biases cost nothing, and two classes are told apart
    by one row of weights. By L-BFGS in double precision.

    Args:
        values: (N, D). answers: (N,), 0 to classes - 1.
    """
    values, cost = values.double(), 0.5 * (2 if classes == 2 else 1)
    # the best weights are combinations of the pictures' features, so the search keeps to these: N, not D
    basis, small = None, values
    if values.shape[1] > values.shape[0]:
        basis, upper = torch.linalg.qr(values.T)  # (D, N), (N, N)
        small = upper.T.contiguous()  # (N, N): values = small @ basis.T
    weight = torch.zeros(classes, small.shape[1], dtype=torch.double, requires_grad=True)
    bias = torch.zeros(classes, dtype=torch.double, requires_grad=True)
    search = torch.optim.LBFGS(
        [weight, bias],
        max_iter=STEPS,
        tolerance_grad=1e-6,
        tolerance_change=1e-10,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        wrong = F.cross_entropy(F.linear(small, weight, bias), answers, reduction="sum")
        return strength * wrong + cost * weight.square().sum()

    def closure() -> Tensor:
        value = loss()
        weight.grad, bias.grad = torch.autograd.grad(value, [weight, bias])
        return value

    search.step(closure)  # pyright: ignore[reportArgumentType]  it wants a float, and takes a tensor
    found = weight.detach() if basis is None else weight.detach() @ basis.T
    return Head(found, bias.detach())


def scale(values: Tensor) -> tuple[Tensor, float]:
    """The features' mean (D,), and one number by which they are divided: their usual distance from it.

    With it a strength means the same for every network, and directions keep their lengths.
    """
    mean = values.double().mean(0)
    spread = (values.double() - mean).square().mean().sqrt().item()
    return mean, spread or 1.0


def fit_scaled(values: Tensor, answers: Tensor, classes: int, strength: float = STRENGTH) -> Head:
    """``fit`` on features that are scaled by ``scale``, as a head for features as they are."""
    mean, spread = scale(values)
    weight, bias = fit((values.double() - mean) / spread, answers, classes, strength)
    weight = weight / spread
    return Head(weight.float(), (bias - weight @ mean).float())


def folds_of(answers: Tensor, most: int = FOLDS, seed: int = 0) -> Tensor:
    """A fold for each picture, (N,): of each class about as many in each, mixed; fewer where it has few."""
    count = min(most, int(answers.bincount()[answers.unique()].min()))
    generator = torch.Generator().manual_seed(seed)
    found, begin = torch.empty_like(answers), 0
    for index in answers.unique():
        (own,) = torch.where(answers == index)
        own = own[torch.randperm(len(own), generator=generator)]
        found[own] = (torch.arange(len(own)) + begin) % count
        begin += len(own)  # what is left over goes to another fold with each class
    return found


def cross_validated(
    values: Tensor, answers: Tensor, labels: Sequence[str], strength: float = STRENGTH, seed: int = 0
) -> Iterator[Step]:
    """A head for each fold, fitted without it and asked about it; then one for all pictures.

    Args:
        values: (N, D). answers: (N,), each of the ``labels`` at least twice.

    Yields:
        After each fit; the last with the result.
    """
    folds = folds_of(answers, seed=seed)
    count, said = int(folds.max()) + 1, torch.empty_like(answers)
    for fold in range(count):
        out = folds == fold
        weight, bias = fit_scaled(values[~out], answers[~out], len(labels), strength)
        said[out] = F.linear(values[out], weight, bias).argmax(1)
        yield Step(fold + 1, count + 1)
    head = fit_scaled(values, answers, len(labels), strength)
    yield Step(count + 1, count + 1, Result(tuple(labels), head, answers, said, count))


# ---------------------------------------------------------------- the whole


def probe(
    model: VisionModel,
    pictures: Iterable[tuple[int, Image.Image | None]],
    labels: Sequence[str],
    total: int,
    check: object = None,
    strength: float = STRENGTH,
) -> Iterator[Step]:
    """A head for classes that pictures show.

    Args:
        pictures: (class, picture) one at a time; None for one that is left out. total: how many.
        check: a function of how many pictures each class has, called before the fit; it may raise.

    Yields:
        After each few pictures, and each fit; the last with the result.
    """
    net, _ = featured(model)
    found, answers, waiting, seen = [], [], [], 0
    fits = FOLDS + 1
    for seen, (answer, picture) in enumerate(pictures, 1):  # noqa: B007
        if picture is not None:
            waiting.append(picture)
            answers.append(answer)
        if len(waiting) == BATCH:
            found.append(features(net, model, waiting))
            waiting = []
            yield Step(seen, total + fits)
    if waiting:
        found.append(features(net, model, waiting))
    counts = [answers.count(index) for index in range(len(labels))]
    if callable(check):
        check(counts)
    yield Step(total, total + fits)
    known = torch.tensor(answers)
    for step in cross_validated(torch.cat(found), known, labels, strength):
        yield Step(total + fits * step.done // step.total, total + fits, step.result)


def probed(model: VisionModel, result: Result) -> VisionModel:
    """The network with the result's head, for its classes."""
    share = result.accuracy
    source = (
        f"{model.title}'s features ({model.source}), and a linear probe on {len(result.answers)} pictures: "
        f"{share.value:.0%} right about those left out"
    )
    return with_head(model, *result.head, result.labels, source)
