"""What methods can't show stands once on a page, behind one sign; layers say how deep they are."""

import pytest

from ui.layer_names import depth, with_depth

DRAWN = {"picture": "A spiral on bands", "a": "texture_resnet"}


@pytest.mark.parametrize(
    "page, words",
    [
        ("grad_cam", "one value for each of 8 × 8 cells"),
        ("saliency", "Noisy, and local"),
        ("attention_rollout", "it is the same map whatever you ask for"),
    ],
)
def test_limits_stand_once_and_behind_a_sign(page, words, app):
    at = app(f"pages/{page}.py", **DRAWN)
    assert not at.exception
    said = [one.value for one in [*at.markdown, *at.caption] if words in one.value]
    listed = [one.value for one in at.markdown if one.value.startswith("**") and words in one.value]
    assert said and said == listed
    assert len({one.split("**")[1] for one in said}) == len(said)  # each method once


def test_a_layer_is_early_middle_or_late():
    layers = [f"blocks.{k}" for k in range(12)]
    found = [depth(layer, layers) for layer in layers]
    assert found == ["early"] * 4 + ["middle"] * 4 + ["late"] * 4
    assert depth("stem", ["stem"]) == "early" and depth("other", layers) == ""
    assert with_depth(layers)("blocks.11") == "late · blocks.11" and with_depth(layers)("other") == "other"


def test_pickers_of_layers_say_so(app):
    for page, key in (("feature_maps", "layer_a"), ("grad_cam", "g_layer_a")):
        box = app(f"pages/{page}.py", **DRAWN).selectbox(key=key)
        assert box.options[0].startswith("early · ") and box.options[-1].startswith("late · ")
        assert " · " not in box.value
