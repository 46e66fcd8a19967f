"""A loop to show around: an animated WebP whose frames say what they are."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from .sheets import captioned

SECONDS = 4.0  # of one round
GAP = 8  # pixels between pictures that stand beside each other
DESCRIPTION = 0x010E  # the tag of EXIF that says what a picture shows


def beside(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures (H, W, 3) of one size beside each other, on white."""
    gap = np.full((pictures[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for picture in pictures for part in (gap, picture)][1:]
    return np.concatenate(parts, 1)


def loop(frames: Sequence[np.ndarray], words: Sequence[str], caption: str) -> bytes:
    """An animated WebP of ``SECONDS`` a round, for ever.

    Args:
        frames: (H, W, 3) uint8, of one size. words: what each shows, written below it. caption: what the
            whole shows: it goes into the file, as its description.

    Raises:
        ValueError: there are fewer than two frames, or not a word for each.
    """
    if len(frames) < 2 or len(frames) != len(words):
        raise ValueError(
            f"a loop takes two frames or more, each with its words, not {len(frames)}, {len(words)}"
        )
    shown = [captioned(frame, said) for frame, said in zip(frames, words, strict=True)]
    height = max(len(one) for one in shown)
    shown = [np.pad(one, ((0, height - len(one)), (0, 0), (0, 0)), constant_values=255) for one in shown]
    first, *rest = map(Image.fromarray, shown)
    exif, file = Image.Exif(), io.BytesIO()
    exif[DESCRIPTION] = caption
    each = round(1000 * SECONDS / len(shown))
    first.save(
        file,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=each,
        loop=0,
        quality=85,
        method=2,
        exif=exif,
    )
    return file.getvalue()
