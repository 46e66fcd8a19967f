"""Real beside imagined: the photographs and drawn textures to which a unit responds most."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st
from PIL import Image

from vizcore.pictures import textures
from vizcore.pictures.images import read_picture

from .. import figures
from ..classes import guesses
from ..picture_picker import SAMPLES, SAMPLES_FOLDER

DRAWN = 2  # pictures of each texture
SIDE = 160
SHOWN = 3


class Real(NamedTuple):
    name: str
    image: Image.Image


@st.cache_resource(show_spinner=False)
def _pictures() -> list[Real]:
    photographs = [
        Real(name, read_picture((SAMPLES_FOLDER / file).read_bytes(), 2 * SIDE))
        for name, file in SAMPLES.items()
    ]
    drawn = [
        Real(f"{label}, drawn", Image.fromarray(textures.single(label, 2_000_000 + i, SIDE).picture))
        for label in textures.LABELS
        for i in range(DRAWN)
    ]
    return photographs + drawn


@st.cache_data(max_entries=32, show_spinner="Looking through the real pictures …")
def _responses(choice, targets: tuple, _model, _objectives) -> np.ndarray:
    """What each objective says about each real picture, (objectives, pictures)."""
    import torch

    from vizcore.capture import capture

    layers = list(dict.fromkeys(layer for objective in _objectives for layer in objective.layers))
    found = []
    for real in _pictures():
        seen = capture(_model.net, _model.preprocess(real.image), layers)
        found.append(torch.cat([one.values(seen.output, seen.layers) for one in _objectives]))
    return torch.stack(found, 1).cpu().numpy()


def beside(asked: list, found: dict) -> None:
    """Each imagined picture, and the real ones that excite the same unit most."""
    for one in asked:
        figures.name(one.model, one.colour)
        values = _responses(one.choice, tuple(one.targets), one.model, one.objectives())
        for i, name in enumerate(one.names):
            with st.container(horizontal=True, gap="small"):
                made = found[one.choice.slot].best[i]
                st.image(figures.jpeg(made), f"{name}, imagined", width=160, alt=f"{name}, imagined")
                for k in np.argsort(-values[i])[:SHOWN]:
                    real = _pictures()[k]
                    side = np.asarray(real.image.resize((SIDE, SIDE)))
                    words = f"{real.name}: {values[i, k]:.1f}"
                    st.image(figures.jpeg(side), words, width=160, alt=words)
        for words in filter(None, (guesses(one, drawn) for drawn in (True, False))):
            st.caption(words)
    st.caption(
        f"The three strongest of {len(_pictures())} pictures: the four sample photographs, squeezed to "
        f"squares, and {DRAWN} drawings of each texture. Where these have little to do with each "
        "other, the unit's favourite may not be among them."
    )
