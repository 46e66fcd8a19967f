"""Below the maps of the attention page: whether they know the class, and what every single head does."""

from __future__ import annotations

import numpy as np
import streamlit as st

from .. import answers, cards, figures, small_maps, viewer
from .flows import Asked, has_rollout, maps_of, relevance_rows

state = st.session_state


def proof(everyone: list[Asked], look: dict) -> None:
    """The maps of each model's two top classes: alike where the method is blind to the class."""
    st.markdown(
        "A map that explains a class must change with the class. **Rollout: correlation 1.00**, by "
        "construction: no class enters it. The maps that do know the class:"
    )
    for asked, column in zip(everyone, st.columns(max(1, len(everyone)), gap="large"), strict=False):
        with column:
            try:
                _two_classes(asked, look)
            except ValueError as error:  # no gradient reaches its patches
                st.caption(str(error))


def _two_classes(asked: Asked, look: dict) -> None:
    import torch

    from vizcore.methods.cam import default_layer
    from vizcore.truth import correlation

    from ..classes import class_names

    model, picture = asked.model, asked.picture
    top = answers.top_classes(asked.choice, picture.key, model, picture.image)[:2]
    classes = tuple(index for index, _ in top)
    if has_rollout(model):
        method = "Relevance"
        maps = maps_of(asked, relevance_rows(asked, classes)[-1])
    else:
        method = "Grad-CAM"
        maps = answers.class_cams(
            asked.choice, asked.picture.key, "Grad-CAM", default_layer(model), classes, model, picture.image
        )
    alike = correlation(*torch.from_numpy(maps))
    known = "undefined, for one map is flat" if np.isnan(alike) else f"**{alike:.2f}**"
    st.markdown(f"{model.title}, {method}: correlation {known}")
    for index, one, column in zip(classes, maps, st.columns(2), strict=True):
        name = class_names(model)[index]
        told = viewer.Map(one, f"for {name}", model.preprocess.box(picture.size), alt=f"{method} for {name}")
        with column:
            viewer.show(f"r_proof_{asked.choice.slot}-{index}", look["picture"], [told], lines=1)


def heads(asked: Asked, look: dict) -> None:
    """Every head of every block as a small map, and how far each one looks."""
    model = asked.model
    if not has_rollout(model):
        return
    rows, far = answers.head_rows(asked.choice, asked.picture.key, asked.cell, model, asked.picture.image)
    blocks, count = far.shape
    maps = maps_of(asked, rows).swapaxes(0, 1).reshape(blocks * count, *model.grid)  # a row for each head

    def choose(index: int) -> None:
        head, block = divmod(index, blocks)
        state["r_block"], state["r_head"] = block + 1, f"head {head}"

    def card(index: int) -> None:
        head, block = divmod(index, blocks)
        cards.want(cards.of_head(asked.choice.slot, model.attention[block], head))

    figures.heading(model, asked.colour)
    labels = [f"{block + 1}.{head}" for head in range(count) for block in range(blocks)]
    words = "Block.head, from the first block to the last; each on its own scale. "
    words += "Click one to see it above, ↗ for its card."
    file = small_maps.file(maps, blocks, look["colours"])
    small_maps.sheet(f"r_tiles_{asked.choice.slot}", file, labels, blocks, words, choose, on_open=card)
    st.caption(words)
    figures.distance_chart(far, asked.colour)
    st.caption(
        "Mean distance from a patch to what each head attends to (Raghu et al., 2021): low heads look next "
        "door, high ones across the picture. Attention to tokens that are no patch isn't counted."
    )
