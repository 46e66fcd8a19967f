"""Five cold starts in a real browser, each beside that of an empty Streamlit page with one picture.

    python -m benchmarks cold [starts]

From ``streamlit run`` to the first picture that can be seen, the browser open and its HTTP cache empty; then
a class that nothing is stored of, asked on Grad-CAM as soon as the page is there, in seconds since the
server's start; then a second visitor with an empty cache. Medians.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.app import COMPLETE, PICTURES
from benchmarks.browser import chromium, find_chromium, page_links
from benchmarks.visitor import server

EMPTY = """import numpy as np
import streamlit as st

st.image(np.tile(np.arange(256, dtype=np.uint8)[:, None], (1, 256)))
"""
SEEN = f"""() => !document.querySelector(".arriving") && document.querySelector("[data-testid=stMain]") &&
    {PICTURES}.some((one) =>
    one.checkVisibility({{ visibilityProperty: true }}) && one.getBoundingClientRect().width > 50)"""
DRAWN = f"() => {PICTURES}.filter((one) => one.dataset.draws).map((one) => one.dataset.draws).join()"
CLASS = "tabby"  # of the opening picture; what is stored is of its four things


def main(argv):
    path = find_chromium()
    if path is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium.")
    rows = []
    with tempfile.TemporaryDirectory() as folder, chromium(path) as browser:
        empty = Path(folder) / "empty.py"
        empty.write_text(EMPTY)
        for _ in range(int(argv[0]) if argv else 5):
            rows.append(one(browser, empty))
            print(*(f"{words} {seconds:.2f} s" for words, seconds in rows[-1].items()), sep=", ", flush=True)
    print("\nmedians")
    for words in rows[0]:
        print(f"{words:44} {statistics.median(row[words] for row in rows):5.2f} s")
    ratio = statistics.median(row["first picture"] / row["that of an empty page"] for row in rows)
    print(f"{'first picture over that of an empty page':44} {ratio:5.2f}")
    return 0


def one(browser, empty: Path) -> dict[str, float]:
    """One start of each, in seconds."""
    start = time.monotonic()
    with server(script=empty) as (address, _), visitor(browser) as page:
        blank = first_picture(page, address, start)
    found = {"that of an empty page": blank}
    start = time.monotonic()
    with server() as (address, _):
        with visitor(browser) as page:
            found["first picture"] = first_picture(page, address, start)
            page.wait_for_function(COMPLETE)
            found["complete"] = time.monotonic() - start
            found["a class never stored, since the start"] = asked(page, start)
        with visitor(browser) as page:
            start = time.monotonic()
            found["second visitor, first picture"] = first_picture(page, address, start)
            page.wait_for_function(COMPLETE)
            found["second visitor, complete"] = time.monotonic() - start
    return found


@contextlib.contextmanager
def visitor(browser):
    """A page of somebody who was never here."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(120_000)
    yield page
    context.close()


def first_picture(page, address: str, start: float) -> float:
    page.goto(f"http://{address}", wait_until="commit")
    page.wait_for_function(SEEN, polling="raf")
    return time.monotonic() - start


def asked(page, start: float) -> float:
    """Goes to Grad-CAM and asks for another class, as soon as each can be clicked."""
    page_links(page).filter(has_text="Grad-CAM").click()
    box = page.get_by_role("combobox", name="Class asked for")
    box.click()
    page.wait_for_function(COMPLETE)
    before = page.evaluate(DRAWN)
    box.fill(CLASS)
    box.press("Enter")
    page.wait_for_function(f"(before) => ({DRAWN})() !== before", arg=before)
    page.wait_for_function(COMPLETE)
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
