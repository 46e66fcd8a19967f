"""The maps of the attention page: what each network has to show for one query and one class."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from vizcore import judgements

from .. import answers, code

STANDS_OUT = 20  # times the median share of a patch
AGNOSTIC = "class-agnostic"
RELEVANCES = ["Chefer et al.", "gradient-weighted rollout"]


class Asked(NamedTuple):
    """What is asked of one model."""

    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]
    index: int | None  # of the class; None where the model doesn't know it
    name: str  # the class's name
    cell: tuple[int, int] | None  # the patch whose information is traced; None: where the answer is read
    point: tuple[float, float]  # shares of the picture's width and height
    head: str  # of raw attention
    method: str  # one of RELEVANCES
    settings: dict  # of rollout


class Panel(NamedTuple):
    """One map, or one for each block, and what it can't show."""

    title: str
    badge: str
    frames: np.ndarray  # (blocks or 1, h, w), or (1, 3, h, w) colours
    limits: str
    kind: str = "heat"
    shares: bool = False  # shares of one query's attention, which can be put on one scale
    note: str = ""
    code: Callable[..., str] = "".format  # (block=) -> the lines that make a frame, see ``code.HEATS``


def panels(asked: Asked) -> tuple[list[Panel], str]:
    """Everything that applies to a model; and what doesn't, with the reason, in words."""
    model = asked.model
    if has_rollout(model) and model.num_classes:
        return [raw(asked), rollout(asked), relevance(asked)], ""
    if has_rollout(model):
        return [raw(asked), rollout(asked), *patches(asked)], (
            "No relevance: without classes there is no score whose gradient could tell one from another. "
            "What its patches say is shown instead."
        )
    why = f"No rollout. {model.no_rollout}"
    if model.attention:
        why = (
            f"No rollout: on one picture its attention takes {answers.attention_mb(model):.0f} MB, and this "
            f"page can hold {answers.ATTENTION_MB}. Choose a model with fewer patches."
        )
    if not model.num_classes:
        return patches(asked), why
    try:
        return [grad_cam(asked)], why
    except ValueError as error:
        return patches(asked), f"{why} No Grad-CAM. {error}"


def patch_at(model, picture, point: tuple[float, float]) -> tuple[int, int] | None:
    """The patch under a point of the frame, (row, column); None for a network without patches."""
    from vizcore.pictures.frame import cell_at

    box = model.preprocess.box(picture.size)
    return cell_at(point, box, picture.size, model.grid) if model.attention else None


def has_rollout(model) -> bool:
    return bool(model.attention) and answers.attention_fits(model)


def maps_of(asked: Asked, rows: np.ndarray) -> np.ndarray:
    """(..., N) -> (..., rows, columns)."""
    kept = rows[..., asked.model.num_prefix_tokens :]
    return np.ascontiguousarray(kept.reshape(*rows.shape[:-1], *asked.model.grid), np.float32)


def _elsewhere(asked: Asked, row: np.ndarray) -> str:
    """What tokens that are no patch get, in words."""
    from vizcore.methods.tokens import prefix_names

    names = prefix_names(asked.model.net, asked.model.num_prefix_tokens)
    listed = [f"{name} {share:.0%}" for name, share in zip(names, row, strict=False)]
    return f"Not on the map: {', '.join(listed)}." if listed else ""


def _stands_out(asked: Asked, row: np.ndarray) -> str:
    """A single patch that gathers what comes from everywhere, in words."""
    patches = row[asked.model.num_prefix_tokens :]
    itself = asked.cell and asked.cell[0] * asked.model.grid[1] + asked.cell[1]
    times = patches.max() / max(np.median(patches), 1e-12)
    if times < STANDS_OUT or patches.argmax() == itself:
        return ""
    return (
        f"One patch alone gets {patches.max():.0%}, {times:.0f} times the median. It may be a token that "
        "gathers what comes from everywhere, as registers do (Darcet et al., 2024)."
    )


def _known(asked: Asked) -> tuple[int, str, str]:
    """The class to show: the one asked for, or the model's own first guess, with a note that says so."""
    from ..classes import class_names, several

    if asked.index is not None:
        return asked.index, asked.name, ""
    top = answers.top_classes(asked.choice, asked.picture.key, asked.model, asked.picture.image)[0][0]
    own = class_names(asked.model)[top]
    title, doubled = asked.model.title, several(asked.model, asked.name)
    return top, own, judgements.instead(title, asked.name, own, doubled)


def raw(asked: Asked) -> Panel:
    blocks = answers.head_rows(*_question(asked), asked.cell, asked.model, asked.picture.image)[0]
    if asked.head in ("mean", "max", "min"):
        rows = getattr(blocks, asked.head)(1)
    else:
        rows = blocks[:, min(int(asked.head.split()[1]), blocks.shape[1] - 1)]
    return Panel(
        "Attention",
        AGNOSTIC,
        maps_of(asked, rows),
        "Can't show what the answer rests on: deep tokens are mixtures of the whole picture, and what is "
        "looked at may go unused.",
        shares=True,
        note=_elsewhere(asked, rows[-1]),
        code=partial(code.HEATS["raw"].format, start=code.start(asked.cell), fuse=code.fused(asked.head)),
    )


def rollout(asked: Asked) -> Panel:
    rows = answers.rolled_out(*_question(asked), asked.cell, asked.settings, asked.model, asked.picture.image)
    return Panel(
        "Rollout",
        AGNOSTIC,
        maps_of(asked, rows),
        "Can't show a class: it is the same map whatever you ask for. It says where information could have "
        "come from, not what was made of it.",
        shares=True,
        note=f"{_elsewhere(asked, rows[-1])} {_stands_out(asked, rows[-1])}",
        code=partial(code.HEATS["rollout"].format, start=code.start(asked.cell), settings=asked.settings),
    )


def relevance(asked: Asked) -> Panel:
    index, name, note = _known(asked)
    rows = relevance_rows(asked, (index,))[:, 0]
    return Panel(
        "Relevance",
        name,
        maps_of(asked, rows),
        "Can't show what speaks against the class, nor what the MLPs do: only attention that raises the "
        "score is counted.",
        note=note or ("Traced from where the answer is read, not from the point." if asked.cell else ""),
        code=partial(
            code.HEATS["relevance"].format, index=index, name=name, rows=code.relevance(_weighted(asked))
        ),
    )


def _weighted(asked: Asked) -> dict | None:
    """The settings of gradient-weighted rollout; None where it isn't asked for."""
    if asked.method == RELEVANCES[0]:
        return None
    return {name: value for name, value in asked.settings.items() if name != "fusion"}


def relevance_rows(asked: Asked, classes: tuple[int, ...]) -> np.ndarray:
    """(blocks, classes, N)."""
    settings = _weighted(asked)
    return answers.relevances(*_question(asked), classes, settings, asked.model, asked.picture.image)


def grad_cam(asked: Asked) -> Panel:
    from vizcore.methods.cam import default_layer

    index, name, note = _known(asked)
    layer = default_layer(asked.model)
    maps = answers.class_cams(
        *_question(asked), "Grad-CAM", layer, (index,), asked.model, asked.picture.image
    )
    rows, columns = maps.shape[1:]
    return Panel(
        "Grad-CAM",
        name,
        maps,
        f"Can't show detail: one value for each of {rows} × {columns} cells of `{layer}`. What speaks "
        "against the class is left out.",
        note=note,
        code=lambda block: code.heat("Grad-CAM", index, name, layer=layer),
    )


def patches(asked: Asked) -> list[Panel]:
    """For a network without classes: what its last layer's features say."""
    from vizcore.methods.features import pca_colours, similarity
    from vizcore.pictures.frame import cell_at

    model, picture = asked.model, asked.picture
    layer = model.layers[-1]
    maps = answers.layer_maps(asked.choice, picture.key, layer, model, picture.image)
    cell = cell_at(
        asked.point, model.preprocess.box(picture.size), picture.size, (maps.shape[1], maps.shape[2])
    )
    return [
        Panel(
            "PCA colours",
            "",
            pca_colours(maps)[None].numpy(),
            "Can't show what the colours mean: places of one colour are alike in the three directions shown.",
            "colours",
            code=partial(code.HEATS["features"].format, layer=layer, heat="pca_colours(maps)"),
        ),
        Panel(
            "Similar to the point",
            "",
            similarity(maps, *cell)[None].numpy(),
            "Can't show why: cosine between features, from −1 (blue) to 1 (orange). Click the picture.",
            "signed",
            code=partial(
                code.HEATS["features"].format, layer=layer, heat=f"similarity(maps, {cell[0]}, {cell[1]})"
            ),
        ),
    ]


def _question(asked: Asked) -> tuple[Any, str]:
    return asked.choice, asked.picture.key
