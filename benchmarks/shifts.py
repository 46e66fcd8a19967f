"""How much pages move: while they load, and while another class, layer or method is asked for.

    python -m benchmarks shifts [--at http://localhost:8501] [--why]

All of the browser's layout-shift entries are summed, those soon after a click included, which browsers leave
out of their own figure: from the first paint until a page is complete, and over one change. What moves in a
list that has opened over the page isn't counted. As pages open, on a desk and on a phone, each in a browser
that has seen nothing yet. Home may be 2500 px high on the phone, and on a small screen the maps of
each page that has some are seen at once.
"""

import argparse
import contextlib
import sys

from benchmarks.app import COMPLETE, PICTURES
from benchmarks.browser import chromium, find_chromium
from benchmarks.visitor import server
from benchmarks.whole_app import ROOT

LIMIT = 0.05
TALLEST = {("", "phone"): 2500}  # pixels that a page may be high
SMALL = (1280, 720)
ABOVE = {
    "": 3,
    "feature_maps": 3,
    "attention_rollout": 4,
    "grad_cam": 3,
    "saliency": 3,
}  # pictures that fit there
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PAGES = ["", *sorted(one.stem for one in (ROOT / "pages").glob("*.py") if one.stem != "home")]
PICK = "Class asked for"
CHANGES = [  # page, what is changed: a radio button of the viewer's, or a list and what is typed into it
    ("", "class", "Egyptian cat", None),
    ("attention_rollout", "class", PICK, "Egyptian cat"),
    ("grad_cam", "class", "Egyptian cat", None),
    ("grad_cam", "method", "Method", "LayerCAM"),
    ("grad_cam", "layer", "Layer", "blocks.4.0"),
    ("saliency", "class", PICK, "Egyptian cat"),
    ("saliency", "method", "Method", "gradient × input"),
    ("feature_maps", "layer", "Layer", "blocks.2.0"),
    ("look_inside", "class", PICK, "Egyptian cat"),
    ("unit", "layer", "Layer", "blocks.4.0"),
    ("activation_maximization", "class", "One class, closer", "scaly"),
]
NOTE = """
  window.shifts = [];
  const name = ({ node: one, previousRect: a, currentRect: b }) => {
    const own = one?.closest?.("[class*=st-key-]")?.className.match(/st-key-[\\w-]+/)?.[0];
    const what = one?.dataset?.testid ?? one?.className ?? one?.nodeName ?? "gone";
    const [from, to] = [a, b].map(({ x, y, width, height }) => [x, y, width, height].map(Math.round));
    return `${what} (${own ?? ""}) ${from} > ${to}`;
  };
  new PerformanceObserver((list) => {
    const over = ({ node }) => node && !document.getElementById("root").contains(node);
    for (const one of list.getEntries())
      if (!one.sources.length || !one.sources.every(over)) window.shifts.push([
        one.startTime, one.value, one.sources.map(name)]);
  }).observe({ type: "layout-shift", buffered: true });
"""
RESTS = f"""() => {{  // complete, and for a while nothing has changed
  const state = () =>
    [document.body.innerText.length, document.body.scrollHeight, window.shifts.length].join();
  const parts = document.querySelector("[data-testid=stApp] [data-testid=stSkeleton]");
  const complete = ({COMPLETE})() && !parts && !document.querySelector("[data-testid=stSpinner]");
  const now = performance.now();
  if (!complete || state() !== window.was) [window.was, window.since] = [state(), now];
  return now - window.since > 1000;
}}"""


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks shifts", description=__doc__)
    parser.add_argument("--at", help="a server that runs already; by default one of its own")
    parser.add_argument("--why", action="store_true", help="say of each shift what moved")
    parser.add_argument("--only", help="one page")
    options = parser.parse_args(argv)
    path = find_chromium()
    if path is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium.")
    with contextlib.ExitStack() as stack:
        address = options.at or f"http://{stack.enter_context(server())[0]}"
        browser = stack.enter_context(chromium(path))
        opened(browser, address, "", SIZES["desk"]).context.close()  # the server's first visitor
        rows = [*measured(browser, address, options)]
    beyond = [row for row in rows if row[-1] > LIMIT]
    print(f"\n{len(beyond)} of {len(rows)} beyond {LIMIT}, too high, or with maps below the fold")
    return 1 if beyond else 0


def measured(browser, address: str, options):
    """(page, screen, what, sum of its shifts); printed as they come."""
    for path in PAGES:
        if options.only not in (None, path):
            continue
        for screen, size in SIZES.items():
            page = opened(browser, address, path, size)
            yield told(page, path, screen, "load", options.why)
            for _, what, where, words in (one for one in CHANGES if one[0] == path):
                page.evaluate("() => { window.shifts = []; }")
                change(page, where, words)
                yield told(page, path, screen, what, options.why)
            page.context.close()
        if path in ABOVE:
            page = opened(browser, address, path, SMALL)
            seen = page.evaluate(
                f"() => {PICTURES}.map((one) => one.getBoundingClientRect())"
                ".filter((box) => box.width > 100 && box.bottom <= innerHeight).length"
            )
            print(f"{path or 'home':24} small  {seen} pictures above the fold, of {ABOVE[path]}", flush=True)
            page.context.close()
            yield path, "small", "fold", 0 if seen >= ABOVE[path] else float("inf")


def opened(browser, address: str, path: str, size: tuple[int, int]):
    """A page in a browser that has nothing kept, once it is complete."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(NOTE)
    page.goto(f"{address}/{path}")
    page.locator("[data-testid=stMain] h1").wait_for()
    page.wait_for_function(RESTS)
    return page


def change(page, where: str, words: str | None) -> None:
    main = page.locator("[data-testid=stMain]")
    if words is None:
        main.get_by_role("radio", name=where, exact=False).first.click()
    else:
        box = main.get_by_role("combobox", name=where, exact=True).first
        box.click()
        box.fill(words)
        box.press("Enter")
    page.wait_for_timeout(500)
    page.wait_for_function(RESTS)


def told(page, path: str, screen: str, what: str, why: bool):
    shifts = page.evaluate("() => window.shifts")
    moved = sum(value for _, value, _ in shifts)
    tall = page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollHeight")
    took = page.evaluate("() => window.since / 1000") if what == "load" else None
    waited = "" if took is None else f"complete in {took:5.2f} s"
    print(f"{path or 'home':24} {screen:6} {what:7} {moved:6.3f}  {tall:6} px  {waited}", flush=True)
    for start, value, sources in shifts if why else ():
        if value >= 0.002:
            print(f"    {start / 1000:6.2f} s  {value:.3f}", *sources, sep="\n        ")
    return path, screen, what, moved if tall <= TALLEST.get((path, screen), tall) else float("inf")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
