import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest

from ui.choices import SAMPLES_FOLDER

torch.set_num_threads(1)  # one process for each core runs the tests


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
def app(monkeypatch):
    """The whole app in a session of its own, started by a link's query parameters."""
    start = PagesManager.__init__

    def without_folder(self, *args, **kwargs):
        start(self, *args, **kwargs)
        PagesManager.uses_pages_directory = False  # as on a server, once st.navigation has run there

    monkeypatch.setattr(PagesManager, "__init__", without_folder)

    def open_app(**link) -> AppTest:
        test = AppTest.from_file("../streamlit_app.py", default_timeout=120)
        for name, value in link.items():
            test.query_params[name] = value
        return test.run()

    return open_app
