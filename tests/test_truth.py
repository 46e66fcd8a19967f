"""The benchmark of truth: fixed scenes, and scores that a blind, a perfect and a wrong map must get."""

import json

import numpy as np
import pytest
import torch
from shared import shared_model

from benchmarks import __main__ as command
from benchmarks import truth
from vizcore.pictures import textures


@pytest.fixture(scope="module")
def resnet():
    return shared_model("texture_resnet")


def oracle(wrong=False):
    """A heatmap method that knows the masks, or exactly the other ones."""
    scenes = list(truth.two_textures(12))
    asked = iter([(masks, label) for _, masks in scenes for label in masks])

    def heatmap(model, image, target):
        masks, label = next(asked)
        assert model.labels[target] == label
        return torch.from_numpy(masks[label] ^ wrong).float()

    return heatmap


def test_a_perfect_map_scores_one_and_a_wrong_one_nothing(resnet):
    best, worst = truth.score(resnet, oracle(), 12), truth.score(resnet, oracle(wrong=True), 12)
    assert best.pointing.value == best.energy.value == 1
    assert worst.pointing.value == worst.energy.value == 0


@pytest.mark.parametrize(
    "blind",
    [
        lambda model, image, target: torch.zeros(image.height, image.width),
        lambda model, image, target: torch.tensor(np.array(image.convert("L"))).float(),
        truth.HEATMAPS["the middle (control)"][1],
    ],
    ids=["nothing", "brightness", "middle"],
)
def test_a_map_blind_to_the_class_scores_exactly_one_half(resnet, blind):
    found = truth.score(resnet, blind, 12)
    assert found.pointing.value == 0.5
    assert found.energy.value == pytest.approx(0.5, abs=1e-9)


def test_scenes_are_fixed_and_differ():
    first, again = list(truth.two_textures(6)), list(truth.two_textures(6))
    assert all(a[0].tobytes() == b[0].tobytes() for a, b in zip(first, again, strict=True))
    assert len({image.tobytes() for image, _ in first}) == 6
    labels = [label for _, label in truth.one_texture(40, "distractor")]
    assert sorted(set(labels)) == sorted(textures.LABELS) and labels.count("grid") == 2


def test_every_pair_of_textures_comes_before_any_comes_again(monkeypatch):
    drawn = []

    def note(a, b, seed, size):
        drawn.append((a, b))
        return textures.Scene(np.zeros((size, size, 3), np.uint8), {})

    monkeypatch.setattr(textures, "two", note)
    list(truth.two_textures(380))
    assert len(set(drawn)) == 380


def test_wilson_against_its_published_example():
    # Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662
    value, low, high = truth.wilson(81, 263)
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662) and value == 81 / 263


def test_a_map_of_another_size_is_an_error(resnet):
    with pytest.raises(ValueError, match=r"\(8, 8\), the mask \(128, 128\)"):
        truth.score(resnet, lambda model, image, target: torch.zeros(8, 8), 1)


def test_a_model_without_the_textures_is_named():
    other = shared_model("resnet18", "random")
    with pytest.raises(ValueError, match="resnet18 doesn't know the textures banded"):
        truth.confusion(other, 1)


def test_the_command_prints_intervals_and_writes_json(tmp_path, capsys):
    target = tmp_path / "truth.json"
    options = ["--models", "texture_vit", "--scenes", "20", "--pairs", "4", "--json", str(target)]
    assert command.main(["truth", *options, "--methods", "relevance", "rollout"]) == 0
    printed = capsys.readouterr().out
    assert "of 20 right" in printed and "rollout" in printed and "Grad-CAM" not in printed
    (result,) = json.loads(target.read_text())["results"]
    assert np.array(result["one"]["confusion"]).sum() == 20
    value, low, high = result["two"]["rollout"]["pointing"]
    assert value == 0.5 and low < 0.5 < high


def test_an_unknown_benchmark_lists_those_there_are(capsys):
    with pytest.raises(SystemExit):
        command.main(["speeed"])
    assert "no part 'speeed'; there are cams," in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["--help"])
    assert "truth" in capsys.readouterr().out
