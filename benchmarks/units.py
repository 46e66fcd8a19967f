"""Units' cards: what is stored of the pair in the box, and how long a new set of pictures takes.

python -m benchmarks units --store  looks through 400 pictures; writes vizcore/weights/units_*.npz
python -m benchmarks units          256 pictures on each network in the box, and one card, in seconds
python -m benchmarks units --clock  in a browser, on the texture pair: a card opens, a new set is seen
                                    through, a head is switched off; of the server's own answers, the same
"""

from __future__ import annotations

import argparse
import contextlib
import re
import time
from statistics import median

import torch

from benchmarks.app import COMPLETE, opened, waited
from benchmarks.browser import chromium, find_chromium, page_links
from benchmarks.visitor import Visitor, server
from ui.picture_picker import SAMPLES, sample
from vizcore.inside.crops import card
from vizcore.inside.extremes import extremes
from vizcore.inside.projections import heads
from vizcore.inside.stored_units import NETWORKS, PHOTOGRAPHS, groups_of, store_units, stored_set
from vizcore.networks.load import load_model
from vizcore.pictures.sets import drawn

COUNT = 256


def timed(name: str, side: int) -> None:
    """A new set and a card of it, each in seconds by the clock and of processor time."""
    model = load_model(name, device="cpu")
    own = heads(model)
    groups, pictures = groups_of(model, own), drawn(COUNT, 1, side)
    start, spent = time.perf_counter(), time.process_time()
    *_, last = extremes(model, pictures, groups, [0] * COUNT, own)
    clock, cpu = time.perf_counter() - start, time.process_time() - spent
    start = time.perf_counter()
    card(model, pictures, groups[-2], 0, last.found[groups[-2]], own)
    print(
        f"{model.title}: {COUNT} pictures {clock:.1f} s ({cpu:.1f} s of processor time), "
        f"pictures of a card {time.perf_counter() - start:.2f} s",
        flush=True,
    )


# ---------------------------------------------------------------- by the clock

PAIR = "a=texture_resnet&b=texture_vit&picture=Honeycomb+in+bands"
OFF = f"{PAIR}&i_part=Switch+it+off"
FIGURES = "[data-testid=stMain] figure img"


def clock() -> int:
    """Prints medians and the longest, in seconds."""
    path = find_chromium()
    if path is None:
        print("There is no Chromium on this machine: apt-get install chromium.")
        return 1
    with server() as (address, _process), chromium(path) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        opened(page, address, f"feature_maps?{PAIR}")
        seen = {"a card of the stored set, from another page": [*_cards(page, address)]}
        seen["a card of another unit"] = [*_units(page, address)]
        seen[f"a new set of {COUNT} pictures, from the press"] = [_new_set(page, address)]
        seen["a head switched off or on"] = [*_heads_off(page, address)]
    with server() as (address, _process):
        answers = [*_answers(address)]
    for words, waits in seen.items():
        each = zip(("first", "complete"), zip(*waits, strict=True), strict=True)
        said = ", ".join(f"{part} {median(own):.2f} ({max(own):.2f})" for part, own in each)
        print(f"{words:45} {said}")
    print(f"{'a head switched off or on, the answer':45} {median(answers):.2f} ({max(answers):.2f})")
    return 0


def _cards(page, address):
    """By the link of the sidebar; the first is also the server's first card."""
    for unit in (5, 17, 40):
        opened(page, address, f"feature_maps?{PAIR}&u_layer=layer3.0&u_unit={unit}")
        yield waited(page, page_links(page).filter(has_text="A unit").click)


def _units(page, address):
    opened(page, address, f"unit?{PAIR}&u_layer=layer3.0&u_unit=3")
    box = page.locator(".st-key-u_unit input")
    for unit in (9, 21, 77, 120):
        box.fill(str(unit))
        yield waited(page, lambda: box.press("Enter"))


def _new_set(page, address) -> tuple[float, float]:
    """Until the first progress is told, and until the card is there."""
    page.goto(f"http://{address}/unit?{PAIR}&u_layer=layer3.0&u_data=Drawn+textures&u_seed=7")
    button = page.locator(".st-key-u_look_button button")
    button.wait_for()
    page.wait_for_function(COMPLETE)
    start = time.monotonic()
    button.click()
    page.get_by_text(f"of {COUNT} pictures, for every unit").wait_for()
    told = time.monotonic() - start
    page.locator(FIGURES).nth(11).wait_for()
    page.wait_for_function(COMPLETE)
    return told, time.monotonic() - start


def _heads_off(page, address):
    opened(page, address, f"look_inside?{OFF}")
    sheet = page.locator(".st-key-i_sheet_b")
    sheet.get_by_role("button", name=re.compile(r"^6\.0")).click()  # the means are taken once
    page.wait_for_timeout(3000)
    for name in (r"5\.1", r"4\.2", r"2\.0", r"3\.1", r"6\.2"):
        yield waited(page, sheet.get_by_role("button", name=re.compile(f"^{name}")).first.click)


def _answers(address):
    """The server's own, without a browser."""
    with contextlib.closing(Visitor(address, OFF, "look_inside")) as visitor:
        visitor.open()
        off: list[str] = []
        for name in ("6.0", "5.1", "4.2", "2.0", "3.1", "6.2"):
            off.append(name)
            spent = visitor.change(visitor.widget("Heads that are off (block.head)"), list(off))
            if len(off) > 1:  # with the first, the means are taken
                yield spent


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks units", description=__doc__)
    parser.add_argument("--store", action="store_true", help="write what the page opens with")
    parser.add_argument("--clock", action="store_true", help="how long somebody waits, in a browser")
    options = parser.parse_args(argv)
    if options.clock:
        return clock()
    if options.store:
        for name in NETWORKS:
            some = {title: sample(title).image for title in SAMPLES} if name in PHOTOGRAPHS else {}
            pictures = stored_set(list(some.values()), list(some))
            path = store_units(load_model(name, device="cpu"), pictures)
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        return 0
    torch.set_num_threads(1)  # as a long job of the app has on two cores
    for name in NETWORKS:
        timed(name, 224 if name in PHOTOGRAPHS else 128)
    return 0
