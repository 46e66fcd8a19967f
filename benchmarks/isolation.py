"""How long a Grad-CAM takes on a server while somebody else's activation maximisation runs there.

    python -m benchmarks isolation [questions]

Two sessions in Chromium on one server. One asks for Grad-CAMs of a new class each, by turns with a run going
on in the other and without; a question is answered when both maps are on the page.
"""

import statistics
import sys
import time

from playwright.sync_api import expect

from benchmarks.app import chromium
from benchmarks.visitor import server
from vizcore.textures import LABELS

RUN = "activation_maximization?m_part=Make+your+own&m_steps=512&m_views=4&m_class=grid"


def main(argv):
    with chromium() as browser, server() as (address, _process):
        measure(browser, f"http://{address}", int(argv[0]) if argv else 8)
    return 0


def measure(browser, address, questions):
    asking, running = (browser.new_context().new_page() for _ in range(2))
    asking.goto(f"{address}/grad_cam", timeout=120_000)
    answer(asking, LABELS[-1])  # the first one loads the networks
    running.goto(f"{address}/{RUN}", timeout=120_000)
    button = running.locator(".st-key-m_run_button button")
    button.wait_for(timeout=60_000)
    taken = {"alone": [], "beside a run": []}
    for turn, name in enumerate(LABELS[: 2 * questions]):
        beside = turn % 2 == 1
        if beside:
            button.click()
            expect(button).to_contain_text("Stop", timeout=30_000)
            running.wait_for_timeout(1500)
        taken["beside a run" if beside else "alone"].append(answer(asking, name))
        if beside:
            button.click()
            expect(button).to_contain_text("Go on", timeout=30_000)
    for words, seconds in taken.items():
        print(f"Grad-CAM {words:14}{statistics.median(seconds):6.2f} s, at most {max(seconds):.2f} s")
    alone, beside = (statistics.median(seconds) for seconds in taken.values())
    print(f"ratio                  {beside / alone:6.2f}")


def answer(page, name):
    """Seconds until both maps of a class are there."""
    box = page.get_by_role("combobox", name="Class asked for")
    box.wait_for(timeout=120_000)
    box.click()
    box.fill(name)
    start = time.monotonic()
    box.press("Enter")
    expect(page.get_by_text(f"for {name}", exact=True)).to_have_count(2, timeout=60_000)
    return time.monotonic() - start


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
