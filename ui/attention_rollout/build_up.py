"""The maps of the attention page, block by block: all go to the browser, which builds them up by itself."""

from __future__ import annotations

import numpy as np
import streamlit as st

from vizcore import judgements
from vizcore.drawing import render

from .. import as_seen, cant_show, saving, viewer
from ..address import forget
from ..mapped import told_of
from .flows import AGNOSTIC, Asked, Panel, panels

SECONDS_A_BLOCK = 1.2  # of the build-up: long enough to look at two maps
state = st.session_state


def show(everyone: list[Asked], look: dict) -> None:
    """The maps, with a slider that builds them up."""
    found = [panels(asked) for asked in everyone]
    depth = max((len(panel.frames) for own, _ in found for panel in own), default=1)
    forget("r_block", range(1, depth + 1), depth)
    block = state["r_block"]
    if depth > 1:
        names = {str(k + 1): "" for k in range(depth)}
        words = "Built up from block 1 to block"
        viewer.picker("r_build_up", words, names, str(block), _to_block, SECONDS_A_BLOCK)
    shown = [(asked, panel, *rest) for asked, rest in zip(everyone, found, strict=True) for panel in rest[0]]
    wide = len(shown) if len(shown) <= 4 else 3
    for start in range(0, len(shown), max(1, wide)):
        columns = viewer.row(f"r_maps_{start}", wide)
        for (asked, panel, own, why), column in zip(shown[start : start + wide], columns, strict=False):
            with column:
                _draw(asked, panel, own, block, depth, look)
                if why and panel is own[-1]:
                    st.caption(f":material/info: {why}")


def _to_block(name: str) -> None:
    state["r_block"] = int(name)


def _draw(asked: Asked, panel: Panel, own: list[Panel], block: int, depth: int, look: dict) -> None:
    model, shared = asked.model, None
    if panel.kind == "heat":
        alike = [other.frames for other in own if other.shares] if panel.shares else [panel.frames]
        shared = 0.0, max(float(frames.max()) for frames in alike)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.image(render.png(np.full((14, 14, 3), asked.colour, np.uint8)), width=14, alt="its colour")
        st.caption(model.title + (", random weights" if model.weights == "random" else ""), width="content")
    st.markdown(f"**{panel.title}**")
    if len(panel.frames) > 1:
        maps, chosen = [_map(asked, panel, k + 1, shared, str(k + 1)) for k in range(depth)], str(block)
    else:
        maps, chosen = [_map(asked, panel, 1, shared)], ""
    key = f"r_{asked.choice.slot}-{saving.slug(panel.title)}"
    lines = 2 if not maps[-1].region else 3 if asked.picture.drawn else 5  # what lies on other things, too
    how = {"point": look["point"], "on_pin": look["on_pin"], "lines": lines}
    as_seen.show(key, look["picture"], maps, chosen, **how)
    _keep(asked, panel, min(block, len(panel.frames)), maps[-1] if not chosen else maps[block - 1], look)
    cant_show.say(panel.title, panel.limits)
    if panel.note:
        st.caption(panel.note)


def _map(asked: Asked, panel: Panel, block: int, shared, name: str = "") -> viewer.Map:
    """A panel's map up to a block; one that has fewer blocks than the other network's stays at its last."""
    model, picture = asked.model, asked.picture
    frame = panel.frames[min(block, len(panel.frames)) - 1]
    nowhere = judgements.empty(float(frame.min()), float(frame.max())) if panel.kind == "heat" else ""
    facts, region = f":red[{nowhere}]" if nowhere else "", asked.name.casefold()
    of_it = panel.badge.casefold() in ("", AGNOSTIC.casefold(), region)  # else for a class of its own
    if region not in picture.masks or panel.kind != "heat" or asked.cell is not None or not of_it:
        region = ""
    else:
        facts = told_of(picture, model, viewer.sent(frame), region, picture.masks[region])[1]
    what = panel.badge if panel.badge in ("", AGNOSTIC) else f"for **{panel.badge}**"
    built = _built(panel, block)
    words = ", ".join(filter(None, (what, built and f"blocks {built}"))) or panel.title
    return viewer.Map(
        frame,
        words,
        model.preprocess.box(picture.size),
        panel.kind,
        shared=shared,
        name=name,
        region=region,
        facts=facts,
        alt=f"{panel.title} of {model.title} over {picture.title}",
    )


def _built(panel: Panel, block: int) -> str | None:
    count = len(panel.frames)
    return f"1 to {min(block, count)} of {count}" if count > 1 else None


def _keep(asked: Asked, panel: Panel, block: int, shown: viewer.Map, look: dict) -> None:
    """So that it can be saved."""
    knows = panel.badge not in ("", AGNOSTIC)
    facts = {"blocks": _built(panel, block)} | ({"class": panel.badge} if knows else {})
    about = saving.about(panel.title, asked.model, asked.picture, **facts)
    made, raw = panel.code(block=block - 1), panel.frames[block - 1]
    draw, low_high = as_seen.keep(asked, panel.title, about, shown, look, made, map=raw)
    words = [f"{panel.title}: {shown.words}.", shown.facts, panel.note]
    colours = {"heat": look["colours"], "signed": "signed"}.get(panel.kind, "")
    as_seen.keep_for_slide(asked, "Attention rollout", words, draw, low_high, colours, panel.title)
