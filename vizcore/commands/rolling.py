"""The processes of ``sightlines serve``, started anew one by one, so that somebody is always there."""

from __future__ import annotations

import http.client
import socket
import time
import xmlrpc.client
from pathlib import Path

BACK_SECONDS = 120  # that a process may take until the proxy sends people to it


class _Local(xmlrpc.client.Transport):
    """XML-RPC, which supervisord speaks, over a socket of this machine's file system."""

    def __init__(self, path: Path):
        super().__init__()
        self.path = str(path)

    def make_connection(self, host):  # "localhost", whatever it is told
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.connect(self.path)
        return connection


def roll(folder: Path) -> int:
    """Stop each process, which answers first what it was asked, and start it; go on once it is back."""
    from .serve import ServeError

    supervisor = _supervisor(folder)
    for name in processes(folder):
        began = time.monotonic()
        supervisor.stopProcess(name)
        left = time.monotonic() - began
        supervisor.startProcess(name)
        while server_state(folder, name) != "UP":
            if time.monotonic() - began > left + BACK_SECONDS:
                raise ServeError(f"{name} hasn't come back; the others are as they were.")
            time.sleep(0.3)
        print(f"{name}: left in {left:.1f} s, back after {time.monotonic() - began:.1f} s", flush=True)
    return 0


def _supervisor(folder: Path):
    return xmlrpc.client.ServerProxy("http://localhost", _Local(folder / "supervisor.sock")).supervisor


def processes(folder: Path) -> dict[str, int]:
    """What ``sightlines serve`` began, by name: each process's number, 0 for one that has gone.

    Raises:
        ServeError: it isn't running.
    """
    from .serve import ServeError

    try:
        programs: list = _supervisor(folder).getAllProcessInfo()  # pyright: ignore[reportAssignmentType]
    except OSError as error:
        raise ServeError(f"Nothing that `sightlines serve` began is running in {folder}.") from error
    return {one["name"]: one["pid"] for one in programs if one["name"] != "proxy"}


def server_state(folder: Path, name: str) -> str:
    """What the proxy thinks of a process: "UP", "DOWN" and others."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.connect(str(folder / "proxy.sock"))
        asking.sendall(b"show stat\n")
        with asking.makefile() as answer:
            rows = [line.rstrip("\n").split(",") for line in answer if "," in line]
    column = rows[0].index("status")
    return next((row[column] for row in rows if row[1] == name), "")
