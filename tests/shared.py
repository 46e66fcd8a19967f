"""What tests share: networks, pictures, the app, a browser and servers for it."""

import os
from copy import deepcopy
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from PIL import Image
from playwright.sync_api import expect
from streamlit.components.v2 import manifest_scanner

from benchmarks import visitor
from benchmarks.browser import chromium, find_chromium
from benchmarks.whole_app import whole_app
from ui.picture_picker import SAMPLES_FOLDER
from vizcore.model import VisionModel
from vizcore.networks import load
from vizcore.networks.catalog import CATALOG, Entry
from vizcore.networks.load import load_model

ROOT = Path(__file__).parent.parent
TITLES = {entry.title for entry in CATALOG.values()}

torch.set_num_threads(1)  # one process for each core runs the tests
expect.set_options(timeout=30_000)  # milliseconds: a server beside another test's on a slow machine
settings.register_profile("quick", max_examples=150, deadline=None)
settings.register_profile("long", max_examples=6000, deadline=None)  # pytest --hypothesis-profile=long
settings.load_profile("quick")
# Each session looks through all installed packages for components, for a sixth of a second: here once.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def pytest_collection_modifyitems(items):
    """The tests that share a server come first, so that one process has them all, a server and a browser.

    Those with a server of their own come last, so that another process begins with them.

    Before the others those of test_browser.py, whose first is the server's first visitor.
    """
    shared = {"server", "browser", "strict_server"}
    items.sort(
        key=lambda item: (
            "demo" in item.fixturenames,
            shared.isdisjoint(item.fixturenames),
            item.path.stem != "test_browser",
        )
    )


@lru_cache(maxsize=8)
def shared_model(name: str, weights: str = "trained", seed: int = 0) -> VisionModel:
    """A network for all tests of a process, which only look at it; whoever changes one loads his own."""
    return load_model(name, weights, seed=seed, device="cpu")


@pytest.fixture(scope="session", autouse=True)
def _looked_at_once():
    """What can be seen of a network of the catalogue is found out once a process, by its weights.

    It takes several passes, hundreds of times in all; ``test_networks`` and others look for themselves.
    """
    look, known = load._traced, {}

    def remembered(net, images, title):
        if title not in TITLES:  # a module of a test's own may differ in what neither of these says
            return look(net, images, title)
        weights = sha256(f"{title}{net}{tuple(images.shape)}{images.dtype}".encode())
        for name, value in net.state_dict().items():
            weights.update(name.encode())
            weights.update(value.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
        key = weights.digest()
        if key not in known:
            known[key] = look(net, images, title), getattr(net, "reads_from", None)
        found, reads_from = known[key]
        if reads_from is not None:
            net.reads_from = reads_from
        return deepcopy(found)

    load._traced = remembered
    yield
    load._traced = look


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
def classless(monkeypatch) -> str:
    """A small network without classes, in the catalogue while a test runs; DINOv2 takes longer."""
    name = "eva02_tiny_patch14_224"
    monkeypatch.setitem(CATALOG, name, Entry("EVA-02 Ti/14"))
    return name


@pytest.fixture
def small(monkeypatch) -> str:
    """A small CNN of timm's, in the catalogue while a test runs; its weights would have to be downloaded."""
    name = "test_resnet"
    monkeypatch.setitem(CATALOG, name, Entry("Test ResNet"))
    return name


@pytest.fixture
def app():
    """The whole app in a session of its own, started by a link's query parameters.

    Unless the link says otherwise, with a photograph, a network that knows photographs and one that doesn't.
    """
    photograph = {"picture": "Chelsea the cat", "a": "efficientnet_lite0", "b": "texture_vit"}
    with whole_app() as visit:
        yield lambda page="pages/home.py", **link: visit(Path(page).stem, photograph | link)


# ---------------------------------------------------------------- a real browser, for test_*browser.py

QUIET = """
(seconds) => new Promise((resolve, reject) => {
  const app = document.querySelector("[data-testid=stApp]");
  const end = performance.now() + 60_000;
  let timer;
  const observer = new MutationObserver(() => wait());
  const look = () => {
    const parts = app.querySelectorAll("[data-testid=stSkeleton]").length;  // whose code isn't there yet
    const state = app.dataset.testScriptState;
    if (performance.now() > end) reject(new Error(`never at rest: ${state}, ${parts} parts to come`));
    else if (state === "running" || parts) return wait();
    else resolve();
    observer.disconnect();
  };
  const wait = () => { clearTimeout(timer); timer = setTimeout(look, 1000 * seconds); };
  observer.observe(app, {subtree: true, childList: true, attributes: true, characterData: true});
  wait();
})"""


def settled(page, seconds: float = 0.25) -> None:
    """Wait until no script runs and for a while nothing on the page changes."""
    page.evaluate(QUIET, seconds)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def watch(page, message) -> None:
    """Note a complaint of the browser's, but for Streamlit's own."""
    own = message.location.get("url", "").endswith(("_stcore/health", "_stcore/host-config"))
    if message.type == "error" and not (own and "404" in message.text):
        page.problems.append(message.text)


def new_tab(context):
    """A tab that notes what the browser complains about."""
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.problems = []
    page.on("console", lambda message: watch(page, message))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    return page


@pytest.fixture(scope="session")
def server():
    """The app on a server of its own; its address."""
    with visitor.server() as (address, _process):
        yield f"http://{address}"


@pytest.fixture(scope="session")
def strict_server():
    """Another, that keeps 20 MB of files a session, and those of one that has gone for half a second."""
    bounds = {"SIGHTLINES_SESSION_UPLOAD_MB": "20", "SIGHTLINES_FORGET_SESSION_SECONDS": "0.5"}
    with visitor.server("--server.enableStaticServing", "false", **bounds) as (address, _process):
        yield f"http://{address}"


@pytest.fixture(scope="session")
def browser():
    """Chromium. Skips the test where there is none, never in CI."""
    path = find_chromium()
    if path is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine")
    with chromium(path) as browser:
        yield browser


@pytest.fixture(scope="session")
def tab(browser):
    """One tab for all tests: a new browser would fetch and compile Streamlit's scripts again, for seconds."""
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], accept_downloads=True)
    yield new_tab(context)
    context.close()


@pytest.fixture
def visit(tab, server):
    """Opens a page of the app in the tab, as somebody who comes for the first time; nothing may complain."""

    def open_page(path: str, width: int = 1280, height: int = 900):
        tab.set_viewport_size({"width": width, "height": height})
        tab.emulate_media(color_scheme="light")
        tab.goto(f"{server}/{path}")
        tab.get_by_role("heading", level=1).wait_for()
        settled(tab)
        return tab

    tab.problems.clear()
    yield open_page
    tab.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
    tab.context.clear_cookies()
    assert not tab.problems


def ran(at, tmp_path):
    """Every figure that is offered with its code, made by that code."""
    kept = {name: one for name, one in at.session_state["kept"].items() if one.code}
    for name, one in kept.items():
        written, file = {}, repr(str(tmp_path / "figure.png"))
        exec(compile(one.code.replace('"figure.png"', file), name, "exec"), written)
        assert np.abs(written["figure"].astype(int) - one.draw().astype(int)).mean() < 0.3, name
    return kept
