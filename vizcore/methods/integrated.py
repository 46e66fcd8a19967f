"""Integrated Gradients: what each pixel did on the way from a baseline to the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..baselines import BASELINES, blank
from ..model import VisionModel
from ..modes import in_any_mode
from ..objectives import Target, objective, values
from ..shapes import full, one_picture
from .gradients import differentiate
from .method import Method, Setting, of_pixels, summed
from .passes import spread, there_and_back

WITHIN = 0.05  # the gap, as a share of the difference, that pages are content with
MOST = 1600  # steps that somebody may ask for


class Integrated(NamedTuple):
    """Integrated gradients so far."""

    done: int  # points on the way from the baseline to the picture
    total: int
    pixels: Tensor  # (1, 3, H, W)
    steps: int  # intervals, or points, of the rule
    gap: float  # the sum of the pixels less what it should be: the difference
    difference: float  # of the class's score between the picture and the baseline

    @property
    def share(self) -> float:
        """The gap as a share of the difference, at least 0."""
        return abs(self.gap) / max(abs(self.difference), 1e-12) if self.gap else 0.0


def _gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    points, weights = np.polynomial.legendre.leggauss(n)
    return (points + 1) / 2, weights / 2


# n -> points from 0, the baseline, to 1, the picture, and their weights, which sum to 1. The first has its
# points dense at both ends, where networks with normalisation turn fastest, and needs the fewest.
RULES: dict[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {
    "Gauss-Legendre": _gauss_legendre,
    "midpoint": lambda n: ((np.arange(n) + 0.5) / n, np.full(n, 1 / n)),
    "left": lambda n: (np.arange(n) / n, np.full(n, 1 / n)),
}


@in_any_mode
def integrated_gradients(
    model: VisionModel,
    images: Tensor,
    target: Target,
    *,
    baseline: str = "black",
    steps: int = 50,
    rule: str = "Gauss-Legendre",
    within: float | None = None,
    most: int = 800,
) -> Iterator[Integrated]:
    """The mean gradient on the straight way from a baseline, times the way (Sundararajan et al., ICML 2017).

    The exact integral sums to the difference of the scores; what the sum lacks, or has too much, is the gap.

    Args:
        images: (1, 3, H, W).
        target: a class's index or name, or any ``Objective``.
        baseline: one of ``BASELINES``. rule: of the quadrature, one of ``RULES``. steps: its points.
        within: double the steps until the gap is at most this share of the difference, or there would be
            more than ``most``.

    Yields:
        What is known after each chunk of points: an estimate from points all over the way, and, once a rule
        is complete, that one until the doubled one is. Memory doesn't grow with the steps.
    """
    wanted = objective(model, target)
    one_picture(images)
    if rule not in RULES:
        raise ValueError(f"unknown rule {rule!r}; there are {', '.join(RULES)}")
    start = blank(baseline, model, images)
    with torch.no_grad():
        ends = [values(model.net, end, wanted)[0].double() for end in (images, start)]
    difference = (ends[0] - ends[1]).item()
    chunk, done, known = there_and_back(model.net, images, wanted), 0, None
    while True:
        points, weights = RULES[rule](steps)
        total = done + len(points)
        for some, pixels in _means(model, start, images - start, wanted, points, weights, chunk):
            done += some
            if known is None or done == total:
                gap = pixels.sum(dtype=torch.float64).item() - difference
                now = Integrated(done, total, pixels, steps, gap, difference)
            else:
                now = known._replace(done=done, total=total)
            yield now
        known = now
        if within is None or known.share <= within or 2 * steps > most:
            return
        steps *= 2


def _means(model: VisionModel, start: Tensor, way: Tensor, wanted: Any, points, weights, chunk: int):
    """After each chunk of points of a rule: how many, and the mean gradient so far times the way."""
    mean, weight = torch.zeros_like(way, dtype=torch.float64), 0.0
    for some in spread(len(points), chunk):
        at = torch.from_numpy(points[some]).to(way).view(-1, 1, 1, 1)
        found = differentiate(model.net, start + at * way, wanted)
        mean += torch.einsum("n,nchw->chw", torch.from_numpy(weights[some]).to(found), found)
        weight += weights[some].sum()
        yield len(some), (mean / weight).to(full(way)) * full(way)


def _told(step: Integrated) -> dict:
    """How complete a run is, the steps that it came to, and how to come closer."""
    found = step.difference + step.gap
    words = (
        f"Completeness: the pixels sum to {found:.2f} and the score differs from the baseline’s by "
        f"{step.difference:.2f} logits: a gap of **{step.gap:+.3f}**, **{step.share:.1%}** of the "
        f"difference, with {step.steps} steps."
    )
    good = step.share <= WITHIN
    return {
        "note": f":material/{'check_circle' if good else 'warning'}: {words}",
        "settings": {"steps": step.steps},
        "finer": ("Double the steps", {"steps": 2 * step.steps}) if 2 * step.steps <= MOST else ("", {}),
    }


BASELINE = Setting(
    "Baseline",
    "black",
    tuple(BASELINES),
    "What the absence of a pixel looks like, for Integrated Gradients and occlusion.",
)
ROWS: dict[str, Method] = {
    "Integrated Gradients": Method(
        of_pixels(partial(integrated_gradients, within=WITHIN), summed, _told),
        "Answers “compared with what?”: another baseline gives another map, and a pixel that is like the "
        "baseline gets nothing.",
        page="saliency",
        passes=100,
        settings={
            "baseline": BASELINE,
            "steps": Setting(
                "Steps of Integrated Gradients",
                50,
                (25, 50, 100, 200, 400, 800, MOST),
                "To begin with: they are doubled until the gap is at most 5 % of the difference, up to 800.",
            ),
            "rule": Setting(
                "Rule of Integrated Gradients",
                "Gauss-Legendre",
                tuple(RULES),
                "Where on the way the gradients are taken. Gauss-Legendre closes the gap with the fewest.",
            ),
        },
        shares_out=True,
    ),
}
