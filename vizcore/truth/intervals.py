"""How far a figure can be trusted: 95 % intervals of proportions and of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

LEAST = 5  # values from which a mean difference has an interval


class Interval(NamedTuple):
    """A figure, and the ends of its interval."""

    value: float
    low: float
    high: float


def wilson(hits: float, count: int, z: float = 1.96) -> Interval:
    """A proportion and its 95 % interval (Wilson, 1927)."""
    share = hits / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def normal(values: Sequence[float], z: float = 1.96) -> Interval:
    """The mean of independent values and its 95 % interval; without bounds where there is but one."""
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else math.inf
    half = z * spread / math.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def paired(differences: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval (Student's t) of the mean of paired differences; None of fewer than ``LEAST``."""
    count = len(differences)
    if count < LEAST:
        return None
    mean = math.fsum(differences) / count
    error = math.sqrt(math.fsum((one - mean) ** 2 for one in differences) / (count - 1) / count)
    z, free = 1.959964, count - 1  # the quantile of t from that of the normal, to 0.01 from 4 on
    t = z + (z**3 + z) / (4 * free) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * free**2)
    t += (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * free**3)
    return mean - t * error, mean + t * error
