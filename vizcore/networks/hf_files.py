"""The files of a Hugging Face folder, or of a zip of one, become a network of ``transformers``.

All in memory. Nothing in it is executed or unpickled: the architecture is one of the installed library's own,
and the weights are safetensors, all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..pictures.archives import Bounds, listed, unpacked
from ..pictures.images import PictureError
from .checkpoints import ModelError, State, first_line, read_checkpoint

CONFIG, INDEX = "config.json", "model.safetensors.index.json"
PROCESSORS = "preprocessor_config.json", "processor_config.json"
WEIGHTS = ".safetensors"
PICKLES = (".bin", ".pt", ".pth", ".h5", ".msgpack", ".ckpt")
BOUNDS = Bounds((".json", WEIGHTS), 60, 1000, 1000, "config.json or weight")
JSON_BYTES = 5_000_000


def files_of_folder(folder: Path) -> dict[str, bytes]:
    """The content of a folder's files that are needed, by name."""
    if not folder.is_dir():
        raise ModelError(f"There is no folder {folder.name[:60]!r} on this machine.")
    wanted = [path for path in sorted(folder.iterdir()) if path.is_file()]
    _check([path.name for path in wanted])
    return {path.name: path.read_bytes() for path in wanted if _needed(path.name)}


def files_of_zip(data: bytes) -> dict[str, bytes]:
    """The same of a zip; the folder may lie within others.

    Raises:
        ModelError: a zip that is refused, or that holds no such folder, or several.
    """
    try:
        names = listed(data, Bounds((".json", WEIGHTS, *PICKLES), 200, 0, 0, "file"))
        places = [name.rpartition("/")[0] for name in names if name.rpartition("/")[2] == CONFIG]
        top = min((place.count("/") + bool(place) for place in places), default=0)
        found = [place for place in places if place.count("/") + bool(place) == top]
        if len(found) > 1:
            raise ModelError(f"The zip holds {len(found)} folders with a {CONFIG}; choose one.")
        inside = f"{found[0]}/" if found and found[0] else ""
        own = [name[len(inside) :] for name in names if name.startswith(inside)]
        _check([name for name in own if "/" not in name])
        wanted = {inside + name: name for name in own if "/" not in name and _needed(name)}
        return {wanted[name]: content for name, content in unpacked(data, BOUNDS) if name in wanted}
    except PictureError as error:
        raise ModelError(str(error)) from error


def _needed(name: str) -> bool:
    return name in (CONFIG, INDEX, *PROCESSORS) or name.endswith(WEIGHTS)


def _check(names: list[str]) -> None:
    """Raise where a folder lacks what is needed."""
    if CONFIG not in names:
        raise ModelError(f"This is no folder with a {CONFIG} and safetensors: the {CONFIG} is missing.")
    if not any(name.endswith(WEIGHTS) for name in names):
        pickles = [name for name in names if name.endswith(PICKLES)]
        why = (
            f"{pickles[0][:60]} can run somebody's code when it is read; save it with safe_serialization=True"
            if pickles
            else "there are no weights"
        )
        raise ModelError(f"This is no folder with a {CONFIG} and safetensors: {why}.")


def network_of(files: Mapping[str, bytes]) -> tuple[nn.Module, Any]:
    """The network and the image processor, or None, of a folder's files.

    Raises:
        ModelError: transformers is missing or doesn't know the architecture; weights are missing or of
            another shape; or a file is damaged.
    """
    try:
        import transformers  # pyright: ignore[reportMissingImports]  optional
    except ImportError as error:
        raise ModelError(
            "Networks of Hugging Face need its library: pip install transformers, or sightlines[hf]."
        ) from error
    _check(list(files))
    stored = _json(files, CONFIG)
    kind = _architecture(transformers, stored)
    state = _state(files)
    _check_counts(stored, state)
    try:
        config: Any = kind.config_class.from_dict(stored)
        net, told = kind.from_pretrained(
            None, config=config, state_dict=state, output_loading_info=True, dtype=torch.float32
        )
    except Exception as error:  # whatever the library raises at a file of somebody's
        if "ignore_mismatched_sizes" in str(error):
            raise ModelError(f"These weights don't fit {kind.__name__}: some have another shape.") from error
        raise ModelError(f"{kind.__name__} can't be built of these files: {first_line(error)}.") from error
    if missing := sorted(told["missing_keys"]):
        raise ModelError(
            f"These weights don't fit {kind.__name__}: {len(missing)} are missing (first {missing[0][:80]})."
        )
    if any(told.get(name) for name in ("mismatched_keys", "error_msgs")):
        raise ModelError(f"These weights don't fit {kind.__name__}: some have another shape.")
    return net, _processor(transformers, files, stored)


def _check_counts(stored: Any, state: State, name: str = "") -> None:
    """Raise where a configuration counts more layers or classes than its weights can be of.

    The library makes them all, names of classes too, before it looks at any weight.
    """
    if isinstance(stored, dict):
        for key, value in stored.items():
            _check_counts(value, state, str(key))
    elif isinstance(stored, list):
        for value in stored:
            _check_counts(value, state, name)
    elif re.search("layers$|depth|num_blocks|num_labels", name) and isinstance(stored, int | float):
        most = max([len(state), *(side for value in state.values() for side in value.shape)])
        if stored > most:
            raise ModelError(
                f"Its {CONFIG} says {stored:,} as {name[:60]}, which is more than its weights have."
            )


def _architecture(transformers: Any, stored: dict[str, Any]) -> Any:
    """The installed library's own class that a configuration asks for."""
    model_type, listed_ = stored.get("model_type"), stored.get("architectures") or ["AutoModel"]
    if model_type not in transformers.CONFIG_MAPPING:
        called = repr(str(model_type)[:60]) if model_type else "nothing"
        raise ModelError(
            f"Its {CONFIG} says {called} as model_type, which the installed transformers doesn't have; code "
            "of its own is never run."
        )
    wanted = str(listed_[0]) if isinstance(listed_, list) and listed_ else "AutoModel"
    if wanted == "AutoModel":
        wanted = transformers.MODEL_MAPPING[transformers.CONFIG_MAPPING[model_type]]
        wanted = wanted[0].__name__ if isinstance(wanted, tuple) else wanted.__name__
    kind = getattr(transformers, wanted, None) if wanted.isidentifier() else None
    if not (isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel)):
        raise ModelError(f"It asks for {wanted[:60]!r}, which the installed transformers doesn't have.")
    return kind


def _json(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    try:
        if len(files[name]) > JSON_BYTES:
            raise ValueError
        found = json.loads(files[name])
        if not isinstance(found, dict):
            raise ValueError
    except (ValueError, RecursionError) as error:
        raise ModelError(f"Its {name} is damaged: it is no JSON object.") from error
    return found


def _state(files: Mapping[str, bytes]) -> State:
    """The weights of one file, or of all shards."""
    parts = sorted(name for name in files if name.endswith(WEIGHTS))
    if INDEX in files:
        places = _json(files, INDEX).get("weight_map")
        wanted = sorted(set(map(str, places.values()))) if isinstance(places, dict) else []
        missing = [name for name in wanted if name not in files]
        if missing or not wanted:
            first = f" (first {missing[0][:60]})" if missing else ""
            raise ModelError(
                f"Its weights are in {len(wanted)} parts, and {len(missing)} are missing{first}."
            )
        parts = wanted
    elif f"model{WEIGHTS}" in files:
        parts = [f"model{WEIGHTS}"]
    elif len(parts) > 1:
        raise ModelError(f"It holds {len(parts)} files of weights, and no {INDEX} that says which are which.")
    state: State = {}
    for name in parts:
        state |= read_checkpoint(files[name])[0]
    return state


def _processor(transformers: Any, files: Mapping[str, bytes], config: dict[str, Any]) -> Any:
    """The image processor, or None where none was saved."""
    stored = next((_json(files, name) for name in PROCESSORS if name in files), None)
    stored = stored.get("image_processor", stored) if stored else None
    if not isinstance(stored, dict):
        return None
    name = str(stored.get("image_processor_type") or stored.get("feature_extractor_type") or "")
    name = name.replace("FeatureExtractor", "ImageProcessor")
    for one in (name, name.removesuffix("Fast"), f"{name}Fast"):
        kind = getattr(transformers, one, None) if one.isidentifier() and "ImageProcessor" in one else None
        if isinstance(kind, type) and hasattr(kind, "from_dict") and one != "AutoImageProcessor":
            try:
                return kind.from_dict(stored)  # pyright: ignore[reportAttributeAccessIssue]
            except Exception as error:  # whatever the library raises
                raise ModelError(f"Its image processor can't be built: {first_line(error)}.") from error
    raise ModelError(
        f"Its image processor is {name[:60]!r}, which the installed transformers doesn't have."
        if name
        else f"Its {PROCESSORS[0]} doesn't say which image processor it is of."
    )
