"""Whatever bytes come, the readers end in what they are for or in one sentence; hypothesis looks for more.

For longer: pytest tests/test_fuzz.py --hypothesis-profile=long
"""

import io
import json
import struct

import numpy as np
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from ui.plain import plain
from vizcore.networks.checkpoints import ModelError, read_checkpoint, read_labels
from vizcore.pictures.images import FORMATS, FRAME_SIDE, PictureError, read_picture


def encoded(format: str, mode: str) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (40, 56, 4), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).convert(mode).save(buffer, format)
    return buffer.getvalue()


MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("L", "P"),
    "WEBP": ("RGB", "RGBA"),
}
PICTURES = [encoded(f, mode) for f in FORMATS for mode in MODES.get(f, ("1", "L", "LA", "P", "RGB", "RGBA"))]


@st.composite
def damaged(draw, files):
    """A file with some bytes changed, a piece taken out or doubled, or its end missing."""
    data = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1)) if data else 0
        kind = draw(st.sampled_from(("set", "cut", "double", "end")))
        if kind == "set":
            data[place : place + 4] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "cut":
            del data[place : place + draw(st.integers(1, 40))]
        elif kind == "double":
            data[place:place] = data[place : place + draw(st.integers(1, 40))]
        else:
            del data[place:]
    return bytes(data)


def sentence(error: Exception) -> None:
    text = str(error)
    assert text and "\n" not in text and len(text) < 400 and text[-1] in ".?", text


@given(st.one_of(damaged(PICTURES), st.binary(max_size=200)))
def test_pictures(data):
    try:
        picture = read_picture(data)
    except PictureError as error:
        sentence(error)
        return
    assert picture.mode == "RGB" and max(picture.size) <= FRAME_SIDE and np.asarray(picture).dtype == np.uint8


def checkpoints() -> list[bytes]:
    state = {
        "a.weight": torch.arange(12.0).reshape(3, 4),
        "a.bias": torch.ones(3).half(),
        "n": torch.tensor(7),
    }
    new, old = io.BytesIO(), io.BytesIO()
    torch.save(state, new)
    torch.save(state, old, _use_new_zipfile_serialization=False)
    return [save(state, {"labels": '["x", "y"]'}), new.getvalue(), old.getvalue()]


@given(st.one_of(damaged(checkpoints()), st.binary(max_size=200)))
def test_checkpoints(data):
    try:
        state, labels = read_checkpoint(data)
    except ModelError as error:
        sentence(error)
        return
    assert all(isinstance(name, str) and torch.is_tensor(value) for name, value in state.items())
    assert sum(value.numel() for value in state.values()) <= 2 * len(data)
    assert labels is None or all(isinstance(label, str) for label in labels)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(json_like, st.binary(max_size=40), st.integers(-4, 4))
def test_headers_of_safetensors_that_are_any_json(header, body, off):
    text = json.dumps(header).encode()
    data = struct.pack("<Q", max(0, len(text) + off)) + text + body
    try:
        read_checkpoint(data)
    except ModelError as error:
        sentence(error)


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode), json_like.map(json.dumps)))
@example("[" * 50_000)
def test_label_files(data):
    data = data if isinstance(data, bytes) else data.encode()
    try:
        names = read_labels(data)
    except ModelError as error:
        sentence(error)
        return
    assert any(names) and all(name.isprintable() and len(name) <= 200 for name in names)


@given(st.text(st.sampled_from("[]()<>*_~$\\`!:@/.w aé：")))
def test_no_text_means_anything_to_markdown(text):
    shown = plain(text)
    assert len(shown) == len(text) and not set("[]<>*~$\\@") & set(shown)
    assert ":/" not in shown and "www." not in shown and plain(shown) == shown
