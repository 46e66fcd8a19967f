"""A few pictures become five times as many: each whole, and its four quarters."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image


def with_quarters(pictures: Iterable[Image.Image]) -> list[Image.Image]:
    """Each picture, followed by its quarters from the upper left to the lower right.

    >>> len(with_quarters([Image.new("RGB", (8, 8))]))
    5
    """
    found = []
    for picture in pictures:
        width, height = picture.size
        x, y = width // 2, height // 2
        boxes = [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]
        found += [picture, *(picture.crop(box) for box in boxes)]
    return found
