"""What a session sends, past its widgets too: bounded together, gone with it, and refused in a sentence."""

import contextlib
import hashlib
import io
import time
from types import SimpleNamespace

import pytest
import requests
from PIL import Image

import ui.network_picker
from benchmarks.visitor import Visitor


@pytest.fixture
def address(server):
    return server.removeprefix("http://")


def put(one: Visitor, name: str, data: bytes) -> requests.Response:
    """Send a file to the upload address, and claim it by no widget."""
    return one.put(name, data)[1]


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


def held(address: str) -> float:
    """MB of files that the server holds for all sessions, as it says itself."""
    lines = requests.get(f"http://{address}/_stcore/metrics", timeout=10).text.splitlines()
    own = [line for line in lines if "UploadedFileManager" in line]
    return sum(float(line.split()[-1]) for line in own) / 1e6


@pytest.mark.long  # what bounds them is in test_streamlit_private
def test_a_session_holds_no_more_than_its_bound_and_it_goes_with_the_session(strict_server):
    address = strict_server.removeprefix("http://")
    one = Visitor(address, page="your_model")
    one.open()
    answers = [put(one, f"{number}.png", bytes(6_000_000)).status_code for number in range(5)]
    assert 12 <= held(address) <= 20, answers
    assert answers[:3] == [204] * 3  # what is within the bound is taken
    one.close()
    end = time.monotonic() + 8
    while held(address) > 0 and time.monotonic() < end:
        time.sleep(0.2)
    assert held(address) == 0


@pytest.mark.parametrize("name", ["picture.exe", "picture", "x\0.png"])
def test_a_file_of_another_kind_is_one_sentence(address, name):
    with contextlib.closing(Visitor(address, page="your_model")) as one:
        one.open()
        try:
            one.upload(name, picture())
        except requests.HTTPError:
            return  # refused before it got anywhere
        assert not one.elements("exception")
        if name.endswith("png"):
            return
        said = [words for words in one.errors() if name in words]
        assert len(said) == 1 and "png" in said[0]
        assert one.widget("Picture") is not None


def test_a_picture_is_still_taken(address):
    with contextlib.closing(Visitor(address, page="your_model")) as one:
        one.open()
        one.upload("Mine.PNG", picture())
        assert not one.errors() and "Your picture" in one.widget("Picture").options


def test_a_checkpoint_is_hashed_once_not_at_every_click(app, monkeypatch):
    sizes = []

    def sha256(data=b""):
        sizes.append(len(data))
        return hashlib.sha256(data)

    monkeypatch.setattr(ui.network_picker, "hashlib", SimpleNamespace(sha256=sha256))
    at = app("pages/your_model.py")
    first = ("mine.safetensors", bytes(1_000_003), "application/octet-stream")
    at.file_uploader(key="checkpoint_a").set_value(first).run().run().run()
    assert at.session_state["chosen"][1].weights == "checkpoint" and sizes.count(1_000_003) == 1
    digest = at.session_state["chosen"][1].checkpoint
    at.file_uploader(key="checkpoint_a").set_value(("other.pt", bytes(1_000_004), "")).run().run()
    assert sizes.count(1_000_004) == 1 and at.session_state["chosen"][1].checkpoint != digest
