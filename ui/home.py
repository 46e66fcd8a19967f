"""What the home page shows: one comparison, and a door to each page with a small live picture on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import streamlit as st

from vizcore import render

from . import answers, evidence, figures
from .choices import DEFAULTS, SAMPLES, SCENES, Choice, forget
from .classes import class_names, pick_class
from .networks import network

state = st.session_state
OPACITY = 0.7
PHOTOGRAPH = {"picture": next(iter(SAMPLES)), "a": "efficientnet_lite0"}
DRAWN = {"picture": next(iter(SCENES)), "a": DEFAULTS["a"], "b": DEFAULTS["b"]}


# ---------------------------------------------------------------- the comparison


def ask_for(picture, models: list, tops: list) -> tuple[str, list[int | None]]:
    """What both networks are asked for: one of a drawn picture's two textures, or else any class."""
    masks = evidence.scene_masks(picture.title, picture.size[0])
    folded = [[own.casefold() for own in class_names(model)] for model in models]
    known = [name for name in masks if any(name in own for own in folded)]
    if not known:
        forget("h_class", unless_in=[name for model in models for name in class_names(model)])
        return pick_class(models, tops, "h_class")
    forget("h_class", unless_in=known)
    name = st.segmented_control(
        "Ask both where they see", known, default=known[0], required=True, key="h_class", bind="query-params"
    )
    return name, [own.index(name) if name in own else None for own in folded]


def one_map(choice, model, picture, colour, index: int | None, name: str) -> evidence.Mapped | None:
    """A network's Grad-CAM for a class; for its own top class where it doesn't know the one asked for."""
    from vizcore.cam import default_layer

    if not model.num_classes:
        return None
    if index is None:
        index = answers.top_classes(choice, picture.key, model, picture.image)[0][0]
        name = class_names(model)[index]
    layer = default_layer(model)
    try:
        found = answers.heatmap(choice, picture.key, "Grad-CAM", layer, index, model, picture.image)
    except ValueError:  # no gradient reaches its patches
        return None
    import torch

    heat = torch.from_numpy(found.copy())
    return evidence.Mapped(choice, model, picture, colour, index, name, "Grad-CAM", layer, heat)


def show_map(one: evidence.Mapped, masks: dict) -> bool | None:
    """The map over the picture, the true region around it, and whether it points there, if that is known."""
    framed, seen = one.framed(), one.seen()
    shown = render.overlay(one.picture.array, framed, seen, OPACITY)
    mask = masks.get(one.name)
    shown = shown if mask is None else render.contour(shown, mask)
    figures.picture(shown, f"Where {one.model.title} finds “{one.name}”, over {one.picture.title}")
    if mask is None:
        st.markdown(f"Where it finds **{one.name}**.")
        return None
    hit, share = evidence_of(framed, mask)
    side, icon = (
        ("inside", ":green[:material/check_circle:]") if hit else ("outside", ":red[:material/cancel:]")
    )
    st.markdown(
        f"{icon} Its strongest evidence lies **{side}** the true region, {share:.0%} of all of it does."
    )
    return hit


def evidence_of(framed, mask) -> tuple[bool, float]:
    from vizcore import evidence as measures

    return measures.pointing(framed, mask), measures.energy(framed, mask)


def verdict(hits: list[bool | None], titles: list[str]) -> str:
    """What the comparison comes to, in a sentence."""
    if None in hits or len(hits) < 2:
        return "Nobody knows where a photograph's evidence is. For a drawn picture it is known."
    if all(hits):
        return "Both look where the answer is. Would they still, if you asked for the other texture?"
    if not any(hits):
        return "Both look in the wrong place. A good answer needs no good reason."
    right, wrong = titles[hits.index(True)], titles[hits.index(False)]
    return f"{right} looks where the answer is, {wrong} doesn't. A good answer needs no good reason."


def turn_to(values: dict) -> None:
    """Another picture and the models that suit it, by a click."""
    state.update(values)


# ---------------------------------------------------------------- the doors


class Door(NamedTuple):
    page: str
    title: str
    question: str
    miniature: Callable  # (cnn, vit, picture array, PIL image) -> (H, W, 3)


def _colours(cnn, vit, array, image):
    from vizcore.capture import capture
    from vizcore.features import as_maps, pca_colours
    from vizcore.heatmaps import in_frame

    layer = next(name for name in reversed(cnn.blocks) if min(cnn.layouts[name].grid) >= 16)
    features = capture(cnn.net, cnn.preprocess(image), [layer]).layers[layer]
    colours = in_frame(cnn, image, pca_colours(as_maps(features, cnn.layouts[layer])))
    return render.blend(array, 255 * render.to_array(colours).transpose(1, 2, 0), 0.85)


def _by_name(method: str, family: str) -> Callable:
    def make(cnn, vit, array, image):
        from vizcore import heatmaps

        model = cnn if family == "cnn" else vit
        images = model.preprocess(image)
        target = int(model.net(images)[0].argmax())
        found = heatmaps.METHODS[method].make(model, images, target)
        framed = heatmaps.in_frame(model, image, found)
        return render.overlay(array, framed, np.ones(array.shape[:2], bool), OPACITY)

    return make


DOORS = [
    Door(
        "pages/feature_maps.py",
        "Feature maps",
        "What does each layer compute, and which places look alike to it?",
        _colours,
    ),
    Door(
        "pages/attention_rollout.py",
        "Attention rollout",
        "How does information flow from the patches to the answer?",
        _by_name("rollout", "vit"),
    ),
    Door(
        "pages/grad_cam.py",
        "Grad-CAM",
        "Where is the evidence for a class, and is the map true?",
        _by_name("Grad-CAM", "cnn"),
    ),
]


def doors(picture) -> None:
    """A card for each page, three in a row."""
    for start in range(0, len(DOORS), 3):
        for door, column in zip(DOORS[start : start + 3], st.columns(3), strict=False):
            with column.container(border=True, height="stretch"):
                st.image(
                    _miniature(door.page, picture.key, picture),
                    width="stretch",
                    alt=f"{door.title}, in small",
                )
                st.page_link(door.page, label=f"**{door.title}**")
                st.markdown(door.question)


@st.cache_data(show_spinner=False)
def _miniature(page: str, picture_key: str, _picture) -> bytes:
    """A door's picture, of the bundled pair, as a JPEG."""
    pair = [network(Choice("", name, "trained"), (None, None)) for name in ("texture_resnet", "texture_vit")]
    make = next(door.miniature for door in DOORS if door.page == page)
    made = make(*pair, _picture.array, _picture.image)
    height, width = made.shape[:2]
    tall, wide = min(height, round(width / 1.8)), min(width, round(height * 1.8))
    top, left = (height - tall) // 2, (width - wide) // 2
    cut = made[top : top + tall, left : left + wide]
    return figures.jpeg(cv2.resize(cut, (480, 267), interpolation=cv2.INTER_AREA))
