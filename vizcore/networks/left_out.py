"""Layers that are left out, in words."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from .geometry import BEHIND

PLURALS = ("it is", "they are"), ("it does", "they do"), ("it puts", "they put"), ("its", "their")


def remark(whole: set[str], ran: Sequence[str], left_out: Mapping[str, str], cam_layer: str) -> str:
    """What to know of blocks behind the deepest layer on offer, in a sentence; "" where there are none.

    Args:
        whole: modules that are a block or a stage. ran: all modules, in the order in which they ran.
    """
    place = {name: k for k, name in enumerate(ran)}
    behind = [name for name in left_out if name in whole and place[name] > place[cam_layer]]
    behind = [name for name in behind if not cam_layer.startswith(f"{name}.")]  # the list that it stands in
    behind = [name for name in behind if not any(name.startswith(f"{other}.") for other in behind)]
    if not behind:
        return ""
    return (
        f"Behind {cam_layer}, {'; '.join(itertools.starmap(_clause, by_reason(left_out, behind).items()))}."
    )


def by_reason(left_out: Mapping[str, str], layers: Iterable[str]) -> dict[str, list[str]]:
    """Layers that are left out, together where the reason is the same."""
    found: dict[str, list[str]] = {}
    for layer in layers:
        found.setdefault(left_out[layer], []).append(layer)
    return found


def _clause(reason: str, layers: list[str]) -> str:
    given = "" if reason == BEHIND else "with these weights "
    if len(layers) == 1:
        return f"{layers[0]} is left out: {given}{reason}"
    for one, several in PLURALS:
        reason = reason.replace(one, several)
    return f"{', '.join(layers[:-1])} and {layers[-1]} are left out: {given}{reason}"
