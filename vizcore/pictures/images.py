"""Untrusted bytes become a picture."""

from __future__ import annotations

import contextlib
import io
import threading
import warnings

import numpy as np
from PIL import Image, ImageCms, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000  # what a phone's camera makes; decoded, it is 150 MB for a moment
MIN_SIDE = 16
MAX_RATIO = 10
FRAME_SIDE = 768  # the longer side of the working picture: enough for a 518-pixel model and a projector
LARGE_PIXELS = 4_000_000  # from here on one file is decoded at a time: thirty at once would take gigabytes
_decoding_large = threading.Lock()


class PictureError(ValueError):
    """A file that can't be shown; the message is one sentence for the person who chose it."""


def read_picture(data: bytes, max_side: int = FRAME_SIDE) -> Image.Image:
    """Decode an uploaded file into an upright RGB picture, its longer side at most ``max_side``.

    Rotates as EXIF says, puts transparency on white, scales 16-bit and float images to 8 bits,
    converts CMYK and embedded colour profiles to sRGB, and takes the first frame of an animation.

    Raises:
        PictureError: not an image of ``FORMATS``, damaged, or of a size that can't be shown.
    """
    if not data:
        raise PictureError("The file is empty; choose a photograph (JPEG, PNG, WebP, BMP, GIF or TIFF).")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # our own limit, below, replaces Pillow's warning
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            _check_size(*image.size)
            image.draft("RGB", (max_side, max_side))  # JPEGs decode at a fraction of the work
            large = image.width * image.height > LARGE_PIXELS
            with _decoding_large if large else contextlib.nullcontext():
                image.load()
                profile = image.info.get("icc_profile")
                image = ImageOps.exif_transpose(_reduced(image, max_side))
                image = to_rgb(image, profile)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(f"The picture is too large: at most {MAX_PIXELS // 10**6} megapixels.") from error
    except Exception as error:  # decoders raise whatever a damaged file makes them raise
        raise PictureError(
            "This file can't be read as a picture: it is damaged, cut short, or not a JPEG, PNG, WebP, "
            "BMP, GIF or TIFF."
        ) from error
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return image


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"The picture has {width} × {height} pixels; at most {MAX_PIXELS // 10**6} million can be read."
        )
    if min(width, height) < MIN_SIDE:
        raise PictureError(f"The picture has {width} × {height} pixels; each side needs at least {MIN_SIDE}.")
    if max(width, height) > MAX_RATIO * min(width, height):
        raise PictureError(
            f"The picture has {width} × {height} pixels; one side may be at most {MAX_RATIO} times the other."
        )


def upright(layer: Image.Image, of: Image.Image) -> Image.Image:
    """A layer that was made of an opened file, turned as the file's EXIF says."""
    layer.info["exif"] = of.getexif().tobytes()
    return ImageOps.exif_transpose(layer)


def to_rgb(image: Image.Image, profile: bytes | None = None) -> Image.Image:
    """An image of any Pillow mode as 8-bit RGB: (H, W) or (H, W, C) of any depth in, (H, W, 3) out.

    ``profile`` is an ICC profile; a broken one is ignored.
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_grey(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image)
        image = white
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            image = converted or image  # None only where it works in place
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # the colours are a little off, the picture is right
    return image.convert("RGB")


def _reduced(image: Image.Image, max_side: int) -> Image.Image:
    """A large image by a whole factor smaller, so that what follows costs a fraction of the memory."""
    factor = max(image.size) // (2 * max_side)  # what is left to do is done with a better filter
    if image.mode.startswith("I;16") and factor > 1:
        return image.convert("I").reduce(factor).convert("I;16")
    if factor < 2 or image.mode not in ("L", "RGB", "RGBA", "CMYK", "I", "F"):
        return image
    if image.mode == "RGBA":  # what can't be seen has no say in the colour
        return image.convert("RGBa").reduce(factor).convert("RGBA")
    return image.reduce(factor)


def _deep_grey(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float greys: 16 bits by their whole range, others by the values they hold."""
    grey = np.asarray(image, dtype=np.float32)
    finite = grey[np.isfinite(grey)]
    low, high = (min(finite.min(), 0.0), finite.max()) if finite.size else (0.0, 1.0)
    if image.mode.startswith("I;16"):
        low, high = 0.0, 65535.0
    grey = (np.nan_to_num(grey, nan=low, posinf=high, neginf=low) - low) / ((high - low) or 1.0)
    return Image.fromarray((grey.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
