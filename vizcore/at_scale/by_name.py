"""A network as a command line names it: of the catalogue, of timm, in a file, or in a folder of one's own."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from ..model import VisionModel
from ..networks.catalog import CATALOG
from ..networks.checkpoints import ModelError, read_checkpoint
from ..networks.load import load_model
from ..networks.preprocessing import from_dict, with_preprocessing
from ..networks.recognise import recognised
from ..studies import probe_files
from .own_folder import RANDOM, own_networks

ENDINGS = (".safetensors", ".pt", ".pth")
MB = 1_000_000
MOST_MB = 4000


def network(spoken: str, device: torch.device | str | None = None, seed: int = 0) -> VisionModel:
    """The network that is meant by one of these:

    ``resnet50``: of the catalogue, or of timm, with its trained weights;
    ``resnet50:random``: with random ones;
    ``textures-resnet50``: the file of that name in the folder ``SIGHTLINES_MODELS``;
    ``mine.safetensors``: a checkpoint, whose architecture is found by its weights;
    ``resnet50=mine.safetensors``: a checkpoint of that architecture.

    Raises:
        ModelError: there is none of that name, or it can't be had.
    """
    arch, _, file = spoken.rpartition("=")
    if file.lower().endswith(ENDINGS):
        return from_file(Path(file).expanduser(), arch, device)
    own = own_networks()
    if spoken in own and spoken not in CATALOG:
        return from_file(own[spoken], "", device)
    weights = "random" if spoken.endswith(RANDOM) else "trained"
    return load_model(spoken.removesuffix(RANDOM), weights, seed=seed, device=device)


def from_file(path: Path, arch: str = "", device: torch.device | str | None = None) -> VisionModel:
    """A checkpoint, or a linear probe, in a file; its architecture, labels and preprocessing as it says.

    Raises:
        ModelError: it can't be read, or fits nothing.
    """
    try:
        if path.stat().st_size > MOST_MB * MB:
            raise ModelError(f"{path.name} is larger than {MOST_MB} MB.")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"There is no file {path.name!r} that can be read.") from error
    if probe_files.is_probe(data):
        kept = probe_files.from_file(data)
        return replace(probe_files.on(load_model(kept.backbone, device=device), kept), title=path.stem)
    said = probe_files.metadata(data)
    name = arch or said.get("architecture", "")[:100] or recognised(read_checkpoint(data)[0])
    model = load_model(name, checkpoint=data, device=device)
    try:
        stored = json.loads(said.get("preprocessing", "null"))
    except (ValueError, RecursionError) as error:
        raise ModelError("The file's preprocessing can't be read.") from error
    model = with_preprocessing(model, from_dict(stored)) if stored else model
    return replace(model, title=path.stem)
