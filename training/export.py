"""What a training leaves in vizcore/weights: fp16 weights, a metrics file and the model card."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from training import loop, nets
from vizcore.pictures import textures

LARGEST = 8_000_000  # bytes a weights file may have
EXAMINED = 2000  # fresh scenes the accuracy is taken from


def weights(net, name, out):
    """Write out/texture_<name>.safetensors: fp16, with the labels and the normalisation in its metadata."""
    state = {key: value.cpu().contiguous() for key, value in net.state_dict().items()}
    half = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    architecture, arguments = nets.ARCHITECTURES[name]
    metadata = dict(
        architecture=architecture,
        arguments=json.dumps(arguments),
        labels=json.dumps(textures.LABELS),
        mean=json.dumps(nets.MEAN),
        std=json.dumps(nets.STD),
        input_size=json.dumps([3, nets.SIZE, nets.SIZE]),
        license="MIT",
    )
    path = Path(out) / f"texture_{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(half, path, metadata)
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has {path.stat().st_size} bytes; at most {LARGEST} are allowed")
    return path


@torch.inference_mode()
def confusion(net, count=EXAMINED, draw=textures.single, first_seed=0, device="cpu"):
    """How often each class (row) is taken for each (column) on fresh scenes: (20, 20) counts."""
    table = np.zeros((len(textures.LABELS),) * 2, int)
    for first in range(0, count, 50):
        truth = [n % len(textures.LABELS) for n in range(first, min(first + 50, count))]
        scenes = [draw(textures.LABELS[k], first_seed + first + n, nets.SIZE) for n, k in enumerate(truth)]
        pictures = np.stack([scene.picture for scene in scenes])
        found = net(loop.to_input(pictures, device)).argmax(1).cpu().numpy()
        np.add.at(table, (truth, found), 1)
    return table


def metrics(net, name, out, facts, count=EXAMINED, device="cpu"):
    """Score the network and put the figures under its name in out/metrics.json."""
    alone = confusion(net, count, textures.single, 0, device)
    placed = confusion(net, count // 2, textures.on_distractor, 500_000, device)
    path = Path(out) / "metrics.json"
    every = json.loads(path.read_text()) if path.exists() else {}
    every[f"texture_{name}"] = dict(
        accuracy=round(float(np.trace(alone) / alone.sum()), 4),
        scenes=int(alone.sum()),
        accuracy_on_distractor=round(float(np.trace(placed) / placed.sum()), 4),
        scenes_on_distractor=int(placed.sum()),
        recall={
            label: round(float(row[k] / row.sum()), 3)
            for k, (label, row) in enumerate(zip(textures.LABELS, alone, strict=True))
        },
        confusion=alone.tolist(),
        parameters=sum(p.numel() for p in net.parameters()),
        **facts,
    )
    path.write_text(json.dumps(every, indent=1) + "\n")
    return every[f"texture_{name}"]
