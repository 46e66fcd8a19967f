"""The maps of the attention page, block by block. Playing runs this part of the page only."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from .. import cant_show, code, figures, saving, viewer
from ..address import forget, write_fragment
from ..mapped import told_of
from ..streamlit_private import in_fragment_run
from .flows import AGNOSTIC, Asked, Panel, panels

SECONDS_A_BLOCK = 1.2  # of the build-up: long enough to look at two maps
state = st.session_state


def show(everyone: list[Asked], look: dict) -> None:
    """The maps with the slider that builds them up. Playing runs this part of the page only."""
    found = [panels(asked) for asked in everyone]
    depth = max((len(panel.frames) for own, _ in found for panel in own), default=1)
    forget("r_block", range(1, depth + 1), depth)
    playing = state.get("r_playing", False) and depth > 1
    build_up = st.fragment(_build_up, run_every=SECONDS_A_BLOCK if playing else None)
    build_up(everyone, found, look, depth)


def _build_up(everyone: list[Asked], found: list[tuple[list[Panel], str]], look: dict, depth: int) -> None:
    if state.pop("r_pinned", False) and in_fragment_run():
        st.rerun()  # another place is another question
    block = _step_and_slider(depth) if depth > 1 else 1
    shown = [(asked, panel, *rest) for asked, rest in zip(everyone, found, strict=True) for panel in rest[0]]
    wide = len(shown) if len(shown) <= 4 else 3
    for start in range(0, len(shown), max(1, wide)):
        columns = viewer.row(f"r_maps_{start}", wide)
        for (asked, panel, own, why), column in zip(shown[start : start + wide], columns, strict=False):
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
    frame, shared = viewer.sent(panel.frames[block - 1]), None
    if panel.kind == "heat":
        alike = [other.frames for other in own if other.shares] if panel.shares else [panel.frames]
        shared = 0.0, max(float(frames.max()) for frames in alike)
    agnostic = panel.badge == AGNOSTIC
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(render.png(np.full((14, 14, 3), asked.colour, np.uint8)), width=14, alt="its colour")
        st.caption(model.title + (", random weights" if model.weights == "random" else ""), width="content")
    st.markdown(f"**{panel.title}**")
    box = model.preprocess.box(picture.size)
    nowhere = judgements.empty(float(frame.min()), float(frame.max())) if panel.kind == "heat" else ""
    facts = f":red[{nowhere}]" if nowhere else ""
    region, lines = asked.name.casefold(), 2
    if region not in picture.masks or panel.kind != "heat" or asked.cell is not None:
        region = ""
    else:
        facts, lines = told_of(picture, model, frame, region, picture.masks[region])[1], 5
    alt = f"{panel.title} of {model.title} over {picture.title}"
    built = f"1 to {block} of {len(panel.frames)}" if len(panel.frames) > 1 else None
    what = panel.badge if agnostic or not panel.badge else f"for **{panel.badge}**"
    words = ", ".join(filter(None, (what, built and f"blocks {built}"))) or panel.title
    told = viewer.Map(frame, words, box, panel.kind, shared=shared, region=region, facts=facts, alt=alt)
    key = f"r_{asked.choice.slot}-{saving.slug(panel.title)}"
    viewer.show(key, look["picture"], [told], point=look["point"], on_pin=look["on_pin"], lines=lines)
    _keep(asked, panel, frame, block, look, shared if look["shared"] else None, built)
    cant_show.say(panel.title, panel.limits)
    if panel.note:
        st.caption(panel.note)


def _keep(asked: Asked, panel: Panel, frame, block: int, look: dict, shared, built: str | None) -> None:
    """So that it can be saved."""
    model, picture, opacity = asked.model, asked.picture, look["opacity"]
    agnostic, low, high = panel.badge == AGNOSTIC, *(shared or (None, None))
    facts = {"blocks": built} | ({} if agnostic or not panel.badge else {"class": panel.badge})
    box = model.preprocess.box(picture.size)
    saving.keep(
        f"{panel.title} of {model.title}, {asked.choice.slot.upper()}",
        saving.about(panel.title, model, picture, **facts),
        partial(figures.laid, picture.array, frame, box, panel.kind, low, high, opacity, look["colour_map"]),
        code.flow(asked, panel.code(block=block - 1), panel.kind, low, high, look),
        map=panel.frames[block - 1],
    )
