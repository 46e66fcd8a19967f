"""A few pictures become many: each whole, and cut into parts."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image


def with_quarters(pictures: Iterable[Image.Image]) -> list[Image.Image]:
    """Each picture, followed by its quarters from the upper left to the lower right.

    >>> len(with_quarters([Image.new("RGB", (8, 8))]))
    5
    """
    return in_parts(pictures, 2)


def in_parts(pictures: Iterable[Image.Image], most: int) -> list[Image.Image]:
    """Each picture whole, followed by its 2 × 2 parts, its 3 × 3, and so on up to ``most`` × ``most``.

    >>> len(in_parts([Image.new("RGB", (8, 8))], 4))
    30
    """
    found = []
    for picture in pictures:
        for count in range(1, most + 1):
            xs, ys = ([side * k // count for k in range(count + 1)] for side in picture.size)
            found += [
                picture.crop((xs[column], ys[row], xs[column + 1], ys[row + 1])) if count > 1 else picture
                for row in range(count)
                for column in range(count)
            ]
    return found
