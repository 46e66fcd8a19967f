"""Twenty clients that misbehave, each from an address of its own (Linux gives loopback 16 million)."""

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import connect

from .visitor import ROOT

OVERSIZED = 64_000_000  # bytes of a frame, where Streamlit takes 25 MB


def begin(address: str):
    """Let them begin, in a process of their own; returns how to end them, which says what they did."""
    told = [sys.executable, "-m", "benchmarks.strangers", address]
    process = subprocess.Popen(told, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def end() -> dict:
        said, _ = process.communicate("", timeout=60)
        return json.loads(said)

    return end


def main(address: str) -> None:
    """Four of each kind, until nothing more can be read.

    With cores that nobody else wants, and at once no more as soon as somebody does: strangers bring their own
    machines. What they cost the server counts.
    """
    os.nice(19)
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # a frame that is refused ends in the middle
    host, port = address.split(":")
    over, did, threads = threading.Event(), Counter(), []
    kinds = half_open, slow_upload, oversized, connects, clicks
    for number in range(20):
        own = f"127.0.{number + 1}.1"
        kind = kinds[number % len(kinds)]
        run = threading.Thread(target=_until, args=(over, did, kind, (host, int(port)), own), daemon=True)
        run.start()
        threads.append(run)
    sys.stdin.read()
    over.set()
    for one in threads:
        one.join(10)
    print(json.dumps(did))


def _until(over, did, kind, server, own) -> None:
    while not over.is_set():
        try:
            kind(server, own, over, did)
        except Exception as error:  # refused, as it should be
            did[f"{kind.__name__}: {type(error).__name__}"] += 1
            over.wait(0.2)


def _socket(server, own) -> socket.socket:
    return socket.create_connection(server, timeout=10, source_address=(own, 0))


def half_open(server, own, over, did) -> None:
    """Two hundred connections on which half a request is said, and nothing more."""
    with contextlib.ExitStack() as held:
        for _ in range(200):
            one = held.enter_context(_socket(server, own))
            one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Half:")
            did["half-open"] += 1
        over.wait(12)


def slow_upload(server, own, over, did) -> None:
    """A file of which a byte comes now and then."""
    with _socket(server, own) as one:
        one.sendall(b"PUT /_stcore/upload_file/a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        did["slow uploads"] += 1
        while not over.wait(1):
            one.sendall(b"x")


def oversized(server, own, over, did) -> None:
    """A page that says more than any page would."""
    with _page(server, own) as page:
        did["oversized frames"] += 1
        page.send(bytes(OVERSIZED))
        with contextlib.suppress(TimeoutError):
            while True:
                page.recv(timeout=5)


def connects(server, own, over, did) -> None:
    """A thousand connections one after the other, as fast as they are taken."""
    for _ in range(1000):
        if over.is_set():
            return
        with contextlib.suppress(OSError), _socket(server, own) as one:
            one.sendall(b"GET /_stcore/health HTTP/1.1\r\nHost: a\r\n\r\n")
            did["answered" if one.recv(100) else "refused"] += 1
            continue
        did["refused"] += 1
    time.sleep(1)


def clicks(server, own, over, did) -> None:
    """A page that asks again fifty times a second, and never waits for an answer."""
    ask = BackMsg()
    ask.rerun_script.query_string = "picture=Scales+in+cracks"
    with _page(server, own) as page:
        while not over.wait(0.02):
            page.send(ask.SerializeToString())
            did["clicks"] += 1
            with contextlib.suppress(TimeoutError):
                while True:
                    page.recv(timeout=0)


def _page(server, own):
    told = f"ws://{server[0]}:{server[1]}/_stcore/stream"
    return connect(
        told, sock=_socket(server, own), subprotocols=["streamlit"], max_size=None, compression=None
    )


if __name__ == "__main__":
    main(sys.argv[1])
