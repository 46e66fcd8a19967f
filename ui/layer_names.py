"""Where in a network a layer stands, before its name: a long name hides what comes after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

DEPTHS = "early", "middle", "late"


def depth(layer: str, layers: Sequence[str]) -> str:
    """A third of a network's layers, from the picture to the answer; "" of one that isn't among them."""
    if layer not in layers:
        return ""
    return DEPTHS[len(DEPTHS) * list(layers).index(layer) // len(layers)]


def with_depth(layers: Sequence[str]) -> Callable[[str], str]:
    """What a picker of these layers shows for each."""
    return lambda layer: " · ".join(filter(None, (depth(layer, layers), layer)))
