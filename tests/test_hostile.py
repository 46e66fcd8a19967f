"""Files made by mistake or on purpose: each ends in the right picture or in one plain sentence."""

import io
import json
import os
import pickle
import re
import struct
import time
import warnings
import zipfile
import zlib
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms, PngImagePlugin
from safetensors.torch import save
from shared import shared_model

from ui.plain import plain
from vizcore.networks.checkpoints import ModelError, read_checkpoint, read_labels
from vizcore.networks.load import load_model, network_bytes
from vizcore.networks.torchvision_ops import timm
from vizcore.pictures.images import FORMATS, FRAME_SIDE, PictureError, read_picture

SIZE = 64, 48


def encode(image: Image.Image, format: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def scene(size=SIZE) -> np.ndarray:
    """No two corners alike, smooth enough to survive a lossy format; (H, W, 3)."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return (255 * np.stack([x, y, 1 - 0.7 * x * y], -1)).round().astype(np.uint8)


def photo(size=SIZE) -> Image.Image:
    return Image.fromarray(scene(size))


def grey() -> np.ndarray:
    return np.tile(np.linspace(0, 1, SIZE[0], dtype=np.float32), (SIZE[1], 1))


def three(values) -> np.ndarray:
    """Grey, 0 to 1, as what the app shows."""
    return np.repeat((255 * values).round().astype(np.uint8)[..., None], 3, -1)


def says(error: Exception) -> str:
    """What a person reads, if it is a sentence that shows nothing of the server and of the file."""
    text = str(error)
    assert text and text[-1] in ".?" and "\n" not in text and len(text) < 400, text
    assert not re.search(r"Traceback|Error\b|/home|/root|site-packages|<\w|0x[0-9a-f]{6}", text), text
    return text


# ---------------------------------------------------------------- pictures that are to be read right

STORED = {  # how a camera stores what is upright when Exif says so
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[::-1],
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: a.transpose(1, 0, 2)[:, ::-1],
}


def turned(orientation: int, format: str, size=SIZE) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(np.ascontiguousarray(STORED[orientation](scene(size))))
    return encode(stored, format, exif=exif, quality=95)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(width: int, height: int, depth: int, colour: int, pixels: bytes, *more: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    body = b"".join(more) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


def sixteen_bit_colour() -> bytes:
    rows = scene().astype(">u2") * 257
    return raw_png(*SIZE, 16, 2, b"".join(b"\0" + row.tobytes() for row in rows))


def half_transparent() -> tuple[bytes, np.ndarray]:
    array = np.dstack([scene(), np.full(SIZE[::-1], 255, np.uint8)])
    array[:, :32, 3] = 0
    expected = scene()
    expected[:, :32] = 255
    return encode(Image.fromarray(array)), expected


def palette(alpha) -> tuple[bytes, np.ndarray]:
    """Four colours in columns; the first is transparent."""
    image = Image.fromarray(np.repeat(np.arange(4, dtype=np.uint8), 16)[None].repeat(48, 0), "P")
    colours = np.array([[200, 0, 0], [0, 200, 0], [0, 0, 200], [9, 9, 9]], np.uint8)
    image.putpalette(colours.tobytes())
    shown = colours.copy()
    shown[0] = 255
    return encode(image, transparency=alpha), shown[np.asarray(image)]


def floats(*wrong) -> bytes:
    values = grey()
    values[0, : len(wrong)] = wrong
    return encode(Image.fromarray(values), "TIFF")


def marked(**changes) -> np.ndarray:
    values = grey()
    values[0, : len(changes["first"])] = changes["first"]
    return three(values)


def animated(format: str) -> bytes:
    frames = [photo(), Image.new("RGB", SIZE), Image.new("RGB", SIZE, "white")]
    lossless = {"lossless": True} if format == "WEBP" else {}
    return encode(frames[0], format, save_all=True, append_images=frames[1:], duration=40, **lossless)


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("picture.png", encode(photo()))
    return buffer.getvalue()


def profile(kind: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()


def scripted() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>" * 100)
    return encode(photo(), pnginfo=info)


RIGHT = {  # name: (file, (H, W, 3) that is to be shown, how far off a pixel may be)
    **{f"{f} turned {n}": (partial(turned, n, f), scene, 14) for f in ("JPEG", "WEBP") for n in STORED},
    **{f"{f} turned 6": (partial(turned, 6, f), scene, 0) for f in ("PNG", "TIFF")},
    "16-bit grey PNG": (lambda: encode(Image.fromarray((grey() * 65535).astype(np.uint16))), None, 1),
    "16-bit grey TIFF": (
        lambda: encode(Image.fromarray((grey() * 65535).astype(np.uint16)), "TIFF"),
        None,
        1,
    ),
    "32-bit grey TIFF": (lambda: encode(Image.fromarray((grey() * 2**30).astype(np.int32)), "TIFF"), None, 1),
    "16-bit colour PNG": (sixteen_bit_colour, scene, 0),
    "float TIFF": (floats, None, 1),
    "float TIFF with NaN": (partial(floats, np.nan, np.nan), partial(marked, first=[0, 0]), 1),
    "float TIFF with infinities": (partial(floats, np.inf, -np.inf), partial(marked, first=[1, 0]), 1),
    "float TIFF of NaN alone": (
        lambda: encode(Image.fromarray(np.full(SIZE[::-1], np.nan, np.float32)), "TIFF"),
        lambda: np.zeros((*SIZE[::-1], 3), np.uint8),
        0,
    ),
    "black and white": (
        lambda: encode(photo().convert("1")),
        lambda: np.asarray(photo().convert("1").convert("RGB")),
        0,
    ),
    "half transparent": (lambda: half_transparent()[0], lambda: half_transparent()[1], 0),
    "palette with a transparent colour": (lambda: palette(0)[0], lambda: palette(0)[1], 0),
    "palette with alpha": (
        lambda: palette(bytes([0, 255, 255, 255]))[0],
        lambda: palette(b"\0\xff\xff\xff")[1],
        0,
    ),
    "grey with alpha": (lambda: encode(Image.fromarray(three(grey())).convert("LA")), None, 1),
    "CMYK JPEG": (lambda: encode(photo().convert("CMYK"), "JPEG", quality=98), scene, 12),
    "CMYK TIFF": (lambda: encode(photo().convert("CMYK"), "TIFF"), scene, 2),
    "progressive JPEG": (lambda: encode(photo(), "JPEG", progressive=True, quality=95), scene, 12),
    "animated GIF": (partial(animated, "GIF"), scene, 60),  # 256 colours
    "animated WebP": (partial(animated, "WEBP"), scene, 0),
    "animated PNG": (partial(animated, "PNG"), scene, 0),
    "TIFF of several pages": (partial(animated, "TIFF"), scene, 0),
    "a JPEG called .png": (lambda: encode(photo(), "JPEG", quality=95), scene, 12),
    "its own sRGB profile": (lambda: encode(photo(), icc_profile=profile("sRGB")), scene, 2),
    "a profile that is none": (lambda: encode(photo(), icc_profile=b"\0" * 4000), scene, 0),
    "a profile of another kind": (lambda: encode(photo(), icc_profile=profile("LAB")), scene, 2),
    "a script in a comment": (scripted, scene, 0),
    "a picture that is a zip too": (lambda: encode(photo()) + zipped(), scene, 0),
    "a picture that is a page too": (lambda: encode(photo()) + b"<script>alert(1)</script>", scene, 0),
}


@pytest.mark.parametrize("name", RIGHT)
def test_unusual_pictures_are_shown_right(name):
    make, expected, off = RIGHT[name]
    picture = np.asarray(read_picture(make()), np.int16)
    expected = three(grey()) if expected is None else expected()
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).max() <= off


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF"])
def test_a_large_picture_that_is_turned(format):
    size = 3 * FRAME_SIDE, 2 * FRAME_SIDE
    picture = np.asarray(read_picture(turned(6, format, size)), np.int16)
    expected = np.asarray(photo(size).resize((FRAME_SIDE, 2 * FRAME_SIDE // 3), Image.Resampling.LANCZOS))
    assert picture.shape == expected.shape and np.abs(picture - expected).mean() < 3


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "CMYK", "I;16", "I", "F"])
def test_a_large_picture_of_every_kind(mode):
    """It is made smaller before it is turned into colours; where nothing can be seen, no colour leaks out."""
    size = 4 * FRAME_SIDE, 2 * FRAME_SIDE
    if mode in ("I;16", "I", "F"):
        ramp = np.tile(np.linspace(0, 65535, size[0]), (size[1], 1))
        kind = {"I;16": np.uint16, "I": np.int32, "F": np.float32}[mode]
        data = encode(Image.fromarray(ramp.astype(kind)), "TIFF")
        expected = np.tile(np.linspace(0, 255, FRAME_SIDE)[:, None], (FRAME_SIDE // 2, 1, 3))
    else:
        image = Image.fromarray(scene(size)).convert(mode.replace("LA", "RGBA"))
        if mode == "RGBA":
            image.putalpha(Image.fromarray(np.where(np.arange(size[0]) < size[0] // 2, 0, 255).astype(
                np.uint8)[None].repeat(size[1], 0)))  # fmt: skip
        image = image.convert(mode)
        data = encode(image, "TIFF" if mode == "CMYK" else "PNG")
        flat = Image.new("RGB", size, "white")
        flat.paste(image.convert("RGB"), mask=image.convert("RGBA").getchannel("A") if "A" in mode else None)
        expected = np.asarray(flat.resize((FRAME_SIDE, FRAME_SIDE // 2), Image.Resampling.BOX))
    picture = np.asarray(read_picture(data), np.float32)
    assert picture.shape == expected.shape and np.abs(picture - expected).mean() < 2.5
    if mode == "RGBA":
        assert picture[:, : FRAME_SIDE // 2 - 3].min() >= 254


# ---------------------------------------------------------------- what is no picture


def looped_tiff() -> bytes:
    """Its list of pages comes back to the first, and its picture lies outside of the file."""
    entries = [(256, 4, 1, 64), (257, 4, 1, 48), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
               (273, 4, 1, 10**8), (277, 3, 1, 1), (278, 4, 1, 48), (279, 4, 1, 64 * 48)]  # fmt: skip
    table = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + table + struct.pack("<I", 8)


WRONG = {  # name: (file, what the sentence says)
    "nothing": (lambda: b"", "is empty"),
    "one pixel": (lambda: encode(Image.new("RGB", (1, 1))), "1 × 1 pixels"),
    "a line": (lambda: encode(Image.new("RGB", (1, 20000))), "1 × 20000 pixels"),
    "a long strip": (lambda: encode(Image.new("L", (20, 4000))), "at most 10 times"),
    "a bomb": (lambda: raw_png(30000, 30000, 8, 2, bytes(10**6)), "too large"),
    "a smaller bomb": (lambda: raw_png(9000, 9000, 1, 0, bytes(10**6)), "9000 × 9000"),
    "a header without a picture": (lambda: raw_png(4000, 4000, 8, 6, b""), "can't be read"),
    "a GIF of 65535 × 65535": (lambda: b"GIF89a" + b"\xff" * 4 + b"\0\0\0;", "too large|can't be read"),
    "a text bomb in a PNG": (
        lambda: raw_png(64, 48, 8, 0, b"\0" * 65 * 48, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(9**8)))),
        "can't be read",
    ),
    "a TIFF without an end": (looped_tiff, "can't be read"),
    "a page": (lambda: b"<html><script>alert(1)</script></html>", "can't be read"),
    "an SVG with a script": (
        lambda: b"<svg xmlns='http://www.w3.org/2000/svg'><script>x()</script></svg>",
        "can't",
    ),
    "a zip": (zipped, "can't be read"),
    "a PDF": (lambda: b"%PDF-1.7\n1 0 obj", "can't be read"),
    "PostScript": (
        lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n(%pipe%id) (w) file\n",
        "can't",
    ),
    "an icon": (lambda: encode(photo((64, 64)), "ICO"), "can't be read"),
    "a pickle": (lambda: pickle.dumps({"a": 1}), "can't be read"),
    "noise": (lambda: np.random.default_rng(0).bytes(5000), "can't be read"),
    **{f"{f} cut short": (partial(lambda f: encode(photo(), f)[:90], f), "can't be read") for f in FORMATS},
    **{
        f"{f}'s first bytes": (partial(lambda f: encode(photo(), f)[:12], f), "can't be read")
        for f in FORMATS
    },
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_picture_ends_in_one_sentence(name):
    make, expected = WRONG[name]
    data, start = make(), time.process_time()
    with warnings.catch_warnings(), pytest.raises(PictureError, match=expected) as error:
        warnings.simplefilter("error")
        read_picture(data)
    assert says(error.value) and time.process_time() - start < 2


# ---------------------------------------------------------------- checkpoints


class Evil:
    """Makes a directory when it is unpickled."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


def torch_bytes(value, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def squeezed(value) -> bytes:
    """The same archive, but compressed: some kilobytes that unpack to a hundred megabytes."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(torch_bytes(value))) as plain_archive,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in plain_archive.namelist():
            archive.writestr(name, plain_archive.read(name))
    return buffer.getvalue()


def tensors(header, body: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def f32(*offsets, shape=(2,)) -> dict:
    return {"dtype": "F32", "shape": list(shape), "data_offsets": list(offsets)}


def code(place, kind: str) -> bytes:
    evil = Evil(place)
    return {
        "a pickle": lambda: pickle.dumps(evil),
        "an old pickle": lambda: pickle.dumps(evil, protocol=0),
        "torch.save": lambda: torch_bytes({"fc.weight": evil}),
        "torch.save, as it was before": lambda: torch_bytes(
            {"a": evil}, _use_new_zipfile_serialization=False
        ),
        "beside weights": lambda: torch_bytes({"state_dict": {"a": torch.ones(2)}, "optimizer": evil}),
        "a whole network": lambda: torch_bytes(torch.nn.Sequential(torch.nn.Linear(2, 2))),
    }[kind]()


CODE = [
    "a pickle",
    "an old pickle",
    "torch.save",
    "torch.save, as it was before",
    "beside weights",
    "a whole network",
]


@pytest.mark.parametrize("kind", CODE)
def test_code_in_a_checkpoint_does_not_run(kind, tmp_path):
    place = tmp_path / "made by the checkpoint"
    data = code(place, kind)
    with pytest.raises(ModelError) as error:
        read_checkpoint(data)
    assert says(error.value) and not place.exists()
    if kind in ("a pickle", "torch.save"):
        assert "could run somebody's code" in str(error.value)
        pickle.loads(pickle.dumps(Evil(place)))  # it would have
        assert place.exists()


BROKEN = {
    "compressed a thousand times": (lambda: squeezed({"a": torch.zeros(25_000_000)}), "damaged"),
    "a tensor that repeats one number": (
        lambda: torch_bytes({"a": torch.zeros(1).half().expand(10**6, 10**6)}),
        "larger than the file",
    ),
    "many names for one tensor": (
        lambda: torch_bytes((lambda t: {f"n{i}": t for i in range(999)})(torch.ones(9999).half())),
        "larger than the file",
    ),
    "a sparse tensor": (lambda: torch_bytes({"a": torch.eye(3).to_sparse()}), "sparse"),
    "a tensor without numbers": (
        lambda: torch_bytes({"a": torch.empty(10**6, 10**6, device="meta")}),
        "empty",
    ),
    "a number instead of a tensor": (lambda: torch_bytes({"a": 3}), "other than tensors"),
    "numbered tensors": (lambda: torch_bytes({1: torch.ones(1)}), "other than tensors"),
    "a list": (lambda: torch_bytes([torch.ones(1)]), "no state dict"),
    "an empty dict": (lambda: torch_bytes({}), "no state dict"),
    "half of an archive": (lambda: torch_bytes({"a": torch.ones(999)})[:2000], "damaged"),
    "an archive of something else": (zipped, "damaged"),
    "a header as long as the universe": (lambda: tensors(b"{}", length=2**63), "neither"),
    "a header longer than the file": (lambda: tensors(b"{}", length=10**8), "neither"),
    "a header that is a list": (lambda: tensors([1, 2]), "neither"),
    "a header deeper than a mine": (lambda: tensors(b"[" * 90_000), "neither"),
    "a header that isn't text": (lambda: tensors(b"\xff\xfe" * 50), "neither"),
    "offsets beyond the end": (lambda: tensors({"a": f32(0, 8)}, b"1234"), "neither"),
    "offsets that overlap": (lambda: tensors({"a": f32(0, 8), "b": f32(4, 12)}, bytes(12)), "neither"),
    "offsets the wrong way round": (lambda: tensors({"a": f32(8, 0)}, bytes(8)), "neither"),
    "negative offsets": (lambda: tensors({"a": f32(-8, 0)}, bytes(8)), "neither"),
    "a shape larger than its bytes": (
        lambda: tensors({"a": f32(0, 8, shape=(10**9, 10**9))}, bytes(8)),
        "nei",
    ),
    "a shape that overflows": (lambda: tensors({"a": f32(0, 8, shape=(2**62, 2**62))}, bytes(8)), "neither"),
    "an unknown type": (
        lambda: tensors({"a": {**f32(0, 8), "dtype": "F31"}}, bytes(8)),
        "neither",
    ),
    "no tensors": (lambda: tensors({}), "no state dict"),
    "labels deeper than a mine": (
        lambda: save({"a": torch.ones(1)}, {"labels": "[" * 90_000}),
        "label file",
    ),
    "labels that are binary": (lambda: save({"a": torch.ones(1)}, {"labels": "\0\1\2"}), "label file"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_checkpoint_ends_in_one_sentence(name):
    make, expected = BROKEN[name]
    data = make()
    assert len(data) < 300_000
    with pytest.raises(ModelError, match=expected) as error:
        read_checkpoint(data)
    assert says(error.value)


def test_a_checkpoint_of_a_million_files_is_refused_before_its_names_are_read(monkeypatch):
    monkeypatch.setattr(zipfile, "ZipFile", None)
    names = bytes(1_000_001)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 9, 9, len(names), 0, 0)
    with pytest.raises(ModelError, match="damaged") as error:
        read_checkpoint(b"PK" + names + end)
    assert says(error.value)


def test_a_classifier_too_wide_to_be_true_allocates_nothing(monkeypatch):
    """Four million classes for a network of 512 features would be 8 GB."""
    state = timm.create_model("resnet18", num_classes=3).state_dict()
    state["fc.weight"] = torch.zeros(4_000_000, 1)
    built = []
    real = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda *a, **k: built.append(real(*a, **k)) or built[-1])
    with pytest.raises(ModelError, match="have another shape .first fc.weight") as error:
        load_model("resnet18", checkpoint=save(state))
    assert says(error.value)
    assert all(parameter.device.type == "meta" for net in built for parameter in net.parameters())


def test_the_size_of_a_network_is_known_before_it_is_loaded():
    for name in ("texture_resnet", "texture_vit", "efficientnet_lite0"):
        net = shared_model(name, "random").net
        assert network_bytes(name) == sum(
            t.numel() * t.element_size() for t in (*net.parameters(), *net.buffers())
        )
    assert network_bytes("vit_giant_patch14_dinov2") > 4e9  # without taking them


# ---------------------------------------------------------------- names of classes

LABELS = {
    "ten thousand lines": ("\n".join(f"class of line {i}" for i in range(10_000)).encode(), 10_000),
    "one line of five megabytes": (b"a" * 5_000_000, 1),
    "numbers in JSON": (b"[1, 2.5, null]", 3),
    "names that are left empty": (b'["cat", "", "dog", ""]', 4),
    "lines that are left empty": (b"cat\n\n \ndog\n", 2),
    "more than can be read": (b"x\n" * 100_001, "more than 100,000"),
    "a JSON object": (b'{"a": 1}', 1),
    "nothing": (b" \n\n ", "is empty"),
    "empty JSON": (b"[]", "is empty"),
    "empty names alone": (b'["", " "]', "is empty"),
    "binary": (bytes(range(256)), "not text"),
    "a picture": (encode(photo()), "not text"),
    "zeros": (b"a\0b", "can't be shown"),
    "UTF-16": ("cat\ndog".encode("utf-16"), "not text"),
    "half of a JSON list": (b'["a", "b"', "not text"),
    "brackets deeper than a mine": (b"[" * 200_000, "not text"),
    "a number of a million digits": (b"[" + b"9" * 10**6 + b"]", "not text"),
    "characters that reverse the line": ("abc\u202edcba".encode(), "can't be shown"),
}


@pytest.mark.parametrize("name", LABELS)
def test_label_files(name):
    data, expected = LABELS[name]
    if isinstance(expected, int):
        names = read_labels(data)
        assert len(names) == expected and all(len(one) <= 200 for one in names)
        return
    with pytest.raises(ModelError, match=expected) as error:
        read_labels(data)
    assert says(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "![x](http://evil.example/a.png)",
        "[click](javascript:alert(1))",
        "<script>alert(1)</script>",
        ":red[alarm] :material/home: :smile: $x^2$",
        "**bold** ~~gone~~ a@b.example www.evil.example \\",
        "http://evil.example",
    ],
)
def test_text_from_outside_is_only_text(text):
    shown = plain(text)
    assert not re.search(r"[\[\]<>*~$\\@]|:[\w/]|www\.", shown)
    assert plain(shown) == shown and len(shown) == len(text)  # whoever reads it reads the same


def test_a_link_writes_nothing_into_the_page(app):
    words = "[sign in](http://evil.example)![x](http://evil.example/x.png)"
    for page in ("feature_maps", "similarity", "activation_maximization", "home"):
        at = app(f"pages/{page}.py", a=words, weights_b=words, h_class=words, m_class=words, m_look=words)
        assert not at.exception
        shown = [block.value for kind in ("markdown", "caption", "info", "warning", "error", "title")
                 for block in getattr(at, kind)]  # fmt: skip
        shown += [button.help or "" for button in at.button] + [box.label for box in at.expander]
        assert len(shown) > 5 and not [text for text in shown if "](" in text]


def test_ordinary_names_stay_as_they_are():
    for name in ("jack-o'-lantern", "Apple___Black_rot", "crane (bird)", "C#", "photo 1.jpg", "A: b, c"):
        assert plain(name) == name
