"""``sightlines serve``: more people than one process can serve, by several behind HAProxy on one machine.

What is started, and started again when it dies, is supervisord's business; who comes to which process, and
what nobody outside may ask, is HAProxy's. Here their configurations are written. The processes are reached on
loopback alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import secrets
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from string import Template

from . import policy

HERE = Path(__file__).parent
LEAVE_SECONDS = 60  # that a process is given to answer what it was asked, before it stops
NO_SUPERVISOR = "Several processes need supervisord: pip install 'sightlines[serve]'"
NO_PROXY = "Several processes need HAProxy (2.6 or newer) before them: apt-get install haproxy, or its like."


class ServeError(ValueError):
    """What is missing, in a sentence."""


def add(commands: argparse._SubParsersAction) -> None:
    """Tell the main parser of it."""
    parser = commands.add_parser("serve", help="the app in several processes behind HAProxy, on one machine")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes of the app (2)")
    parser.add_argument("--address", default="0.0.0.0", help="that the proxy listens on (0.0.0.0)")
    parser.add_argument("--port", type=int, default=8501, help="of the proxy (8501)")
    parser.add_argument(
        "--first-port", type=int, default=8601, help="of the first process, on loopback (8601)"
    )
    parser.add_argument("--certificate", type=Path, metavar="PEM", help="chain and key, to speak TLS")
    parser.add_argument(
        "--per-address", type=int, default=600, metavar="N", help="connections from one address (600)"
    )
    parser.add_argument(
        "--folder", type=Path, default=default_folder(), help="of configurations and sockets (%(default)s)"
    )
    parser.add_argument("--write", action="store_true", help="write the configurations and start nothing")
    parser.add_argument("--roll", action="store_true", help="start those of --folder anew, one by one")


def default_folder() -> Path:
    """One that is this user's own."""
    user = os.getuid() if hasattr(os, "getuid") else "own"
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"sightlines-{user}"


def main(options: argparse.Namespace, app: Path) -> int:
    """Write what is asked for and become the supervisor; 1 where something is missing.

    Args:
        app: the app's main script.
    """
    try:
        folder = own_folder(options.folder)
        if options.roll:
            from . import rolling

            return rolling.roll(folder)
        if options.workers < 1:
            raise ServeError("--workers is 1 or more.")
        haproxy, supervisord = tools()
        write(options, folder, app, haproxy)
    except ServeError as error:
        print(f"sightlines: {error}", file=sys.stderr)
        return 1
    if options.write:
        print(f"Written: {folder}/haproxy.cfg, {folder}/supervisord.conf")
        return 0
    os.execv(sys.executable, [*supervisord, "-c", str(folder / "supervisord.conf")])


def tools() -> tuple[str, list[str]]:
    """HAProxy, and the command that begins supervisord.

    Raises:
        ServeError: one of them isn't installed.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise ServeError("The app needs Streamlit: pip install 'sightlines[app]'")
    if importlib.util.find_spec("supervisor") is None:
        raise ServeError(NO_SUPERVISOR)
    haproxy = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
    if haproxy is None:
        raise ServeError(NO_PROXY)
    return haproxy, [sys.executable, "-m", "supervisor.supervisord"]


def own_folder(folder: Path) -> Path:
    """The folder, made where there is none, with nobody else's hands in it.

    Raises:
        ServeError: it can't be made, or belongs to somebody else.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or (hasattr(os, "getuid") and folder.stat().st_uid != os.getuid()):
            raise ServeError(f"{folder} is somebody else's: name another with --folder.")
        folder.chmod(0o700)
    except OSError as error:
        raise ServeError(f"{folder} can't be this user's own folder ({error.strerror}).") from error
    return folder.resolve()


def write(options: argparse.Namespace, folder: Path, app: Path, haproxy: str = "haproxy") -> None:
    """Both configurations, into a folder; weights that were shared there before are forgotten."""
    shutil.rmtree(folder / "weights", ignore_errors=True)
    (folder / "weights").mkdir(mode=0o700)
    ports = range(options.first_port, options.first_port + options.workers)
    (folder / "haproxy.cfg").write_text(proxy(options, app, ports, folder))
    (folder / "supervisord.conf").write_text(
        Template((HERE / "supervisord.conf").read_text()).substitute(
            folder=folder, app=app.parent, haproxy=haproxy, workers=_workers(ports, folder, app)
        )
    )
    (folder / "supervisord.conf").chmod(0o600)  # it holds a secret


def proxy(options: argparse.Namespace, app: Path, ports: range, folder: Path) -> str:
    """HAProxy's configuration for processes on these ports of loopback."""
    bind = f"bind {options.address}:{options.port}"
    if options.certificate:
        bind += f" ssl crt {options.certificate.resolve()} alpn h2,http/1.1"
    servers = [f"    server w{n} 127.0.0.1:{port} cookie w{n}" for n, port in enumerate(ports, 1)]
    control = f"stats socket {folder}/proxy.sock mode 600 level admin"
    return filled(app, bind, servers, control, per_address=options.per_address)


def filled(app: Path, bind: str, servers: list[str], control: str, cookie: str = "", per_address=600) -> str:
    """The template of HAProxy's configuration, filled in; ``deploy/haproxy.cfg`` is made so, too.

    Args:
        app: the app's main script.
        bind, servers, control: whole lines.
        cookie: more words on how a process is told by its cookie.
        per_address: connections from one address.
    """
    return Template((HERE / "haproxy.cfg").read_text()).substitute(
        bind=bind, servers="\n".join(servers), control=control, cookie=cookie, policy=policy.policy(app),
        per_address=per_address, rate=4 * per_address,
    )  # fmt: skip


def _workers(ports: range, folder: Path, app: Path) -> str:
    """A program of supervisord's for each process, with its share of the cores and what they share."""
    share = max(1, cores() // len(ports))
    shared = {
        "OMP_NUM_THREADS": max(1, share // 2),  # as a process alone takes half of all, see ui/warmup.py
        "SIGHTLINES_CORES": share,
        "SIGHTLINES_LEAVE_SECONDS": LEAVE_SECONDS,
        "SIGHTLINES_ROOMS": folder / "rooms.sqlite",
        "SIGHTLINES_SHARED_WEIGHTS": folder / "weights",
        "STREAMLIT_SERVER_COOKIE_SECRET": secrets.token_hex(32),
    }
    told = {name: str(os.environ.get(name, value)).replace("%", "%%") for name, value in shared.items()}
    environment = ",".join(f'{name}="{value}"' for name, value in told.items())
    command = f"{shlex.quote(sys.executable)} -m streamlit run {shlex.quote(str(app))}".replace("%", "%%")
    command += " --server.headless=true --server.address=127.0.0.1"
    return "\n".join(
        f"""
[program:w{number}]
command = {command} --server.port={port} --browser.serverPort={port}
environment = {environment}
autorestart = true
startretries = 1000
stopsignal = TERM
stopwaitsecs = {LEAVE_SECONDS + 15}
stdout_logfile = /dev/fd/1
stdout_logfile_maxbytes = 0
redirect_stderr = true"""
        for number, port in enumerate(ports, 1)
    )


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
