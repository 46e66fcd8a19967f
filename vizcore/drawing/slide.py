"""A picture and the maps of it beside each other, with what they say and what their colours mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .colours import diverging, legend

GAP, HEAD, BAR, LINE, FONT = 16, 36, 10, 20, 14  # of a picture that is 384 pixels wide
ENDS = {  # what the lowest and the highest value look like
    "viridis": ("dark violet", "yellow"),
    "cividis": ("dark blue", "yellow"),
    "inferno": ("black", "pale yellow"),
    "grey": ("black", "white"),
    "signed": ("blue", "orange"),
}


class Panel(NamedTuple):
    """A picture with its words; a map if it has ``ends``."""

    title: str
    words: Sequence[str]  # a sentence each
    draw: Callable[[int], np.ndarray]  # how many times as large -> (times * H, times * W, 3)
    colour: tuple[int, int, int] | None = None  # the network's
    ends: tuple[float, float] | None = None  # the values at the ends of its colours
    colour_map: str = "viridis"  # or "signed": from below 0 over white to above


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
    lines = [wrapped(panel.words, font, width) for panel in panels]
    foot = [" ".join(filter(None, (*_legend_words(panels), note)))]
    wide = tile(len(panels), size, times)[1].start
    foot = wrapped(foot, font, wide - 2 * GAP * unit)
    below = tile(0, size, times)[0].stop + (3 * BAR + LINE) * unit
    top = below + LINE * unit * max(map(len, lines))
    page = Image.new("RGB", (wide, round(top + LINE * unit * (len(foot) + 1))), "white")
    draw = ImageDraw.Draw(page)
    large = ImageFont.load_default(24 * unit)
    fits = min(1.0, (wide - 2 * GAP * unit) / max(1.0, large.getlength(heading)))
    draw.text((GAP * unit, GAP * unit), heading, "black", ImageFont.load_default(24 * unit * fits))
    for number, (panel, shown, own) in enumerate(zip(panels, drawn, lines, strict=True)):
        rows, columns = tile(number, size, times)
        page.paste(Image.fromarray(shown), (columns.start, rows.start))
        _title(draw, panel, columns.start, rows.start, unit)
        if panel.ends:
            _bar(page, panel, columns, rows.stop, unit)
        _write(draw, own, columns.start, below, unit, font)
    _write(draw, foot, GAP * unit, top + LINE * unit / 2, unit, font, "#444444")
    return np.asarray(page)


def _legend_words(panels: Sequence[Panel]) -> list[str]:
    """What the colours mean, and whether those of one map can be compared with those of another."""
    said = []
    for name in dict.fromkeys(panel.colour_map for panel in panels if panel.ends):
        (low, high), signed = ENDS[name], name == "signed"
        said.append(f"{high.capitalize()}: {'above zero' if signed else 'most'}; "
                    f"{low}: {'below zero' if signed else 'least'}.")  # fmt: skip
    scales = [panel.ends for panel in panels if panel.ends and panel.colour_map != "signed"]
    if len(scales) > 1 and len(set(scales)) in (1, len(scales)):
        said.append("All maps on one scale." if len(set(scales)) == 1 else "Each map on its own scale.")
    return said


def wrapped(sentences: Sequence[str], font, width: float) -> list[str]:
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
    height = round(BAR * unit)
    if panel.colour_map == "signed":
        bar = diverging(np.tile(np.linspace(-1, 1, width, dtype=np.float32), (height, 1)))
    else:
        bar = legend(panel.colour_map, width, height)
    top = round(top + BAR * unit)
    page.paste(Image.fromarray(bar), (columns.start, top))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(0.85 * FONT * unit)
    for value, x, anchor in zip(low_high, (columns.start, columns.stop), "lr", strict=True):
        draw.text(
            (x, top + 1.3 * BAR * unit), f"{value:.2g}".replace("-", "−"), "black", font, anchor=f"{anchor}a"
        )
