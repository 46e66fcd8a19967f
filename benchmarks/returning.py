"""Several processes behind their proxy, and visitors who come back by themselves, as a page does."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests
from websockets.exceptions import WebSocketException

from benchmarks.visitor import ROOT, Visitor, free_port
from vizcore.commands import rolling, serve

LOST = (OSError, WebSocketException, requests.RequestException)  # what a process that dies looks like
START_SECONDS = 120


class Fleet:
    """Processes that `sightlines serve` began."""

    def __init__(self, folder: Path, address: str):
        self.folder, self.address = folder, address

    def pids(self) -> dict[str, int]:
        return rolling.processes(self.folder)

    def kill(self, name: str) -> None:
        os.kill(self.pids()[name], signal.SIGKILL)

    def all_up(self) -> bool:
        return all(rolling.server_state(self.folder, name) == "UP" for name in self.pids())

    def pss(self) -> dict[str, int]:
        """Megabytes of each process, with its part of what it shares with others."""
        return {name: pss(pid) for name, pid in self.pids().items() if pid}


def pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) // 1024
    return 0


@contextlib.contextmanager
def fleet(workers: int, *options: str, **environment: str):
    """`sightlines serve`, once all of its processes are ready."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    port, first = free_port(), free_port()
    command = [sys.executable, "-m", "vizcore", "serve", "--workers", str(workers), "--port", str(port)]
    command += ["--address", "127.0.0.1", "--first-port", str(first), "--folder", str(folder)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(
            [*command, "--per-address", "4000", *options],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    found = Fleet(folder, f"127.0.0.1:{port}")
    try:
        wait_until_up(found, process)
        yield found
    finally:
        for pid in stopped(found):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.terminate()
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def stopped(found: Fleet) -> list[int]:
    """The processes that are to go at once, where nobody is left to be polite to."""
    with contextlib.suppress(serve.ServeError):
        pids = list(found.pids().values())
        with contextlib.suppress(Exception):
            rolling._supervisor(found.folder).shutdown()
        return [pid for pid in pids if pid]
    return []


def wait_until_up(found: Fleet, process=None) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(OSError, serve.ServeError, StopIteration, IndexError):
            if found.all_up():
                return
        if time.monotonic() > end or (process and process.poll() is not None):
            raise TimeoutError((found.folder / "log").read_text()[-2000:])
        time.sleep(0.2)


def differs(before: dict | None, after: dict) -> list[str]:
    """What of two views is not the same, in words."""
    if before is None:
        return []
    found = [
        f"{name} {before[name]} -> {after[name]}" for name in ("page", "link") if before[name] != after[name]
    ]
    old, new = before["shown"], after["shown"]
    places = [place for place in {**old, **new} if old.get(place) != new.get(place)]
    return found + [f"{place}: {old.get(place)!s:.80} -> {new.get(place)!s:.80}" for place in places[:3]]


class Returning(Visitor):
    """Who is connected again as soon as there is somebody, and asks once more for what is on the page.

    As Streamlit's page does: with all of its widgets as they stand, but without the click of a button that
    wasn't answered. ``breaks`` says how long each took, and whether all was there as before.
    """

    def __init__(self, *args):
        self.breaks: list[dict] = []
        self.before: dict | None = None  # the view that was complete last
        self.settled = False
        super().__init__(*args)

    @property
    def worker(self) -> str:
        return self.http.cookies.get("worker", "")

    def _ask(self, *triggers, fragment="", page_name="") -> float:
        begin, self.settled = time.monotonic(), False
        try:
            super()._ask(*triggers, fragment=fragment, page_name=page_name)
        except LOST:
            self._back(asked="a click" if triggers else "a choice", page_name=page_name)
        self.before, self.settled = self.view(), True
        return time.monotonic() - begin

    def think(self, seconds: float) -> None:
        """Look at the page for a while; where its process dies meanwhile, it comes back by itself."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                self.socket.recv(timeout=left)
            except TimeoutError:
                return
            except LOST:
                before = self.before
                self._back(asked="nothing")
                self.before = self.view()
                self.breaks[-1]["same"] = self.before == before
                self.breaks[-1]["differs"] = differs(before, self.before)

    def _back(self, asked: str, page_name: str = "") -> None:
        """Ask until there is an answer; a page asks again sooner than that after half a second."""
        begin, worker = time.monotonic(), self.worker
        kept = [one for _, one, _ in self.shown.values() if not getattr(one, "set_value", False)]
        ids = {getattr(element, "id", "") for element in kept}  # what the app has set since is the app's
        self.set = {name: state for name, state in self.set.items() if name in ids}
        while True:
            try:
                with contextlib.suppress(*LOST):
                    self.connected.close()
                self.connected = contextlib.ExitStack()
                self.connect()
                connected = time.monotonic() - begin
                super()._ask(page_name=page_name)
                break
            except LOST:
                if time.monotonic() - begin > START_SECONDS:
                    raise
                time.sleep(0.3)
        seconds = time.monotonic() - begin
        self.breaks.append(
            {"s": seconds, "connected": connected, "asked": asked, "from": worker, "to": self.worker}
        )
