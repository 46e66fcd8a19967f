"""The folder of networks of one's own, ``SIGHTLINES_MODELS``; it imports nothing heavy."""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = "SIGHTLINES_MODELS"  # the environment's name for it
RANDOM = ":random"  # behind a network's name: with random weights


def own_networks() -> dict[str, Path]:
    """Its files by name, without ending; no links that lead out, no names that aren't plain."""
    if not os.environ.get(FOLDER):
        return {}
    root = Path(os.environ[FOLDER]).expanduser()
    try:
        found = sorted(root.glob("*.safetensors"))
        inside = [path for path in found if path.resolve().is_relative_to(root.resolve()) and path.is_file()]
    except (OSError, RuntimeError):
        return {}
    return {path.stem: path for path in inside if re.fullmatch(r"[\w. +-]{1,100}", path.stem)}
