import os
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image

from benchmarks import visitor
from benchmarks.browser import chromium, find_chromium
from benchmarks.whole_app import whole_app
from ui.picture_picker import SAMPLES_FOLDER

ROOT = Path(__file__).parent.parent

torch.set_num_threads(1)  # one process for each core runs the tests
settings.register_profile("quick", max_examples=300, deadline=None)
settings.register_profile("long", max_examples=6000, deadline=None)  # pytest --hypothesis-profile=long
settings.load_profile("quick")


@pytest.fixture(scope="session")
def chelsea() -> Image.Image:
    return Image.open(SAMPLES_FOLDER / "chelsea.png").convert("RGB")


@pytest.fixture
def marker():
    """A grey picture with one bright square: (size, (x, y) of its centre, its width) -> picture."""

    def make(size, centre, width):
        array = np.full((size[1], size[0], 3), 60, np.uint8)
        x, y, half = *centre, width // 2
        array[y - half : y + half, x - half : x + half] = 255
        return Image.fromarray(array)

    return make


@pytest.fixture
def app():
    """The whole app in a session of its own, started by a link's query parameters.

    Unless the link says otherwise, with a photograph and a network that knows photographs.
    """
    photograph = {"picture": "Chelsea the cat", "a": "efficientnet_lite0"}
    with whole_app() as visit:
        yield lambda page="pages/home.py", **link: visit(Path(page).stem, photograph | link)


# ---------------------------------------------------------------- a real browser, for test_*browser.py


@pytest.fixture(scope="session")
def server():
    """The app on a server of its own; its address."""
    with visitor.server() as (address, _process):
        yield f"http://{address}"


@pytest.fixture(scope="session")
def browser():
    """Chromium. Skips the test where there is none, never in CI."""
    path = find_chromium()
    if path is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine")
    with chromium(path) as browser:
        yield browser
