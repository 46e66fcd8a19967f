"""How pictures and maps go to the browser, a head that says what they are and then their bytes; and what of
the browser's words can be taken."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping

import numpy as np
from PIL import Image

from vizcore.drawing import render

FEW = 1024  # cells up to which a map goes as floats; of more, each value goes as a byte
APART = 8192  # bytes from which values are an element of their own, sent once and kept by the browser
KINDS = ("heat", "signed", "colours")
LOOK = {"opacity": 70, "opacity_a": 70, "opacity_b": 70, "colours": "viridis", "scale": "own", "region": True}

OPACITIES = [name for name in LOOK if name.startswith("opacity")]  # of all maps; of those of either network


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def packed(head: Mapping, body: bytes = b"") -> bytes:
    """The length of the head in four bytes, the head, and what it speaks of."""
    text = json.dumps(head, ensure_ascii=False, allow_nan=False).encode()
    return len(text).to_bytes(4, "little") + text + body


def quantised(values: np.ndarray) -> tuple[np.ndarray, str, float, float]:
    """A map as it is sent: floats or bytes, which of them, and for bytes the values of 0 and of 255."""
    values = np.ascontiguousarray(values, np.float32)
    if not values.size or not np.isfinite(values).all():
        raise ValueError("A map can't be empty, and each of its values must be a finite number.")
    low, high = float(values.min()), float(values.max())
    if values.size <= FEW * (3 if values.ndim == 3 else 1):
        return values, "f4", low, high
    shares = (values.astype(np.float64) - low) / ((high - low) or 1)
    return (shares * 255).round().astype(np.uint8), "u1", low, high


def sent(values: np.ndarray) -> np.ndarray:
    """A map as the browser has it, float32: what ``ui.figures.laid`` draws of this is the same."""
    data, form, low, high = quantised(values)
    return data if form == "f4" else (low + data / 255 * (high - low)).astype(np.float32)


def checked(one) -> tuple[int, int, int]:
    """Channels, rows and columns of a map.

    Raises:
        ValueError: its values haven't the shape that its kind, or its grid, asks for.
    """
    shape = np.shape(one.values)
    if one.kind not in KINDS:
        raise ValueError(f"{one.kind!r} is no kind of map; there are {', '.join(KINDS)}.")
    if one.grid:
        rows, columns = one.grid
        if shape != (rows * columns,) * 2 or one.kind == "colours":
            raise ValueError(
                f"A matrix for {rows} × {columns} places can't be {shape} {one.kind}; it has a row and a "
                "column for each place, and no colours."
            )
        return 1, rows, columns
    if len(shape) != 2 + (one.kind == "colours") or (one.kind == "colours" and shape[0] != 3):
        raise ValueError(f"A {one.kind} map can't be {shape}; it is (h, w), or (3, h, w) if it is colours.")
    return (1, *shape) if len(shape) == 2 else shape


def map_head(one, at: int) -> tuple[dict, bytes]:
    """What is told of a map whose values begin at a byte of the body, and the values."""
    channels, rows, columns = checked(one)
    data, form, low, high = quantised(one.values)
    head = {key: value for key, value in one._asdict().items() if key != "values"}
    head |= {"channels": channels, "rows": rows, "columns": columns, "type": form, "low": low, "high": high}
    shown = ("kind", "range", "grid", "box", "channels", "rows", "columns", "low", "high")
    values = data.tobytes()
    head["id"] = digest(json.dumps([form, *map(head.get, shown)]).encode(), values)
    return head | ({"apart": True} if len(values) >= APART else {"at": at, "length": len(values)}), values


def picture_files(array: np.ndarray, regions: Mapping[str, np.ndarray]) -> tuple[dict, bytes]:
    """A picture and the edges of its regions as files, and where each of them begins and how long it is.

    An edge is black or white where ``render.contour`` draws it, and grey elsewhere.
    """
    grey = np.full((*array.shape[:2], 3), 128, np.uint8)
    edges = [Image.fromarray(render.contour(grey.copy(), mask)[..., 0]) for mask in regions.values()]
    # without loss quality is effort: with the usual one it takes up to three times as long, and is no smaller
    files = [_file(Image.fromarray(array), "WEBP", lossless=True, method=0, quality=20)]
    files += [_file(edge, "PNG") for edge in edges]
    ends = np.cumsum([0, *map(len, files)]).tolist()
    places = [(at, len(file)) for at, file in zip(ends, files, strict=False)]
    return {"picture": places[0], "regions": dict(zip(regions, places[1:], strict=True))}, b"".join(files)


def _file(image: Image.Image, form: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def place(said) -> tuple[float, float] | None:
    """(x, y) as shares of width and height, within the picture; None where it is no place."""
    try:
        x, y = (float(value) for value in said)
    except (TypeError, ValueError, OverflowError):
        return None
    return (min(max(x, 0.0), 0.999), min(max(y, 0.0), 0.999)) if x == x and y == y else None


def look(said) -> dict | None:
    """A look as ``LOOK`` has it; None where it is none."""
    if not isinstance(said, dict) or set(said) != set(LOOK):
        return None
    fits = all(type(said[name]) is int and 0 <= said[name] <= 100 for name in OPACITIES)
    fits = fits and said["colours"] in list(render.COLOUR_MAPS) and said["scale"] in ("own", "shared")
    return dict(said) if fits and isinstance(said["region"], bool) else None
