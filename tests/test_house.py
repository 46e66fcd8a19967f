"""The house keeps its shape: how long files and functions are, who imports whom, where things belong."""

import subprocess
import sys
from collections import defaultdict

import pytest
from house import (
    ROOT,
    circle,
    forwarding,
    functions,
    imports,
    inside,
    lines,
    modules,
    own_imports,
    reached,
    tree,
)

PAGES = [name for name in modules() if name.startswith("pages.")]
FOLDERS = {path.name for path in (ROOT / "ui").iterdir() if path.is_dir()}
ROOMS = {name.split(".")[1] for name in PAGES} & FOLDERS  # each of its own page alone
ENTRANCES = [*PAGES, "streamlit_app"]


def room(name: str) -> str:
    """The page whose room a module of ``ui`` is in; "" where it is shared."""
    part = name.split(".")[1:2]
    return part[0] if part and part[0] in ROOMS else ""


@pytest.mark.parametrize("folder, most", [("vizcore", 300), ("ui", 250)])
def test_no_file_is_long_but_for_its_tables(folder, most):
    found = {name: lines(name) for name in inside(folder)}
    assert len(found) > 20 and {name: count for name, count in found.items() if count > most} == {}


def test_no_function_is_longer_than_fifty_lines():
    found = {f"{name}.{function}": count for name in modules() for function, count in functions(name)}
    assert len(found) > 500 and {name: count for name, count in found.items() if count > 50} == {}


def test_no_two_modules_have_one_name():
    """But for the rooms of pages, which have their page's, and for files that forward a former name."""
    places = defaultdict(list)
    for name in {*inside("vizcore"), *inside("ui")} - {*forwarding(), *(f"ui.{page}" for page in ROOMS)}:
        if not name.endswith("__main__"):
            places[name.split(".")[-1]].append(name)
    assert len(places) > 50 and {name: found for name, found in places.items() if len(found) > 1} == {}


def test_former_names_only_forward_and_nobody_here_uses_them():
    assert {"vizcore.cam", "vizcore.models", "vizcore.features"} <= set(forwarding())
    for name in forwarding():
        kinds = {type(node).__name__ for node in tree(name).body}
        assert kinds <= {"Import", "ImportFrom", "Assign", "Expr"} and own_imports(name), name
    assert {name: used for name in modules() if (used := own_imports(name) & set(forwarding()))} == {}


def test_what_lies_directly_in_ui_is_shared():
    """By two pages or the main script; another file belongs to its page's room."""
    users = defaultdict(set)
    for entrance in ENTRANCES:
        for name in reached(entrance):
            users[name] |= {entrance, "every page"} if entrance == "streamlit_app" else {entrance}
    shared = [name for name in inside("ui") if name != "ui" and not room(name)]
    assert len(shared) > 10 and {name: users[name] for name in shared if len(users[name]) < 2} == {}


def test_a_room_is_entered_by_its_page_alone():
    strangers = [
        (name, other)
        for name in modules()
        for other in own_imports(name)
        if other.startswith("ui.") and room(other)
        and not (name == f"pages.{room(other)}" or (name.startswith("ui.") and room(name) == room(other)))
    ]  # fmt: skip
    assert strangers == []
    rooms = [name for name in inside("ui") if room(name) and modules()[name].stem != "__init__"]
    assert len(rooms) > 10
    assert [name for name in rooms if name not in reached(f"pages.{room(name)}")] == [], "nobody uses them"


def test_methods_and_truth_do_not_know_each_other():
    assert inside("vizcore.methods") and inside("vizcore.truth")
    for one, other in (("methods", "truth"), ("truth", "methods")):
        for name in inside(f"vizcore.{one}"):
            assert not reached(name) & set(inside(f"vizcore.{other}")), name


def test_the_package_knows_neither_the_app_nor_its_framework():
    for name in inside("vizcore"):
        assert not {one.split(".")[0] for one in imports(name)} & {"streamlit", "ui", "pages", "altair"}, name


def test_streamlit_s_private_parts_are_used_in_one_file():
    """What it documents is in these modules; the rest may change in any version."""
    documented = {"streamlit", "streamlit.components.v2", "starlette.middleware"}  # the last for st.App
    for name in modules():
        used = {one for one in imports(name) if one.split(".")[0] in ("streamlit", "starlette")}
        assert name == "ui.streamlit_private" or used <= documented, name


def test_no_modules_import_each_other_in_a_circle():
    assert circle() == []


def test_there_is_one_table_of_methods():
    named = [
        name
        for name in modules()
        for node in tree(name).body
        for target in getattr(node, "targets", [getattr(node, "target", None)])
        if getattr(target, "id", "") == "METHODS"
    ]
    assert len(named) == 1, named


def test_what_a_session_holds_of_a_job_is_read_in_one_file():
    found = [name for name in modules() if '"job_' in modules()[name].read_text()]
    assert found == ["ui.jobs"]


def test_a_method_needs_torch_and_no_library_of_networks():
    """They take seconds to import, which a notebook that brings its own network needn't wait for."""
    names = [*inside("vizcore.methods"), *inside("vizcore.truth"), "vizcore.cam", "vizcore.capture"]
    code = f"import sys, {', '.join(names)}; print(*sys.modules); import vizcore.networks.load; "
    code += "print(*sys.modules)"
    methods, networks = (set(line.split()) for line in _printed(code).splitlines())
    heavy = {"timm", "torchvision", "transformers", "streamlit", "pandas", "altair"}
    assert "torch" in methods and heavy & methods == set()
    assert {"timm", "torchvision"} <= networks
    assert "torch._dynamo" not in networks  # seconds and 70 MB for what nobody here asks of it


def _printed(code: str) -> str:
    return subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True)


@pytest.mark.long
def test_who_asks_for_torchs_compiler_gets_it():
    code = """
import sys, torch, vizcore.networks.load
module = sys.modules["torchvision.ops.roi_align"]
answer = module.is_compile_supported("cpu")
import torch._dynamo.utils
assert answer == torch._dynamo.utils.is_compile_supported("cpu")
net = torch.nn.Linear(2, 2)
torch.optim.Adam(net.parameters()).step()
print(torch.compile(net, backend="eager")(torch.ones(1, 2)).shape)"""
    assert _printed(code) == "torch.Size([1, 2])\n"
