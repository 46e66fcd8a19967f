"""How long people wait: a server's start, another class, another layer, another page, on the bundled pair.

    python -m benchmarks app

The server's own answer, all pictures fetched, and the same in a real browser on the same machine, which has
the page to draw besides: until the first new picture is there, and until nothing on the page is stale.
Medians of questions that were not asked before.
"""

import contextlib
import statistics
import sys
import time

from benchmarks.browser import chromium, find_chromium, page_links
from benchmarks.visitor import Visitor, server
from vizcore.pictures.textures import LABELS

PICTURES = """((all) => {  // maps that a viewer has drawn, and pictures, wherever a component keeps them
  const look = (root) => {
    for (const one of root.querySelectorAll("*")) {
      if (one.matches("img, .frame[data-draws]")) all.push(one);
      if (one.shadowRoot) look(one.shadowRoot);
    }
  };
  look(document.querySelector("[data-testid=stMain]"));
  return all;
})([])"""
NEW = f"""(before) => {PICTURES}.map((one) => one.src ?? one.dataset.draws).join() !== before
    && {PICTURES}.length > 1 && {PICTURES}.every((one) => one.complete ?? true)"""
COMPLETE = """() => document.querySelector("[data-testid=stApp]").dataset.testScriptState !== "running"
    && !document.querySelector("[data-testid=stMain] [data-stale=true]")"""
DRAWN = "picture=A+spiral+on+bands"
PAGES = {
    "attention_rollout": "Attention rollout",
    "grad_cam": "Grad-CAM",
    "saliency": "Saliency",
    "feature_maps": "Feature maps",
}


def main(argv):
    path = find_chromium()
    if path is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium.")
    with chromium(path) as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.set_default_timeout(60_000)
        start = time.monotonic()
        with server() as (address, _process):
            page.goto(f"http://{address}")
            page.locator("[data-testid=stMain] img").first.wait_for()
            print(f"from the server's start to the first picture {time.monotonic() - start:5.2f} s")
            page.wait_for_function(COMPLETE)
            print(f"from the server's start to a complete page   {time.monotonic() - start:5.2f} s")
            seen = {"another class": classes(page, address), "another layer": layers(page, address)}
            seen = {words: [*waits] for words, waits in seen.items()} | {"another page": [*switches(page)]}
        with server() as (address, _process):
            answers = asked(address)
    print(f"\n{'median (most), s':16} {'answer':>13} {'new picture':>13} {'complete':>13}")
    for words, waits in seen.items():
        columns = [answers[words], *zip(*waits, strict=True)]
        print(f"{words:16} {' '.join(f'{statistics.median(c):6.2f} ({max(c):.2f})' for c in columns)}")
    return 0


# ---------------------------------------------------------------- in the browser


# From the press of a key or a button, by the browser's own clock: no way from here to there enters. Of a page
# that stays only its pictures are looked at in each frame, since to search all of it takes as long as a draw.
WATCH = f"""() => {{
  const pictures = () => {PICTURES}, said = (one) => one.src ?? one.dataset.draws;
  const before = new Map(pictures().map((one) => [one, said(one)])), shown = [...before.values()].join();
  const changed = () => [...before].some(([one, words]) => one.isConnected && said(one) !== words)
    || ([...before.keys()].some((one) => !one.isConnected) && ({NEW})(shown));
  const waits = (window.waits = {{}});
  const look = (now) => {{
    if (waits.first === undefined && changed()) waits.first = now - waits.asked;
    if (waits.first !== undefined && ({COMPLETE})()) return (waits.complete = now - waits.asked);
    requestAnimationFrame(() => look(performance.now()));
  }};
  const begin = (event) => {{
    if (waits.asked !== undefined) return;
    waits.asked = event.timeStamp;
    requestAnimationFrame(() => look(performance.now()));
  }};
  for (const kind of ["keydown", "click"]) addEventListener(kind, begin, {{ capture: true, once: true }});
}}"""


def waited(page, act) -> tuple[float, float]:
    """Seconds from ``act`` until a new picture is there, and until the page is complete."""
    page.evaluate(WATCH)
    act()
    page.wait_for_function("() => window.waits.complete !== undefined", polling=100)
    waits = page.evaluate("() => window.waits")
    page.wait_for_timeout(500)
    return waits["first"] / 1000, waits["complete"] / 1000


def opened(page, address, path) -> None:
    page.goto(f"http://{address}/{path}")
    page.wait_for_function(NEW, arg="")
    page.wait_for_function(COMPLETE)
    page.wait_for_timeout(1000)


def classes(page, address):
    opened(page, address, f"grad_cam?{DRAWN}")
    box = page.get_by_role("combobox", name="Class asked for")
    for name in LABELS[:7]:
        box.click()
        box.fill(name)
        page.wait_for_timeout(300)  # as somebody types: the list has come to rest
        yield waited(page, lambda: box.press("Enter"))


def layers(page, address):
    opened(page, address, f"feature_maps?{DRAWN}")
    page.get_by_role("heading", level=1).click()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowLeft", "j", "j", "j", "j"):  # the CNN's blocks, the ViT's
        yield waited(page, lambda key=key: page.keyboard.press(key))


def switches(page):
    for name in [*PAGES.values(), *PAGES.values()]:
        yield waited(page, page_links(page).filter(has_text=name).click)


# ---------------------------------------------------------------- without one


def asked(address) -> dict[str, list[float]]:
    """The server's answers to the same."""
    with contextlib.closing(Visitor(address, DRAWN, "grad_cam")) as visitor:
        visitor.open()
        answers = {
            "another class": [visitor.change(visitor.widget("Class asked for"), name) for name in LABELS[:7]]
        }
        visitor.visit("feature_maps")
        layer = visitor.widget("Layer")
        names = list(layer.options)[:-1]
        answers["another layer"] = [visitor.change(layer, name) for name in names[:: len(names) // 7]]
        answers["another page"] = [visitor.visit(page) for page in [*PAGES, *PAGES]]
    return answers


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
