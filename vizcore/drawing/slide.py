"""A picture and the maps of it beside each other, with what they say and what their colours mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .colours import legend

GAP, HEAD, BAR, LINE, FONT = 16, 36, 10, 20, 14  # of a picture that is 384 pixels wide
ENDS = {  # what the lowest and the highest value look like
    "viridis": ("dark violet", "yellow"),
    "cividis": ("dark blue", "yellow"),
    "inferno": ("black", "pale yellow"),
    "grey": ("black", "white"),
}


class Panel(NamedTuple):
    """A picture with its words; a map if it has ``ends``."""

    title: str
    words: Sequence[str]  # a sentence each
    draw: Callable[[int], np.ndarray]  # how many times as large -> (times * H, times * W, 3)
    colour: tuple[int, int, int] | None = None  # the network's
    ends: tuple[float, float] | None = None  # the values at the ends of its colours
    colour_map: str = "viridis"


def tile(number: int, size: tuple[int, int], times: int) -> tuple[slice, slice]:
    """Where in a slide a panel's picture lies: rows and columns. size: (width, height) at one time."""
    width, height = (times * side for side in size)
    unit = width / 384
    left = round(GAP * unit) + number * (width + round(GAP * unit))
    top = round((GAP + 2 * HEAD) * unit)
    return slice(top, top + height), slice(left, left + width)


def slide(panels: Sequence[Panel], heading: str, note: str, times: int = 2) -> np.ndarray:
    """Panels of one size beside each other under a heading, (H, W, 3).

    Args:
        note: below all. times: how many times as large as the picture is; letters grow with it.
    """
    drawn = [panel.draw(times) for panel in panels]
    height, width = drawn[0].shape[:2]
    size, unit = (width // times, height // times), width / 384
    font = ImageFont.load_default(FONT * unit)
    lines = [_wrapped(panel.words, font, width) for panel in panels]
    colours = dict.fromkeys(panel.colour_map for panel in panels if panel.ends)
    foot = [f"{' and '.join(_meaning(name) for name in colours)} {note}".strip()]
    wide = tile(len(panels), size, times)[1].start
    foot = _wrapped(foot, font, wide - 2 * GAP * unit)
    below = tile(0, size, times)[0].stop + (3 * BAR + LINE) * unit
    top = below + LINE * unit * max(map(len, lines))
    page = Image.new("RGB", (wide, round(top + LINE * unit * (len(foot) + 1))), "white")
    draw = ImageDraw.Draw(page)
    draw.text((GAP * unit, GAP * unit), heading, "black", ImageFont.load_default(24 * unit))
    for number, (panel, shown, own) in enumerate(zip(panels, drawn, lines, strict=True)):
        rows, columns = tile(number, size, times)
        page.paste(Image.fromarray(shown), (columns.start, rows.start))
        _title(draw, panel, columns.start, rows.start, unit)
        if panel.ends:
            _bar(page, panel, columns, rows.stop, unit)
        _write(draw, own, columns.start, below, unit, font)
    _write(draw, foot, GAP * unit, top + LINE * unit / 2, unit, font, "#444444")
    return np.asarray(page)


def _meaning(colour_map: str) -> str:
    low, high = ENDS[colour_map]
    return f"{high.capitalize()}: most of the evidence for what was asked; {low}: least."


def _wrapped(sentences: Sequence[str], font, width: float) -> list[str]:
    """Lines that are no wider, each sentence on a new one."""
    lines = []
    for sentence in sentences:
        lines.append("")
        for word in sentence.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and font.getlength(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return lines


def _write(draw, lines: Sequence[str], left: float, top: float, unit: float, font, ink="black") -> None:
    for number, line in enumerate(lines):
        draw.text((left, top + number * LINE * unit), line, ink, font)


def _title(draw, panel: Panel, left: float, bottom: float, unit: float) -> None:
    """Above a picture, behind a square in the network's colour."""
    top, square = bottom - 26 * unit, 14 * unit
    if panel.colour:
        draw.rectangle((left, top + 2 * unit, left + square, top + 2 * unit + square), panel.colour)
        left += square + 6 * unit
    draw.text((left, top), panel.title, "black", ImageFont.load_default(17 * unit))


def _bar(page, panel: Panel, columns: slice, top: float, unit: float) -> None:
    """The colours below a map, with the values at their ends."""
    width, low_high = columns.stop - columns.start, panel.ends or (0.0, 0.0)
    bar = legend(panel.colour_map, width, round(BAR * unit))
    top = round(top + BAR * unit)
    page.paste(Image.fromarray(bar), (columns.start, top))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(0.85 * FONT * unit)
    for value, x, anchor in zip(low_high, (columns.start, columns.stop), "lr", strict=True):
        draw.text((x, top + 1.3 * BAR * unit), f"{value:.2g}", "black", font, anchor=f"{anchor}a")
