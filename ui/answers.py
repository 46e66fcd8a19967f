"""What the pages ask the networks, computed once for the same question whoever asks it.

Arguments that begin with an underscore are not part of the question: the choice and the picture's key
say which network and which pixels. Everybody gets a copy, and ``limits`` says how much is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import streamlit as st

from vizcore.drawing.render import CNN_COLOUR, VIT_COLOUR

from .first_answers import kept
from .held_passes import held_pass, inputs
from .limits import ATTENTION_MB
from .network_picker import Choice


class Side(NamedTuple):
    """One of a page's two networks; all that is shown of it stands in its own place."""

    choice: Choice
    model: Any  # None where it is unavailable
    colour: tuple[int, int, int]
    top: list[tuple[int, float]]  # its most probable classes, (index, probability)

    @property
    def slot(self) -> str:
        return self.choice.slot


def sides(picture, choices: Sequence[Choice], models: dict[str, Any]) -> list[Side]:
    """Both networks, A first, with what they say of the picture; nothing where a page looks at none."""
    colours, found = slot_colours(models), []
    for choice in choices:
        model, top = models[choice.slot], []
        if model and picture:
            top = top_classes(choice, picture.key, model, picture.image)
        found.append(Side(choice, model, colours[choice.slot], top))
    return found


def slot_colours(models: dict[str, Any]) -> dict[str, tuple[int, int, int]]:
    """Orange for the CNN, blue for the ViT; where both are of one family, orange for A, blue for B."""
    swapped = [models[slot] and models[slot].family for slot in "ab"] == ["vit", "cnn"]
    first, second = (VIT_COLOUR, CNN_COLOUR) if swapped else (CNN_COLOUR, VIT_COLOUR)
    return {"a": first, "b": second}


@st.cache_data(show_spinner=False)
@kept
def top_classes(choice, picture_key: str, _model, _image, count: int = 5) -> list[tuple[int, float]]:
    """The most probable classes, (index, probability); empty for a network without a classifier."""
    from vizcore.scores import probabilities

    if not _model.num_classes:
        return []
    output = held_pass(choice, picture_key, _model, _image).output.detach()
    chances = probabilities(_model.net, output)[0]
    best = chances.topk(min(count, _model.num_classes))
    return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))


@st.cache_data(show_spinner=False)
def layer_maps(choice, picture_key: str, layer: str, _model, _image):
    """A layer's features as maps (C, rows, columns)."""
    from vizcore.capture import capture
    from vizcore.methods.features import as_maps

    captured = capture(_model.net, inputs(choice, picture_key, _model, _image), [layer])
    return as_maps(captured.layers[layer], _model.layouts[layer]).cpu()


@st.cache_data(show_spinner=False)
def block_attention(choice, picture_key: str, module: str, _model, _image):
    """One block's attention, (heads, N, N)."""
    from vizcore.methods.attention import attention

    tokens = _model.num_prefix_tokens + _model.grid[0] * _model.grid[1]
    return attention(_model.net, inputs(choice, picture_key, _model, _image), [module], tokens)[0][0].cpu()


# ---------------------------------------------------------------- attention through all blocks


@st.cache_data(show_spinner=False)
def all_attention(choice, picture_key: str, _model, _image) -> list:
    """Attention by block, (1, heads, N, N) in half precision; one forward pass answers every slider."""
    from vizcore.methods.attention import attention

    images = inputs(choice, picture_key, _model, _image)
    return [a.cpu().half() for a in attention(_model.net, images, _model.attention)]


def heads_of(model) -> int:
    """How many heads the attention of a network has, at most; 0 where it has none to roll out."""
    return max(
        (
            getattr(model.net.get_submodule(name.partition("#")[0]), "num_heads", 1)
            for name in model.attention
        ),
        default=0,
    )


def attention_mb(model) -> float:
    """How much memory the attention of all blocks takes for one picture, in MB."""
    tokens = model.num_prefix_tokens + model.grid[0] * model.grid[1]
    return len(model.attention) * heads_of(model) * tokens**2 * 4 / 1e6


def attention_fits(model) -> bool:
    """Whether the attention of all blocks may be held at once."""
    return attention_mb(model) <= ATTENTION_MB


@st.cache_data(show_spinner=False)
def class_flows(choice, picture_key: str, classes: tuple[int, ...], _model, _image) -> list:
    """By block, attention that raises each class's score, (classes, N, N); one pass for all classes."""
    from vizcore.methods.rollout import class_attention

    images = inputs(choice, picture_key, _model, _image)
    _, blocks = class_attention(_model.net, images, _model.attention, classes)
    return [block[:, 0].cpu() for block in blocks]


def _start(model, cell: tuple[int, int] | None):
    from vizcore.methods.tokens import patch, readout

    if cell is None:
        return readout(model.net, model.grid, model.num_prefix_tokens)
    return patch(*cell, model.grid, model.num_prefix_tokens)


@st.cache_data(show_spinner=False)
def rolled_out(choice, picture_key: str, cell, settings: dict, _model, _image):
    """Rollout by block, (blocks, N), from a patch or, without a cell, from where the answer is read."""
    from vizcore.methods.rollout import rollout

    blocks = all_attention(choice, picture_key, _model, _image)
    rows = rollout(blocks, _start(_model, cell), prefix=_model.num_prefix_tokens, **settings)
    return rows[:, 0, 0].numpy()


@st.cache_data(show_spinner=False)
def relevances(choice, picture_key: str, classes: tuple[int, ...], settings: dict | None, _model, _image):
    """Relevance of each class by block, (blocks, classes, N); as weighted rollout if there are settings."""
    from vizcore.methods.rollout import relevance, weighted_rollout

    flows = class_flows(choice, picture_key, classes, _model, _image)
    start = _start(_model, None)
    if settings is None:
        return relevance(flows, start)[:, :, 0].numpy()
    return weighted_rollout(flows, start, prefix=_model.num_prefix_tokens, **settings)[:, :, 0].numpy()


@st.cache_data(show_spinner=False)
def head_rows(choice, picture_key: str, cell, _model, _image):
    """Where each head of each block looks, (blocks, heads, N), and its mean distance in input pixels."""
    import torch

    from vizcore.methods.attention import distances

    images = inputs(choice, picture_key, _model, _image)
    patch_size = tuple(side / cells for side, cells in zip(images.shape[-2:], _model.grid, strict=True))
    start, rows, far = _start(_model, cell), [], []
    for block in all_attention(choice, picture_key, _model, _image):
        block = block[0].float()  # (heads, N, N)
        rows.append((start @ block)[:, 0])
        far.append(distances(block, _model.grid, _model.num_prefix_tokens, patch_size))
    return torch.stack(rows).numpy(), torch.stack(far).numpy()


# ---------------------------------------------------------------- maps of any method


@st.cache_data(show_spinner=False)
def last_step(question: tuple, _asked):
    """The whole of what a method of few passes says, its tensors on the CPU; ``_asked`` is a ``Mapped``."""
    *_, last = _asked.steps()
    return _on_cpu(last)


def _on_cpu(step):
    if not hasattr(step, "maps"):  # of no method: an experiment's
        return step
    return step._replace(maps=step.maps.cpu(), pixels=None if step.pixels is None else step.pixels.cpu())


@st.cache_data(show_spinner=False)
def _finished(question: tuple, _last):
    if _last is None:
        raise LookupError  # which isn't kept
    return _on_cpu(_last)


def finished(question: tuple):
    """The whole of what a method of many passes says, where somebody's run of it has ended; else None."""
    with suppress(LookupError):
        return _finished(question, None)


def to_the_end(question: tuple, steps: Iterable) -> Iterator:
    """The steps of such a method; their last is then there for everybody."""
    if (known := finished(question)) is not None:  # somebody else's ended while this one waited
        yield known
        return
    for step in steps:
        yield step
        if step.done == step.total:
            _finished(question, step)


@st.cache_data(show_spinner=False)
@kept
def class_cams(choice, picture_key: str, method: str, layer: str, classes: tuple[int, ...], _model, _image):
    """A CAM of each class, (classes, h, w), from one forward pass."""
    from vizcore.methods.cam import cams, default_layer

    images = inputs(choice, picture_key, _model, _image)
    held = held_pass(choice, picture_key, _model, _image) if layer == default_layer(_model) else None
    return cams(_model, images, classes, layer, method, held)[:, 0].cpu().numpy()
