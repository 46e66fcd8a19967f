"""The maps of the Saliency page: one panel a model, its settings, and what the pixel methods can't tell."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from vizcore.drawing import render

from .. import answers, code, figures, saving
from ..address import forget, forget_each
from ..checks import Mapped
from ..classes import class_names
from ..grad_cam import cams
from ..jobs import job
from ..picture_picker import SAMPLES, SCENES, sample

state = st.session_state
NOTHING = "nothing"
VIEWS = ["colours", "greyscale", "positive", "negative", "over the picture"]
LEGENDS = {
    "colours": "Mid-grey is 0; where a colour shows, more of it {speaks} for the class.",
    "greyscale": "Black is 0: the largest absolute value of the three colours, for and against alike.",
    "positive": "Only what {speaks} for the class, from black.",
    "negative": "Only what {speaks} against it, from black.",
    "over the picture": "The largest absolute value of the three colours.",
}
ORANGE = "Orange spoke for the class, blue against it."
SHARED = ("gradient × input", "Integrated Gradients", "occlusion")  # they share out what there is


class Look(NamedTuple):
    """What both panels show, and how."""

    view: str
    opacity: float
    region: bool
    masks: dict[str, np.ndarray]
    settings: dict[str, Any]
    note: str = ""


# ---------------------------------------------------------------- what is asked


def settings() -> dict[str, Any]:
    """How the methods work, the same for both models, so that their maps can be compared."""
    from vizcore.methods.saliency import BASELINES, RULES

    with st.popover("Settings of the methods", icon=":material/tune:"):
        forget("s_baseline", BASELINES, "black")
        forget("s_rule", RULES, next(iter(RULES)))
        baseline = st.segmented_control(
            "Baseline", list(BASELINES), default="black", required=True, key="s_baseline",
            help="What the absence of a pixel looks like, for Integrated Gradients and occlusion.",
        )  # fmt: skip
        steps = st.select_slider(
            "Steps of Integrated Gradients", [25, 50, 100, 200, 400, 800, 1600], 50, key="s_steps",
            help="To begin with: they are doubled until the gap is at most 5 % of the difference, up to 800.",
        )  # fmt: skip
        rule = st.selectbox(
            "Rule of Integrated Gradients", list(RULES), key="s_rule",
            help="Where on the way the gradients are taken. Gauss-Legendre closes the gap with the fewest.",
        )  # fmt: skip
        noise = st.slider("Noise of SmoothGrad, % of the range", 1, 50, 15, key="s_noise")
        draws = st.select_slider("Draws of SmoothGrad", [5, 10, 25, 50, 100], 25, key="s_draws")
        window = st.slider("Square of occlusion, % of the shorter side", 4, 50, 12, key="s_window")
    return {
        "baseline": baseline,
        "steps": steps,
        "rule": rule,
        "noise": noise / 100,
        "draws": draws,
        "window": window / 100,
    }


def pick_method(model, slot: str) -> str:
    from vizcore.methods.saliency import METHODS, why_not_guided

    from vizcore.methods.table import METHODS as ALL

    methods = [name for name in METHODS if ALL[name].applies(model)]
    forget(f"s_method_{slot}", methods, methods[0])
    why = why_not_guided(model)
    return st.selectbox("Method", methods, key=f"s_method_{slot}", help=why or None)


def pick_look(masks: dict[str, np.ndarray]) -> Look:
    """How maps are shown: what of the pixels, how opaque, and with the true region where it is known."""
    view = st.segmented_control("Show", VIEWS, default=VIEWS[0], required=True, key="s_view", wrap=True)
    opacity, region = 70, False
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if view == VIEWS[-1]:
            opacity = st.slider("Opacity, %", 0, 100, 70, 5, key="s_opacity", width=180)
        if masks:
            words = f"This picture is drawn: where {' and '.join(masks)} really are is known."
            region = st.toggle("True region", True, key="s_region", help=words)
        chosen = settings()
    return Look(view, opacity / 100, region, masks, chosen)


# ---------------------------------------------------------------- answers


@st.cache_data(show_spinner=False)
def pixels(
    choice, picture_key: str, method: str, index: int, other: int | None, _model, _image
) -> np.ndarray:
    """One of the methods that take a pass or two, (C, h, w)."""
    from vizcore.methods.saliency import METHODS, against

    *_, last = METHODS[method].run(against(_model, other), _model.preprocess(_image), index)
    return last.pixels[0].cpu().numpy()


@st.cache_data(show_spinner=False)
def guided_controls(choice, picture_key: str, index: int, second: int, other, _model, _image) -> dict:
    """By method: its map for another class and with a random classifier, each with its likeness."""
    from vizcore.methods.saliency import against
    from vizcore.truth.evidence import randomised, similarity

    from vizcore.methods.table import METHODS

    images, found = _model.preprocess(_image), {}
    _, forgetful = next(randomised(_model))
    for name in ("guided backpropagation", "gradient"):
        make = METHODS[name].make
        true = make(against(_model, other), images, index)
        maps = make(_model, images, second), make(against(forgetful, other), images, index)
        found[name] = [(one.cpu().numpy(), similarity(true, one)[0]) for one in maps]
    return found


@st.cache_data(show_spinner=False)
def painted(
    question: tuple, done: int, view: str, opacity: float, _one: Mapped, _pixels
) -> tuple[bytes, float]:
    """A view of a method's pixels in the frame, as a JPEG, and the value at the end of its scale."""
    array, end = paint(_one, _pixels, view, opacity)
    return figures.jpeg(array), end


def paint(one: Mapped, values: np.ndarray, view: str, opacity: float) -> tuple[np.ndarray, float]:
    from vizcore.methods import saliency
    from vizcore.methods.table import in_frame

    whole = _tensor(values)
    if view == "over the picture":
        end = render.end_of_scale(one.map.numpy())
        heat = (render.to_array(one.framed()) / (end or 1)).clip(-1, 1)
        alpha = opacity * one.seen()
        if _signed(one):  # on grey, and by the root, for single pixels are small
            shown = render.blend(
                render.tint(one.picture.array, []), render.diverging(heat), alpha * np.sqrt(np.abs(heat))
            )
        else:
            shown = render.blend(one.picture.array, render.colourise(heat), alpha)
    else:
        if view == "greyscale":
            whole = saliency.strongest(whole)[None]
        elif view == "negative":
            whole = -whole
        end = render.end_of_scale(whole.numpy())
        framed = render.to_array(in_frame(one.model, one.picture.image, whole))
        shown = (render.centred if view == "colours" else render.from_black)(framed, end)
    return render.outline(shown, one.seen()), end


def _signed(one: Mapped) -> bool:
    return float(one.map.min()) < 0


# ---------------------------------------------------------------- a panel


def panel(choice, model, picture, colour, asked_for: tuple, against: tuple, look: Look) -> Mapped | None:
    """One model's map, with its controls; None where there is none to show.

    Args:
        asked_for, against: a class's name, and its index in this model or None.
    """
    figures.heading(model, colour)
    if not model.num_classes:
        st.info(f"{model.title} has no classes, so no pixel can be asked what it does for one.")
        return None
    from vizcore.methods.saliency import METHODS

    method = pick_method(model, choice.slot)
    own, note = class_names(model), ""
    (name, index), (not_name, other) = asked_for, against
    if index is None:
        index = answers.top_classes(choice, picture.key, model, picture.image)[0][0]
        note = f"{model.title} has no class “{name}”: this is for its own top class, “{own[index]}”. "
    if not_name != NOTHING and other is None:
        note += f"It has no class “{not_name}”{' either' if note else ''}, so nothing is taken away. "
    if other == index:
        other, note = None, f"{note}A class is not asked against itself. "
    asked = Mapped(choice, model, picture, colour, index, own[index], method, None, None, other)
    how = METHODS[method]
    look = look._replace(note=note + look.note)
    if how.slow:
        asked = asked._replace(settings=_settings(method, model, picture, look))
        return _run(asked, look)
    found = pixels(choice, picture.key, method, index, other, model, picture.image)
    return draw(asked, found, look)


def _settings(method: str, model, picture, look: Look) -> tuple:
    from vizcore.methods.saliency import METHODS

    chosen = {key: look.settings[key] for key in METHODS[method].settings if key in look.settings}
    if "window" in chosen:
        side = min(model.preprocess(picture.image).shape[-2:])
        chosen["window"] = max(1, round(side * chosen["window"]))
    return tuple(chosen.items())


def _run(asked: Mapped, look: Look) -> Mapped | None:
    """A method of many passes: it runs on request, and what it has so far is shown and kept."""
    from vizcore.methods.saliency import METHODS, against

    how, key = METHODS[asked.method], f"s_run_{asked.choice.slot}"

    def make():
        model, images = asked.model, asked.model.preprocess(asked.picture.image)
        return how.run(
            against(model, asked.other), images, asked.index, **dict(asked.settings), **_until(asked.method)
        )

    def show(found) -> None:
        draw(asked, found[-1].pixels[0].cpu().numpy(), look, found[-1])

    go = state.pop(f"{key}_go", False)
    found = job(key, asked.question, make, show, f"Run {asked.method}", keep_all=False, start=go)
    if not found:
        st.caption(f"{asked.method} takes many passes through the network. {how.limits}")
        return None
    last = found[-1]
    if hasattr(last, "gap") and 2 * last.steps <= 1600:
        st.button(
            "Double the steps",
            key=f"{key}_double",
            icon=":material/speed_2x:",
            on_click=_double,
            args=(last.steps,),
        )
    if hasattr(last, "steps"):  # that it came to by itself
        asked = asked._replace(settings=tuple({**dict(asked.settings), "steps": last.steps}.items()))
    return _with_map(asked, last.pixels[0].cpu().numpy(), look.view)


def _until(method: str) -> dict[str, float]:
    """Integrated Gradients double their steps by themselves until the gap is small."""
    return {"within": 0.05} if method == "Integrated Gradients" else {}


def _double(steps: int) -> None:
    """The number of steps is that of both panels, so both begin again where something was found."""
    state["s_steps"] = 2 * steps
    for key in ("s_run_a", "s_run_b"):
        state[f"{key}_go"] = bool(state.get(f"job_{key}", {}).get("found"))


def _tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(values.copy())


def _with_map(asked: Mapped, found: np.ndarray, view: str) -> Mapped:
    """With the map that is tested: what the view shows of the method's pixels."""
    from vizcore.methods.saliency import METHODS, PARTS

    if view in PARTS:
        settings = (*asked.settings, ("part", view))
        return asked._replace(map=PARTS[view](_tensor(found)), settings=settings)
    return asked._replace(map=METHODS[asked.method].flatten(_tensor(found)))


def draw(asked: Mapped, found: np.ndarray, look: Look, step=None) -> Mapped:
    """A method's pixels, their legend, what is known of their truth, and what they can't show."""
    from vizcore.methods.saliency import METHODS

    one = _with_map(asked, found, look.view)
    names = class_names(one.model)
    words = one.name if one.other is None else f"{one.name}, not {names[one.other]}"
    shown, end = painted(one.question, step.done if step else 0, look.view, look.opacity, one, found)
    region = one.name in look.masks and look.region

    def whole() -> np.ndarray:
        array = paint(one, found, look.view, look.opacity)[0]
        return render.contour(array, look.masks[one.name]) if region else array

    if region:
        shown = figures.jpeg(whole())
    facts = {"class": words, "view": look.view, **dict(asked.settings)}
    saving.keep(
        f"{one.method} of {one.model.title}, {one.choice.slot.upper()}",
        saving.about(one.method, one.model, one.picture, **facts),
        whole,
        code.pixels(one, look.view, {**dict(asked.settings), **_until(one.method)}, region)
        if step is None or step.done == step.total
        else "",
        pixels=found,
    )
    st.image(shown, width="stretch", alt=f"{one.method} of {one.model.title} for {words}: {look.view}")
    legend = LEGENDS[look.view].format(speaks="spoke" if one.method in SHARED else "would speak")
    if look.view == "colours" and len(found) == 1:
        legend = f"Mid-grey is 0, or not asked yet. {ORANGE}"
    if look.view == "over the picture":
        if _signed(one):
            legend = ORANGE
        else:
            figures.scale(0.0, end)
    with st.container(horizontal=True, gap="small"):
        st.badge(f"for {words}", color="green")
        if one.method == "guided backpropagation":
            st.badge("failed the randomisation test", color="red", icon=":material/warning:")
    if not end:
        st.caption(":red[Every pixel gets 0.]")
    st.caption(f"{look.note}{legend} {METHODS[one.method].limits}")
    if step is not None and hasattr(step, "gap"):
        _completeness(step)
    if one.method == "guided backpropagation":
        _guided(one, look)
    if one.name in look.masks:
        cams.score(one, look.masks[one.name])
    return one


def _completeness(step) -> None:
    total = step.difference + step.gap
    icon = ":material/check_circle:" if step.share <= 0.05 else ":material/warning:"
    st.markdown(
        f"{icon} Completeness: the pixels sum to {total:.2f} and the score differs from the baseline’s by "
        f"{step.difference:.2f} logits: a gap of **{step.gap:+.3f}**, **{step.share:.1%}** of the "
        f"difference, with {step.steps} steps."
    )


def _guided(one: Mapped, look: Look) -> None:
    """The two controls that guided backpropagation fails, beside the gradient's."""
    top = answers.top_classes(one.choice, one.picture.key, one.model, one.picture.image)
    second = next((index for index, _ in top if index not in (one.index, one.other)), None)
    if second is None:
        return
    found = guided_controls(
        one.choice, one.picture.key, one.index, second, one.other, one.model, one.picture.image
    )
    titles = f"for “{class_names(one.model)[second]}”", "with a random classifier"
    for column, title, (heat, rank), (_, plain) in zip(
        st.columns(2), titles, found["guided backpropagation"], found["gradient"], strict=True
    ):
        control = one._replace(map=_tensor(heat))
        with column:
            array, _ = paint(control, heat[None], "greyscale", 1.0)
            figures.picture(array, f"guided backpropagation {title}")
            st.caption(f"{title}: rank correlation **{rank:.2f}** with the map above (gradient: {plain:.2f})")


# ---------------------------------------------------------------- a row for each picture


def rows(models: list) -> None:
    """The picture, coloured gradients and greyscale saliency of any set of pictures, as one picture."""
    from vizcore.pictures.images import PictureError, read_picture

    from ..limits import UPLOAD_MB
    from ..plain import plain
    from ..uploads import PICTURES, uploader

    if not models:
        st.info("Neither network has classes, so there is nothing to differentiate.")
        return
    titles = [f"{choice.slot.upper()}: {model.title}" for choice, model in models]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        forget("s_rows_model", titles, titles[0])
        title = st.selectbox("Model", titles, key="s_rows_model", width=220)
        forget_each("s_rows", [*SAMPLES, *SCENES], list(SAMPLES)[:3])
        names = st.multiselect("Pictures", [*SAMPLES, *SCENES], list(SAMPLES)[:3], key="s_rows")
    files = uploader(
        "And your own", PICTURES, "image/*", accept_multiple_files=True, key="s_rows_files",
        max_upload_size=UPLOAD_MB,
    )  # fmt: skip
    chosen = [(name, sample(name).image) for name in names]
    for file in files[: MOST_ROWS - len(chosen)]:
        try:
            chosen.append((plain(file.name[:60]), read_picture(file.getvalue())))
        except PictureError as error:
            st.error(f"{plain(file.name[:60])}: {error}")
    if len(names) + len(files) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} pictures are shown.")
    if not chosen:
        st.caption("Choose some pictures.")
        return
    choice, model = models[titles.index(title)]
    data = _sheet(choice, tuple((name, _digest(image)) for name, image in chosen), model, chosen)
    st.image(
        data, width="stretch", alt=f"{len(chosen)} pictures, their coloured gradients and their saliency"
    )
    st.download_button("Save as one picture", data, "saliency.png", "image/png", icon=":material/download:")


MOST_ROWS = 12


@st.cache_data(show_spinner="A pass and back for each picture …")
def _sheet(choice, pictures: tuple, _model, _pictures) -> bytes:
    from vizcore.methods.saliency import rows

    return render.png(rows(_model, _pictures))


def _digest(image) -> str:
    import hashlib

    return hashlib.sha1(image.tobytes()).hexdigest()[:16]


# ---------------------------------------------------------------- the first layer


def first_layer(model, colour) -> None:
    """The filters that read the picture's colours."""
    from vizcore.methods.filters import first_filters, principal, tiles

    figures.heading(model, colour)
    found = first_filters(model)
    if found is None:
        st.info(
            f"The first layer of {model.title} does not read red, green and blue: no filter has a colour."
        )
        return
    count, _, height, width = found.weight.shape
    if model.grid:
        shown, shares = principal(found.weight, 28)
        words = (
            f"`{found.name}`: the first {len(shown)} principal components of its {count} filters of "
            f"{height} × {width} pixels, {shares.sum():.0%} of their variance. Each patch is "
            "described by what it has of these; what single filters do can't be seen from them."
        )
    else:
        shown = found.weight
        words = (
            f"`{found.name}`: its {count} filters of {height} × {width} pixels. What a filter "
            "reacts to most; it can't show what the layers behind make of it."
        )
    picture = tiles(shown, 7 if model.grid else 8)
    st.image(render.png(picture), width="stretch", alt=f"the first filters of {model.title}, in colour")
    st.caption(words + " Mid-grey is 0; each on its own scale.")
