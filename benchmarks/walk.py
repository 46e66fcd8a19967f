"""Is every sentence true? Opens the pages in many states and checks what they say with figures of its own.

    python -m benchmarks walk                      all pages, networks, pictures and classes: half an hour
    python -m benchmarks walk --pages home grad_cam --pictures "A spiral on bands"

The app runs as in its tests, without a browser. Answers, maps, regions and layers are computed here once
more, from the networks alone with plain torch: nothing that a page says is checked by the function that said
it. A sentence that judges (right, wrong, inside, points to ...) and that no check knows counts as false.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

from ui.picture_picker import SAMPLES, SAMPLES_FOLDER, SCENES
from vizcore.methods.cam import default_layer
from vizcore.networks.load import load_model
from vizcore.pictures import textures
from vizcore.pictures.images import read_picture

from .whole_app import viewer_maps, whole_app

PAGES = {"home": "h_class", "grad_cam": "g_class", "saliency": "s_class", "attention_rollout": "r_class",
         "feature_maps": ""}  # and what the class asked for is called there  # fmt: skip
PICTURES = ("A spiral on bands", "Honeycomb in bands", "Chelsea the cat", "A rocket")
PRE = {  # the share of the shorter side that each sees
    "texture_resnet": 1.0, "texture_vit": 1.0, "efficientnet_lite0": 0.875
}  # fmt: skip
NETWORKS = [(name, weights) for name in PRE for weights in ("trained", "random")]
LOST = ("resnet50", "trained")  # its weights are unavailable where there is no internet
CLASSES = {  # asked for: known and there, known and not there, known to nobody
    True: ("spiralled", "scaly", "no such class"),
    False: ("Egyptian cat", "scaly", "no such class"),
}


class Half(NamedTuple):
    """One network on one picture: what is so, whatever the app says."""

    slot: str
    name: str
    weights: str
    title: str
    picture: str

    @property
    def lost(self) -> bool:
        return self.name not in PRE

    @property
    def random(self) -> bool:
        return self.weights == "random"

    @property
    def textures_only(self) -> bool:
        return self.name.startswith("texture")

    def labels(self) -> list[str]:
        return [label.split(",")[0].strip() for label in network(self.name, self.weights).labels]

    def knows(self, name: str) -> bool:
        return name.casefold() in [label.casefold() for label in self.labels()]

    def probabilities(self) -> torch.Tensor:
        return _probabilities(self.name, self.weights, self.picture)

    def first(self) -> str:
        return self.labels()[int(self.probabilities().argmax())]

    def index(self, name: str) -> int:
        """Of the class, or of its own first answer where it doesn't know it."""
        folded = [label.casefold() for label in self.labels()]
        return folded.index(name.casefold()) if self.knows(name) else int(self.probabilities().argmax())

    def cam(self, name: str) -> torch.Tensor:
        """(h, w)"""
        return _cam(self.name, self.weights, self.picture, self.index(name))

    def inside(self, name: str) -> bool:
        """Whether the largest value of the map lies where the texture was drawn."""
        return bool(mask(self.picture, name).flatten()[in_frame(self, self.cam(name)).argmax()])

    def share(self, heat: torch.Tensor, name: str) -> float:
        framed = in_frame(self, heat).clamp(min=0)
        return float(framed[torch.from_numpy(mask(self.picture, name))].sum() / framed.sum())


@cache
def network(name: str, weights: str):
    return load_model(name, weights, seed=0, device="cpu")


@cache
def picture(name: str) -> Image.Image:
    if name in SCENES:
        return Image.fromarray(textures.two(*SCENES[name], 384).picture)
    return read_picture((SAMPLES_FOLDER / SAMPLES[name]).read_bytes())


@cache
def masks(name: str) -> dict[str, np.ndarray]:
    return textures.two(*SCENES[name], 384).masks if name in SCENES else {}


def mask(name: str, label: str) -> np.ndarray:
    return masks(name)[label.casefold()]


@cache
def _inputs(name: str, weights: str, of: str) -> torch.Tensor:
    return network(name, weights).preprocess(picture(of))


@cache
def _probabilities(name: str, weights: str, of: str) -> torch.Tensor:
    with torch.no_grad():
        return deepcopy(network(name, weights).net)(_inputs(name, weights, of))[0].softmax(0)


def _hooked(name: str, weights: str, of: str, layer: str):
    """A layer's output and the scores of one pass, in a graph; by a hook on a copy."""
    net, kept = deepcopy(network(name, weights).net), []
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    handle = net.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out))
    scores = net(_inputs(name, weights, of))
    handle.remove()
    return kept[-1], scores


@cache
def layer_output(name: str, weights: str, of: str, layer: str) -> torch.Tensor:
    """(1, C, h, w) of a CNN, (1, tokens, C) of a ViT."""
    return _hooked(name, weights, of, layer)[0].detach()


@cache
def _cam(name: str, weights: str, of: str, index: int) -> torch.Tensor:
    layer = default_layer(network(name, weights))  # what is asked; the answer is one's own
    out, scores = _hooked(name, weights, of, layer)
    (gradient,) = torch.autograd.grad(scores[0, index], out)
    out = out.detach()
    if out.ndim == 3:  # one class token, then 8 × 8 patches
        out, gradient = (values[:, 1:].transpose(1, 2).unflatten(2, (8, 8)) for values in (out, gradient))
    return (gradient.mean((2, 3), keepdim=True) * out).sum(1)[0].relu()


@cache
def gradient(name: str, weights: str, of: str, index: int) -> torch.Tensor:
    """The largest absolute gradient over the colours, (H, W)."""
    images = _inputs(name, weights, of).clone().requires_grad_()
    score = deepcopy(network(name, weights).net)(images.clone())[0, index]
    return torch.autograd.grad(score, images)[0][0].abs().amax(0)


@cache
def relevance(weights: str, of: str, index: int) -> torch.Tensor:
    """Chefer et al. (2021) for the bundled ViT, whose first token is read: (patches,)"""
    net, kept = deepcopy(network("texture_vit", weights).net), []
    for block in net.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _m, inputs, _out: kept.append(inputs[0]))
    score = net(_inputs("texture_vit", weights, of).clone().requires_grad_())[0, index]
    relevant = torch.eye(kept[0].shape[-1])
    for attention, slope in zip(kept, torch.autograd.grad(score, kept), strict=True):
        relevant = relevant + (attention * slope).clamp(min=0).mean(1)[0].detach() @ relevant
    return relevant[0, 1:]


def in_frame(half: Half, heat: torch.Tensor) -> torch.Tensor:
    """A map over what the network sees, in the picture's own pixels."""
    width, height = picture(half.picture).size
    side = round(min(width, height) * PRE[half.name])
    top, left = round((height - side) / 2), round((width - side) / 2)
    framed = torch.zeros(height, width)
    large = F.interpolate(heat[None, None].float(), (side, side), mode="bilinear")[0, 0]
    framed[top : top + side, left : left + side] = large
    return framed


# ---------------------------------------------------------------- what a page says


class Said(NamedTuple):
    slot: str  # "a" or "b" where it stands in that network's own place, or ""
    words: str
    asked: str = ""  # the class for which it is said, where it is one of several between which one can flip


class State(NamedTuple):
    page: str
    picture: str
    asked: str
    a: Half
    b: Half

    @property
    def drawn(self) -> bool:
        return self.picture in SCENES

    def called(self, title: str) -> Half:
        """The network of a title, with its place where both have the same."""
        places = {"(A)": self.a, "(B)": self.b, "Model A": self.a, "Model B": self.b}
        for words, half in places.items():
            if title.endswith(words):
                return half
        return self.a if title == self.a.title else self.b


def said(at, state: State) -> Iterator[Said]:
    """Everything that stands on the page itself, with the place where it stands."""

    def walk(block, slot: str):
        children = list(block.children.values())
        rows = [child for child in children if getattr(child, "type", "") == "column"]
        for child in children:
            here = slot
            if child in rows:
                here = slot or "ab"[rows.index(child) : rows.index(child) + 1]
                if child.weight not in (0.5, 1.0):
                    here = slot  # the picture on one side, all else beside it
            if getattr(child, "children", None):
                yield from walk(child, here)
            elif child.type in ("markdown", "caption", "info", "warning", "subheader"):
                yield Said(here, "# " * (child.type == "subheader") + child.value)
            for one in viewer_maps(child):
                yield from (Said(here, one[part], one["name"]) for part in ("words", "facts"))

    found = list(walk(at.main, ""))
    yield from _by_name(found, state) if state.page == "attention_rollout" else found


def _by_name(found: list[Said], state: State) -> Iterator[Said]:
    """On a page whose columns are maps, not networks: what follows a network's name is about it."""
    halves = [half for half in (state.a, state.b) if not half.lost]
    slot, names = None, [half.title + ", random weights" * half.random for half in halves]
    headed = 0
    for place, words, asked in found:
        if words in names:  # above a map
            same = [half for half, name in zip(halves, names, strict=True) if name == words]
            slot = same[0].slot
        elif same := [half for half in halves if words == f"# {half.title}"]:  # a heading, A's first
            slot, headed = same[min(headed, len(same) - 1)].slot, headed + 1
        yield Said(place if slot is None or words.endswith("says:") else slot, words, asked)


def sentences(words: str) -> list[str]:
    words = re.sub(r":material/\w+: |\*\*|:\w+\[|\]$", "", words)
    return [one.strip() for one in re.split(r"(?<=[.?])\s+(?=[A-Z“]|[0-9]+% of )", words) if one.strip()]


Check = Callable[[State, str, re.Match], bool]  # (state, slot, what was found) -> whether it is true
N = r"(?P<who>.+?)"
X = r"“(?P<what>.+?)”"


def _both(check: Callable[[State, Half, re.Match], bool]) -> Check:
    return lambda state, slot, found: all(check(state, half, found) for half in (state.a, state.b))


def _one(check: Callable[[State, Half, re.Match], bool]) -> Check:
    return lambda state, slot, found: check(state, state.called(found["who"]), found)


def _own(check: Callable[[State, Half, re.Match], bool]) -> Check:
    """Of a sentence in a network's own place."""
    return lambda state, slot, found: bool(slot) and check(state, getattr(state, slot), found)


def _judged(half: Half) -> bool:
    return not half.lost and not half.random


def _points(state, half, found) -> bool:
    return _judged(half) and half.knows(found["what"]) and half.inside(found["what"])


def _elsewhere(state, half, found) -> bool:
    return (
        state.drawn and _judged(half) and half.knows(state.asked_for()) and not half.inside(state.asked_for())
    )


def asked_for(state: State) -> str:
    """The class that a page asks for: the one of the link if any network has it, or else its own default."""
    halves = [half for half in (state.a, state.b) if not half.lost]
    if state.page == "home" and state.drawn:
        known = [name for name in masks(state.picture) if any(half.knows(name) for half in halves)]
        if known:
            return state.asked if state.asked in known else known[0]
    if state.page == "home" and not state.drawn:
        halves = [half for half in halves if not half.textures_only]
    if state.page == "attention_rollout":
        halves.sort(key=lambda half: half.name != "texture_vit")
    if any(half.knows(state.asked) for half in halves):
        return state.asked
    return halves[0].first() if halves else ""


State.asked_for = asked_for


def _first(state, half: Half) -> str:
    first = half.first().casefold()
    if first not in masks(state.picture):
        return "wrong"
    return "asked" if first == state.asked_for().casefold() else "other"


def _answers(kind: str):
    return lambda state, half, found: _judged(half) and half.textures_only and _first(state, half) == kind


def _flat(state, half, found) -> bool:
    """Nothing in the map speaks for the class that it is for."""
    if half.lost:
        return False
    if state.page == "attention_rollout" and half.name == "texture_vit":
        return not float(relevance(half.weights, half.picture, half.index(state.asked_for())).max()) > 0
    return float(half.cam(state.asked_for()).max()) <= 0


def _scored(state, half: Half, found) -> bool:
    """Where the maximum is, and the share of the map, on the pages whose map is Grad-CAM or a gradient."""
    name = state.asked_for()
    if not half.knows(name):
        name = half.first()
    heat = half.cam(name)
    if state.page == "saliency":
        heat = gradient(half.name, half.weights, half.picture, half.index(name))
    inside = bool(mask(half.picture, name).flatten()[in_frame(half, heat).argmax()])
    close = abs(100 * half.share(heat, name) - int(found["share"])) <= 1
    area = abs(100 * mask(half.picture, name).mean() - int(found["area"])) <= 0.51
    told = inside == (found["side"] == "there") and found["thing"] == textures.NOUNS[name]
    return told and close and area and float(heat.max()) > 0


def _own_class(state, half: Half, found) -> bool:
    return (
        half == state.called(found["who"])
        and not half.knows(found["what"])
        and found["what"] == state.asked_for()
        and half.first() == found["own"]
    )


def _layer(state, half: Half, found) -> bool:
    """The line below a layer's figure."""
    out = layer_output(half.name, half.weights, half.picture, found["layer"])
    if out.ndim == 3:
        out = out[:, 1:].transpose(1, 2).unflatten(2, (8, 8))
    dead = (out[0].flatten(1).abs().amax(1) == 0).float().mean()
    shape = tuple(int(found[key]) for key in ("channels", "rows", "columns"))
    ends = [float(found["low"]), float(found["high"])]
    return (
        shape == tuple(out.shape[1:])
        and np.allclose(ends, [out.min(), out.max()], rtol=0.02, atol=1e-3)
        and abs(100 * float(dead) - int(found["dead"])) <= 1
    )


def _agreement(state, slot, found) -> bool:
    maps = [half.cam(state.asked_for()) for half in (state.a, state.b)]
    if any(not float(one.max()) > float(one.min()) for one in maps):
        return "undefined" in found.string
    each = list(zip((state.a, state.b), maps, strict=True))
    seen = [in_frame(half, torch.ones_like(one)) > 0.5 for half, one in each]
    values = [_ranks(in_frame(half, one)[seen[0] & seen[1]].numpy()) for half, one in each]
    ours = float(np.corrcoef(*values)[0, 1])
    return abs(ours - float(found["rank"])) < 0.06


def _differ(state, slot, found) -> bool:
    """Whether the two maps are for different classes."""
    asked = state.asked_for()
    return len({half.labels()[half.index(asked)].casefold() for half in (state.a, state.b)}) > 1


def _ranks(values: np.ndarray) -> np.ndarray:
    """Equal values share a rank."""
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (counts.cumsum() - (counts - 1) / 2)[where]


def _nothing_compared(state, slot, found) -> bool:
    strange = [half for half in (state.a, state.b) if half.lost or (half.textures_only and not state.drawn)]
    return bool(strange)


CHECKS: list[tuple[str, Check]] = [
    (rf"Both maps point to where {X} is\.", _both(_points)),
    (rf"Neither map points to where {X} is\.", _both(_elsewhere)),
    (rf"The map of {N} points to where {X} is\.", _one(_points)),
    (rf"The map of {N} points elsewhere\.", _one(_elsewhere)),
    (rf"{N} has random weights: .*", _one(lambda s, half, f: half.random)),
    (r"Both networks have random weights: .*", _both(lambda s, half, f: half.random)),
    (r"It has random weights, and names for textures only: .*",
     _own(lambda s, half, f: half.random and half.textures_only and not s.drawn)),
    (rf"(?!It |Both ){N} learnt only drawn textures: .*",
     _one(lambda s, half, f: half.textures_only and _judged(half) and not s.drawn)),
    (r"Both networks learnt only drawn textures: .*",
     _both(lambda s, half, f: half.textures_only and _judged(half) and not s.drawn)),
    (r"It learnt only drawn textures .*",
     _own(lambda s, half, f: half.textures_only and _judged(half) and not s.drawn)),
    (rf"{N} has no class {X}[:;] this is for its own top class(, “(?P<own>.+?)”)?\.", _own(
        lambda s, half, f: _own_class(s, half, f) if f["own"] else not half.knows(f["what"]))),
    (rf"Neither network has a class {X}\.", _both(lambda s, half, f: not half.knows(f["what"]))),
    (rf"{N} has no class {X}\.", _one(lambda s, half, f: not half.knows(f["what"]))),
    (rf"{N} couldn't be loaded\.", _one(lambda s, half, f: half.lost)),
    (r"Both name “.*” first, which is right\.", _both(_answers("asked"))),
    (r"Both name the other texture first, .*", _both(_answers("other"))),
    (r"Both name something first that wasn't drawn here, .*", _both(_answers("wrong"))),
    (rf"{N} names “.*” first, which is right\.", _one(_answers("asked"))),
    (rf"{N} names the other texture first, .*", _one(_answers("other"))),
    (rf"{N} names something first that wasn't drawn here, .*", _one(_answers("wrong"))),
    (r"A right answer doesn't make a map right\.", lambda s, slot, f: any(
        _answers("asked")(s, half, f) and _elsewhere(s, half, f) for half in (s.a, s.b))),
    (r"A map in the right place doesn't make an answer right\.", lambda s, slot, f: any(
        _answers("wrong")(s, half, f) and half.inside(s.asked_for()) for half in (s.a, s.b))),
    (r"Would they still, if you asked for the other texture\?", _both(
        lambda s, half, f: s.drawn and _judged(half) and half.knows(s.asked_for())
        and half.inside(s.asked_for()) and _first(s, half) != "wrong")),
    (r"Nobody has marked where .*", lambda s, slot, f: not s.drawn),
    (r"In a drawn picture it is known\.", lambda s, slot, f: not s.drawn),
    (r"Nobody knows where a photograph's evidence is\.", lambda s, slot, f: not s.drawn),
    (rf"Nothing called {X} was drawn here, .*",
     lambda s, slot, f: s.drawn and f["what"] not in masks(s.picture)),
    (rf"The map of {N} has no positive evidence for .*", _one(_flat)),
    (r"Neither map has positive evidence .*", _both(_flat)),
    (r"So nothing is compared\.", _nothing_compared),
    (r"Both look where the answer is\.", _both(
        lambda s, half, f: _answers("asked")(s, half, f) and half.inside(s.asked_for()))),
    (r"Both look in the wrong place\.", _both(_elsewhere)),
    (rf"{N} looks where the answer is, .* doesn't\.", _one(
        lambda s, half, f: _answers("asked")(s, half, f) and half.inside(s.asked_for()))),
    (r"A good answer needs no good reason\.", lambda s, slot, f: any(
        _answers("asked")(s, half, f) and _elsewhere(s, half, f) for half in (s.a, s.b))),
    (r"(?P<share>\d+)% of the heat lies on the (?P<thing>[a-z ]+) \((?P<area>\d+)% of the picture\); "
     r"its maximum lies (?P<side>there|elsewhere)( too)?\.", _own(_scored)),
    (r"Its strongest evidence lies \w+ the true region, .*", lambda s, slot, f: True),
    (r"No positive evidence anywhere\.", _own(_flat)),
    (r"So it points neither to the [a-z ]+ nor elsewhere\.", _own(_flat)),
    (r"Grad-CAM for (?P<what>.+?)(?P<nowhere>: no positive evidence anywhere)?\.", _own(
        lambda s, half, f: f["what"] == half.labels()[half.index(s.asked_for())]
        and bool(f["nowhere"]) == _flat(s, half, f))),
    (r"Where it finds .+\.", _own(lambda s, half, f: not _flat(s, half, f))),
    (r"Weights: (?P<random>random weights \(seed 0\))?.* · runs on \w+ · its places learn of each other by "
     r"(?P<kind>[\w ]+)", _own(
        lambda s, half, f: bool(f["random"]) == half.random
        and f["kind"] == ("attention" if "ViT" in half.title else "convolution"))),
    (r":red-badge\[random weights \(seed 0\)\]?", _own(lambda s, half, f: half.random)),
    (rf"{N}( \((?P<source>random weights.*?)\))? says:", lambda s, slot, f: _says(s, slot, f)),
    (r"Agreement: (rank correlation (?P<rank>-?[\d.]+)|undefined).*", _agreement),
    (r"They answer different questions\.", _differ),
    (rf"{N}, random weights", _own(lambda s, half, f: half.random and half.title == f["who"])),
    (r"`(?P<layer>[\w.]+)`: (?P<channels>\d+) channels of (?P<rows>\d+) × (?P<columns>\d+), values from "
     r"(?P<low>\S+) to (?P<high>\S+), (?P<dead>\d+)% of the channels dead", _own(_layer)),
]  # fmt: skip
# what judges, or speaks of what a network knows
JUDGES = re.compile(
    r"\b(inside|outside|points? (to|else|neither)|looks? (where|in the wrong)|(is|are) (right|wrong)\b|"
    r"beats?\b|no positive evidence|no class\b|names\b.*first|random weights|learnt only|"
    r"nobody (knows|has marked)|good answer|right answer|compared|Agreement: )",
    re.IGNORECASE,
)


def _says(state: State, slot: str, found: re.Match) -> bool:
    """Whose answers stand here: in its own place, under its own name."""
    if state.page == "feature_maps":  # both below one another
        half = state.called(found["who"])
        return not half.lost
    half = getattr(state, slot) if slot else None
    if half is None or half.lost:
        return False
    return half.title == found["who"] and bool(found["source"]) == half.random


def false_sentences(at, state: State) -> list[str]:
    """What is said on the page, and isn't so."""
    wrong = [f"exception: {one.message}" for one in at.exception]
    lost = [half for half in (state.a, state.b) if half.lost]
    if len(at.error) != len(lost):
        wrong.append(f"errors: {[one.value for one in at.error]}")
    for place, words, asked in said(at, state):
        of = state._replace(asked=asked) if asked else state
        wrong += [f"{place or 'page'}: {sentence}" for sentence in false_words(of, place, words)]
    for half in (state.a, state.b):
        wrong += _false_answers(at, half)
    return wrong


def false_words(state: State, place: str, words: str) -> list[str]:
    """The sentences that aren't so in a state, of what stands in one place of the page."""
    wrong = []
    for sentence in sentences(words):
        found = ((re.fullmatch(pattern, sentence), check) for pattern, check in CHECKS)
        match, check = next(((match, check) for match, check in found if match), (None, None))
        if match and not check(state, place, match):
            wrong.append(sentence)
        elif not match and sentence not in CONSTANTS and JUDGES.search(sentence):
            wrong.append(f"(nobody can check it) {sentence}")
    return wrong


def _false_answers(at, half: Half) -> list[str]:
    """The bars' figures, as they are kept to be saved, beside one's own forward pass."""
    if half.lost:
        return []
    source = network(half.name, half.weights).source
    table = at.session_state["tables"].get(f"Answers of {half.title} ({source})")
    best = half.probabilities().topk(5)
    ours = dict(zip([half.labels()[i] for i in best.indices], best.values.tolist(), strict=True))
    if not table:
        return [f"no answers of {half.title}"]
    theirs = {row["class"]: row["probability"] for row in table}
    close = list(theirs) == list(ours) and np.allclose(list(theirs.values()), list(ours.values()), atol=1e-4)
    return [] if close else [f"answers of {half.title}: {theirs}, not {ours}"]


# what the pages say whatever they show: it tells what is meant by words
CONSTANTS = {
    "Agreement can't show that either is right, nor disagreement that one is wrong.",
    "Who looks where, and who is right?",
    "Where is the evidence for a class, and is the map true?",
    "Two networks of the same architecture look at a cat.",
    "One was trained on a million photographs, the other has random weights.",
    "Maps first, then tests of them.",
    "Rollout: correlation 1.00, by construction: no class enters it.",
}


# ---------------------------------------------------------------- the way


@contextmanager
def app():
    """Opens a state of the app: (state) -> AppTest."""
    with whole_app() as visit:
        yield lambda state: visit(state.page, link(state))


def link(state: State) -> dict[str, str]:
    """The state as an address."""
    query = {"picture": state.picture}
    for half in (state.a, state.b):
        query |= {half.slot: half.name, f"weights_{half.slot}": half.weights}
    return query | ({PAGES[state.page]: state.asked} if PAGES[state.page] else {})


def state(page: str, of: str, a: tuple[str, str], b: tuple[str, str], asked: str) -> State:
    from vizcore.networks.catalog import CATALOG

    halves = [
        Half(slot, name, weights, CATALOG[name].title, of)
        for slot, (name, weights) in zip("ab", (a, b), strict=True)
    ]
    return State(page, of, asked, *halves)


def states(pages=PAGES, pictures=PICTURES) -> Iterator[State]:
    """Every pair of networks, also with one that is unavailable, every picture and class, on every page."""
    pairs = list(product(NETWORKS, NETWORKS))
    pairs += [pair for one in NETWORKS for pair in ((LOST, one), (one, LOST))]
    for page, of, (a, b) in product(pages, pictures, pairs):
        for asked in CLASSES[of in SCENES] if PAGES[page] else ("",):
            yield state(page, of, a, b, asked)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks walk", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", nargs="+", choices=list(PAGES), default=list(PAGES), metavar="PAGE")
    names = list(PICTURES)
    parser.add_argument("--pictures", nargs="+", choices=names, default=names, metavar="NAME")
    args = parser.parse_args(argv)
    visited, wrong, begin = 0, 0, time.monotonic()
    with app() as visit:
        for one in states(args.pages, args.pictures):
            found = false_sentences(visit(one), one)
            visited, wrong = visited + 1, wrong + bool(found)
            for sentence in found:
                print(f"{one.page} {link(one)}\n    {sentence}", flush=True)
    minutes = (time.monotonic() - begin) / 60
    print(f"{visited} states in {minutes:.0f} minutes, {wrong} of them with a false sentence")
    return int(wrong > 0)
