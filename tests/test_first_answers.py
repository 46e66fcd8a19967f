"""What home says first is stored: it is what the networks say, and is shown for nothing else."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from shared import ROOT

from benchmarks import first
from ui import first_answers
from ui.network_picker import PHOTOGRAPHED, Choice
from vizcore.pictures.frame import seen
from vizcore.pictures.visible import visible

MANY, FEW = 6, 0.3  # levels of 255: of one place of a door's picture, and in the mean


@pytest.fixture(scope="module")
def asked():
    """All answers of the first view, live, and the networks that gave them."""
    answers, models = dict(first.asked()), dict(first_answers._models)
    first_answers.stop()
    return answers, models


def _same(live, stored) -> bool:
    """Whether two answers are the same, but for the rounding of another processor."""
    if isinstance(live, bytes):
        one, other = (np.asarray(Image.open(io.BytesIO(data)), int) for data in (live, stored))
        return one.shape == other.shape and abs(one - other).max() <= MANY and abs(one - other).mean() <= FEW
    if isinstance(live, np.ndarray):
        return live.dtype == stored.dtype and np.allclose(live, stored, atol=1e-4 * abs(live).max())
    if isinstance(live, list):  # classes with probabilities: those that are alike to the last digits may swap
        shares = [np.array([share for _, share in sorted(one)]) for one in (live, stored)]
        order = [share for _, share in live] == sorted((share for _, share in live), reverse=True)
        return order and {k for k, _ in live} == {k for k, _ in stored} and np.allclose(*shares, atol=1e-5)
    return live == stored


def test_the_stored_answers_are_the_live_ones(asked):
    live, stored = asked[0], first_answers._stored()["answers"]
    told = {key for key in live if not key.startswith("_told")}  # these are of a map's very bytes
    assert told == {key for key in stored if not key.startswith("_told")}, "python -m benchmarks first"
    assert [key for key in told if not _same(live[key], stored[key])] == [], "python -m benchmarks first"
    sentences = [[value for key, value in all_.items() if key.startswith("_told")] for all_ in (live, stored)]
    assert sorted(sentences[0]) == sorted(sentences[1])


def test_what_is_known_of_a_network_at_rest_is_so(asked):
    for name in PHOTOGRAPHED.values():
        rest = first_answers.at_rest_of(name, lambda: pytest.fail("it is loaded"))
        model = asked[1][name]
        for fact in first_answers.FACTS:
            assert getattr(rest, fact) == getattr(model, fact), (name, fact)
        assert rest.preprocess.box((384, 384)) == model.preprocess.box((384, 384))


def test_what_is_not_known_loads_it():
    loaded = []

    class Network:
        grid = 6, 6
        preprocess = type("Of", (), {"box": staticmethod(lambda size: (0, 0, *size))})

    rest = first_answers.at_rest_of("photo_vit", lambda: loaded.append(1) or Network)
    assert rest.title == "Photo ViT" and not loaded
    assert rest.grid == (6, 6) and loaded == [1]
    assert rest.preprocess.box((10, 20)) == (0, 0, 10, 20)


def test_only_the_trained_network_of_the_box_rests():
    for name, weights in (("photo_vit", "random"), ("resnet18", "trained"), ("texture_vit", "trained")):
        assert first_answers.at_rest(Choice("a", name, weights), pytest.fail, False) is None
    assert first_answers.at_rest(Choice("a", "photo_vit", "trained"), pytest.fail, True) is None


@pytest.mark.parametrize("part", ["torch", "photo_vit"])
def test_other_weights_or_libraries_have_no_stored_answer(monkeypatch, part):
    made_of = first_answers.made_of
    monkeypatch.setattr(first_answers, "made_of", lambda names: made_of(names) | {part: "another"})
    monkeypatch.setattr(first_answers, "_stored", first_answers._stored.__wrapped__)
    assert first_answers._stored() == {}
    assert first_answers.at_rest(Choice("a", "photo_vit", "trained"), pytest.fail, False) is None


def test_an_answer_is_found_by_its_whole_question(monkeypatch):
    def told(choice, picture_key, _model, count=5):
        return "live"

    key = (
        f"told {json.dumps({'choice': ['', 'photo_vit', 'trained', 0, ''], 'picture_key': 'x', 'count': 5})}"
    )
    monkeypatch.setattr(first_answers, "_stored", lambda: {"answers": {key: "stored"}})
    ask, choice = first_answers.kept(told), Choice("b", "photo_vit", "trained")
    assert ask(choice, "x", None) == ask(choice._replace(slot="a"), "x", object()) == "stored"
    for other in (choice._replace(weights="random"), choice._replace(name="resnet18")):
        assert ask(other, "x", None) == "live"
    assert ask(choice, "y", None) == ask(choice, "x", None, count=6) == "live"


def test_home_is_there_before_torch():
    code = """
import sys
from ui import warmup
warmup.FIRST_SECONDS = 1e4
from benchmarks.whole_app import all_words, whole_app
with whole_app() as visit:
    at = visit("home", {})
assert not at.exception and "Both maps point to where" in all_words(at)
print({"torch", "timm", "pandas", "altair"} & {*sys.modules})"""
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True) == "set()\n"


def test_what_is_seen_is_told_alike_with_torch_and_without():
    lot = np.random.default_rng(0)
    for _ in range(50):
        size = tuple(map(int, lot.integers(1, 40, 2)))
        box = tuple(map(float, (*(lot.uniform(-5, 15, 2)), *(lot.uniform(16, 50, 2)))))
        found = visible(box, size)
        assert found.shape == size[::-1] and np.array_equal(found, seen(box, size).numpy())
    assert visible((1.5, 0, 2.5, 9), (4, 2)).tolist() == [[False, True, False, False]] * 2
