"""Every judgement over all combinations of its facts: what it must say, and what it may not."""

import math
import re
from itertools import product

import numpy as np
import pytest
from scipy import stats

from vizcore import judgements, truth
from vizcore.judgements import Network

FACTS = {
    "loaded": (True, False),
    "learnt": (True, False),
    "classes": (True, False),
    "kind": (True, False),
    "knows": (True, False),
    "several": (False, True),
    "answer": ("asked", "other", "wrong", ""),
    "mapped": (True, False),
    "positive": (True, False),
    "inside": (True, False, None),
    "open": (True, False),
}


def networks(title):
    return [Network(title, *values) for values in product(*FACTS.values())]


def sane(one) -> bool:
    """A network about which that can be known at all: no map of one that isn't there, and so on."""
    if not one.open and one.inside is None:
        return False
    nothing = not (one.loaded and one.classes)
    if nothing:
        return not one.knows and not one.mapped and one.inside is None and not one.answer
    return (one.mapped or one.inside is None) and (one.knows or one.inside is None)


A = [one for one in networks("Alpha") if sane(one)]
B = [one for one in A[:: max(1, len(A) // 60)]]  # each of A beside a part of the others


def judged(one, region) -> bool:
    """Its map can be called right or wrong."""
    there = one.loaded and one.learnt and one.classes and one.kind and one.knows
    return there and one.mapped and one.positive and region == "known" and one.inside is not None and one.open


def sentences(text):
    return re.split(r"(?<=[.?]) ", text)


@pytest.mark.parametrize("region", ["known", "none", "unknown"])
def test_verdict(region):
    for a, b in product(A, B):
        b = b._replace(title="Beta")
        if region == "known" and any(one.mapped and one.knows and one.inside is None for one in (a, b)):
            continue  # where the region is known, so is whether a map points there
        text = judgements.verdict("banded", region, a, b)
        both = a, b
        assert text and text[-1] in ".?" and "None" not in text and "{" not in text and "  " not in text
        # a map is called right only if it is, and each network that can be judged is
        right = [one for one in both if judged(one, region) and one.inside]
        wrong = [one for one in both if judged(one, region) and not one.inside]
        assert ("Both maps point to where" in text) == (len(right) == 2)
        assert ("Neither map points to where" in text) == (len(wrong) == 2)
        for one in both:
            own = f"The map of {one.title} points to where “banded” is." in text
            assert own == (one in right and len(right) == 1)
            assert (f"The map of {one.title} points elsewhere." in text) == (one in wrong and len(wrong) == 1)
            if not one.loaded:
                assert f"{one.title} couldn't be loaded" in text or "Neither network could be loaded" in text
            elif one.classes and not one.learnt:
                assert f"{one.title} has random" in text or "Both networks have random" in text
        # nothing is said of an answer that nobody knows to be right or wrong, nor of what has no map
        compared = all(one.loaded and (one.kind or not one.learnt or not one.classes) for one in both)
        assert ("So nothing is compared." in text) == (not compared)
        spoken = right + wrong if compared and region == "known" else []
        assert ("which is right" in text) == any(one.answer == "asked" for one in spoken)
        assert ("which is wrong" in text) == any(one.answer == "wrong" for one in spoken)
        assert ("names the other texture" in text or "name the other texture" in text) == any(
            one.answer == "other" for one in spoken
        )
        lesson = any(one.answer == "asked" and not one.inside for one in spoken)
        assert ("A right answer doesn't make a map right." in text) == lesson
        lesson = any(one.answer == "wrong" and one.inside for one in spoken)
        assert ("A map in the right place doesn't make an answer right." in text) == lesson
        assert ("Would they still" in text) == (
            len(spoken) == len(right) == 2 and all(one.answer != "wrong" for one in spoken)
        )
        assert "Nobody has marked" not in text or region == "unknown"
        assert "Nothing called “banded” was drawn here" not in text or region == "none"
        # the order makes no difference
        assert sorted(sentences(text)) == sorted(sentences(judgements.verdict("banded", region, b, a)))


def test_verdict_of_a_pair_that_knows():
    known = Network("Alpha", answer="asked", inside=True)
    text = judgements.verdict("banded", "known", known, known._replace(title="Beta"))
    assert text == (
        "Both maps point to where “banded” is. Both name “banded” first, which is right. Would they still, "
        "if you asked for the other texture?"
    )
    random = Network("Beta", learnt=False, answer="wrong", inside=True)
    text = judgements.verdict("banded", "known", known, random)
    assert "Beta has random weights" in text and "Both" not in text and "make" not in text


ENDS = [(0, 0), (-1, 0), (-2, -1), (1, 1), (0, 1), (-1, 1), (math.nan, math.nan)]


@pytest.mark.parametrize("low, high", ENDS)
@pytest.mark.parametrize("inside", [True, False])
def test_pointing(low, high, inside):
    text = judgements.pointing(low, high, inside, 0.25, 0.5, "spiral", 0.4)
    if not high > 0:
        assert text.startswith("No positive evidence anywhere.")
    elif low == high:
        assert text.startswith("The same everywhere.")
    else:
        assert f"its maximum lies **{'there' if inside else 'elsewhere'}**" in text
        heat = "what speaks for it" if low < 0 else "the heat"
        assert f"**25%** of {heat} lies on the spiral (50% of the picture)" in text
        assert judgements.empty(low, high) == ""
        return
    assert "maximum" not in text and "%" not in text


def test_where_no_map_could_point_otherwise_none_is_called_right_or_wrong():
    for seen, words in (
        (1, "sees nothing but the spiral, so any map of it has its maximum there"),
        (0, "sees nothing of the spiral, so any map of it has its maximum elsewhere"),
    ):
        text = judgements.pointing(0, 1, bool(seen), float(seen), 0.5, "spiral", seen)
        assert words in text and "%" not in text and "check" not in text
    one = Network("Alpha", answer="asked", inside=True, open=False)
    text = judgements.verdict("banded", "known", one, one._replace(title="Beta"))
    assert "no map could point otherwise" in text and "right" not in text


@pytest.mark.parametrize("kind", ["deletion", "insertion"])
@pytest.mark.parametrize("own", [0.13, 0.1312, 0.126, 0.9])
@pytest.mark.parametrize("control", [0.13, 0.134, 0.02])
def test_beyond_gives_figures_and_calls_no_winner(kind, own, control):
    text = judgements.beyond(kind, {"map": own, "random": control, "centre": 0.5})
    assert not re.search(r"beat|win|won|worse|outperform", text)
    assert f"{kind.capitalize()}, area: map {own:.2f}, random {control:.2f}, centre 0.50" in text
    shown = re.search(r"map less random (\S+);", text)[1].replace("−", "-")
    assert float(shown) == pytest.approx(own - control, abs=0.00501)
    assert shown == "0.00" or shown[0] in "+-"
    assert ("less is better" in text) == (kind == "deletion") != ("more is better" in text)


@pytest.mark.parametrize("flat", list(product((True, False), repeat=2)))
@pytest.mark.parametrize("rank", [0.4, -1.0, math.nan])
@pytest.mark.parametrize("alike", [True, False])
def test_agreement(flat, rank, alike):
    text = judgements.agreement(rank, 0.3, flat, alike)
    assert ("different questions" in text) == (not alike)
    undefined = any(flat) or math.isnan(rank)
    assert ("undefined" in text) == undefined and ("30%" in text) == (not undefined) and "nan" not in text
    assert ("both maps are" in text) == all(flat)
    assert text == judgements.agreement(rank, 0.3, flat[::-1], alike)


@pytest.mark.parametrize("learnt", [True, False])
@pytest.mark.parametrize("rank", [1.0, 0.71, 0.7, 0.0, -1.0, math.nan])
def test_stayed(rank, learnt):
    text = judgements.stayed(rank, "Grad-CAM", "Alpha", learnt)
    assert bool(text) == (rank > 0.7)
    if text:
        assert ("no proof" in text) == learnt == ("what Alpha learnt" in text)
        assert ("had random weights before" in text) == (not learnt)


@pytest.mark.parametrize("interval", [None, (0.1, 0.3), (-0.3, -0.1), (-0.1, 0.2), (0.0, 0.2)])
def test_transfer(interval):
    text = judgements.transfer("Alpha", "Beta", 0.5, 0.3, interval)
    assert "Beta names 30% of the views, with them 50%" in text
    assert ("**worse**" in text) == (interval is not None and interval[0] > 0)
    assert ("**better**" in text) == (interval is not None and interval[1] < 0)
    assert ("neither clearly" in text) == (interval is not None and interval[0] <= 0 <= interval[1])
    assert ("anecdote" in text) == (interval is None)


@pytest.mark.parametrize("count", [5, 6, 10, 20, 100])
def test_paired_agrees_with_scipy(count):
    values = np.random.default_rng(count).normal(0.1, 1, count)
    error = stats.sem(values) * stats.t.ppf(0.975, count - 1)
    low, high = truth.paired(list(values))
    assert (low, high) == pytest.approx((values.mean() - error, values.mean() + error), abs=0.02 * error)
    assert truth.paired(list(values[:4])) is None
    assert truth.paired([0.2] * 5) == pytest.approx((0.2, 0.2))


@pytest.mark.parametrize("drawn", [True, False])
@pytest.mark.parametrize("learnt", ["textures", "photographs", ""])
def test_answers_about_a_strange_kind_of_picture(learnt, drawn):
    """A guess where a network never saw such a picture, and nothing where it did or where nobody knows."""
    said = judgements.strange(learnt, drawn)
    assert bool(said) == ((learnt, drawn) in [("textures", False), ("photographs", True)])
    assert not said or learnt in said.split(",")[0]


def test_foreign():
    assert "learnt only drawn textures" in judgements.foreign(True)
    assert "learnt" not in judgements.foreign(False) and "random weights" in judgements.foreign(False)
