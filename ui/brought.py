"""The networks that a visitor brought: what was sent, kept in this session alone, and how it is loaded.

Nothing of it is ever executed or unpickled, or written to disk. Each has a name that is a digest of what was
sent, so that results can be cached by it; whoever has not sent the same finds nothing by that name.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from .limits import session_upload_bytes

PREFIX = "yours-"
GONE = (
    "This network was brought in another session, or has been taken out: bring it on the page "
    "“Your own model”."
)
state = st.session_state


class Brought(NamedTuple):
    """One network as it was sent."""

    kind: str  # "checkpoint", "folder" (a zip), "local" (a folder of this machine) or "probe"
    title: str  # made of our own words and the architecture's
    data: bytes  # a checkpoint, a zip, or a probe's file
    name: str = ""  # a checkpoint's architecture, or a folder's path
    labels: tuple[str, ...] = ()
    preprocessing: Any = None  # in place of its own
    base: Any = None  # the ``Choice`` whose features a probe reads
    base_files: Any = None  # what was sent for that

    @property
    def key(self) -> str:
        """Its name among all networks."""
        parts = self.kind, self.name, self.labels, self.preprocessing, self.base
        found = hashlib.sha256(repr(parts).encode())
        found.update(hashlib.sha256(self.data).digest())
        return PREFIX + found.hexdigest()[:16]

    @property
    def size(self) -> int:
        base = self.base_files
        if isinstance(base, Brought):
            return len(self.data) + base.size
        return len(self.data) + sum(len(file) for file in base or () if file)


def is_brought(name: str) -> bool:
    return name.startswith(PREFIX)


def all_brought() -> dict[str, Brought]:
    """This session's, by name."""
    return state.setdefault("brought", {})


def keep(one: Brought) -> str:
    """Hold one for this session; returns why not, in a sentence, or ""."""
    held, key = all_brought(), one.key
    others = sum(other.size for name, other in held.items() if name != key)
    if others + one.size > session_upload_bytes():
        bound = f"{session_upload_bytes() / 1e6:,.0f} MB"
        return f"Your networks are larger than {bound} together: take one out first."
    held[key] = one
    failures = state.get("failures", {})
    for choice in [choice for choice in failures if choice.name == key]:
        del failures[choice]
    return ""


def take_out(name: str) -> None:
    all_brought().pop(name, None)


def titles() -> dict[str, str]:
    """What each is called, no two alike."""
    found: dict[str, str] = {}
    for name, one in all_brought().items():
        number = 1 + sum(title.startswith(one.title) for title in found.values())
        found[name] = one.title if number == 1 else f"{one.title} ({number})"
    return found


def megabytes(one: Brought) -> float:
    """About how much memory its network takes."""
    from vizcore.networks.load import network_bytes

    if one.kind == "checkpoint":
        return network_bytes(one.name) / 1e6
    if one.kind == "local":
        return sum(file.stat().st_size for file in Path(one.name).glob("*.safetensors")) / 1e6
    return len(one.data) / 1e6


def build(one: Brought, network) -> Any:
    """The network of what was sent.

    Args:
        network: what gives that of a ``Choice`` and what was sent for it.

    Raises:
        ModelError: it can't be had, and why.
    """
    from dataclasses import replace

    from vizcore.networks.hf_files import files_of_zip
    from vizcore.networks.huggingface import from_huggingface
    from vizcore.networks.load import load_model
    from vizcore.networks.preprocessing import with_preprocessing
    from vizcore.studies import probe_files

    labels = list(one.labels) or None
    if one.kind == "probe":
        model = probe_files.on(network(one.base, one.base_files), probe_files.from_file(one.data))
    elif one.kind == "folder":
        model = from_huggingface(files_of_zip(one.data))
    elif one.kind == "local":
        model = from_huggingface(one.name)
    else:
        model = load_model(one.name, checkpoint=one.data, labels=labels)
    if one.preprocessing is not None:
        model = with_preprocessing(model, one.preprocessing)
    return replace(model, title=one.title or model.title)
