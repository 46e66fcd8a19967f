"""How long people wait, in a real browser: a server's start, another class, another layer, another page.

    python -m benchmarks app

From the click until the answer is on the page and nothing on it is stale; the first start with the bundled
pair, then medians of questions that were not asked before.
"""

import contextlib
import shutil
import statistics
import sys
import time

from playwright.sync_api import sync_playwright

from benchmarks.visitor import server
from vizcore.textures import LABELS

QUESTIONS = 7
SHOWN = """(before) => {
    const app = document.querySelector("[data-testid=stApp]");
    const main = document.querySelector("[data-testid=stMain]"), images = [...main.querySelectorAll("img")];
    return app.dataset.testScriptState !== "running" && !main.querySelector("[data-stale=true]")
        && images.length > 2 && images.every((one) => one.complete && one.src)
        && images.map((one) => one.src).join() !== before;
}"""
PICTURES = "() => [...document.querySelectorAll('[data-testid=stMain] img')].map((one) => one.src).join()"


@contextlib.contextmanager
def chromium():
    """A real browser, without a window."""
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium.")
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def main(argv):
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(60_000)
        start = time.monotonic()
        with server() as (address, _process):
            page.goto(f"http://{address}")
            page.locator("[data-testid=stMain] img").first.wait_for()
            print(f"from the server's start to the first picture {time.monotonic() - start:6.2f} s")
            page.wait_for_function(SHOWN, arg="")
            print(f"to both networks' maps                       {time.monotonic() - start:6.2f} s")
            waits = {
                "the home page for the next visitor": next_visitor(browser, address),
                "another class, Grad-CAM of both": [*classes(page, address)],
                "another layer, feature maps": [*layers(page, address)],
                "another page": [*switches(page)],
            }
    for words, seconds in waits.items():
        print(f"{words:44} {statistics.median(seconds):6.2f} s, at most {max(seconds):.2f} s")
    return 0


def until_shown(page, act) -> float:
    """Seconds from ``act`` until other pictures are there."""
    before, start = page.evaluate(PICTURES), time.monotonic()
    act()
    page.wait_for_function(SHOWN, arg=before)
    return time.monotonic() - start


def next_visitor(browser, address) -> list[float]:
    taken = []
    for _ in range(3):
        page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        start = time.monotonic()
        page.goto(f"http://{address}")
        page.wait_for_function(SHOWN, arg="")
        taken.append(time.monotonic() - start)
        page.context.close()
    return taken


def opened(page, address, path) -> None:
    page.goto(f"http://{address}/{path}")
    page.wait_for_function(SHOWN, arg="")
    page.wait_for_timeout(1000)


def classes(page, address):
    opened(page, address, "grad_cam")
    box = page.get_by_role("combobox", name="Class asked for")
    for name in LABELS[:QUESTIONS]:
        box.click()
        box.fill(name)
        yield until_shown(page, lambda: box.press("Enter"))
        page.wait_for_timeout(300)


def layers(page, address):
    opened(page, address, "feature_maps")
    page.get_by_role("heading", level=1).click()
    for _ in range(QUESTIONS):
        yield until_shown(page, lambda: page.keyboard.press("ArrowLeft"))
        page.wait_for_timeout(300)


def switches(page):
    names = ["Attention rollout", "Grad-CAM", "Saliency", "Feature maps"]
    for name in [*names, *names]:
        link = page.locator("[data-testid=stSidebarNavLink]").filter(has_text=name)
        yield until_shown(page, link.click)
        page.wait_for_timeout(300)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
