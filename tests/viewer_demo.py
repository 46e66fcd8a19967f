"""A page of the viewer alone, for its tests: maps made of the picture, no network. Run it with streamlit."""

import sys
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import streamlit as st
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent.parent))
from ui import viewer  # noqa: E402
from vizcore.pictures import textures  # noqa: E402

ROOT = Path(__file__).parent.parent
LAYERS = {"early": 16, "late": 8}


@st.cache_data
def photograph():
    return np.asarray(Image.open(ROOT / "samples" / "chelsea.png").convert("RGB")), {}


@st.cache_data
def drawn():
    scene = textures.two("spiralled", "banded", 3, 384)
    return scene.picture, scene.masks


def coarse(mask, side, seed):
    """A map that finds the mask, more or less."""
    noise = np.random.default_rng(seed).normal(0, 0.25, (side, side))
    return (cv2.resize(mask.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA) + noise).clip(0)


@st.cache_data
def likeness(array, side, seed):
    """Cosine of each place with each: small patches' colours, (places, places)."""
    small = cv2.resize(array, (4 * side, 4 * side), interpolation=cv2.INTER_AREA).astype(np.float32)
    parts = small.reshape(side, 4, side, 4, 3).transpose(0, 2, 1, 3, 4).reshape(side * side, -1)
    parts = parts - parts.mean(0) + np.random.default_rng(seed).normal(0, 8, parts.shape)
    parts /= np.linalg.norm(parts, axis=1, keepdims=True)
    return parts @ parts.T


def boxes(size):
    """What two networks see: all of it, and the square in its middle, a little less."""
    width, height = size
    side = 0.875 * min(size)
    left, top = (width - side) / 2, (height - side) / 2
    return (0, 0, width, height), (left, top, left + side, top + side)


class Case(NamedTuple):
    """A picture and a map of each kind that the browser has to draw as the server does."""

    array: np.ndarray
    map: viewer.Map
    regions: dict = {}


def cases() -> dict[str, Case]:
    cat, scene = photograph()[0], drawn()
    tall = np.ascontiguousarray(cat[:, 100:240])
    whole, part = boxes((384, 384))
    rng = np.random.default_rng(0)
    few, many = rng.normal(size=(7, 7)) ** 3, cv2.GaussianBlur(rng.normal(size=(96, 80)), (0, 0), 3)
    of_cat = boxes((451, 300))
    beyond = (-75.5, -75.5, 375.5, 375.5)  # as of a network that pads
    turn = viewer.Map(likeness(scene[0], 8, 0), "", whole, "signed", grid=(8, 8))
    return {
        "heat": Case(scene[0], viewer.Map(few, "heat", whole)),
        "heat-part-region": Case(scene[0], viewer.Map(few, "", part, region="spiralled"), scene[1]),
        "heat-cat": Case(cat, viewer.Map(few[:, :4], "", of_cat[1])),
        "heat-fine-cat": Case(cat, viewer.Map(many, "", of_cat[0])),
        "heat-beyond": Case(tall, viewer.Map(many, "", beyond)),
        "heat-range": Case(scene[0], viewer.Map(few, "", part, range=(-0.5, 0.75))),
        "heat-flat": Case(scene[0], viewer.Map(np.zeros((4, 4)), "", part)),
        "heat-one-cell": Case(tall, viewer.Map(np.zeros((1, 1)), "", (10.25, 20.5, 99.75, 180))),
        "signed": Case(scene[0], viewer.Map(few.clip(-1, 1), "", whole, "signed")),
        "signed-fine-cat": Case(cat, viewer.Map(4 * many, "", of_cat[1], "signed")),
        "signed-range": Case(tall, viewer.Map(few, "", (0, 0, 140, 300), "signed", range=(-3, 3))),
        "colours": Case(scene[0], viewer.Map(rng.random((3, 9, 9)), "", part, "colours")),
        "colours-fine-cat": Case(cat, viewer.Map(rng.random((3, 60, 90)), "", of_cat[0], "colours")),
        "place": Case(scene[0], turn),
        "a": Case(scene[0], viewer.Map(few, "a", whole)),
        "b": Case(
            scene[0], viewer.Map(coarse(scene[1]["banded"], 12, 3), "b", part, region="banded"), scene[1]
        ),
    }


def all_cases():
    for key, case in cases().items():
        shown = viewer.picture(case.array, key, case.regions)
        viewer.show(f"case-{key}", shown, [case.map], point=(0.4, 0.6))
    a = cases()["a"]
    shown = viewer.picture(a.array, "a", drawn()[1])
    for key, case in (("a", a), ("b", cases()["b"])):
        viewer.show(f"side-{key}", shown, [case.map])
    for mode in viewer.MODES:
        viewer.together(f"mode-{mode}", shown, "side-a", "side-b", mode=mode)


def main():
    st.set_page_config("Viewer", layout="centered" if "narrow" in st.query_params else "wide")
    state = st.session_state
    state["runs"] = state.get("runs", 0) + 1
    options = st.query_params
    viewer.load()
    time.sleep(float(options.get("wait", 0)))  # as a page does that loads its networks
    if "cases" in options:
        viewer.controls("look", which=("opacity", "colours", "scale", "region"))
        return all_cases()
    st.title("Who looks where?")
    array, masks = photograph() if options.get("picture") == "cat" else drawn()
    title = "Chelsea the cat" if not masks else "A spiral on bands"
    shown = viewer.picture(array, title, masks)
    whole, part = boxes(shown.size)
    names = list(masks) or ["cat", "tiger"]
    truth = list(masks.values()) or [np.tri(300, 451, dtype=bool), ~np.tri(300, 451, dtype=bool)]
    view, layer = state.get("view", "classes"), state.get("layer", "late")
    name = state.setdefault("name", names[0])
    viewer.controls(
        "look",
        which=("opacity", "colours", "scale", "region"),
        on_look=None if "quiet" in options else told("look"),
    )
    with st.container():  # also where it is empty, so that what follows keeps its place
        numbers = {one: f"{share} %" for one, share in zip(names, (94, 6), strict=True)}
        if view == "classes":
            viewer.picker("pick", "Ask both for", {**numbers, "something else": ""}, name, told("name"))
    sides = []
    for number, (box, model) in enumerate(((whole, "Texture ResNet"), (part, "Texture ViT"))):
        side = LAYERS[layer] * (number + 1)
        sides.append(maps_of(view, model, side, number, box, array, names, truth, masks))
    if name == "something else":
        time.sleep(0.4)
    if "slow" in options:
        time.sleep(float(options["slow"]))
    for column, key, maps, model in zip(viewer.row("row"), "ab", sides, ("ResNet", "ViT"), strict=True):
        with column:
            st.header(f"Texture {model}", anchor=False)
            viewer.show(key, shown, maps, name, state.get("point"), told("point"))
    facts = {names[0]: "The two agree: **rank correlation 0.61**."}
    viewer.together("ab", shown, "a", "b", "Each map from 0 to its own maximum.", facts)
    st.markdown("What stands below.")
    st.segmented_control("View", ["classes", "places", "fine"], default="classes", key="view")
    st.segmented_control("Layer", list(LAYERS), default="late", key="layer")
    st.caption(f"Run {state['runs']}, told: {state.get('told', [])}")


def told(key):
    def keep(value):
        st.session_state[key] = value
        st.session_state["told"] = [*st.session_state.get("told", []), [key, value]]

    return keep


def maps_of(view, model, side, number, box, array, names, truth, masks):
    if view == "places":
        words = f"likeness to the place, {model}"
        matrix = likeness(array, side, number)
        return [viewer.Map(matrix, words, box, "signed", grid=(side, side), unit="cosine")]
    if view == "fine":
        grey = cv2.GaussianBlur(cv2.Laplacian(array[..., 1].astype(np.float32), -1), (0, 0), 2)
        return [viewer.Map(np.abs(grey), f"edges, {model}", box)]
    result = []
    asked = [*names, "something else"] if st.session_state["name"] == "something else" else names
    for i, one in enumerate(asked):
        mask = truth[i] if i < len(truth) else truth[0] ^ np.roll(truth[1], 99)
        facts = f":material/check_circle: **{72 - 9 * number - i} %** of the heat lies on what is {one}."
        region = one if one in masks else ""
        values = coarse(mask, side, 7 * i + number)
        result.append(
            viewer.Map(values, f"Grad-CAM of {model} for “{one}”", box, name=one, region=region, facts=facts)
        )
    return result


if __name__ == "__main__":
    main()
