"""Weights that several processes on one machine hold in memory once: each maps the same file.

``SIGHTLINES_SHARED_WEIGHTS`` names a folder of theirs alone. A file is called by what is in it, so what is
found there under a name is what would have been written, whichever process wrote it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

FOLDER = "SIGHTLINES_SHARED_WEIGHTS"
LEAST_MB = 8  # a network; smaller ones aren't worth a file
KEPT_MB = 6000  # of files; those that haven't been asked for lately go first, also while they are mapped


def share(net: nn.Module) -> None:
    """Exchange a network's weights for the same ones, mapped from a file that all processes have in common.

    Nothing happens where no folder is named, the network isn't on the CPU, or the folder can't be written.
    """
    named = os.environ.get(FOLDER)
    state = {name: value for name, value in net.state_dict().items() if _dense(value)}
    if not named or sum(value.nbytes for value in state.values()) < LEAST_MB * 1e6:
        return
    plain = {name: value.permute(_order(value)) for name, value in state.items()}
    path = Path(named) / f"{_digest(plain)}.safetensors"
    with suppress(OSError):
        if not path.exists():
            _write(plain, path)
        mapped = _mapped(path)
        views = {
            name: mapped[name].permute(_back(_order(value))).view_as(value) for name, value in state.items()
        }
        net.load_state_dict(views, strict=False, assign=True)
        os.utime(path)


def _dense(value: Tensor) -> bool:
    """Whether a tensor's numbers lie one beside the other, in whatever order of its axes."""
    return value.device.type == "cpu" and value.numel() > 0 and value.permute(_order(value)).is_contiguous()


def _order(value: Tensor) -> list[int]:
    """The axes in the order in which they lie in memory: of weights that are ``channels_last`` 0, 2, 3, 1."""
    return sorted(range(value.ndim), key=lambda axis: (-value.stride(axis), value.shape[axis] == 1))


def _back(order: list[int]) -> list[int]:
    return sorted(range(len(order)), key=order.__getitem__)


def _digest(state: dict[str, Tensor]) -> str:
    found = hashlib.blake2b(digest_size=20)
    for name, value in state.items():
        found.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.reshape(-1).view(torch.uint8).numpy())  # pyright: ignore[reportArgumentType]
    return found.hexdigest()


def _write(state: dict[str, Tensor], path: Path) -> None:
    """All of it or nothing; where another process was faster, its file stays."""
    parts, own = {}, set()
    for name, value in state.items():  # tied weights are written as often as they have names
        parts[name] = value.clone() if value.data_ptr() in own else value
        own.add(value.data_ptr())
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    os.close(handle)
    try:
        save_file(parts, name)
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
    _forget(path.parent)


def _mapped(path: Path) -> dict[str, Tensor]:
    """What a file holds, read as it is looked at; the pages are the system's, for all who map it."""
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict


def _forget(folder: Path) -> None:
    files = sorted(folder.glob("*.safetensors"), key=lambda one: one.stat().st_mtime)
    while len(files) > 1 and sum(one.stat().st_size for one in files) > KEPT_MB * 1e6:
        files.pop(0).unlink(missing_ok=True)
