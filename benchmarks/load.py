"""A class on one server: thirty sessions and a browser; each answer is compared with the same asked alone."""

import argparse
import contextlib
import itertools
import json
import random
import statistics
import threading
import time
from pathlib import Path

from .browser import chromium, find_chromium, page_links
from .visitor import ROOT, Visitor, act, megabytes, photograph, server

JOIN_SECONDS = 30  # within which all have come
THINK_SECONDS = 10  # the mean between an answer and the next question
LINKS = (  # what those come with who bring no picture of their own
    "picture=A+rocket&a=efficientnet_lite0",
    "picture=Polka+dots+in+zigzags",
    "picture=Chelsea+the+cat&a=efficientnet_lite0&b=texture_resnet",
    "picture=Scales+in+cracks&a=texture_vit&b=texture_resnet",
)
RUN = "activation_maximization", "m_part=Make+your+own", "Imagine"  # page, link and button of the long runs


def start(address: str, number: int, runs: bool) -> Visitor:
    if runs:
        return Visitor(address, RUN[1], RUN[0])
    return Visitor(address, "" if number % 2 else LINKS[number // 2 % len(LINKS)])


def steps(visitor: Visitor, number: int, runs: bool):
    """What a session does, one thing after another, the same each time: (what, seconds)."""
    yield "first view", visitor.open()
    for seed in itertools.count(1) if runs else ():  # one long run after the other
        yield "run", visitor.change(visitor.widget(RUN[2]), True)
        yield "another seed", visitor.change(visitor.widget("Seed"), seed)
    if number % 2:
        yield "upload", visitor.upload(f"photo{number}.jpg", photograph(number))
    choose = random.Random(f"session {number}")
    while True:
        yield act(visitor, choose)


def follow(address: str, number: int, runs: bool, end: float, most: int = 10**6, think=None) -> list[dict]:
    """One session until ``end``, or for ``most`` steps; what it did, saw, and how long it waited."""
    done, visitor = [], start(address, number, runs)
    try:
        for what, seconds in steps(visitor, number, runs):
            done.append({"what": what, "s": seconds, "seen": visitor.seen(), "errors": visitor.errors()})
            if len(done) >= most:
                break
            if think:
                time.sleep(think.expovariate(1 / THINK_SECONDS))
            if time.monotonic() > end:
                break
    except Exception as error:  # whatever goes wrong is counted
        done.append({"what": "broken", "s": 0.0, "seen": {}, "errors": [repr(error)]})
    finally:
        visitor.close()
    return done


def together(address: str, sessions: int, seconds: float, runs: int) -> list[list]:
    """A class: all sessions at once, each with pauses for thought; each one's steps."""
    begin = time.monotonic()

    def one(number: int) -> list:
        time.sleep(JOIN_SECONDS * number / sessions)
        return follow(address, number, number < runs, begin + seconds, think=random.Random(1000 + number))

    return at_once(one, sessions)


def at_once(one, sessions: int) -> list[list]:
    """``one(number)`` for each session in a thread of its own."""
    results = [[] for _ in range(sessions)]

    def run(number: int) -> None:
        results[number] = one(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def one_by_one(address: str, results: list[list], runs: int) -> list[list]:
    """The same sessions again, one after the other, on a server that has forgotten all answers."""
    visitor = Visitor(address)
    visitor.open()
    visitor.forget_all()
    visitor.close()
    return [
        follow(address, number, number < runs, float("inf"), most=len(steps))
        for number, steps in enumerate(results)
    ]


def differences(results: list[list], serial: list[list]) -> list[str]:
    """Where a session didn't see what it sees when it is alone."""
    wrong = []
    for number, (ours, alone) in enumerate(zip(results, serial, strict=True)):
        for step, (one, other) in enumerate(zip(ours, alone, strict=False)):
            if one["seen"] != other["seen"]:
                places = {
                    p for p in {**one["seen"], **other["seen"]} if one["seen"].get(p) != other["seen"].get(p)
                }
                kinds = sorted({(one["seen"].get(p) or other["seen"].get(p)).split()[0] for p in places})
                wrong.append(f"session {number}, step {step}, {one['what']}: {len(places)} {kinds}")
    return wrong


def times(results: list[list]) -> dict:
    """Median, 95th percentile and maximum of the answers of all pages, first views included."""
    seconds = sorted(
        step["s"] for steps in results for step in steps if step["what"] not in ("run", "broken")
    )
    if not seconds:
        return {}
    return {
        "answers": len(seconds),
        "median": round(statistics.median(seconds), 2),
        "p95": round(seconds[min(int(0.95 * len(seconds)), len(seconds) - 1)], 2),
        "max": round(seconds[-1], 2),
    }


@contextlib.contextmanager
def browser(address: str, found: dict):
    """A Chromium that goes from page to page in the meantime, where there is one."""
    path = find_chromium()
    stop = threading.Event()

    def surf() -> None:
        with chromium(path) as chrome:
            page = chrome.new_page()
            page.on("pageerror", lambda error: found["errors"].append(str(error)))

            def settled(begin: float) -> None:
                page.wait_for_timeout(300)
                page.locator("[data-testid=stApp]:not([data-test-script-state=running])").wait_for(
                    timeout=10**5
                )
                found["errors"] += page.locator("[data-testid=stException]").all_inner_texts()
                found["seconds"].append(time.monotonic() - begin)

            begin = time.monotonic()
            page.goto(f"http://{address}")
            page.locator("[data-testid=stMain] img").first.wait_for(timeout=10**5)
            settled(begin)
            links = page_links(page)
            place = 0
            while not stop.wait(THINK_SECONDS):
                place = (place + 1) % links.count()
                begin = time.monotonic()
                links.nth(place).click()
                settled(begin)

    def watched() -> None:
        try:
            surf()
        except Exception as error:  # counted, like everybody's
            found["errors"].append(repr(error))

    thread = threading.Thread(target=watched) if path else None
    if thread:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if thread:
            thread.join()


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks load", description=__doc__)
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument(
        "--runs", type=int, default=2, help="sessions that run activation maximisation all the time"
    )
    parser.add_argument("--cold", action="store_true", help="nobody has opened a page before the class comes")
    parser.add_argument("--no-serial", action="store_true", help="times only, no comparison")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(argv)
    runs = options.runs if (ROOT / "pages" / f"{RUN[0]}.py").exists() else 0
    with server() as (address, process):
        if not options.cold:
            first = Visitor(address)
            print(f"the first view of a new server   {first.open():6.1f} s")
            first.close()
        chrome = {"seconds": [], "errors": []}
        with browser(address, chrome):
            results = together(address, options.sessions, 60 * options.minutes, runs)
        peak, now = megabytes(process.pid), megabytes(process.pid, "VmRSS")
        serial = [] if options.no_serial else one_by_one(address, results, runs)
    errors = [e for steps in results for step in steps for e in step["errors"]] + chrome["errors"]
    wrong = differences(results, serial) if serial else []
    figures = {
        "sessions": options.sessions,
        "minutes": options.minutes,
        "together": times(results),
        "one by one": times(serial),
        "first views": times([steps[:1] for steps in results]),
        "browser": times([[{"what": "page", "s": s} for s in chrome["seconds"]]]),
        "runs": [round(step["s"], 1) for steps in results for step in steps if step["what"] == "run"],
        "errors": len(errors),
        "wrong answers": len(wrong),
        "peak MB": peak,
        "MB at the end": now,
    }
    for name, value in figures.items():
        print(f"{name:15} {value}")
    by_page: dict[str, list] = {}
    for step in (step for steps in results for step in steps):
        by_page.setdefault(step["what"].split(":")[0].split("=")[0], []).append(step["s"])
    for name, seconds in sorted(by_page.items(), key=lambda pair: -statistics.median(pair[1])):
        print(
            f"  {name:34} {len(seconds):4} median {statistics.median(seconds):5.2f} max {max(seconds):5.2f}"
        )
    for line in [*dict.fromkeys(errors), *wrong][:20]:
        print(" ", line[:200])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")
    return int(bool(errors or wrong))
