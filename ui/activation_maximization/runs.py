"""Activation maximisation: what is asked of which network, the run that can be watched, what it found."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, replace
from functools import partial
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from vizcore import __version__

from .. import code, figures, saving
from ..address import drop, forget, forget_each, offer
from ..classes import class_names
from ..jobs import job
from ..plain import plain
from .imagined import judged

MOST = 8  # pictures of a network in one run
FIRST = ("honeycombed", "daisy")  # asked for at first: one class of the textures, one of ImageNet
PARTS = ["jitter", "crop", "rotation", "perspective", "flip", "colour", "blur"]  # of a random view
OPTIONS = ("paint", "objective", "steps", "views", "l2", "tv", "parts", "stop", "seed")
state = st.session_state


class Asked(NamedTuple):
    """What one network is asked for: n pictures."""

    choice: Any
    model: Any
    colour: tuple[int, int, int]
    names: list[str]  # in words
    targets: list[tuple]  # ("class", objective, index) or ("channel", layer, index, place or None)

    def objectives(self) -> list:
        from vizcore.objectives import CLASS_OBJECTIVES, channel

        return [
            CLASS_OBJECTIVES[rest[0]](self.model, rest[1]) if kind == "class" else channel(self.model, *rest)
            for kind, *rest in self.targets
        ]

    @property
    def question(self) -> tuple:
        return self.choice, tuple(self.targets)


# ---------------------------------------------------------------- what is asked


def ask(choices: list, models: dict, colours: dict) -> list[Asked]:
    """The controls: for which networks, of what. Empty where there is nothing to ask, after a sentence."""
    present = [choice for choice in choices if models[choice.slot]]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        who = st.segmented_control("Networks", ["both", "A", "B"], default="both", required=True, key="m_who")
        kind = st.segmented_control(
            "Picture of", ["a class", "a channel"], default="a class", required=True, key="m_kind",
        )  # fmt: skip
    present = [choice for choice in present if who == "both" or choice.slot == who.lower()]
    pick = _classes if kind == "a class" else _channels
    return pick(present, models, colours)


def _classes(present: list, models: dict, colours: dict) -> list[Asked]:
    names = {choice.slot: class_names(models[choice.slot]) for choice in present}
    options = list(dict.fromkeys(name for own in names.values() for name in own))
    if not options:
        st.info("These networks have no classes: ask for a channel instead.")
        return []
    first = [next((name for name in FIRST if name in own), own[0]) for own in names.values() if own]
    forget_each("m_class", options, list(dict.fromkeys(first)))
    objectives = ["logit", "log-probability", "margin"]
    wanted = st.multiselect(
        "Classes", options, list(dict.fromkeys(first)), key="m_class",
        max_selections=MOST, placeholder="type to search",
        help=f"Up to {MOST}; each network makes those that it knows by name.",
    )  # fmt: skip
    if not wanted:
        st.info("Choose at least one class.")
    objective = state.get("m_objective", objectives[0])
    asked = []
    for choice in present:
        own = [name.casefold() for name in names[choice.slot]]
        known = [name for name in wanted if name.casefold() in own]
        model = models[choice.slot]
        if not own:
            st.info(f"{model.title} has no classes; ask it for a channel.")
        elif wanted and not known:
            st.info(f"{model.title} knows none of these classes.")
        if known:
            targets = [("class", objective, own.index(name.casefold())) for name in known]
            asked.append(Asked(choice, model, colours[choice.slot], known, targets))
    return asked


def _channels(present: list, models: dict, colours: dict) -> list[Asked]:
    asked = []
    for choice, column in zip(present, st.columns(max(1, len(present))), strict=False):
        model, slot = models[choice.slot], choice.slot
        with column:
            blocks = model.blocks or model.layers
            start = blocks[len(blocks) // 2]
            forget(f"m_layer_{slot}", model.layers, start)
            layer = st.selectbox(f"Layer of {model.title}", model.layers, key=f"m_layer_{slot}")
            layout = model.layouts[layer]
            options = [str(number) for number in range(layout.channels)]
            key = f"m_channel_{slot}"
            forget_each(key, options, options[:2])
            channels = st.multiselect(
                f"Channels, 0 to {layout.channels - 1}", options, options[:2], key=key,
                max_selections=MOST,
            )  # fmt: skip
            whole, middle = "everywhere", "in the middle"
            where = st.segmented_control(
                "Active", [whole, middle], default=whole, required=True, key=f"m_place_{slot}",
                help="Its mean over all places, or one neuron or patch token alone.",
            )  # fmt: skip
        place = None if where == whole else (layout.grid[0] // 2, layout.grid[1] // 2)
        if channels:
            names = [f"channel {number}" for number in channels]
            targets = [("channel", layer, int(number), place) for number in channels]
            asked.append(Asked(choice, model, colours[slot], names, targets))
    return asked


def pick_recipe():
    """A recipe of the table, and what was changed of it: (its name, recipe, seed)."""
    from vizcore.imagine.augment import Augment
    from vizcore.imagine.maximise import ALL_VIEWS, RECIPES
    from vizcore.imagine.parameterise import PARAMETERISATIONS
    from vizcore.objectives import CLASS_OBJECTIVES

    def reset() -> None:  # the recipe's own options return
        for option in OPTIONS:
            drop(f"m_{option}")

    name = st.segmented_control(
        "Recipe", list(RECIPES), default="clean", required=True, key="m_recipe",
        on_change=reset,
        help="clean: Fourier with decorrelated colours, random views. fast: fewer steps. classic: pixels "
        "through a sigmoid, every kind of view, L2, early stopping.",
    )  # fmt: skip
    base = RECIPES[name]
    with st.expander("Options of the recipe", icon=":material/tune:"):
        on = [part for part in PARTS if getattr(base.augment, part)]
        own = {"paint": base.parameterisation, "parts": on, "steps": base.steps, "views": base.views}
        own |= {"l2": base.l2, "tv": base.tv, "stop": bool(base.patience)}
        for option, value in own.items():
            offer(f"m_{option}", value)
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            must = {"required": True}
            paint = st.segmented_control(
                "Made of", list(PARAMETERISATIONS), default=base.parameterisation, key="m_paint", **must
            )
            st.segmented_control(
                "Objective, of classes", list(CLASS_OBJECTIVES), default="logit", key="m_objective", **must
            )
            seed = st.number_input("Seed", 0, 9999, 0, key="m_seed", width=120)
        parts = st.pills(
            "Random views: parts that are on", PARTS, selection_mode="multi", wrap=True, key="m_parts",
            default=on,
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            some = {"width": 200}
            steps = st.select_slider(
                "Steps", [16, 32, 48, 64, 128, 256, 512], base.steps, key="m_steps", **some
            )
            views = st.select_slider("Views a step", [1, 2, 4, 8], base.views, key="m_views", **some)
            weights = [0.0, 0.3, 1.0, 3.0, 10.0]
            l2 = st.select_slider("L2", weights, base.l2, key="m_l2", **some)
            tv = st.select_slider("Total variation", weights, base.tv, key="m_tv", **some)
            stop = st.toggle("Stop a picture early", bool(base.patience), key="m_stop")
    amounts = {part: getattr(base.augment, part) or getattr(ALL_VIEWS, part) for part in parts}
    hue = {"hue": base.augment.hue or ALL_VIEWS.hue} if "colour" in parts else {}
    recipe = replace(
        base, parameterisation=paint, steps=steps, views=views, l2=l2, tv=tv,
        patience=(base.patience or 40) if stop else 0, augment=Augment(**amounts, **hue),
    )  # fmt: skip
    return name, recipe, int(seed)


# ---------------------------------------------------------------- the run


class Found(NamedTuple):
    """What one network has made so far; pictures are (n, H, W, 3) uint8."""

    step: int
    objective: list[np.ndarray]  # (n,) a step
    film: list[tuple[int, np.ndarray]]  # (step, pictures) of some steps
    pictures: np.ndarray
    best: np.ndarray
    best_at: list[int]
    running: list[int]


class Run(NamedTuple):
    done: int
    total: int
    found: dict[str, Found]  # by slot


def run(asked: list[Asked], recipe, seed: int):
    """All networks at once, a step of each in turn."""
    from vizcore.imagine.maximise import maximise

    going = {
        one.choice.slot: maximise(one.model, one.objectives(), recipe, [seed] * len(one.targets))
        for one in asked
    }
    found: dict[str, Found] = {}
    total = recipe.steps * len(going)
    while going:
        for slot, steps in list(going.items()):
            step = next(steps, None)
            if step is None:
                del going[slot]
                continue
            before = found.get(slot)
            found = {**found, slot: _kept(before, step)}
            done = sum(found[one].step if one in going else recipe.steps for one in found)
            yield Run(done, total, found)


def _kept(before: Found | None, step) -> Found:
    objective, film = (before.objective, before.film) if before else ([], [])
    pictures = as_pictures(step.pictures)
    objective.append(step.objective.cpu().numpy())
    if step.done & (step.done - 1) == 0 or step.done % (step.total // 4) == 0:  # 1, 2, 4, …, and quarters
        film.append((step.done, pictures))
    return Found(
        step.done, objective, film, pictures, as_pictures(step.best), step.best_at.tolist(),
        step.running.tolist(),
    )  # fmt: skip


def as_pictures(images) -> np.ndarray:
    """(n, 3, H, W) tensor, 0 to 1, as (n, H, W, 3) uint8."""
    return (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def watch(asked: list[Asked], recipe, seed: int) -> dict[str, Found]:
    """The button, the pictures as they appear, and what is known when it ends or is stopped."""
    question = recipe, seed, *(one.question for one in asked)

    def draw(runs: list[Run]) -> None:
        for one, column in zip(asked, st.columns(len(asked), gap="large"), strict=True):
            with column:
                if one.choice.slot in runs[-1].found:
                    _draw(one, runs[-1].found[one.choice.slot], state["job_m_run"]["running"])

    kept = job("m_run", question, lambda: run(asked, recipe, seed), draw, "Imagine", keep_all=False)
    return {} if not kept or state["job_m_run"]["running"] else kept[-1].found


def _draw(one: Asked, found: Found, running: bool) -> None:
    figures.name(one.model, one.colour)
    pictures = found.pictures if running else found.best
    with st.container(horizontal=True, gap="small"):
        for i, name in enumerate(one.names):
            value = found.objective[-1][i]
            words = f"{name}: {value:.1f}" if running else f"{name}, best at step {found.best_at[i]}"
            words += "" if i in found.running or not running else ", stopped early"
            alt_text = f"what {one.model.title} imagines for {name}"
            st.image(figures.jpeg(_large(pictures[i])), words, width=_width(one), alt=alt_text)
    _curves(one, found)
    _film(one, found)


def _width(one: Asked) -> int:
    return {1: 300, 2: 240}.get(len(one.names), 140)


def _large(picture: np.ndarray) -> np.ndarray:
    """At least 256 pixels a side, so that a browser doesn't blur it."""
    times = -(-256 // picture.shape[0])
    return picture.repeat(times, 0).repeat(times, 1)


def _curves(one: Asked, found: Found) -> None:
    every = max(1, len(found.objective) // 64)
    rows = [
        {"step": step + 1, "objective": float(value), "picture": name}
        for step in range(0, len(found.objective), every)
        for value, name in zip(found.objective[step], one.names, strict=True)
    ]
    several = ["#e67800", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#999999", "#b8a000"]
    palette = several if len(one.names) > 1 else [figures.web_colour(one.colour)]
    legend = alt.Legend(orient="top", title=None, columns=3, labelLimit=110) if len(one.names) > 1 else None
    chart = (
        alt.Chart(pd.DataFrame(rows), height=240)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("step:Q", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("objective:Q", scale=alt.Scale(zero=False)),
            color=alt.Color("picture:N", scale=alt.Scale(domain=one.names, range=palette), legend=legend),
            tooltip=["picture", "step", alt.Tooltip("objective", format=".2f")],
        )
    )
    st.altair_chart(chart, width="stretch")


def _film(one: Asked, found: Found) -> None:
    """The pictures on their way, a row each, from the first step to the last."""
    frames = found.film
    if len(frames) < 2:
        return
    rows = [np.concatenate([pictures[i] for _, pictures in frames], 1) for i in range(len(one.names))]
    steps = ", ".join(str(step) for step, _ in frames)
    words = f"on the way, at steps {steps}"
    st.image(figures.jpeg(np.concatenate(rows)), words, width="stretch", alt=f"{one.model.title} {words}")


# ---------------------------------------------------------------- what was found


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


class Crossed(NamedTuple):
    done: int
    total: int
    compared: Any = None  # ``crosseval.Compared``


def cross(asked: list[Asked], models: list, found: dict[str, Found], recipe, seed: int) -> None:
    """The pictures, and ones made without random views, before every network."""
    if any(one.targets[0][0] != "class" for one in asked):
        st.info("Only pictures of classes can be shown to another network: channels have no counterpart.")
        return
    st.markdown(
        "Shows the pictures above to every network here, in 32 random views each, beside pictures made with "
        "the same recipe **without** random views (those are made now)."
    )
    question = recipe, seed, *(one.question for one in asked), *(found[s].step for s in found)

    def draw(runs: list[Crossed]) -> None:
        compared = runs[-1].compared
        if compared is None:
            st.caption("Making the pictures without random views …")
            return
        if compared.verdicts:
            judged([one._asdict() for one in compared.verdicts])
        for judge, name in compared.unknown:
            st.caption(f"{judge} has no class “{plain(name)}”, so it is not asked about that picture.")

    job(
        "m_cross", question, lambda: _crossed(asked, models, found, recipe, seed), draw, "Ask the networks",
        keep_all=False,
    )  # fmt: skip


def _crossed(asked: list[Asked], models: list, found: dict[str, Found], recipe, seed: int):
    import torch

    from vizcore.imagine.augment import Augment
    from vizcore.imagine.crosseval import Made, cross_evaluate
    from vizcore.imagine.maximise import maximise

    if len({model.title for model in models}) < len(models):  # trained and random, say
        named = {
            id(model): replace(model, title=f"{slot}: {model.title}, {model.source}")
            for slot, model in zip("AB", models, strict=True)
        }
        asked = [one._replace(model=named[id(one.model)]) for one in asked]
        models = list(named.values())
    made, done = [], 0
    still = replace(recipe, augment=Augment(), views=1)
    total = (still.steps + 2 * len(models)) * len(asked)
    for one in asked:
        classes = [index for _, _, index in one.targets]
        pictures = torch.tensor(found[one.choice.slot].best).permute(0, 3, 1, 2) / 255
        if recipe.augment:
            made.append(Made(one.model, True, classes, pictures))
            for step in maximise(one.model, one.objectives(), still, [seed] * len(classes)):
                pictures = step.best
                yield Crossed(done + step.done, total)
        made.append(Made(one.model, False, classes, pictures))
        done += still.steps
    for compared in cross_evaluate(made, models):
        yield Crossed(done + (total - done) * compared.done / compared.total, total, compared)
