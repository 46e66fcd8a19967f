"""Every example that is shown is run: those of the docstrings, and the README's."""

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from safetensors.torch import save_file

import vizcore
from vizcore.networks.torchvision_ops import timm

ROOT = Path(__file__).parent.parent
FRONT_DOORS = "vizcore", "load_model", "cams", "rollout", "maximise"  # what a newcomer looks up


def examples() -> dict[str, doctest.DocTest]:
    """By the name of what they are in; the former names of modules are no modules of their own."""
    names = {info.name for info in pkgutil.walk_packages(vizcore.__path__, "vizcore.")} - {"vizcore.__main__"}
    modules = {importlib.import_module(name) for name in names} | {vizcore}
    found = [test for module in modules for test in doctest.DocTestFinder().find(module)]
    return {test.name: test for test in found if test.examples}


EXAMPLES = examples()


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_an_example_of_a_docstring(name):
    said = []
    assert not doctest.DocTestRunner().run(EXAMPLES[name], out=said.append).failed, "".join(said)


def test_the_front_doors_have_examples():
    assert {name.split(".")[-1] for name in EXAMPLES} >= set(FRONT_DOORS)


def test_the_example_of_the_readme(tmp_path, monkeypatch, chelsea):
    """With the files that it speaks of: a checkpoint, and a photograph."""
    monkeypatch.chdir(tmp_path)
    chelsea.save("photo.jpg")
    save_file(timm.create_model("resnet18").state_dict(), "mine.safetensors")
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        names = {}
        exec(block, names)
        assert names["colours"].shape[0] == 3
