"""What others install: the wheel works outside the checkout, and all that is imported is declared."""

import ast
import os
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vizcore
from benchmarks.visitor import Visitor, free_port, wait_for
from vizcore.__main__ import main

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTIONS = packages_distributions()  # by the names that are imported
PIP = [sys.executable, "-m", "pip", "--quiet", "--no-input"]


# ---------------------------------------------------------------- the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True)
    (found,) = folder.iterdir()
    return found


def test_the_wheel_takes_two_names_and_leaves_nothing_out(wheel):
    assert wheel.name == f"sightlines-{vizcore.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].removesuffix(f"-{vizcore.__version__}.dist-info") for name in names} == {
        "vizcore",
        "sightlines",
    }
    packed = {name.removeprefix("sightlines/") for name in names if ".dist-info" not in name}
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    here = listed.stdout.splitlines()
    parts = ("vizcore/", "ui/", "pages/", "samples/", ".streamlit/", "streamlit_app.py")
    assert packed == {name for name in here if name.startswith(parts) and (ROOT / name).is_file()}


@pytest.mark.long
def test_installed_elsewhere_it_lists_and_shows(wheel, tmp_path):
    library, elsewhere = tmp_path / "library", tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run([*PIP, "install", "--no-deps", "--no-compile", "--target", library, wheel], check=True)
    surroundings = {"cwd": elsewhere, "env": {**os.environ, "PYTHONPATH": str(library)}}
    port = free_port()
    command = [sys.executable, library / "bin" / "sightlines", "app"]
    command += ["--server.headless", "true", "--server.port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, **surroundings)
    try:
        listed = subprocess.Popen(
            [sys.executable, "-m", "vizcore", "list"], stdout=subprocess.PIPE, text=True, **surroundings
        )
        wait_for(port)
        visitor = Visitor(f"localhost:{port}", "a=texture_resnet&b=texture_vit")
        visitor.open()
        assert not visitor.errors() and len(visitor.pictures) > 5
        assert any("Two networks look at one picture" in text.body for text in visitor.elements("markdown"))
        visitor.close()
        assert not visitor.settings.gather_usage_stats  # .streamlit/config.toml is read
        assert "texture_resnet               bundled" in listed.communicate()[0]
    finally:
        server.kill()
        server.wait()


def test_the_command_without_its_app_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["app"]) == 1
    assert "pip install 'sightlines[app]'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["list", "--server.port=80"])


# ---------------------------------------------------------------- what is declared


def requirements(lines) -> dict[str, Requirement]:
    """By name: lines of a requirements file or of pyproject.toml, without what they include."""
    found = {}
    for line in lines:
        line = line.split("#")[0].strip()
        if line and not line.startswith("-r"):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = requirement
    return found


def declared(*extras: str) -> dict[str, Requirement]:
    """The project's own dependencies, and those of the extras without the project itself."""
    lines = [*PROJECT["dependencies"], *(line for extra in extras for line in EXTRAS[extra])]
    return {name: one for name, one in requirements(lines).items() if name != PROJECT["name"]}


def pinned(file: str) -> dict[str, Requirement]:
    return requirements((ROOT / file).read_text().splitlines())


@pytest.mark.parametrize(
    "files, extras",
    [
        (["requirements.txt"], ["app"]),
        (["requirements.txt", "requirements-dev.txt"], ["app", "hf", "serve", "test"]),
    ],
)
def test_requirements_lie_within_the_projects_ranges(files, extras):
    ours = {name: one for file in files for name, one in pinned(file).items()}
    ranges = declared(*extras)
    assert ours.keys() == ranges.keys()
    for name, one in ours.items():
        pins = [part.version for part in one.specifier if part.operator == "=="]
        if pins:
            assert ranges[name].specifier.contains(pins[0]), f"{one} is outside {ranges[name]}"
        else:
            assert one.specifier == ranges[name].specifier, f"{one} isn't {ranges[name]}"


@cache
def imported(place: str) -> dict[str, str]:
    """Every distribution that the files of a folder import, and one of these files; or of one file."""
    found = {}
    own = {path.stem for path in [*ROOT.iterdir(), *(ROOT / "tests").iterdir()]}
    path = ROOT / place
    for file in path.rglob("*.py") if path.is_dir() else [path]:
        for node in ast.walk(ast.parse(file.read_text())):
            modules = [name.name for name in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module]
            for name in {module.split(".")[0] for module in modules} - sys.stdlib_module_names - own:
                for distribution in DISTRIBUTIONS.get(name, [name]):
                    found[canonicalize_name(distribution)] = str(file.relative_to(ROOT))
    return found


PACKAGE, APP, WORK = ["vizcore"], ["ui", "pages", "streamlit_app.py"], ["tests", "benchmarks", "training"]


@pytest.mark.parametrize(
    "places, extras", [(PACKAGE, ["hf", "study"]), (APP, ["app"]), (WORK, ["app", "test"])]
)
def test_what_is_imported_is_declared(places, extras):
    known = declared(*extras).keys() | pinned("requirements-offline.txt").keys()
    found = {name: file for place in places for name, file in imported(place).items()}
    assert not {name: file for name, file in found.items() if name not in known}


def test_what_the_package_and_the_app_declare_is_imported():
    found = {name for place in [*PACKAGE, *APP] for name in imported(place)}
    assert declared("app").keys() <= found
