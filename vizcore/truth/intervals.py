"""How far a figure can be trusted: 95 % intervals of proportions and of means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


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
