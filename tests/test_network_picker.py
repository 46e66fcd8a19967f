"""The picker of a network: titles, by what it takes to have each, while links keep their names."""

import pytest

from ui import network_picker as picker
from vizcore.networks import trained
from vizcore.networks.catalog import CATALOG
from vizcore.networks.load import weights_at_hand


def test_networks_are_grouped_by_what_it_takes_to_have_them():
    found = picker.marks()
    assert set(found) == set(CATALOG)
    groups = [0 if mark == "ready" else 2 if mark == "random weights only" else 1 for mark in found.values()]
    assert groups == sorted(groups) and set(groups) == {0, 1, 2}
    for name, mark in found.items():
        ready = weights_at_hand(name, CATALOG[name]) in ("bundled", "installed", "cached")
        assert (mark == "ready") == ready, name


def test_what_was_downloaded_since_is_ready(monkeypatch):
    monkeypatch.setattr(trained, "cached_hub_file", lambda _repository: None)
    assert picker.marks()["resnet50"] == "download, 102 MB"
    monkeypatch.setattr(trained, "cached_hub_file", lambda repository: repository)
    assert picker.marks()["resnet50"] == "ready"


@pytest.mark.parametrize("words", ["ResNet-50", "resnet-50 ", "ResNet-50 · download, 102 MB", "resnet50"])
def test_a_network_may_be_called_by_its_title(words):
    assert picker.name_of(words) == "resnet50"
    assert picker.name_of("convnext_tiny") == "convnext_tiny"


def test_titles_are_shown_and_links_hold_names(app):
    at = app("pages/your_model.py", a="resnet34")
    box = at.selectbox(key="a")
    assert box.value == "resnet34" and box.options[box.index].startswith("ResNet-34 · ")
    assert not any("_" in option for option in box.options)
    box.set_value("texture_resnet").run()
    assert at.query_params["a"] == "texture_resnet"


def test_a_browser_may_say_what_it_was_shown_before(app):
    at = app("pages/your_model.py", a="ResNet-34 · as it was before")
    assert not at.exception and at.selectbox(key="a").value == "resnet34"
    assert at.query_params["a"] == "resnet34"


@pytest.mark.parametrize(
    "page", ["home", "feature_maps", "attention_rollout", "grad_cam", "saliency", "activation_maximization"]
)
def test_without_any_network_there_is_nothing_to_set(page, app):
    """But the ways out of it, and what leads elsewhere."""
    at = app(f"pages/{page}.py", a="lambda_resnet38t", b="lambda_resnet38t", m_part="Make your own")
    assert not at.exception and "no trained weights" in at.error[0].value
    ways = [f"{way}_{slot}" for slot in "ab" for way in ("ready", "random", "retry")]
    assert [one.key for one in at.main.button if one.key not in ("h_turn", "h_pick")] == ways
    drawn = [
        at.main.selectbox,
        at.main.slider,
        at.main.number_input,
        at.main.toggle,
        at.main.segmented_control,
    ]
    assert [one.key for kind in drawn for one in kind if one.key != "m_part"] == []
    at.button(key="ready_a").click().run()
    assert not at.exception and len(at.error) == 1 and at.session_state["a"] == "efficientnet_lite0"


def test_one_click_takes_the_pair_that_a_hub_has_and_says_what_it_takes(app, monkeypatch):
    """Without a hub both end in a sentence; with what was downloaded, in the networks' names."""
    monkeypatch.setattr(trained, "cached_hub_file", lambda _repository: None)
    at = app("pages/your_model.py", b="photo_vit", weights_a="random")
    assert at.button(key="downloads").label == (
        "Use ResNet-50 (download, 102 MB) and DeiT-Tiny (download, 23 MB)"
    )
    at.button(key="downloads").click().run()
    assert [at.selectbox(key=slot).value for slot in "ab"] == ["resnet50", "deit_tiny_patch16_224"]
    assert at.session_state["weights_a"] == "trained" and not at.exception
    assert not any(one.key == "downloads" for one in at.button), "they are chosen"


def test_the_pair_is_offered_for_photographs_only(app, monkeypatch):
    at = app("pages/your_model.py", picture="A spiral on bands", a="texture_resnet")
    assert not any(one.key == "downloads" for one in at.button)
    monkeypatch.setattr(trained, "cached_hub_file", lambda repository: repository)
    words = app("pages/your_model.py").button(key="downloads").label
    assert words == "Use ResNet-50 (ready) and DeiT-Tiny (ready)"
