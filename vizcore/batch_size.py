"""How many pictures go through a network at once where nothing else decides it."""

from __future__ import annotations

import torch

# on a CPU more is slower, for it no longer fits the cache
PICTURES = {"cpu": 4, "cuda": 64}


def batch_size(device: torch.device) -> int:
    return PICTURES.get(device.type, PICTURES["cpu"])
