"""What the pages ask the networks, computed once for the same question whoever asks it.

Arguments that begin with an underscore are not part of the question: the choice and the picture's key
say which network and which pixels. Results are shared between sessions and must not be changed.
"""

from __future__ import annotations

import streamlit as st

ANSWERS_KEPT = 16  # of each kind; the largest, 64 channels of 112 × 112, is 3 MB


@st.cache_data(max_entries=256, show_spinner=False)
def top_classes(choice, picture_key: str, _model, _image, count: int = 5) -> list[tuple[int, float]]:
    """The most probable classes, (index, probability); empty for a network without a classifier."""
    import torch

    if not _model.num_classes:
        return []
    with torch.no_grad():
        probabilities = _model.net(_model.preprocess(_image))[0].float().softmax(0)
    best = probabilities.topk(min(count, _model.num_classes))
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


@st.cache_resource(max_entries=ANSWERS_KEPT, show_spinner=False)
def layer_maps(choice, picture_key: str, layer: str, _model, _image):
    """A layer's features as maps (C, rows, columns)."""
    from vizcore.capture import capture
    from vizcore.features import as_maps

    captured = capture(_model.net, _model.preprocess(_image), [layer])
    return as_maps(captured.layers[layer], _model.layouts[layer])


@st.cache_resource(max_entries=ANSWERS_KEPT, show_spinner=False)
def block_attention(choice, picture_key: str, module: str, _model, _image):
    """One block's attention, (heads, N, N)."""
    from vizcore.attention import attention

    return attention(_model.net, _model.preprocess(_image), [module])[0][0]
