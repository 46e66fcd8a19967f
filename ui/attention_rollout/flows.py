"""The maps of the attention page: what each network has to show for one query and one class."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore.drawing import render
from vizcore.truth import judgements

from .. import answers, code, figures, saving
from ..address import forget, write_fragment

SECONDS_A_BLOCK = 1.2  # of the build-up: long enough to look at two maps
STANDS_OUT = 20  # times the median share of a patch
AGNOSTIC = "class-agnostic"
METHODS = ["Chefer et al.", "gradient-weighted rollout"]
state = st.session_state


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
    method: str  # one of METHODS
    settings: dict  # of rollout


def controls(models: list) -> tuple[str, str, dict, dict]:
    """How the maps are computed and shown: head, method, settings of rollout, look."""
    count = max((answers.heads_of(model) for model in models), default=0)
    heads = ["mean", "max", "min", *(f"head {i}" for i in range(count))]
    forget("r_head", heads, heads[0])  # of a network shown before
    with st.expander("How it is computed and shown", icon=":material/tune:"):
        row = {"horizontal": True, "vertical_alignment": "bottom", "gap": "medium"}
        with st.container(**row):
            words = "How much of itself a token keeps in each block of the rollout."
            residual = st.slider("Residual share, %", 0, 100, 50, 5, key="r_residual", width=180, help=words)
            words = "How many patches each row leaves out: those with the least attention."
            discard = st.slider("Discard, %", 0, 95, 0, 5, key="r_discard", width=180, help=words)
            fusion = st.segmented_control(
                "Heads fused by", heads[:3], default="mean", required=True, key="r_fusion"
            )
            words = "Off: rollout drops attention to the class token and registers."
            through = st.toggle("Through prefix tokens", True, key="r_prefix", help=words)
        with st.container(**row):
            head = st.selectbox("Raw attention of", heads, key="r_head", width=130)
            method = st.selectbox("Relevance by", METHODS, key="r_method", width=230)
            opacity = st.slider("Opacity, %", 0, 100, 70, 5, key="r_opacity", width=180)
            colour_map = st.selectbox("Colours", list(render.COLOUR_MAPS), key="r_colours", width=130)
            words = "Shared: attention and rollout from 0 to the same maximum; all blocks of a map alike."
            scale = st.segmented_control(
                "Scale", ["own", "shared"], default="own", required=True, key="r_scale", help=words
            )
    settings = {
        "residual": residual / 100,
        "fusion": fusion,
        "discard": discard / 100,
        "through_prefix": through,
    }
    return (
        head,
        method,
        settings,
        {
            "opacity": opacity / 100,
            "colour_map": colour_map,
            "shared": scale == "shared",
        },
    )


class Panel(NamedTuple):
    """One map, or one for each block, and what it can't show."""

    title: str
    badge: str
    frames: np.ndarray  # (blocks or 1, h, w), or (1, 3, h, w) colours
    limits: str
    kind: str = "heat"
    shares: bool = False  # shares of one query's attention, which can be put on one scale
    note: str = ""
    code: Callable[..., str] | None = None  # (block=) -> the lines that make a frame, see ``code.HEATS``


def panels(asked: Asked) -> tuple[list[Panel], str]:
    """Everything that applies to a model; and what doesn't, with the reason, in words."""
    model = asked.model
    if _has_rollout(model) and model.num_classes:
        return [raw(asked), rollout(asked), relevance(asked)], ""
    if _has_rollout(model):
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


def _has_rollout(model) -> bool:
    return bool(model.attention) and answers.attention_fits(model)


def _maps(asked: Asked, rows: np.ndarray) -> np.ndarray:
    """(..., N) -> (..., rows, columns)."""
    kept = rows[..., asked.model.num_prefix_tokens :]
    return np.ascontiguousarray(kept.reshape(*rows.shape[:-1], *asked.model.grid), np.float32)


def _elsewhere(asked: Asked, row: np.ndarray) -> str:
    """What tokens that are no patch get, in words."""
    from vizcore.methods.attention import prefix_names

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
    from ..classes import class_names

    if asked.index is not None:
        return asked.index, asked.name, ""
    top = answers.top_classes(asked.choice, asked.picture.key, asked.model, asked.picture.image)[0][0]
    own = class_names(asked.model)[top]
    return top, own, f"{asked.model.title} has no class “{asked.name}”; this is for its own top class."


def raw(asked: Asked) -> Panel:
    blocks = answers.head_rows(*_question(asked), asked.cell, asked.model, asked.picture.image)[0]
    if asked.head in ("mean", "max", "min"):
        rows = getattr(blocks, asked.head)(1)
    else:
        rows = blocks[:, min(int(asked.head.split()[1]), blocks.shape[1] - 1)]
    return Panel(
        "Attention",
        AGNOSTIC,
        _maps(asked, rows),
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
        _maps(asked, rows),
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
        _maps(asked, rows),
        "Can't show what speaks against the class, nor what the MLPs do: only attention that raises the "
        "score is counted.",
        note=note or ("Traced from where the answer is read, not from the point." if asked.cell else ""),
        code=partial(
            code.HEATS["relevance"].format, index=index, name=name, rows=code.relevance(_weighted(asked))
        ),
    )


def _weighted(asked: Asked) -> dict | None:
    """The settings of gradient-weighted rollout; None where it isn't asked for."""
    if asked.method == METHODS[0]:
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
        code=partial(code.HEATS["cam"].format, layer=layer, method="Grad-CAM", index=index, name=name),
    )


def patches(asked: Asked) -> list[Panel]:
    """For a network without classes: what its last layer's features say."""
    from vizcore.methods.features import pca_colours, similarity
    from vizcore.pictures.frame import cell_at

    model, picture = asked.model, asked.picture
    layer = model.layers[-1]
    maps = answers.layer_maps(asked.choice, picture.key, layer, model, picture.image)
    cell = cell_at(asked.point, model.preprocess.box(picture.size), picture.size, maps.shape[1:])
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


def _question(asked: Asked) -> tuple:
    return asked.choice, asked.picture.key


# ---------------------------------------------------------------- shown block by block


def show(everyone: list[Asked], look: dict) -> None:
    """The maps with the slider that builds them up. Playing runs this part of the page only."""
    found = [panels(asked) for asked in everyone]
    depth = max((len(panel.frames) for own, _ in found for panel in own), default=1)
    forget("r_block", range(1, depth + 1), depth)
    playing = state.get("r_playing", False) and depth > 1
    build_up = st.fragment(_build_up, run_every=SECONDS_A_BLOCK if playing else None)
    build_up(everyone, found, look, depth)


def _build_up(everyone: list[Asked], found: list[tuple[list[Panel], str]], look: dict, depth: int) -> None:
    block = _step_and_slider(depth) if depth > 1 else 1
    shown = [(asked, panel, *rest) for asked, rest in zip(everyone, found, strict=True) for panel in rest[0]]
    wide = len(shown) if len(shown) <= 4 else 3
    for start in range(0, len(shown), max(1, wide)):
        for (asked, panel, own, why), column in zip(
            shown[start : start + wide], st.columns(wide), strict=False
        ):
            with column:
                _draw(asked, panel, own, block, look)
                if why and panel is own[-1]:
                    st.caption(f":material/info: {why}")
    write_fragment()


def _step_and_slider(depth: int) -> int:
    due = time.monotonic() - state.get("r_stepped", 0) > 0.7 * SECONDS_A_BLOCK
    if state.get("r_playing") and due and not state.get("r_play"):  # a press of Pause takes no step
        state["r_block"], state["r_stepped"] = state.get("r_block", 0) + 1, time.monotonic()
        if state["r_block"] >= depth:
            state["r_block"], state["r_playing"] = depth, False
            st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        playing = state.get("r_playing", False)
        icon = ":material/pause:" if playing else ":material/play_arrow:"
        if st.button("Pause" if playing else "Play", icon=icon, key="r_play", width=110):
            state["r_playing"], state["r_stepped"] = not playing, time.monotonic()
            if not playing and state.get("r_block", depth) >= depth:
                state["r_block"] = 1
            st.rerun()
        words = "Built up from block 1 to block"
        return st.slider(words, 1, depth, depth, key="r_block")


def _draw(asked: Asked, panel: Panel, own: list[Panel], block: int, look: dict) -> None:
    model, picture = asked.model, asked.picture
    block = min(block, len(panel.frames))
    frame = panel.frames[block - 1]
    low, high = float(frame.min()), float(frame.max())
    if look["shared"] and panel.kind == "heat":
        alike = [other.frames for other in own if other.shares] if panel.shares else [panel.frames]
        low, high = 0.0, max(float(frames.max()) for frames in alike)
    agnostic = panel.badge == AGNOSTIC
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(render.png(np.full((14, 14, 3), asked.colour, np.uint8)), width=14, alt="its colour")
        st.caption(model.title + (", random weights" if model.weights == "random" else ""), width="content")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{panel.title}**", width="content")
        if panel.badge:
            st.badge(panel.badge if agnostic else f"for {panel.badge}", color="gray" if agnostic else "green")
    box = model.preprocess.box(picture.size)
    laid = figures.laid_over(
        picture.key, frame, box, panel.kind, low, high, look["opacity"], look["colour_map"], picture.array
    )
    st.image(laid, width="stretch", alt=f"{panel.title} of {model.title} over {picture.title}")
    built = f"1 to {block} of {len(panel.frames)}" if len(panel.frames) > 1 else None
    facts = {"blocks": built} | ({} if agnostic or not panel.badge else {"class": panel.badge})
    shared, opacity = (low, high) if look["shared"] else (None, None), look["opacity"]
    saving.keep(
        f"{panel.title} of {model.title}, {asked.choice.slot.upper()}",
        saving.about(panel.title, model, picture, **facts),
        partial(figures.laid, picture.array, frame, box, panel.kind, low, high, opacity, look["colour_map"]),
        code.flow(asked, panel.code(block=block - 1), panel.kind, *shared, look),
        map=frame,
    )
    if panel.kind == "heat":
        figures.scale(low, high, look["colour_map"])
        if nowhere := judgements.empty(float(frame.min()), float(frame.max())):
            st.caption(f":red[{nowhere}]")
    st.caption(" ".join(filter(None, (panel.note, panel.limits))))


# ---------------------------------------------------------------- evidence and heads


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

    from vizcore.methods.attention import correlation
    from vizcore.methods.cam import default_layer

    from ..classes import class_names

    model, picture = asked.model, asked.picture
    top = answers.top_classes(asked.choice, picture.key, model, picture.image)[:2]
    classes = tuple(index for index, _ in top)
    if _has_rollout(model):
        method = "Relevance"
        maps = _maps(asked, relevance_rows(asked, classes)[-1])
    else:
        method = "Grad-CAM"
        maps = answers.class_cams(
            *_question(asked), "Grad-CAM", default_layer(model), classes, model, picture.image
        )
    alike = correlation(*torch.from_numpy(maps))
    known = "undefined, for one map is flat" if np.isnan(alike) else f"**{alike:.2f}**"
    st.markdown(f"{model.title}, {method}: correlation {known}")
    for index, one, column in zip(classes, maps, st.columns(2), strict=True):
        name = class_names(model)[index]
        low, high = float(one.min()), float(one.max())
        laid = figures.laid_over(
            picture.key, one, model.preprocess.box(picture.size), "heat", low, high, look["opacity"],
            look["colour_map"], picture.array,
        )  # fmt: skip
        column.image(laid, width="stretch", alt=f"{method} for {name}", caption=f"for {name}")


def heads(asked: Asked, look: dict) -> None:
    """Every head of every block as a small map, and how far each one looks."""
    model = asked.model
    if not _has_rollout(model):
        return
    rows, far = answers.head_rows(*_question(asked), asked.cell, model, asked.picture.image)
    blocks, count = far.shape
    maps = _maps(asked, rows).swapaxes(0, 1).reshape(blocks * count, *model.grid)  # a row for each head

    def choose(x: float, y: float) -> None:
        state["r_block"], state["r_head"] = int(x * blocks) + 1, f"head {int(y * count)}"

    figures.heading(model, asked.colour)
    labels = [f"{block + 1}.{head}" for head in range(count) for block in range(blocks)]
    side = min(128, max(48, 1152 // blocks))
    tiles = render.tiles(maps, labels, blocks, side, colour_map=look["colour_map"])
    words = "Block.head, from the first block to the last; each on its own scale. Click one to see it above."
    figures.pointer(tiles, words, f"r_tiles_{asked.choice.slot}", choose)
    st.caption(words)
    figures.distance_chart(far, asked.colour)
    st.caption(
        "Mean distance from a patch to what each head attends to (Raghu et al., 2021): low heads look next "
        "door, high ones across the picture. Attention to tokens that are no patch isn't counted."
    )
