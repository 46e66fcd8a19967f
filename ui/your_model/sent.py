"""Your own model: a checkpoint, or a Hugging Face folder, becomes a network of this session's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from vizcore.networks.catalog import CATALOG

from ..brought import Brought
from ..limits import CHECKPOINT_MB, LABELS_MB, LOCAL
from ..network_picker import KINDS, Choice, title, uploads
from ..plain import plain
from ..shared_networks import network
from ..uploads import uploader
from ..warmup import warm

state = st.session_state
FIND = "by its weights"
STAYS = (
    "What you send stays in this server's memory for this session and is never written to disk. Nothing in "
    "it is executed or unpickled: a file that holds more than tensors is refused."
)


def checkpoint(choices: Sequence[Choice]) -> Brought | None:
    """What was sent as a checkpoint; None where nothing was, or after a sentence that says what is wrong."""
    with st.container(horizontal=True, vertical_alignment="top"):
        file = uploader(
            "A checkpoint: safetensors, or a state dict saved by torch.save",
            KINDS["checkpoint"],
            "application/octet-stream",
            key="y_checkpoint",
            max_upload_size=CHECKPOINT_MB,
            help="Also a linear probe that was saved here.",
            width=420,
        )
        names = uploader(
            "Names of its classes (optional)",
            KINDS["labels"],
            "text/plain",
            key="y_labels",
            max_upload_size=LABELS_MB,
            help="One name a line, or a JSON list, in the order of the classes.",
            width=320,
        )
    name = st.selectbox(
        "Architecture",
        [FIND, *CATALOG],
        key="y_arch",
        format_func=lambda name: name if name == FIND else title(name),
        accept_new_options=True,
        help="Or type timm's name for it.",
        width=320,
    )
    st.caption(STAYS)
    if file is None and not sample_asked("y_try", "Try it with a checkpoint from the box"):
        return None
    question = (file.file_id if file else "", name, names.file_id if names else "")
    if state.get("y_read", ("",))[0] != question:
        data = file.getvalue() if file else _from_the_box()
        with st.spinner("Looking into it …"):
            state["y_read"] = question, _read(data, name, names.getvalue() if names else None, choices)
    return _or_sentence(state["y_read"][1])


def sample_asked(key: str, words: str) -> bool:
    """Whether there is to be a sample in place of a file."""
    if not state.get(f"{key}_it"):
        st.button(words, key=key, on_click=state.update, args=[{f"{key}_it": True}])
    return bool(state.get(f"{key}_it"))


def _from_the_box() -> bytes:
    from vizcore.networks.checkpoints import BUNDLED

    return (BUNDLED / "texture_resnet.safetensors").read_bytes()


def _or_sentence(found: Brought | str) -> Brought | None:
    if isinstance(found, str):
        st.error(plain(found))
        return None
    return found


def _read(data: bytes, name: str, names: bytes | None, choices: Sequence[Choice]) -> Brought | str:
    """What a file is; or why nothing can be done with it, in a sentence."""
    warm()
    from vizcore.networks.checkpoints import ModelError, read_checkpoint, read_labels
    from vizcore.networks.load import find_entry
    from vizcore.networks.recognise import recognised
    from vizcore.studies import probe_files

    try:
        if probe_files.is_probe(data):
            return _probe(data, choices)
        tensors, stored = read_checkpoint(data)
        labels = read_labels(names) if names else stored or []
        name = recognised(tensors) if name == FIND else name
        called = f"Your {find_entry(name).title}"
        return Brought("checkpoint", called, data, name, tuple(labels))
    except ModelError as error:
        return str(error)


def _probe(data: bytes, choices: Sequence[Choice]) -> Brought:
    """A probe, with the network that it was made on: one of the two that are chosen, or one of the list.

    Raises:
        ModelError: it is neither.
    """
    from vizcore.networks.checkpoints import ModelError
    from vizcore.studies import probe_files

    kept = probe_files.from_file(data)
    asked = [choice._replace(slot="") for choice in choices]
    if kept.backbone in CATALOG and CATALOG[kept.backbone].offline:
        asked.append(Choice("", kept.backbone, "trained"))
    for choice in asked:
        try:
            model = network(choice, files := uploads_of(choice, choices))
        except ModelError:
            continue
        if probe_files.weights_digest(model) == kept.digest:
            called = f"{model.title}, {len(kept.labels)} classes of yours"
            return Brought("probe", called, data, base=choice, base_files=files)
    raise ModelError(
        f"This probe was made on {kept.backbone[:60]}, with weights that neither Model A nor Model B has: "
        "choose that network in the sidebar first."
    )


def uploads_of(choice: Choice, choices: Sequence[Choice]):
    """What was sent for a choice without its slot."""
    return next((uploads(one) for one in choices if one._replace(slot="") == choice), (None, None))


def folder() -> Brought | None:
    """What was sent as a Hugging Face folder; None where nothing was, or after a sentence."""
    file = uploader(
        "A zip of a folder with config.json and safetensors",
        ["zip"],
        "application/zip",
        key="y_folder",
        max_upload_size=CHECKPOINT_MB,
        help="As save_pretrained writes it, with the image processor beside it.",
        width=420,
    )
    path = ""
    if os.environ.get(LOCAL) == "1":
        path = st.text_input("Or a folder of this machine", key="y_path", width=420)
    st.caption(
        STAYS + " Of transformers' own architectures; tried with ViT, DeiT, BEiT, Swin, ConvNeXt, DINOv2, "
        "DINOv3, SigLIP and CLIP."
    )
    if file is not None:
        return Brought("folder", "", file.getvalue())
    if path and os.environ.get(LOCAL) == "1":
        return Brought("local", "", b"", str(Path(path).expanduser()))
    return None
