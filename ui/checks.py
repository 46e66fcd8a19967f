"""What speaks for or against a map: curves, cross-tests, randomised weights, noise. For any method's map."""

from __future__ import annotations

from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from vizcore.drawing import render
from vizcore.pictures import textures
from vizcore.truth import judgements

from . import figures
from .address import forget
from .jobs import job
from .picture_picker import SCENES

state = st.session_state


class Mapped(NamedTuple):
    """One model's map for one class."""

    choice: Any
    model: Any
    picture: Any
    colour: tuple[int, int, int]
    index: int  # of the class
    name: str  # the class's
    method: str
    layer: str | None  # where the method asks for one
    map: Any  # (h, w) tensor over what the model sees
    other: int | None = None  # the class that it is asked against
    settings: tuple[tuple[str, Any], ...] = ()  # of the method

    @property
    def question(self) -> tuple:
        return self.choice, self.picture.key, self.method, self.layer, self.index, self.other, self.settings

    def make(self, model, images):
        """The same method on other weights or another picture."""
        from vizcore.methods.saliency import against

        from vizcore.methods import table as heatmaps

        own = heatmaps.cam_at(self.layer, self.method) if self.layer else heatmaps.METHODS[self.method].make
        return own(against(model, self.other), images, self.index, **dict(self.settings)).cpu()

    def framed(self):
        """(H, W), in the picture's pixels."""
        from vizcore.methods.table import in_frame

        return in_frame(self.model, self.picture.image, self.map)

    def seen(self) -> np.ndarray:
        from vizcore.pictures.frame import seen

        return seen(self.model.preprocess.box(self.picture.size), self.picture.size).numpy()


@st.cache_resource(max_entries=8, show_spinner=False)
def scene_masks(title: str, side: int) -> dict[str, np.ndarray]:
    """Where each texture of a drawn scene is, (H, W) by name; empty for any other picture."""
    if title not in SCENES:
        return {}
    return textures.two(*SCENES[title][:3], side).masks


class Step(NamedTuple):
    """One step of a job that does the same for both models."""

    done: float  # models
    total: int
    slot: str
    value: Any


def _both(mapped: list[Mapped], make):
    """``make(one)`` of each model as one generator of ``Step``."""
    for i, one in enumerate(mapped):
        for value in make(one):
            yield Step(i + value.done / value.total, len(mapped), one.choice.slot, value)


def _latest(mapped: list[Mapped], found: list[Step]):
    """Each model with all that was found of it."""
    for one in mapped:
        own = [step.value for step in found if step.slot == one.choice.slot]
        if own:
            yield one, own


def _title(one: Mapped) -> None:
    st.markdown(f"**{one.model.title}**, {one.method} for “{one.name}”")


def _number(value: float) -> str:
    return "undefined (a flat map)" if np.isnan(value) else f"{value:.2f}"


# ---------------------------------------------------------------- deletion and insertion


def curves(mapped: list[Mapped]) -> None:
    st.markdown(
        "Cover the picture piece by piece, what the map ranks highest first (**deletion**), or uncover it in "
        "that order (**insertion**). A map that found the evidence should make the probability fall, or "
        "rise, early: sooner than a random map and one that always points at the middle."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        baseline = st.segmented_control(
            "Covered by", ["blur", "mean"], default="blur", required=True, key="g_baseline",
            help="A blur of the picture, or its mean colour.",
        )  # fmt: skip
        steps = st.select_slider("Steps", [8, 16, 32], 16, key="g_steps", width=160)

    def measure(one: Mapped):
        from vizcore.truth import evidence

        maps = {"map": one.map, **evidence.controls(tuple(one.map.shape))}
        images = one.model.preprocess(one.picture.image)
        return evidence.curves(
            one.model.net, images, maps, one.index, baseline=baseline, steps=steps, chunk=12
        )

    def draw(found) -> None:
        for (one, own), column in zip(_latest(mapped, found), st.columns(len(mapped)), strict=False):
            with column:
                _title(one)
                _curve_chart(own[-1].curves, figures.web_colour(one.colour))
        st.caption(
            "Area: the mean probability on the way. It can't show whether the map is right: a half-covered "
            "picture is unlike those that networks learn from. **One picture is an anecdote**, so no winner "
            "is called: another random map would give other differences."
        )

    question = baseline, steps, *(one.question for one in mapped)
    job("g_curves", question, lambda: _both(mapped, measure), draw, "Measure")


def _curve_chart(measured: dict, colour: str) -> None:
    rows = [
        {"kind": kind, "order": name, "share": share, "probability": probability}
        for (kind, name), curve in measured.items()
        for share, probability in zip(curve.shares, curve.probabilities, strict=True)
    ]
    names = list(dict.fromkeys(name for _, name in measured))
    top = min(1, 1.05 * max(row["probability"] for row in rows))  # the same for both charts
    legend = alt.Legend(orient="top", title=None, offset=4, columnPadding=4, symbolSize=50, labelFontSize=11)
    order = alt.Scale(domain=names, range=[colour, "#999999", "#cc79a7"])
    dash = alt.Scale(domain=names, range=[[1, 0], [6, 3], [2, 2]])
    for kind, column in zip(("deletion", "insertion"), st.columns(2), strict=True):
        chart = (
            alt.Chart(pd.DataFrame([row for row in rows if row["kind"] == kind]), height=280)
            .mark_line(strokeWidth=2.5)
            .encode(
                x=alt.X("share:Q", title=f"share {'covered' if kind == 'deletion' else 'uncovered'}",
                        axis=alt.Axis(format="%", tickCount=3)),
                y=alt.Y("probability:Q", title=None, scale=alt.Scale(domain=[0, top]),
                        axis=alt.Axis(tickCount=3, format="~%")),
                color=alt.Color("order:N", scale=order, legend=legend),
                strokeDash=alt.StrokeDash("order:N", scale=dash),
                tooltip=["order", alt.Tooltip("share", format=".0%"),
                         alt.Tooltip("probability", format=".2f")],
            )
        )  # fmt: skip
        areas = {name: measured[kind, name].area for name in names}
        column.altair_chart(chart, width="stretch")
        column.caption(judgements.beyond(kind, areas))


# ---------------------------------------------------------------- cross-test


def cross_test(mapped: list[Mapped]) -> None:
    st.markdown(
        "Cover all but what one model's map found, and ask both models. What convinces only its own model "
        "is that model's evidence, not everybody's."
    )
    share = st.slider("Share of the picture that is left, %", 5, 60, 25, 5, key="g_left")
    pictures = cross_pictures(mapped, share)
    for (title, array), column in zip(pictures, st.columns(len(pictures)), strict=True):
        with column:
            figures.picture(array, f"{title}: all else is blurred", title)
            image = Image.fromarray(array)
            for one in mapped:
                st.caption(f"{one.model.title}: {_probability(one, image):.0%} “{one.name}”")
    st.caption(
        "It can't show what the models would do with the rest: a blurred picture is still a picture. The "
        f"random region is the control: as large, and as coarse as {mapped[0].model.title}’s map."
    )


def cross_pictures(mapped: list[Mapped], share: int) -> list[tuple[str, np.ndarray]]:
    """The whole picture, what each map leaves of it, and what a random one leaves."""
    from vizcore.methods import table as heatmaps
    from vizcore.truth import evidence

    array, pictures = mapped[0].picture.array, [("The whole picture", mapped[0].picture.array)]
    for one in mapped:
        left = evidence.only(array, _inside(one.framed(), one.seen()), share / 100)
        nothing = judgements.empty(float(one.map.min()), float(one.map.max()))
        words = f"{one.model.title}’s map points nowhere: a random part" if nothing else ""
        pictures.append((words or f"What {one.model.title}’s map found", left))
    noise = evidence.random_map(*mapped[0].map.shape)
    control = heatmaps.in_frame(mapped[0].model, mapped[0].picture.image, noise)
    pictures.append(
        ("A random region", evidence.only(array, _inside(control, mapped[0].seen()), share / 100))
    )
    return pictures


def _inside(framed, seen: np.ndarray):
    """What a model didn't see comes last."""
    import torch

    return torch.where(torch.from_numpy(seen), framed, framed.min() - 1)


def _probability(one: Mapped, image: Image.Image) -> float:
    import torch

    with torch.no_grad():
        return one.model.net(one.model.preprocess(image))[0].float().softmax(0)[one.index].item()


# ---------------------------------------------------------------- randomised weights


class Anew(NamedTuple):
    """A step of one order of drawing weights anew."""

    done: int  # of both orders together
    total: int
    order: str
    step: Any  # ``vizcore.evidence.Randomised``


def randomised(mapped: list[Mapped]) -> None:
    st.markdown(
        "Draw the weights anew, layer by layer, and make the map again (Adebayo et al., 2018): from the "
        "answer down to the input, then from the input up. A map that stays the same is **evidence** that it "
        "shows the picture more than what the network learnt. It is **no proof**: from the answer down, "
        "layers that are still as they were keep the scale of what is passed on, and that alone can keep a "
        "map alike (Binder et al., 2023; Yona & Greenfeld, 2021)."
    )

    def measure(one: Mapped):
        from vizcore.truth import evidence

        images = one.model.preprocess(one.picture.image)
        for k, order in enumerate(evidence.ORDERS):
            for step in evidence.randomisation(one.model, images, one.make, order=order):
                yield Anew(k * step.total + step.done, len(evidence.ORDERS) * step.total, order, step)

    def draw(found) -> None:
        most = _deepest(found)
        number = state.get("g_depth", most) if not state.get("job_g_random", {}).get("running") else most
        for (one, own), column in zip(_latest(mapped, found), st.columns(len(mapped)), strict=False):
            down = [value.step for value in own if value.order == "top-down"]
            with column:
                _title(one)
                shown = down[min(number, len(down) - 1)]
                framed = one._replace(map=shown.heatmap).framed()
                figures.picture(
                    render.lay(one.picture.array, framed, one.seen(), 0.7),
                    f"the map with {shown.done} of {shown.total} parts randomised",
                    f"random from the answer down to {shown.layer}" if shown.layer else "as it was",
                )
                _similarity_chart(own, figures.web_colour(one.colour))
                if len(down) > shown.total:
                    learnt = one.model.weights != "random"
                    if words := judgements.stayed(down[-1].rank, one.method, one.model.title, learnt):
                        st.warning(words)
        st.caption(
            "It can't show that a map is true, only that it depends on the weights: a map can change with "
            "them and still be wrong."
        )

    question = tuple(one.question for one in mapped)
    if _too_long(mapped, "layer"):
        return
    job("g_random", question, lambda: _both(mapped, measure), draw, "Randomise")
    held = state.get("job_g_random")
    if held and held["found"] and not held["running"]:
        most = _deepest(held["found"])
        if most:
            forget("g_depth", range(most + 1), most)
            st.slider("Parts randomised, from the answer down", 0, most, most, key="g_depth")


def _deepest(found: list[Step]) -> int:
    """How many parts were drawn anew from the answer down."""
    return max((step.value.step.done for step in found if step.value.order == "top-down"), default=0)


def _too_long(mapped: list[Mapped], each: str) -> bool:
    """Whether a method is asked that can't be repeated many times, after a sentence that says so."""
    long = next((one.method for one in mapped if one.method in ("Score-CAM", "occlusion")), None)
    if long:
        words = f"{long[0].upper()}{long[1:]} would run the network hundreds of times for each {each}"
        st.info(f"{words}: choose another method.")
    return bool(long)


def _similarity_chart(steps: list[Anew], colour: str) -> None:
    orders = {"top-down": "from the answer down", "bottom-up": "from the input up"}
    rows = [
        {"parts": step.done, "similarity": value, "by": by, "order": orders[order], "last": last}
        for _, _, order, step in steps
        for last in [step.layer or "as it was"]
        for by, value in (("rank correlation", step.rank), ("SSIM", step.ssim))
        if not np.isnan(value)
    ]
    dash = alt.Scale(domain=["rank correlation", "SSIM"], range=[[1, 0], [4, 3]])
    paint = alt.Scale(domain=list(orders.values()), range=[colour, "#999999"])
    legend = alt.Legend(orient="top", title=None, offset=4)
    chart = (
        alt.Chart(pd.DataFrame(rows), height=280)
        .mark_line(point=True)
        .encode(
            x=alt.X("parts:Q", title="parts randomised", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("similarity:Q", title=None, scale=alt.Scale(domain=[-1, 1])),
            color=alt.Color("order:N", scale=paint, legend=legend),
            strokeDash=alt.StrokeDash("by:N", scale=dash, legend=legend),
            tooltip=["order", "last", "by", alt.Tooltip("similarity", format=".2f")],
        )
    )
    st.altair_chart(chart, width="stretch")


# ---------------------------------------------------------------- noise


def noise(mapped: list[Mapped]) -> None:
    st.markdown("Add a little noise to the picture, eight times, and make the map again.")
    amount = st.slider("Noise, % of the range", 1, 30, 5, key="g_noise")

    def measure(one: Mapped):
        from vizcore.truth import evidence

        images = one.model.preprocess(one.picture.image)
        return evidence.stability(one.model, images, one.make, one.index, noise=amount / 100)

    def draw(found) -> None:
        for (one, own), column in zip(_latest(mapped, found), st.columns(len(mapped)), strict=False):
            with column:
                _title(one)
                labels = [f"{step.rank:.2f}" for step in own]
                tiles = render.tiles(np.stack([render.to_array(step.heatmap) for step in own]), labels, 4)
                words = f"maps under {len(own)} draws of noise, with their rank correlation"
                st.image(render.png(tiles), width="stretch", alt=words, caption=words)
                ranks = [step.rank for step in own]
                probabilities = [step.probability for step in own]
                st.caption(
                    f"Mean rank correlation with the map without noise: {_number(float(np.mean(ranks)))}; "
                    f"the probability of “{one.name}” goes from {min(probabilities):.0%} to "
                    f"{max(probabilities):.0%}."
                )
        st.caption(
            "It can't show which map is right: a method that always shows the same is perfectly stable. "
            "Where the probability moves too, the map has a reason to."
        )

    if _too_long(mapped, "draw"):
        return
    question = amount, *(one.question for one in mapped)
    job("g_shaken", question, lambda: _both(mapped, measure), draw, "Shake")


PARTS = {
    "Curves": curves,
    "Cross-test": cross_test,
    "Randomised weights": randomised,
    "Noise": noise,
}
