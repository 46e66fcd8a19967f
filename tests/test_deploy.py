"""What is in deploy/ says what it must to those who read it: the proxy, compose, Kubernetes, systemd."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from deploy import made
from vizcore.commands import policy, serve

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"


def checked(*command) -> None:
    """A tool has nothing to complain about. Skips where it isn't installed, never in CI."""
    program = next(filter(None, (shutil.which(command[0], path=p) for p in PLACES)), None)
    if program is None and not os.environ.get("CI"):
        pytest.skip(f"no {command[0]} on this machine")
    assert program, command[0]
    done = subprocess.run([program, *map(str, command[1:])], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


PLACES = [str(Path(sys.executable).parent), os.environ.get("PATH", ""), "/usr/sbin"]


@pytest.mark.parametrize("file, make", [("haproxy.cfg", made.compose), ("systemd/haproxy.cfg", made.systemd)])
def test_the_proxy_s_configuration_is_what_the_template_makes_and_valid(file, make):
    assert (DEPLOY / file).read_text() == make(), "python deploy/made.py"
    checked("haproxy", "-c", "-f", DEPLOY / file)


def test_what_serve_writes_is_valid_and_a_wrong_word_is_found(tmp_path):
    from vizcore.__main__ import main

    assert main(["serve", "--workers", "3", "--write", "--folder", str(tmp_path / "run")]) == 0
    written = (tmp_path / "run" / "haproxy.cfg").read_text()
    assert written.count("\n    server w") == 3
    checked("haproxy", "-c", "-f", tmp_path / "run" / "haproxy.cfg")
    (tmp_path / "wrong.cfg").write_text(written.replace("option redispatch", "option redespatch"))
    with pytest.raises(AssertionError, match="redespatch"):
        checked("haproxy", "-c", "-f", tmp_path / "wrong.cfg")


def test_only_the_proxy_listens_beyond_loopback(tmp_path):
    options = ["serve", "--workers", "2", "--write", "--folder", str(tmp_path)]
    from vizcore.__main__ import main

    assert main(options) == 0
    programs = (tmp_path / "supervisord.conf").read_text()
    assert programs.count("--server.address=127.0.0.1") == programs.count("streamlit run") == 2
    assert (
        programs.count('SIGHTLINES_CORES="') == 2
        and (tmp_path / "supervisord.conf").stat().st_mode & 0o77 == 0
    )


@pytest.mark.parametrize(
    "missing, words", [("supervisor", "sightlines[serve]"), ("haproxy", "apt-get install")]
)
def test_what_is_missing_is_said_in_a_sentence(missing, words, monkeypatch, tmp_path, capsys):
    from vizcore.__main__ import main

    if missing == "supervisor":
        find = serve.importlib.util.find_spec
        monkeypatch.setattr(
            serve.importlib.util, "find_spec", lambda name: None if name == missing else find(name)
        )
    monkeypatch.setattr(serve.shutil, "which", lambda *_args, **_more: None)
    assert main(["serve", "--write", "--folder", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_compose_and_kubernetes_are_by_their_schemas():
    checked("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    checked("kubernetes-validate", "--strict", "--quiet", DEPLOY / "kubernetes.yaml")


def test_kubernetes_sends_the_same_headers_and_hides_the_same_places():
    parts = {(one["kind"], one["metadata"]["name"]): one
             for one in yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())}  # fmt: skip
    headers = parts["ConfigMap", "sightlines-headers"]["data"]
    assert headers["Content-Security-Policy"] == policy.policy(made.APP)
    for name, value in headers.items():
        line = f'{name} "{value}"' if " " in value else f"{name} {value}"
        assert line in (DEPLOY / "haproxy.cfg").read_text()
    paths = parts["Ingress", "sightlines"]["spec"]["rules"][0]["http"]["paths"]
    hidden = {one["path"] for one in paths if one["backend"]["service"]["name"] == "sightlines-nothing"}
    assert hidden == {"/_stcore/metrics", "/_stcore/agent"}
    assert "selector" not in parts["Service", "sightlines-nothing"]["spec"]
    grace = parts["Deployment", "sightlines"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace > serve.LEAVE_SECONDS


def test_systemd_understands_its_units(tmp_path):
    for unit in (DEPLOY / "systemd").glob("*.service"):
        words = unit.read_text().replace(
            "/opt/sightlines/.venv/bin/streamlit", shutil.which("true") or "/bin/true"
        )
        (tmp_path / unit.name).write_text(words)
    checked("systemd-analyze", "verify", "--man=no", *tmp_path.glob("*.service"))


def test_a_folder_that_somebody_else_put_there_is_refused(tmp_path, capsys):
    from vizcore.__main__ import main

    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "theirs")
    assert main(["serve", "--write", "--folder", str(tmp_path / "ours")]) == 1
    assert "somebody else's" in capsys.readouterr().err and not list((tmp_path / "theirs").iterdir())
