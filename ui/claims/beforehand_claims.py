"""What was measured beforehand, and of which networks."""

from __future__ import annotations

import streamlit as st

COMMAND = "python -m benchmarks claims"
SHOWN = {
    "textures": "drawn textures, whose names are known",
    "photographs": "photographic stamps of Debian, in mosaics of four",
}
PICTURES = {  # the same in Python; of stamps, as the command has them
    "textures": "sets.drawn(50, size=256)",
    "photographs": "mosaics()",
}
NAMED = {
    "textures": "drawn textures, whose names are known",
    "photographs": "photographic stamps of Debian, each alone on a plain ground, that both networks name",
}
STEM = {
    "photo_vit": "five stages of EfficientNet-Lite0, that are convolutions",
}  # of a ViT whose patches see more than a patch


@st.cache_resource(max_entries=1, show_spinner=False)
def measured() -> dict:
    """As ``claims_on_file.load_measured``."""
    from vizcore.studies.claims_on_file import load_measured

    return load_measured()


def kind_of(side) -> str:
    """In which pair a side's network was measured, as it is in the box; "" for any other."""
    from vizcore.studies.claims_on_file import pair_of

    return pair_of(side.choice.name) if side.model and side.choice.weights == "trained" else ""


def command(kind: str) -> None:
    """How anybody makes these figures again."""
    st.caption(f"Measured beforehand: `{COMMAND} --only {kind}` makes it again.")
