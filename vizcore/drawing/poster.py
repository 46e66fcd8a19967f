"""A page to hang on a wall: a slide, what it comes to, and a QR code of the link that shows it."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from .slide import Panel, slide, wrapped

WIDTH, HEIGHT, DPI = 2480, 1754, 150  # A3, lying
MARGIN, STRIP = 70, 400  # pixels: around all; what the link's code and the words beside it take
LONGEST = 1200  # characters of a link: with more a phone would hardly read its code


def qr(text: str, side: int) -> np.ndarray:
    """A QR code of a text with its quiet margin, (n, n, 3) uint8, whole pixels a module, n at most ``side``.

    Raises:
        ValueError: the text has more than ``LONGEST`` characters, or its code more modules than ``side``.
    """
    if len(text) > LONGEST:
        raise ValueError(f"a link of {len(text)} characters is too long for a code; at most {LONGEST}")
    code = cv2.QRCodeEncoder.create().encode(text)  # (modules, modules), 0 or 255
    code = np.pad(code[_inside(code, 0)][:, _inside(code, 1)], 4, constant_values=255)
    times = side // len(code)
    if not times:
        raise ValueError(f"{side} pixels are too few for a code of {len(code)} modules")
    return np.repeat(code.repeat(times, 0).repeat(times, 1)[..., None], 3, -1).astype(np.uint8)


def _inside(code: np.ndarray, axis: int) -> slice:
    """The rows, or columns, that aren't margin."""
    dark = np.flatnonzero((code < 128).any(1 - axis))
    return slice(int(dark[0]), int(dark[-1]) + 1)


def poster(panels: Sequence[Panel], heading: str, words: Sequence[str], link: str, note: str) -> np.ndarray:
    """Panels of one size beside each other, what they come to, and the link: (HEIGHT, WIDTH, 3) uint8.

    Args:
        words: a sentence each. link: of the view. note: below it, small.

    Raises:
        ValueError: as of ``qr``.
    """
    shown = Image.fromarray(slide(panels, heading, note, 3))
    room = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN - STRIP
    share = min(room[0] / shown.width, room[1] / shown.height)
    shown = shown.resize((round(shown.width * share), round(shown.height * share)), Image.Resampling.LANCZOS)
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    page.paste(shown, ((WIDTH - shown.width) // 2, MARGIN))
    code = qr(link, STRIP)
    left, top = WIDTH - MARGIN - code.shape[1], HEIGHT - MARGIN - code.shape[0]
    page.paste(Image.fromarray(code), (left, top))
    draw, large, small = ImageDraw.Draw(page), ImageFont.load_default(40), ImageFont.load_default(26)
    line = HEIGHT - MARGIN - STRIP + 20
    for each in wrapped(words, large, left - 2 * MARGIN):
        draw.text((MARGIN, line), each, "black", large)
        line += 52
    address = link.partition("?")[0]
    draw.text((MARGIN, HEIGHT - MARGIN - 34), f"The code opens this view: {address}", "#444444", small)
    return np.asarray(page)


def files(page: np.ndarray, title: str, words: str) -> dict[str, bytes]:
    """A poster as the bytes of a PNG and of a PDF of one page, by their endings.

    Args:
        words: what it shows, for those who can't see it; the PNG's description and the PDF's subject.
    """
    found, image, info = {}, Image.fromarray(page), PngInfo()
    info.add_itxt("Title", title)
    info.add_itxt("Description", words)
    for form, options in (
        ("png", {"dpi": (DPI, DPI), "pnginfo": info}),
        ("pdf", {"resolution": DPI, "title": title, "subject": words, "quality": 95}),
    ):
        file = io.BytesIO()
        image.save(file, form.upper(), **options)
        found[form] = file.getvalue()
    return found
