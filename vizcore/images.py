"""Untrusted bytes become a picture; a picture becomes the frame that every map is shown in.

The *frame* is the picture's own pixel grid. A model sees a part of it (its crop), at another size;
``box`` says which part, in picture pixels, and ``to_frame`` brings the model's maps back to it.
"""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageCms, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000  # what a phone's camera makes; decoded, it is 150 MB for a moment
MIN_SIDE = 16
MAX_RATIO = 10
FRAME_SIDE = 768  # the longer side of the working picture: enough for a 518-pixel model and a projector

Box = tuple[float, float, float, float]  # left, top, right, bottom, in picture pixels


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
            image.load()
            profile = image.info.get("icc_profile")
            image = ImageOps.exif_transpose(image)
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


def to_rgb(image: Image.Image, profile: bytes | None = None) -> Image.Image:
    """An image of any Pillow mode as 8-bit RGB: (H, W) or (H, W, C) of any depth in, (H, W, 3) out.

    ``profile`` is an ICC profile; a broken one is ignored.
    """
    if image.mode.startswith("I") or image.mode == "F":  # 16-bit, 32-bit and float greys
        grey = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        full = 65535.0 if image.mode.startswith("I;16") else grey.max() - min(grey.min(), 0.0)
        grey = (grey - min(grey.min(), 0.0)) / (full or 1.0)
        return Image.fromarray((grey.clip(0, 1) * 255).round().astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if profile and image.mode in ("RGB", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            image = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # the colours are a little off, the picture is right
    return image.convert("RGB")


class Preprocess:
    """A model's own evaluation transform, which also knows what part of the picture it keeps.

    Args:
        transform: a ``torchvision.transforms.Compose`` that resizes, crops and normalises, as
            ``timm.data.create_transform`` makes it.
        device, dtype: where the model is.
    """

    def __init__(self, transform, device: torch.device, dtype: torch.dtype):
        self.transform, self.device, self.dtype = transform, device, dtype

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """The whole picture as the model's input, (1, 3, H, W), normalised."""
        return self.transform(to_rgb(image))[None].to(self.device, self.dtype)

    def box(self, size: tuple[int, int]) -> Box:
        """Which part of a picture of ``size`` (width, height) the model sees.

        Reaches beyond the picture where the model pads. Found by walking through the transform's
        own resizing and cropping steps with a blank image, so it holds for every crop mode.
        """
        image = Image.new("L", size)
        left, top, scale_x, scale_y = 0.0, 0.0, 1.0, 1.0
        for step in self.transform.transforms:
            name = type(step).__name__
            if "Resize" in name:
                resized = step(image)
                scale_x *= resized.width / image.width
                scale_y *= resized.height / image.height
                left, top = left * resized.width / image.width, top * resized.height / image.height
                image = resized
            elif "Crop" in name:
                cropped = step(image)
                left += round((image.width - cropped.width) / 2)
                top += round((image.height - cropped.height) / 2)
                image = cropped
        right, bottom = left + image.width, top + image.height
        return left / scale_x, top / scale_y, right / scale_x, bottom / scale_y


def to_frame(maps: torch.Tensor, box: Box, size: tuple[int, int]) -> torch.Tensor:
    """Bring maps of what a model saw into the frame.

    Args:
        maps: (..., h, w), cells of equal size that tile ``box``.
        box: the part of the frame that they cover.
        size: the frame's (width, height).

    Returns:
        (..., height, width), bilinear between the cells' centres, 0 outside ``box`` (see ``seen``).
    """
    width, height = size
    left, top, right, bottom = box
    x = (torch.arange(width, device=maps.device) + 0.5 - left) / (right - left) * 2 - 1
    y = (torch.arange(height, device=maps.device) + 0.5 - top) / (bottom - top) * 2 - 1
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)[None]  # (1, H, W, xy)
    flat = maps.reshape(1, -1, *maps.shape[-2:]).float()
    framed = F.grid_sample(flat, grid, mode="bilinear", padding_mode="border", align_corners=False)
    framed = framed * seen(box, size).to(framed)
    return framed.reshape(*maps.shape[:-2], height, width)


def seen(box: Box, size: tuple[int, int]) -> torch.Tensor:
    """(H, W) bool: the frame's pixels whose centre lies in ``box``, the part that a model sees."""
    width, height = size
    left, top, right, bottom = box
    x, y = torch.arange(width) + 0.5, torch.arange(height) + 0.5
    return ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None]


def cell_at(point: tuple[float, float], box: Box, size: tuple[int, int], grid: tuple[int, int]):
    """The (row, column) of a ``grid`` (rows, columns) over ``box`` that holds a point of the frame.

    ``point`` is (x, y) as shares of the frame's width and height, 0 to 1. A point outside of what the
    model sees gives the nearest cell.
    """
    left, top, right, bottom = box
    rows, columns = grid
    column = int((point[0] * size[0] - left) / (right - left) * columns)
    row = int((point[1] * size[1] - top) / (bottom - top) * rows)
    return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
