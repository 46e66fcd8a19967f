"""Make ``import torchvision`` (and so ``import timm``) work beside a CPU-only torch.

PyPI's torchvision is built against CUDA. Beside a CPU-only torch its compiled library does not
load, and the import dies with ``operator torchvision::nms does not exist``, because torchvision
describes operators that nobody has defined. Sightlines calls none of them, so it is enough that
their schemas exist. Where the library loads (a CUDA torch, a Mac), nothing is defined here.

Neither is torch's compiler needed, which both import: two thirds of their time, and 70 MB.

Everything else in the project gets the two from here: ``from .torchvision_ops import timm, torchvision``.
"""

# ruff: noqa: F401
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType

import torch

_SCHEMA = "{}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def _load_library() -> None:
    """Load torchvision's compiled operators, as its own import is about to do."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return  # not installed: the import that follows says so itself
    for library in Path(spec.origin).parent.glob("_C*.*"):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            pass  # built for another torch


_load_library()
_missing = [name for name in ("nms", "qnms") if not hasattr(torch.ops.torchvision, name)]
if _missing:
    _library = torch.library.Library("torchvision", "DEF")  # kept alive: it undefines when collected
    for _name in _missing:
        _library.define(_SCHEMA.format(_name))


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Put a stand-in for torch's compiler before those who import it for something that they don't need yet.

    torchvision imports it for a question that its ``roi_align`` asks, timm to say of a method that it is not
    to be compiled. Whatever else is asked comes from the compiler itself, imported then; afterwards everybody
    gets that one.
    """
    names = ("torch._dynamo", "torch._dynamo.utils")
    if any(name in sys.modules for name in names):
        yield
        return
    stand_ins = {name: ModuleType(name) for name in names}

    def give_way() -> None:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]

    def real(name: str) -> ModuleType:
        give_way()
        return importlib.import_module(name)

    def not_compiled(function=None, recursive=True, **_options):
        return function if function else not_compiled

    def others(name: str, asked: str):
        if asked.startswith("__"):  # whoever lists modules asks each for its file
            raise AttributeError(asked)
        return getattr(real(name), asked)

    for name, module in stand_ins.items():
        module.__getattr__ = partial(others, name)  # type: ignore[method-assign]
    compiler, utils = stand_ins.values()
    vars(compiler)["disable"] = not_compiled
    vars(utils)["is_compile_supported"] = lambda device: real(utils.__name__).is_compile_supported(device)
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        give_way()


with _without_compiler():
    import timm
    import timm.data.config
    import timm.data.imagenet_info
    import timm.data.transforms_factory
    import timm.models.byobnet
    import torchvision
