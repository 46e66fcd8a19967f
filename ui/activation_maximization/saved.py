"""What a run has made, to be taken away: figures with their code, and the pictures with their recipe."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict
from functools import partial

import numpy as np
import streamlit as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vizcore import __version__

from .. import code, saving
from .runs import Found
from .units import Asked


def keep(asked: list[Asked], found: dict[str, Found], recipe, seed: int) -> None:
    """The best pictures of each network in a row, to be taken away with their caption and their code."""
    for one in asked:
        own = found[one.choice.slot]
        model, words = one.model, ", ".join(one.names)
        caption = (
            f"What {model.title} ({model.source}) imagines for {words}: {recipe.parameterisation}, "
            f"{own.step} steps of {recipe.views} views, seed {seed}. Sightlines {__version__}"
        )
        saving.keep(
            f"Imagined by {model.title}, {one.choice.slot.upper()}",
            caption,
            partial(np.concatenate, list(own.best), 1),
            code.imagined(one, recipe, seed, own.step),
        )


def save(asked: list[Asked], found: dict[str, Found], name: str, recipe, seed: int) -> None:
    """All pictures in one file; each carries its recipe."""

    def pack() -> bytes:
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as file:
            for one in asked:
                for i, target in enumerate(one.targets):
                    notes = {
                        "model": one.choice.name, "weights": one.model.source, "target": target,
                        "name": one.names[i], "recipe": {"name": name, "seed": seed, **asdict(recipe)},
                        "best_at": found[one.choice.slot].best_at[i],
                    }  # fmt: skip
                    label = "".join(c if c.isalnum() else "_" for c in one.names[i])
                    file.writestr(
                        f"{one.choice.slot}_{i}_{label}.png", _png(found[one.choice.slot].best[i], notes)
                    )
        return data.getvalue()

    st.download_button(
        "Save the pictures with their recipe", pack, "imagined.zip", "application/zip",
        icon=":material/download:", key="m_save", on_click="ignore",
        help="PNG files; the recipe is in each file’s text field “recipe”, as JSON.",
    )  # fmt: skip


def _png(picture: np.ndarray, notes: dict) -> bytes:
    text, data = PngInfo(), io.BytesIO()
    text.add_text("recipe", json.dumps(notes))
    Image.fromarray(picture).save(data, "PNG", pnginfo=text)
    return data.getvalue()
