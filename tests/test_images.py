import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vizcore.pictures.images import FORMATS, PictureError, read_picture


def encode(image: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def corners(size=(48, 32)) -> Image.Image:
    """Red top left, green top right, blue bottom left, white bottom right."""
    array = np.zeros((size[1], size[0], 3), np.uint8)
    top, left = size[1] // 2, size[0] // 2
    array[:top, :left], array[:top, left:] = (255, 0, 0), (0, 255, 0)
    array[top:, :left], array[top:, left:] = (0, 0, 255), (255, 255, 255)
    return Image.fromarray(array)


def corner_colours(image: Image.Image) -> list[str]:
    w, h = image.size
    names = []
    for x, y in ((w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4)):
        r, g, b = image.getpixel((x, y))
        names.append("w" if min(r, g, b) > 150 else "rgb"[int(np.argmax((r, g, b)))])
    return names


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_read_upright_and_in_colour(format):
    picture = read_picture(encode(corners(), format))
    assert picture.mode == "RGB" and picture.size == (48, 32)
    assert corner_colours(picture) == ["r", "g", "b", "w"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    undo = {  # what a camera held that way would have stored
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = corners() if orientation == 1 else corners().transpose(undo[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = read_picture(encode(stored, "JPEG", exif=exif, quality=95))
    assert picture.size == (48, 32)
    assert corner_colours(picture) == ["r", "g", "b", "w"]


def test_transparency_becomes_white():
    image = corners().convert("RGBA")
    image.putalpha(0)
    assert np.asarray(read_picture(encode(image))).min() == 255
    palette = corners().quantize(4)
    palette.info["transparency"] = palette.getpixel((2, 2))
    assert read_picture(encode(palette, transparency=palette.getpixel((2, 2)))).getpixel((2, 2)) == (255,) * 3


def test_16_bit_keeps_its_range():
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (32, 1))
    grey = np.asarray(read_picture(encode(Image.fromarray(ramp))))[0, :, 0]
    assert grey[0] == 0 and grey[-1] == 255 and abs(int(grey[32]) - 129) <= 2


def test_float_tiff_with_nan_and_inf():
    values = np.tile(np.linspace(-1, 1, 64, dtype=np.float32), (32, 1))
    values[0, 0], values[1, 1] = np.nan, np.inf
    grey = np.asarray(read_picture(encode(Image.fromarray(values), "TIFF")))[5, :, 0]
    assert grey[0] == 0 and grey[-1] == 255


def test_cmyk():
    assert corner_colours(read_picture(encode(corners().convert("CMYK"), "JPEG"))) == ["r", "g", "b", "w"]


def test_first_frame_of_an_animation():
    frames = [corners(), Image.new("RGB", (48, 32), "black")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    assert corner_colours(read_picture(data)) == ["r", "g", "b", "w"]


def test_large_pictures_are_brought_down_to_the_frame():
    picture = read_picture(encode(Image.new("RGB", (3000, 1500), "red"), "JPEG"))
    assert picture.size == (768, 384) and picture.getpixel((400, 200))[0] > 250


def bomb() -> bytes:
    """A PNG of 30000 × 30000 that is some kilobytes long."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 30000, 30000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10**6))) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"GIF89a", "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "not a JPEG"),
        (b"%PDF-1.7 hello", "not a JPEG"),
        (encode(corners())[:60], "cut short"),
        (encode(corners(), "JPEG")[:200], "cut short"),
        (bomb(), "too large: at most 50 megapixels"),
        (encode(Image.new("1", (8000, 7000))), "8000 × 7000 pixels"),
        (encode(Image.new("RGB", (1, 1))), "1 × 1 pixels; each side needs at least 16"),
        (encode(Image.new("RGB", (20, 4000))), "at most 10 times"),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(data, says):
    with pytest.raises(PictureError, match=says) as error:
        read_picture(data)
    assert "\n" not in str(error.value) and len(str(error.value)) < 200


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(FORMATS), st.integers(0, 10_000), st.integers(0, 255), st.booleans())
def test_damaged_files_end_in_a_picture_or_a_sentence(format, place, value, cut):
    data = bytearray(encode(corners(), format))
    place %= len(data)
    data[place] = value
    try:
        picture = read_picture(bytes(data[:place] if cut else data))
    except PictureError:
        return
    assert picture.mode == "RGB" and min(picture.size) >= 1
