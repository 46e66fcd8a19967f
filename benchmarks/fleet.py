"""Several processes behind the proxy (`sightlines serve`), all of it on this machine's loopback.

    python -m benchmarks fleet compare       45 sessions, two processes and one, in turns
    python -m benchmarks fleet many          100 sessions over four processes
    python -m benchmarks fleet kill          SIGKILL to a process each minute, 30 sessions on three
    python -m benchmarks fleet roll          all processes anew, one by one, under 30 sessions
    python -m benchmarks fleet memory        a network of 300 MB in four processes
    python -m benchmarks fleet strangers     20 clients that misbehave, beside 12 that don't
    python -m benchmarks fleet               all of these, half an hour

Each is asked for by whoever would notice: times are those of sessions that think for ten seconds in the mean.
"""

import argparse
import random
import statistics
import threading
import time

from . import load, strangers
from .returning import Returning, fleet, wait_until_up
from .visitor import Visitor, act, server

NETWORK = "vit_base_patch16_224"  # 346 MB
SMALL = "deit_tiny_patch16_224"  # 23 MB, with which all that the first of its kind needs is there


# ---------------------------------------------------------------- people who come back


def person(
    address: str, number: int, end: float, people: dict | None = None, most: int = 10**6
) -> list[dict]:
    """One session without uploads and long runs, until ``end`` or for ``most`` steps; what it did and saw."""
    done, choose, think = [], random.Random(f"person {number}"), random.Random(number)
    visitor = Returning(address, load.LINKS[number % len(load.LINKS)])
    if people is not None:
        people[number] = visitor
    try:
        what, seconds = "first view", visitor.open()
        while True:
            seen = {**visitor.view()["shown"], ("link",): f"link {sorted(visitor.link.items())}"}
            errors = visitor.errors()
            done.append(
                {"what": what, "s": seconds, "seen": seen, "errors": errors, "breaks": len(visitor.breaks)}
            )
            if len(done) >= most or time.monotonic() > end:
                break
            if people is not None:
                visitor.think(think.expovariate(1 / load.THINK_SECONDS))
            what, seconds = act(visitor, choose)
    except Exception as error:  # whatever goes wrong is counted
        done.append({"what": "broken", "s": 0.0, "seen": {}, "errors": [repr(error)], "breaks": 0})
    finally:
        visitor.close()
    return done


def crowd(address: str, sessions: int, seconds: float, join: float, happens) -> tuple[list[list], dict]:
    """Sessions that come within ``join`` seconds; ``happens(people)`` goes on beside them."""
    people: dict[int, Returning] = {}
    end = time.monotonic() + seconds

    def one(number: int) -> list:
        time.sleep(join * number / sessions)
        return person(address, number, end, people)

    beside = threading.Thread(target=happens, args=(people,))
    beside.start()
    results = load.at_once(one, sessions)
    beside.join()
    return results, people


def wrong_answers(results: list[list], people: dict) -> tuple[list[str], int]:
    """Where somebody saw something else than when alone on one server; and how many steps were compared.

    After a button whose click was lost with its process, a session goes another way than alone.
    """
    kept = []
    for number, steps in enumerate(results):
        clicks = [n for n, one in enumerate(people[number].breaks, 1) if one["asked"] == "a click"]
        last = clicks[0] if clicks else 10**6
        kept.append([step for step in steps if step["breaks"] < last and step["what"] != "broken"])
    with server() as (address, _):
        alone = [
            person(address, number, float("inf"), most=len(steps)) if steps else []
            for number, steps in enumerate(kept)
        ]
    return load.differences(kept, alone), sum(map(len, kept))


def tell(results: list[list], people: dict, serial: bool) -> int:
    """Print what came of it; how much went wrong."""
    errors = [error for steps in results for step in steps for error in step["errors"]]
    breaks = [one for visitor in people.values() for one in visitor.breaks]
    print(f"  answers       {load.times(results)}")
    print(f"  errors        {len(errors)} {sorted(set(errors))[:5]}")
    for kind in ("nothing", "a choice", "a click"):
        some = sorted(one["s"] for one in breaks if one["asked"] == kind)
        if some:
            in5, in15 = (sum(s <= bound for s in some) for bound in (5, 15))
            print(
                f"  back, {kind + ' asked':15} {len(some):3}: within 5 s {in5}, 15 s {in15}; median "
                f"{statistics.median(some):.1f} s, at most {some[-1]:.1f} s; connected at most "
                f"{max(one['connected'] for one in breaks if one['asked'] == kind):.1f} s"
            )
    same = [one["same"] for one in breaks if "same" in one]
    print(f"  the same      {sum(same)} of {len(same)} views that were complete, as before the break")
    for one in breaks:
        if one.get("differs"):
            print("   ", "; ".join(one["differs"])[:400])
    wrong: list[str] = []
    if serial:
        wrong, count = wrong_answers(results, people)
        print(f"  wrong answers {len(wrong)} of {count} compared with the same asked alone")
        for line in wrong[:10]:
            print("   ", line[:200])
    return len(errors) + len(wrong) + len(same) - sum(same)


# ---------------------------------------------------------------- the parts


def kill(options) -> int:
    """SIGKILL to one process after the other."""
    with fleet(3) as found:
        warm(found.address, 3)

        def happens(people):
            time.sleep(options.join + 10)
            for count in range(options.kills):
                name = f"w{count % 3 + 1}"
                with_it = sum(visitor.worker == name for visitor in people.values())
                print(f"  SIGKILL to {name}, with which are {with_it} of {len(people)}", flush=True)
                found.kill(name)
                time.sleep(options.every)
                gone = (one for own in people.values() for one in own.breaks if one["from"] == name)
                back = sorted((one["to"], round(one["s"], 1)) for one in gone)
                print("    back after", ", ".join(f"{s} s ({to})" for to, s in back), flush=True)

        seconds = options.join + 10 + options.kills * options.every
        results, people = crowd(found.address, options.sessions or 30, seconds, options.join, happens)
        whole = found.all_up()
    print(f"  all processes there again: {whole}")
    return tell(results, people, options.serial) + (not whole)


def roll(options) -> int:
    """Each process answers what it was asked, stops, and starts."""
    from vizcore.commands import rolling

    with fleet(2) as found:
        warm(found.address, 2)

        def happens(_people):
            time.sleep(options.join + 5)
            rolling.roll(found.folder)

        results, people = crowd(
            found.address, options.sessions or 30, options.join + 70, options.join, happens
        )
    lost = sum(len(steps) == 0 or steps[-1]["what"] == "broken" for steps in results)
    print(f"  views lost    {lost}")
    return tell(results, people, options.serial) + lost


def warm(address: str, workers: int) -> None:
    """Somebody has been at each process before."""
    for _ in range(2 * workers):
        first = Visitor(address)
        first.open()
        first.close()


def compare(options) -> int:
    """Two processes against one, in turns: the same sessions, so each step is also compared across them."""
    sessions, runs, faults, longest = options.sessions or 45, [], 0, []
    for _ in range(options.turns):
        for workers in (2, 1):
            with fleet(workers) as found:
                warm(found.address, workers)
                results = load.together(found.address, sessions, options.seconds, 2)
            times = load.times(results)
            errors = [error for steps in results for step in steps for error in step["errors"]]
            print(
                f"  {workers} process{'es' * (workers > 1)}: {times}, {len(errors)} errors {errors[:2]}",
                flush=True,
            )
            runs.append((workers, times["median"], times["p95"]))
            faults += len(errors)
            if longest:
                different = load.differences(results, longest)
                print("   ", len(different), "steps differ from those of the first run", different[:3])
                faults += len(different)
            longest = longest or results
    of = {workers: [p95 for n, _, p95 in runs if n == workers] for workers in (2, 1)}
    ratios = sorted(two / one for two, one in zip(of[2], of[1], strict=True))
    print(f"  95th percentile, two processes / one: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    print("  better" if ratios[-1] < 1 else "  the spread leaves 1 in: nothing is claimed")
    if options.serial:
        with server() as (address, _):
            alone = load.one_by_one(address, longest, 2)
        wrong = load.differences(longest, alone)
        print(f"  wrong answers {len(wrong)} of {sum(map(len, longest))}", *wrong[:5], sep="\n    ")
        faults += len(wrong)
    return faults


def many(options) -> int:
    """As many as four processes are for."""
    with fleet(4) as found:
        warm(found.address, 4)
        idle = found.pss()

        def happens(people):
            time.sleep(options.join + 55)
            print(f"  PSS, MB: idle {idle}, with {len(people)} sessions {found.pss()}", flush=True)

        results, people = crowd(
            found.address, options.sessions or 100, options.join + 60, options.join, happens
        )
    lost = sum(not steps or steps[-1]["what"] == "broken" for steps in results)
    print(f"  sessions lost {lost}, broken off {sum(len(one.breaks) for one in people.values())}")
    return tell(results, people, options.serial) + lost


def memory(options) -> int:
    """The proportional set size: what a process has alone, and its part of what it shares."""
    sums = {}
    for workers in (2, 4):
        with fleet(workers, SIGHTLINES_MODEL_MB="1300") as found:
            time.sleep(5)
            sums[workers] = found.pss()
            print(f"  idle, {workers} processes: {sums[workers]}, together {sum(sums[workers].values())} MB")
            if workers == 4:
                every_process(found, f"a={SMALL}&weights_a=random")
                before = found.pss()
                every_process(found, f"a={NETWORK}&weights_a=random")
                after = found.pss()
    further = (sum(sums[4].values()) - sum(sums[2].values())) / 2
    added = sum(after.values()) - sum(before.values())
    print(f"  each further idle process {further:.0f} MB (450 at most)")
    print(f"  {NETWORK}, 346 MB, in all four: {before} -> {after}, {added} MB more: {added / 346:.2f}")
    return int(further > 450 or added > 1.2 * 346)


def every_process(found, link: str) -> None:
    """Somebody opens the link at each process."""
    seen, visitors = set(), []
    for _ in range(40):
        visitor = Visitor(found.address, link, "similarity")
        visitors.append(visitor)
        name = visitor.http.cookies.get("worker")
        if name not in seen:
            visitor.open()
            assert not visitor.errors(), visitor.errors()
            seen.add(name)
        if len(seen) == len(found.pids()):
            break
    for visitor in visitors:
        visitor.close()
    time.sleep(8)


def misbehave(options) -> int:
    """The median of people who behave, with and without others who don't, in turns."""
    medians: dict[str, list[float]] = {"alone": [], "beside them": []}
    faults = 0
    with fleet(2, "--per-address", "600") as found:
        warm(found.address, 2)
        for turn in range(2 * options.turns):
            words = "beside them" if turn % 2 else "alone"
            stop = strangers.begin(found.address) if turn % 2 else lambda: {}
            time.sleep(3)
            results, _ = crowd(found.address, options.sessions or 12, 35, 5, lambda _people: None)
            did = stop()
            times = load.times(results)
            errors = [error for steps in results for step in steps for error in step["errors"]]
            faults += len(errors)
            medians[words].append(times["median"])
            print(f"  {words:12} {times}, {len(errors)} errors {errors[:2]} {did or ''}", flush=True)
        wait_until_up(found)
    ratios = [beside / alone for alone, beside in zip(*medians.values(), strict=True)]
    print(f"  the others' median, beside them / alone: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
    return faults + (statistics.median(ratios) >= 1.5)


PARTS = {
    "compare": compare,
    "many": many,
    "kill": kill,
    "roll": roll,
    "memory": memory,
    "strangers": misbehave,
}


def main(argv):
    parser = argparse.ArgumentParser(prog="python -m benchmarks fleet", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[], metavar="|".join(PARTS))
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--every", type=float, default=60, help="seconds between two kills")
    parser.add_argument("--seconds", type=float, default=60, help="of a run of compare")
    parser.add_argument("--join", type=float, default=20, help="seconds within which all have come")
    parser.add_argument(
        "--no-serial", dest="serial", action="store_false", help="nobody is asked alone after it"
    )
    options = parser.parse_args(argv)
    faults = 0
    for name in options.parts or PARTS:
        print(f"{name}: {PARTS[name].__doc__}", flush=True)
        faults += PARTS[name](options)
    return int(faults > 0)
