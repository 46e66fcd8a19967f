"""Is every sentence true? Opens the pages in many states and checks what they say with figures of its own.

    python -m benchmarks walk                      all pages, networks, pictures and classes, all that is
                                                   closed opened: an hour or two
    python -m benchmarks walk --most 200           as many of these states, drawn by lot
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
from itertools import count, product, repeat
from random import Random
from typing import NamedTuple

import numpy as np
import torch

from ui.picture_picker import SCENES
from vizcore.pictures import textures

from .walk_facts import (
    PRE,
    WEIGH,
    Half,
    as_map,
    in_frame,
    layer_output,
    mask,
    masks,
    network,
    rank_correlation,
)
from .whole_app import viewer_maps, whole_app

PAGES = {"home": "h_class", "grad_cam": "g_class", "saliency": "s_class", "attention_rollout": "r_class",
         "feature_maps": ""}  # and what the class asked for is called there  # fmt: skip
PICTURES = ("A spiral on bands", "Honeycomb in bands", "Chelsea the cat", "A rocket")
NETWORKS = [(name, weights) for name in PRE for weights in ("trained", "random")]
LOST = ("resnet50", "trained")  # its weights are unavailable where there is no internet
CLASSES = {  # asked for: known and there, known and not there, known to nobody
    True: ("spiralled", "scaly", "no such class"),
    False: ("Egyptian cat", "scaly", "no such class"),
}


# ---------------------------------------------------------------- what a page says


class Said(NamedTuple):
    slot: str  # "a" or "b" where it stands in that network's own place, or ""
    words: str
    asked: str = ""  # the class for which it is said, where it is one of several between which one can flip
    method: str = ""  # whose map it is about, where that isn't the page's own


class State(NamedTuple):
    page: str
    picture: str
    asked: str
    a: Half
    b: Half
    opened: tuple[tuple[str, str], ...] = ()  # what the link says besides

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
                yield from _of_a_map(one, here)

    found = list(walk(at.main, ""))
    yield from _by_name(found, state) if state.page == "attention_rollout" else _below_a_name(found, state)


def _of_a_map(one: dict, here: str) -> Iterator[Said]:
    """What a viewer says of one of its maps; those of a section below the page's own tell whose they are."""
    small = re.fullmatch(r"g_five_([ab])-\d", one["key"])
    other = re.fullmatch(r"(?:g_other_|r_)([ab])-([\w-]+)", one["key"])
    if small:
        yield Said(small[1], f"{one['words']}: {one['facts']}")
        return
    if one["name"].isdigit():  # of a block, of several that build a map up
        one = one | {"name": ""} if one["name"] == one["chosen"] else one | {"words": "", "facts": ""}
    slot, method = other.groups() if other else (here, "")
    method = {"grad-cam": "Grad-CAM"}.get(method, method)
    yield from (Said(slot, one[part], one["name"], method) for part in ("words", "facts"))


def _below_a_name(found: list[Said], state: State) -> Iterator[Said]:
    """In a section over the page's whole width, what follows a network's name is about it."""
    slot, before = "", {half.title: 0 for half in (state.a, state.b)}
    for one in found:
        title = one.words.removeprefix("# ")
        if one.words.startswith("# ") and not one.slot:
            places = [half.slot for half in (state.a, state.b) if half.title == title]
            slot = places[before[title] % len(places)] if places else ""
            before[title] = before.get(title, 0) + 1
        yield one._replace(slot=one.slot or slot)


def _by_name(found: list[Said], state: State) -> Iterator[Said]:
    """On a page whose columns are maps, not networks: what follows a network's name is about it."""
    halves = [half for half in (state.a, state.b) if not half.lost]
    slot, names = None, [half.title + ", random weights" * half.random for half in halves]
    headed = 0
    for place, words, asked, method in found:
        if words in names:  # above a map
            same = [half for half, name in zip(halves, names, strict=True) if name == words]
            slot = same[0].slot
        elif same := [half for half in halves if words == f"# {half.title}"]:  # a heading, A's first
            slot, headed = same[min(headed, len(same) - 1)].slot, headed + 1
        elif words.endswith("says:"):  # answers stand in columns of the networks' own
            slot = None
        yield Said(place if slot is None else slot, words, asked, method)


_BETWEEN = r"(?<=[.?])\s+(?=[A-Z“]|[0-9]+% of )(?!Differences)"  # sentences


def sentences(words: str) -> list[str]:
    words = re.sub(r":material/\w+: |\*\*|:\w+\[|\]$", "", words)
    return [one.strip() for one in re.split(_BETWEEN, words) if one.strip()]


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


def _strange(half: Half, drawn: bool) -> bool:
    """Whether a network knows textures alone, and is asked about something else."""
    return half.textures_only and _judged(half) and not drawn


def _first_row(state) -> Half:
    """Of which network the rows of photographs on the page Saliency are at first."""
    return state.b if state.a.lost else state.a


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
    return not half.lost and half.flat(state.asked_for())


def _scored(state, half: Half, found) -> bool:
    """Where the maximum is, and the share of the map."""
    name = state.asked_for()
    if not half.knows(name):
        name = half.first()
    if name.casefold() not in masks(half.picture):  # the map is for what isn't there
        return False
    close = abs(100 * half.share(name) - int(found["share"])) <= 1
    area = abs(100 * mask(half.picture, name).mean() - int(found["area"])) <= 0.51
    told = half.inside(name) == (found["side"] == "there") and found["thing"] == textures.NOUNS[name]
    return told and close and area and not half.flat(name)


def _small(state, half: Half, found) -> bool:
    """One of the maps of the likeliest classes: its probability, and whether it is like the map asked for."""
    if half.method not in WEIGH:
        half = half._replace(method="Grad-CAM")  # others can't be had for several classes at once
    what, asked = found["what"], half.labels()[half.index(state.asked_for())]
    share = 100 * float(half.probabilities()[half.index(what)])
    like = rank_correlation(half.map(what).numpy(), half.map(asked).numpy())
    if half.flat(what):
        fact = found["fact"] == "no positive evidence"
    elif what == asked:
        fact = found["fact"] == "the class asked for"
    elif np.isnan(like):
        fact = found["fact"] == "no correlation, one map is flat"
    else:
        fact = found["rank"] is not None and abs(like - float(found["rank"])) < 0.02
    return half.knows(what) and abs(share - int(found["share"])) <= 0.51 and fact


def _differences(state, slot, found) -> bool:
    """The figures of a curve beside those of its controls."""
    less = [float(one.replace("−", "-")) for one in re.findall(r"[+−]?\d\.\d\d", found["less"])]
    areas = [float(one) for one in re.findall(r"\d\.\d\d", found["areas"])]
    better = "less" if found["kind"] == "Deletion" else "more"
    off = [abs(areas[0] - other - one) for other, one in zip(areas[1:], less, strict=True)]
    return found["better"] == better and max(off) <= 0.011


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
    out = as_map(out)
    dead = (out[0].flatten(1).abs().amax(1) == 0).float().mean()
    shape = tuple(int(found[key]) for key in ("channels", "rows", "columns"))
    ends = [float(found["low"]), float(found["high"])]
    return (
        shape == tuple(out.shape[1:])
        and np.allclose(ends, [out.min(), out.max()], rtol=0.02, atol=1e-3)
        and abs(100 * float(dead) - int(found["dead"])) <= 1
    )


def _agreement(state, slot, found) -> bool:
    maps = [half.map(state.asked_for()) for half in (state.a, state.b)]
    flat = any(not float(one.max()) > float(one.min()) for one in maps)
    if flat or found["rank"] is None:
        return flat and found["rank"] is None
    each = list(zip((state.a, state.b), maps, strict=True))
    seen = [in_frame(half, torch.ones_like(one)) > 0.5 for half, one in each]
    ours = rank_correlation(*(in_frame(half, one)[seen[0] & seen[1]].numpy() for half, one in each))
    return abs(ours - float(found["rank"])) < 0.06


def _differ(state, slot, found) -> bool:
    """Whether the two maps are for different classes."""
    asked = state.asked_for()
    return len({half.labels()[half.index(asked)].casefold() for half in (state.a, state.b)}) > 1


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
    (r"It learnt only drawn textures, so what it says of another picture is a guess\.",
     lambda s, slot, f: _strange(getattr(s, slot), s.drawn) if slot else _strange(_first_row(s), False)),
    (r"It learnt photographs, so what it says of drawn textures is a guess\.",
     _own(lambda s, half, f: not half.textures_only and _judged(half) and s.drawn)),
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
    (r"(?P<share>\d+)% of (the heat|what speaks for it) lies on the (?P<thing>[a-z ]+) "
     r"\((?P<area>\d+)% of the picture\); its maximum lies (?P<side>there|elsewhere)( too)?\.",
     _own(_scored)),
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
    (r"(?P<what>.+) (?P<share>\d+)%: (?P<fact>the class asked for|no positive evidence|correlation "
     r"(?P<rank>-?[\d.]+)|no correlation, one map is flat)", _own(_small)),
    (r"All weights are drawn anew, and the map is still much the same \(rank correlation (?P<rank>[\d.]+)"
     r"\)\.", lambda s, slot, f: float(f["rank"]) > 0.69),
    (r"All weights are drawn anew, .* \(rank correlation (?P<rank>[\d.]+)\): evidence that .+ here shows the "
     rf"picture more than what {N} learnt\.",
     _one(lambda s, half, f: float(f["rank"]) > 0.69 and not half.random)),
    (rf"{N} had random weights before too, so that says nothing .*", _one(lambda s, half, f: half.random)),
    (r"(?P<kind>Deletion|Insertion), area: (?P<areas>.+?) \((?P<better>less|more) is better\)\. "
     r"Differences: (?P<less>.+)\.", _differences),
]  # fmt: skip
# what judges, or speaks of what a network knows
JUDGES = re.compile(
    r"\b(inside|outside|points? (to|else|neither)|looks? (where|in the wrong)|(is|are) (right|wrong)\b|"
    r"beats?\b|no positive evidence|no class\b|names\b.*first|random weights|learnt (only|photographs)|"
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
    for place, words, asked, method in said(at, state):
        of = state._replace(asked=asked) if asked else state
        if method:
            of = of._replace(a=of.a._replace(method=method), b=of.b._replace(method=method))
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
    "Curves can't show whether the map is right: a half-covered picture is unlike those that networks "
    "learn from.",
    "Noise can't show which map is right: a method that always shows the same is perfectly stable.",
    "It is no proof: random weights pass on something of the picture as well.",
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
    asked = {PAGES[state.page]: state.asked} if PAGES[state.page] else {}
    return query | asked | dict(state.opened)


CLOSED = {  # the parts of a page that are closed at first
    "grad_cam": ("g_five", "g_others"),
    "saliency": ("s_sheet", "s_first"),
    "attention_rollout": ("r_proof", "r_heads"),
}
PARTS = {"grad_cam": "g_part", "saliency": "s_part"}  # the choice of a test of the maps
PRESSED = 8  # the tests of maps that take long are started in one of so many states
TESTS = "Cross-test", "Curves", "Randomised weights", "Noise"
METHODS = {  # whose maps a page shows, and the key of the choice
    "grad_cam": ("g_method", ("Grad-CAM", "HiResCAM", "LayerCAM", "relevance")),
    "saliency": ("s_method", ("gradient", "gradient × input")),
}


def state(page: str, of: str, a: tuple[str, str], b: tuple[str, str], asked: str, turn: int = -1) -> State:
    """A page with two networks (name, weights).

    Args:
        turn: which of the page's tests and methods are taken, with all that is closed opened; -1 for the page
            as it is at first.
    """
    from vizcore.networks.catalog import CATALOG

    opened = dict.fromkeys(CLOSED.get(page, ()), "true") if turn >= 0 else {}
    if turn >= 0 and page in PARTS:
        opened[PARTS[page]] = TESTS[turn % len(TESTS)]
    halves = []
    for slot, (name, weights) in zip("ab", (a, b), strict=True):
        attends = name == "texture_vit"
        method = {"saliency": "gradient"}.get(page, "Grad-CAM")
        if page == "attention_rollout" and attends:
            method = "relevance"
        if turn >= 0 and page in METHODS:
            key, methods = METHODS[page]
            method = methods[(turn + (slot == "b")) % len(methods)]
            method = method if attends or method != "relevance" else methods[0]
            opened[f"{key}_{slot}"] = method
        halves.append(Half(slot, name, weights, CATALOG[name].title, of, method))
    return State(page, of, asked, *halves, tuple(opened.items()))


def states(pages=PAGES, pictures=PICTURES, opened: bool = True) -> Iterator[State]:
    """Every pair of networks, also with one that is unavailable, every picture and class, on every page."""
    pairs = list(product(NETWORKS, NETWORKS))
    pairs += [pair for one in NETWORKS for pair in ((LOST, one), (one, LOST))]
    turns = count() if opened else repeat(-1)
    for page, of, (a, b) in product(pages, pictures, pairs):
        for asked in CLASSES[of in SCENES] if PAGES[page] else ("",):
            yield state(page, of, a, b, asked, next(turns))


def press(at, which: tuple[str, ...] = ("Measure", "Randomise", "Shake")):
    """Start the test of maps that waits for it, where there is one."""
    waiting = [button for button in at.button if button.label in which]
    return waiting[0].click().run() if waiting else at


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks walk", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", nargs="+", choices=list(PAGES), default=list(PAGES), metavar="PAGE")
    names = list(PICTURES)
    parser.add_argument("--pictures", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--closed", action="store_true", help="open nothing that is closed at first")
    parser.add_argument("--most", type=int, default=None, help="this many of the states, drawn by lot")
    parser.add_argument("--seed", type=int, default=0, help="of the lot")
    args = parser.parse_args(argv)
    wrong, begin, way = 0, time.monotonic(), list(states(args.pages, args.pictures, not args.closed))
    Random(args.seed).shuffle(way)  # a part of the way meets all kinds of states
    way = way[: args.most]
    with app() as visit:
        for number, one in enumerate(way):
            at = visit(one)
            found = false_sentences(press(at) if number % PRESSED == 0 else at, one)
            wrong += bool(found)
            for sentence in found:
                print(f"{one.page} {link(one)}\n    {sentence}", flush=True)
    minutes = (time.monotonic() - begin) / 60
    print(f"{len(way)} states in {minutes:.0f} minutes, {wrong} of them with a false sentence")
    return int(wrong > 0)
