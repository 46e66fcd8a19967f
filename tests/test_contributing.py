"""What CONTRIBUTING.md shows as a change: applied to a copy, each is on its page, with its words."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
LONGEST = 14  # lines that a change adds and takes away
SEEN = """
import pytest

from benchmarks.whole_app import all_maps


def test_a_network(app, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    at = app("pages/feature_maps.py", a="resnet10t", weights_a="random")
    assert not at.exception and not at.error
    assert "ResNet-10" in [block.value for block in at.subheader]
    at.segmented_control(key="weights_a").set_value("trained").run()
    assert any("ResNet-10: the smallest of its family" in block.value for block in at.caption)


@pytest.mark.parametrize(
    "page, method, words",
    [
        ("grad_cam", "Positive CAM", "A channel that speaks against the class may still be lit up."),
        ("grad_cam", "Eigen-CAM", "Says what is strong in the layer, not what it is for."),
        ("grad_cam", "strongest channels", "What they stand for."),
        ("saliency", "gradient to a power", "Exaggerates what the gradient says, noise and all."),
    ],
)
def test_a_method(app, page, method, words):
    key = f"{page[0]}_method_a"
    at = app(f"pages/{page}.py", a="texture_resnet", picture="Honeycomb in bands", **{key: method})
    assert not at.exception and not at.error and not at.warning
    assert at.selectbox(key=key).value == method and any(words in block.value for block in at.markdown)
    assert any(name.startswith(f"{method} of") for name in at.session_state["kept"])
    small = [one for one in all_maps(at) if one["words"].startswith("channel ")]
    assert len(small) == 3 * (method == "strongest channels")


def test_a_setting(app):
    link = {"a": "texture_resnet", "picture": "Honeycomb in bands", "s_method_a": "gradient to a power"}
    at = app("pages/saliency.py", **link, s_power="3")
    assert not at.exception and at.select_slider(key="s_power").value == 3
    assert at.session_state["kept"]["gradient to a power of Texture ResNet, A"].maps["pixels"].any()
    at.select_slider(key="s_power").set_value(1).run()
    assert at.query_params["s_power"] == "1"
"""


class Change(NamedTuple):
    """A part of a diff: the lines of one file that are replaced, and by what."""

    file: str
    before: str  # empty for a new file
    after: str


def changes(block: str) -> list[Change]:
    """What a diff without line numbers changes: ``+++ b/file``, then lines; ``@@`` between two places."""
    found = []
    for file, body in re.findall(r"^\+\+\+ b/(\S+)\n((?:(?!\+\+\+ b/).*\n)*)", block, re.MULTILINE):
        for place in re.split(r"^@@.*\n", body, flags=re.MULTILINE):
            lines = place.splitlines(keepends=True)
            assert all(line[0] in " +-" for line in lines), place
            before = "".join(line[1:] for line in lines if line[0] != "+")
            found.append(Change(file, before, "".join(line[1:] for line in lines if line[0] != "-")))
    return found


BLOCKS = [
    block
    for document in ("CONTRIBUTING.md", "README.md")
    for block in re.findall(r"^```diff\n(.*?)^```", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
]


def put(folder: Path, change: Change, undo: bool = False) -> None:
    """Make a change in a folder, or undo it."""
    file = folder / change.file
    old, new = (change.after, change.before) if undo else (change.before, change.after)
    if not change.before:
        assert file.exists() == undo, f"{change.file} is written anew"
        file.unlink() if undo else file.write_text(new)
        return
    text = file.read_text()
    assert text.count(old) == 1, f"{change.file} has this {text.count(old)} times:\n{old}"
    file.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """The checkout's own files, without what the changes don't need."""
    folder = tmp_path_factory.mktemp("copy")
    parts = ["vizcore", "ui", "pages", "samples", "benchmarks", "training", ".streamlit"]
    parts += ["tests/conftest.py", "tests/shared.py", "streamlit_app.py", "pyproject.toml"]
    for part in parts:
        source, target = ROOT / part, folder / part
        target.parent.mkdir(exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, target, ignore=ignored) if source.is_dir() else shutil.copy(source, target)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def run(folder: Path, *command: str) -> None:
    surroundings = {"cwd": folder, "env": {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}}
    ended = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, **surroundings)
    assert not ended.returncode, ended.stdout[-5000:] + ended.stderr[-2000:]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: changes(block)[0].file)
def test_a_change_is_short_and_names_its_files(block):
    assert block.startswith("+++ b/")
    assert len(re.findall(r"^[+-](?!\+\+ b/)", block, re.MULTILINE)) <= LONGEST
    tests = [one for one in changes(block) if one.file.startswith("tests/")]
    files = {one.file for one in changes(block)} - {one.file for one in tests}
    assert len(files) == (3 if any(file.startswith("pages/") for file in files) else 0 if tests else 1)


@pytest.mark.parametrize("tried", [False, pytest.param(True, marks=pytest.mark.long)])
def test_every_change_is_plain_works_and_can_be_undone(copy, tried):
    """Whether they work is seen where they are ``tried``, in an app that begins anew."""
    assert len(BLOCKS) >= 4
    original = contents(copy)
    everything = [change for block in BLOCKS for change in changes(block)]
    for change in everything:
        put(copy, change)
    run(copy, "ruff", "check", "--no-cache", ".")
    run(copy, "ruff", "format", "--no-cache", "--check", ".")
    if tried:
        seen = copy / "tests" / "test_seen.py"
        seen.write_text(SEEN)
        quietly = "-q", "-n", "0", "-p", "no:cacheprovider", "--tb=short", "--show-capture=no"
        run(copy, "pytest", *quietly, "tests")
        seen.unlink()
    for change in reversed(everything):
        put(copy, change, undo=True)
    changed = {name for name, content in contents(copy).items() if content != original.get(name)}
    assert not changed and contents(copy).keys() == original.keys()
