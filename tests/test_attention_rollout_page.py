"""The attention page, driven through every widget, with the pictures that it sends."""

from dataclasses import replace

import pytest

import ui.answers
from benchmarks.whole_app import all_maps, all_words, viewer_look
from ui import viewer
from vizcore.methods import attention, rollout
from vizcore.networks.catalog import CATALOG

PAIR = {"a": "texture_resnet", "weights_a": "random", "weights_b": "random", "picture": "Honeycomb in bands"}


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app(**{**PAIR, **link}).switch_page("pages/attention_rollout.py").run()
        assert healthy(at)
        return at

    return open_page


def healthy(at):
    assert not at.exception, at.exception
    return not at.error


def texts(at):
    return all_words(at)


def maps(at):
    """What lies over the picture, by its description; two maps of one id are drawn alike."""
    seen = [one for one in all_maps(at) if one["name"] == one["chosen"]]
    return {one["alt"].split(" over ")[0]: one["id"] for one in seen if " over " in one["alt"]}


def test_four_maps_each_with_what_it_cant_show(page):
    at = page()
    assert list(maps(at)) == [
        "Grad-CAM of Texture ResNet",
        "Attention of Texture ViT",
        "Rollout of Texture ViT",
        "Relevance of Texture ViT",
    ]
    assert texts(at).count("an't show") == 4  # behind one sign
    assert texts(at).count("class-agnostic") == 2 and texts(at).count("for **") == 2
    assert "No rollout. It has no attention" in texts(at)
    assert "Not on the map: class token" in texts(at)
    assert "correlation 1.00" in texts(at) and "Texture ViT, Relevance: correlation **" in texts(at)


CHANGES = [  # widget, value, which maps it must change and which not
    ("slider", "r_residual", 90, "Rollout", "Relevance"),
    ("slider", "r_discard", 75, "Rollout", "Relevance"),
    ("segmented_control", "r_fusion", "min", "Rollout", "Attention"),
    ("selectbox", "r_head", "head 2", "Attention", "Rollout"),
    ("selectbox", "r_class", "woven", "Relevance", "Rollout"),
    ("selectbox", "r_method", "gradient-weighted rollout", "Relevance", "Rollout"),
    ("segmented_control", "r_query", "the point", "Rollout", "Relevance"),
]


def test_widgets(page):
    at = page()
    for kind, key, value, changed, kept in CHANGES:
        before = maps(at)
        getattr(at, kind)(key=key).set_value(value).run()
        assert healthy(at)
        after = maps(at)
        assert after[_full(changed)] != before[_full(changed)], key
        assert after[_full(kept)] == before[_full(kept)], key


def _full(title):
    return f"{title} of Texture {'ResNet' if title == 'Grad-CAM' else 'ViT'}"


def test_prefix_switch_and_point(page):
    at = page()
    before = maps(at)
    at.toggle(key="r_prefix").set_value(False).run()
    assert healthy(at) and maps(at)[_full("Rollout")] != before[_full("Rollout")]
    at.segmented_control(key="r_query").set_value("the point").run()
    middle = maps(at)[_full("Rollout")]
    at.number_input(key="x").set_value(5).run()
    at.number_input(key="y").set_value(5).run()
    assert healthy(at) and maps(at)[_full("Rollout")] != middle
    assert "Traced from where the answer is read, not from the point" in texts(at)


def test_sliders_need_no_other_pass(page, monkeypatch):
    at = page(seed_b="7")  # a network that no other test has asked

    def refuse(*_arguments, **_options):
        raise AssertionError("a forward pass for a slider")

    for module in (attention, rollout):
        monkeypatch.setattr(module, "capture", refuse)
    for key, value in {"r_residual": 30, "r_discard": 40}.items():
        at.slider(key=key).set_value(value).run()
        assert healthy(at)
    at.segmented_control(key="r_fusion").set_value("max").run()
    at.selectbox(key="r_method").set_value("gradient-weighted rollout").run()
    assert healthy(at)


def test_all_blocks_are_sent_at_once_and_the_link_says_with_which_it_begins(page):
    at = page(r_block="3")
    rollouts = [one for one in all_maps(at) if one["alt"].startswith("Rollout")]
    assert [one["name"] for one in rollouts] == ["1", "2", "3", "4", "5", "6"]
    assert {one["chosen"] for one in rollouts} == {"3"} and len({one["id"] for one in rollouts}) == 6
    assert len({tuple(one["shared"]) for one in rollouts}) == 1, "on one scale, the blocks can be compared"
    assert "blocks 1 to 3 of 6" in texts(at) and "blocks 1 to 4" not in texts(at)
    assert {one["name"] for one in all_maps(at) if one["alt"].startswith("Grad-CAM")} == {""}, "has no blocks"
    kept = [one.draw() for name, one in at.session_state["kept"].items() if name.startswith("Rollout")]
    last = [one.draw() for name, one in page().session_state["kept"].items() if name.startswith("Rollout")]
    assert (kept[0] != last[0]).any()


def test_classes_that_only_one_model_knows(page):
    at = page(a="efficientnet_lite0", weights_a="trained", picture="Chelsea the cat")
    assert "EfficientNet-Lite0 has no class “" in texts(at)
    at.selectbox(key="r_class").set_value("tabby").run()
    assert healthy(at) and "for **tabby**" in texts(at)
    assert "Texture ViT has no class “tabby”: this is for its own top class" in texts(at)
    at.selectbox(key="a").set_value("texture_resnet").run()
    at.segmented_control(key="weights_a").set_value("random").run()
    assert healthy(at) and at.selectbox(key="r_class").value == "top class"


def test_a_map_for_a_class_of_its_own_is_not_measured_on_the_class_asked_for(page):
    at = page(a="texture_vit", b="efficientnet_lite0", r_class="honeycombed")
    said = {one["alt"].split(" of ")[0]: one["facts"] for one in all_maps(at)}
    assert "on the honeycomb" in said["Rollout"] and "on the honeycomb" not in said["Grad-CAM"]


def test_two_cnns_and_two_vits(page):
    at = page(b="texture_resnet")
    assert len(maps(at)) == 1 and texts(at).count("No rollout") == 2  # one address: the same network twice
    at = page(a="texture_vit", seed_b="1")
    assert texts(at).count("class-agnostic") == 4


def test_a_network_too_large_says_so(page, monkeypatch):
    monkeypatch.setattr(ui.answers, "ATTENTION_MB", 0.1)
    at = page()
    assert "No rollout: on one picture its attention takes 0 MB, and this page can hold 0.1" in texts(at)
    assert list(maps(at)) == ["Grad-CAM of Texture ResNet", "Grad-CAM of Texture ViT"]


def test_a_network_without_classes(page, monkeypatch):
    name = "vit_small_patch14_dinov2"
    small = replace(CATALOG[name], kwargs={"img_size": 112}, data={"input_size": (3, 112, 112)})
    monkeypatch.setitem(CATALOG, name, small)
    at = page(b=name, seed_b="9")
    title = "DINOv2 ViT-S/14"
    kinds = ("Attention", "Rollout", "PCA colours", "Similar to the point")
    assert list(maps(at))[1:] == [f"{kind} of {title}" for kind in kinds]
    assert "No relevance: without classes" in texts(at)
    before = maps(at)
    at.number_input(key="x").set_value(90).run()
    changed = {kind for kind in kinds if maps(at)[f"{kind} of {title}"] != before[f"{kind} of {title}"]}
    assert healthy(at) and changed == {"Similar to the point"}


def test_a_link_restores_every_widget(page):
    at = page(**{key: str(value) for _, key, value, *_ in CHANGES}, r_prefix="false", x="20", y="70")
    for kind, key, value, *_ in CHANGES:
        assert getattr(at, kind)(key=key).value == value, key
    assert at.toggle(key="r_prefix").value is False
    assert (at.number_input(key="x").value, at.number_input(key="y").value) == (20, 70)


def test_a_link_says_how_the_maps_look_in_the_viewer_and_in_what_is_saved(page):
    at = page(r_opacity="20", r_colours="cividis", r_scale="shared")
    other = page()
    told = {"opacity": 20, "colours": "cividis", "scale": "shared"}
    assert viewer_look(at) == viewer.LOOK | told and viewer_look(other) == viewer.LOOK
    assert maps(at) == maps(other) and len(maps(at)) == 4  # none is sent anew
    for name, one in at.session_state["kept"].items():
        assert (one.draw() != other.session_state["kept"][name].draw()).any(), name
    ends = [one["shared"] for one in all_maps(at) if one["alt"].startswith(("Attention", "Rollout"))]
    assert len(ends) == 12 and all(one == ends[0] for one in ends) and ends[0][0] == 0  # both alike


def test_broken_links_fall_back(page):
    at = page(r_block="99", r_class="unicorn", r_head="head 77", r_fusion="median", r_residual="x")
    assert at.session_state["r_block"] == 6 and at.selectbox(key="r_class").value == "top class"
    assert at.selectbox(key="r_head").value == "mean"
