"""What the walls are measured with: the modules of the project, what each imports, how long its parts are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
FORWARDS = 5  # lines of a file that only forwards a former name
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, Path]:
    """The project's modules by dotted name; a package's is that of its folder."""
    paths = [*(ROOT / "vizcore").rglob("*.py"), *(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    found = {}
    for path in sorted([*paths, ROOT / "streamlit_app.py"]):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(modules()[name].read_text())


def inside(folder: str) -> list[str]:
    """The modules of a folder, with those of the folders in it."""
    return [name for name in modules() if name == folder or name.startswith(f"{folder}.")]


def forwarding() -> list[str]:
    """The modules that stand where notebooks look for a former name, and hold nothing themselves."""
    found = []
    for name in inside("vizcore"):
        path = modules()[name]
        short = len(path.read_text().splitlines()) <= FORWARDS
        if path.parent == ROOT / "vizcore" and path.stem != "__init__" and short:
            found.append(name)
    return found


@cache
def imports(name: str, late: bool = True) -> frozenset[str]:
    """The dotted names that a module imports; without ``late``, only those as it is imported itself."""
    found = set()
    for node in ast.walk(tree(name)) if late else _at_once(tree(name).body):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(name, node)
            for alias in node.names:  # a module of a package, or something in a module
                full = f"{base}.{alias.name}"
                found.add(full if full in modules() else base)
    return frozenset(found)


def _absolute(name: str, node: ast.ImportFrom) -> str:
    """The dotted name after ``from``."""
    parts = name.split(".") + ["__init__"] * (modules()[name].stem == "__init__")
    above = parts[: len(parts) - node.level] if node.level else []
    return ".".join([*above, *filter(None, [node.module])])


def _at_once(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run as a module is imported: not those in functions, nor for type checkers."""
    for statement in body:
        if isinstance(statement, FUNCTIONS):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            continue
        yield statement
        for part in ("body", "orelse", "finalbody"):
            yield from _at_once(getattr(statement, part, []))


def own_imports(name: str, late: bool = True) -> set[str]:
    """Those of the project's modules that a module imports."""
    return {one for one in imports(name, late) if one in modules()} - {name}


def reached(name: str) -> set[str]:
    """The modules that a module needs, directly or through others."""
    found, left = {name}, [name]
    while left:
        more = own_imports(left.pop()) - found
        found |= more
        left += more
    return found


def circle(late: bool = False) -> list[str]:
    """Modules that import each other in a ring as they are imported; empty where there is none."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for other in sorted(own_imports(name, late)):
            if found := walk(other, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in modules() if (found := walk(name, []))), [])


# ---------------------------------------------------------------- lengths


def lines(name: str) -> int:
    """A module's lines, without tables: what a name is given that is written down, not computed."""
    literal = sum(node.end_lineno - node.lineno + 1 for node in tree(name).body if _is_table(node))
    return len(modules()[name].read_text().splitlines()) - literal


def _is_table(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None and _is_literal(node.value)


def _is_literal(node: ast.expr) -> bool:
    """Constants, names, containers of literals, and rows: calls of a class with literals."""
    if isinstance(node, ast.Dict):
        return all(map(_is_literal, [key for key in node.keys if key] + node.values))
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(map(_is_literal, node.elts))
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    if isinstance(node, ast.Call):
        row = isinstance(node.func, ast.Name) and node.func.id[:1].isupper()
        return row and all(map(_is_literal, [*node.args, *(word.value for word in node.keywords)]))
    return isinstance(node, ast.Constant | ast.Name | ast.Attribute)


def functions(name: str) -> Iterator[tuple[str, int]]:
    """Each function of a module, and how many lines it has, decorators aside."""
    for node in ast.walk(tree(name)):
        if isinstance(node, FUNCTIONS):
            yield node.name, node.end_lineno - node.lineno + 1
