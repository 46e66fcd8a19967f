"""What a class is called: the first of its synonyms. Without torch, for pages that have yet to load it."""

from __future__ import annotations

from collections.abc import Sequence


def short_name(labels: Sequence[str], index: int) -> str:
    """The first of a class's synonyms, or its number where it has none.

    >>> short_name(["tench, Tinca tinca"], 0), short_name(["tench, Tinca tinca"], 1)
    ('tench', 'class 1')
    """
    synonyms = labels[index].split(",") if index < len(labels) else []
    return next(filter(None, map(str.strip, synonyms)), f"class {index}")
