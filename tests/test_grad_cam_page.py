"""Every widget of the Grad-CAM page, without a browser."""

import re

import numpy as np
import pytest
import streamlit as st
import torch
from shared import ran, shared_model

from benchmarks.whole_app import all_maps, all_words, viewer_look
from ui import answers, checks, checks_repeating, jobs, mapped
from ui.picture_picker import sample
from vizcore import truth
from vizcore.methods.cam import cam
from vizcore.objectives import finer

BOTH = "honeycombed", "banded"


def fine(at):
    assert not at.exception, at.exception
    assert not at.error, [error.value for error in at.error]
    return at


words = all_words


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app(**{"a": "texture_resnet", "picture": "Honeycomb in bands", **link})
        return fine(at.switch_page("pages/grad_cam.py").run())

    return open_page


def test_first_view_of_a_scene_shows_both_maps_and_their_scores(page):
    at = page(g_class="honeycombed")
    assert at.selectbox(key="g_method_a").value == at.selectbox(key="g_method_b").value == "Grad-CAM"
    assert at.selectbox(key="g_layer_a").value == "layer4.0"
    assert at.selectbox(key="g_layer_b").value == "blocks.5.norm1"
    assert words(at).count(
        "of the heat lies on the honeycomb"
    ) == 2 and "Agreement: rank correlation" in words(at)
    assert "Texture ResNet for “honeycombed”" in words(at) and "Texture ViT for “honeycombed”" in words(at)
    caption = at.session_state["kept"]["Both maps"].caption
    assert "Orange: Texture ResNet for “honeycombed”; Blue: Texture ViT for “honeycombed”" in caption


def test_a_class_is_asked_against_another(page, tmp_path):
    """Finer-CAM, of Grad-CAM and of whatever else knows classes."""
    at = page(g_class="honeycombed", g_not="banded", g_method_b="relevance")
    assert "Texture ResNet for “honeycombed”, not “banded”" in words(at)
    assert len(ran(at, tmp_path)) == 2 and at.query_params["g_not"] == "banded"
    kept = at.session_state["kept"]["Grad-CAM of Texture ResNet, A"]
    model, picture = shared_model("texture_resnet"), sample("Honeycomb in bands")
    wanted = finer(model, "honeycombed", ["banded"])
    alone, told = (cam(model, model.preprocess(picture.image), one) for one in ("honeycombed", wanted))
    assert torch.allclose(torch.from_numpy(kept.maps["map"]), told, atol=1e-5)
    assert not torch.allclose(alone, told, atol=1e-3) and "honeycombed, not banded" in kept.caption
    assert "for “honeycombed”, not “banded”" in words(page(g_class="honeycombed", g_not="banded"))
    lacking = page(g_class="honeycombed", g_not="tabby", a="efficientnet_lite0")
    assert "Texture ViT has no class “tabby”, so nothing is taken away." in words(lacking)
    assert "not asked against itself" in words(page(g_class="banded", g_not="banded"))


def test_the_likeliest_classes_of_both_come_with_one_answer(page):
    at = page(g_class="zigzagged")
    own = {key: [one for one in all_maps(at) if one["key"] == key] for key in ("g_a", "g_b")}
    names = [one["name"] for one in own["g_a"]]
    assert names == [one["name"] for one in own["g_b"]] and 6 <= len(set(names)) == len(names) <= 11
    assert {one["chosen"] for one in all_maps(at) if one["key"] != "g_ab"} == {"zigzagged"}
    for one in own["g_a"]:
        assert one["words"] == f"Texture ResNet for “{one['name']}”"
        there = "of the heat lies on the honeycomb", "of the heat lies on the bands"
        assert [said in one["facts"] for said in there] == [one["name"] == own for own in BOTH]
    at = page(g_class="banded", g_method_a="relevance", g_method_b="rollout", a="texture_vit")
    assert [one["name"] for one in all_maps(at) if one["key"] == "g_a"] == ["banded"]  # a pass a class
    assert {one["words"] for one in all_maps(at) if one["key"] == "g_b"} == {
        "rollout of Texture ViT, class-agnostic"
    }


def test_the_cross_test_of_a_map_that_points_nowhere(page, monkeypatch):
    monkeypatch.setattr(answers, "class_cams", lambda *asked: np.zeros((len(asked[4]), 8, 8), np.float32))
    at = page(g_part="Cross-test")
    alts = [one.caption for image in at.get("image") for one in image.proto.imgs]
    assert not any("map found" in one for one in alts) and sum("points nowhere" in one for one in alts) == 2


def test_class_look_methods_and_layers(page):
    at = page()
    fine(at.selectbox(key="g_class").set_value("zigzagged").run())
    assert "Texture ResNet for “zigzagged”" in words(at)
    assert "of the heat lies" not in words(at)  # there are no zigzags in it
    for method in ("LayerCAM", "relevance", "rollout"):
        fine(at.selectbox(key="g_method_b").set_value(method).run())
    assert "it is the same map whatever you ask for" in words(at)
    fine(at.selectbox(key="g_layer_a").set_value("layer2.0").run())
    assert "16 × 16 cells" in words(at)
    at.selectbox(key="g_method_b").set_value("Grad-CAM").run()
    at.selectbox(key="g_layer_b").set_value("blocks.5").run()
    assert "exactly zero" in fine(at).warning[0].value  # the other map is still there
    assert "Texture ResNet for “zigzagged”" in words(at)


def agreements(at) -> dict[str, str]:
    """What is said of both maps together, by the class."""
    return {one["name"]: one["facts"] for one in all_maps(at) if one["key"] == "g_ab"}


def test_how_far_two_maps_agree_is_known_for_every_class_that_both_show(page):
    at = page(g_class="honeycombed")
    told = agreements(at)
    names = [one["name"] for one in all_maps(at) if one["key"] == "g_a"]
    assert list(told) == names and all(words.startswith("Agreement: ") for words in told.values())
    for name in names[:3]:  # the same as where it is asked for
        assert agreements(page(g_class=name))[name] == told[name]
    assert len({told[name] for name in ("honeycombed", "banded", "spiralled")}) == 3
    at = page(g_class="honeycombed", g_method_b="relevance")  # a pass a class
    assert list(agreements(at)) == ["honeycombed"]


@pytest.mark.parametrize("step", [1, 4])
def test_a_coarse_frame_is_enough_to_say_how_far_maps_agree(page, monkeypatch, step):
    at = page(g_class="banded")
    rank = float(re.search(r"rank correlation \*\*(.*?)\*\*", agreements(at)["banded"])[1])
    kept = at.session_state["kept"]
    first, second = (
        torch.nn.functional.interpolate(torch.from_numpy(kept[name].maps["map"])[None, None], size=(384, 384),
                                        mode="bilinear")[0, 0, ::step, ::step]
        for name in kept if name.startswith("Grad-CAM")
    )  # fmt: skip
    assert abs(truth.rank_correlation(first, second) - rank) < 0.015


def test_score_cam_runs_by_itself_unless_it_takes_very_long(page, monkeypatch):
    monkeypatch.setattr(mapped, "BY_ITSELF", 191)
    at = page()
    at.selectbox(key="g_method_b").set_value("Score-CAM").run()
    assert "Run the network 192 times" in fine(at).button(key="g_run_b_button").label
    assert "Texture ViT for" not in words(at) and not any(one["key"] == "g_ab" for one in all_maps(at))
    monkeypatch.setattr(mapped, "BY_ITSELF", 192)
    fine(at.run())
    assert "Texture ViT for" in words(at) and any(one["key"] == "g_ab" for one in all_maps(at))
    assert not [one for one in at.button if one.key == "g_run_b_button"]
    fine(at.segmented_control(key="g_part").set_value("Noise").run())
    assert "choose another method" in at.info[0].value


def test_small_multiples_and_other_maps(page):
    at = page(g_five="true", g_others="true")
    assert words(at).count("the class asked for") >= 2 and "**Rollout**" in words(at)


def test_curves(page):
    at = page()
    at.segmented_control(key="g_baseline").set_value("mean").run()
    at.select_slider(key="g_steps").set_value(8).run()
    assert "Area" not in words(at)
    fine(at.button(key="g_curves_button").click().run())
    assert words(at).count("Deletion, area: map") == 2 and "One picture is an anecdote" in words(at)
    fine(at.selectbox(key="g_class").set_value("scaly").run())
    assert "Deletion, area" not in words(at)  # another question forgets the last answer


def test_curves_of_one_picture_call_no_winner(page, monkeypatch):
    """Also where the map's area is below both controls' by less than can be shown."""
    from vizcore import truth as measures

    def same(net, images, heatmaps, target, **_):
        curve = {"map": 0.1299, "random": 0.13, "centre": 0.1301}
        curves = {
            (kind, name): measures.Curve([0, 1], [curve[name]] * 2)
            for kind in measures.KINDS
            for name in heatmaps
        }
        yield measures.Curves(1, 1, curves)

    monkeypatch.setattr(measures, "curves", same)
    at = page()
    fine(at.button(key="g_curves_button").click().run())
    assert "map 0.13, random 0.13, centre 0.13" in words(at)
    assert "beat" not in words(at) and "python -m" not in words(at)
    assert "map less random 0.00; map less centre 0.00" in words(at)


def test_maps_without_evidence_agree_on_nothing(page, monkeypatch):
    monkeypatch.setattr(answers, "class_cams", lambda *asked: np.zeros((len(asked[4]), 8, 8), np.float32))
    at = page(g_class="honeycombed")
    assert "of the heat" not in words(at) and "top fifths" not in words(at)
    assert words(at).count("No positive evidence anywhere. So it points neither to the honeycomb") == 2


@pytest.mark.parametrize("lost, there", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("name", ["grad_cam", "saliency", "attention_rollout"])
def test_predictions_stand_in_their_own_column(app, name, lost, there):
    at = app(f"pages/{name}.py", **{lost: "resnet50", there: "texture_vit", "picture": "Honeycomb in bands"})
    assert not at.exception and len(at.error) == 1
    rows = []

    def walk(block):
        own = [child for child in block.children.values() if child.type == "column"]
        if own:
            rows.append(own)
        for child in block.children.values():
            if getattr(child, "children", None):
                walk(child)

    walk(at.main)
    says = "**Texture ViT** says:"
    inner = [row for row in rows if any(says == one.value for col in row for one in col.markdown)][-1]
    spoken = [any(says == one.value for one in column.markdown) for column in inner]
    assert spoken == [there == "a", there == "b"]


@pytest.mark.long
def test_a_job_can_be_stopped_keeps_what_it_has_and_goes_on(page, monkeypatch):
    chart, stopped = checks_repeating._similarity_chart, []

    def click_on_stop(steps, colour):
        if len(steps) == 4 and not stopped:
            stopped.append(True)
            st.session_state["job_g_random"]["running"] = False
            st.rerun()  # leaves the script by a BaseException, as a click does
        chart(steps, colour)

    at = page(g_part="Randomised weights")
    monkeypatch.setattr(checks_repeating, "_similarity_chart", click_on_stop)
    monkeypatch.setattr(jobs, "DRAW_EVERY", 0)
    fine(at.button(key="g_random_button").click().run())
    assert at.button(key="g_random_button").label == "Go on" and "Stopped at" in words(at)
    assert at.slider(key="g_depth").max == 3
    fine(at.button(key="g_random_button").click().run())
    assert at.button(key="g_random_button").label == "Once more"
    found = at.session_state["job_g_random"]["found"]
    for slot, order in [(slot, order) for slot in "ab" for order in ("top-down", "bottom-up")]:
        steps = [one.value.step for one in found if (one.slot, one.value.order) == (slot, order)]
        assert [step.done for step in steps] == list(range(steps[0].total + 1)) and len(steps) > 7


def test_cross_test_randomised_weights_and_noise(page):
    at = page()
    fine(at.segmented_control(key="g_part").set_value("Cross-test").run())
    assert words(at).count("% “") == 8  # both models on the whole, what A left, what B left, what chance left
    fine(at.slider(key="g_left").set_value(50).run())
    fine(at.segmented_control(key="g_part").set_value("Randomised weights").run())
    fine(at.button(key="g_random_button").click().run())
    depth = at.slider(key="g_depth")
    assert depth.value == depth.max >= 7
    assert "from the input up" in words(at) and "no proof" in words(at) and "Binder" in words(at)
    fine(depth.set_value(2).run())
    fine(at.segmented_control(key="g_part").set_value("Noise").run())
    fine(at.slider(key="g_noise").set_value(10).run())
    fine(at.button(key="g_shaken_button").click().run())
    assert words(at).count("Mean rank correlation") == 2
    assert set(checks.PARTS) == {"Curves", "Cross-test", "Randomised weights", "Noise"}


def test_a_class_that_one_model_does_not_know_and_a_model_without_classes(page, classless):
    at = page(a="efficientnet_lite0", picture="Chelsea the cat", g_class="tabby")
    assert "Texture ViT has no class “tabby”: this is for its own top class" in words(at)
    assert "They answer **different questions**" in words(at)
    fine(at.segmented_control(key="g_part").set_value("Cross-test").run())
    at = page(b=classless, weights_b="random")
    assert "has no classes: this is evidence for what is like the place at 50 %" in at.info[0].value
    assert "Texture ResNet for" in words(at)
    at.number_input(key="x").set_value(20).run()
    assert "at 20 %, 50 %" in at.info[0].value and at.query_params["x"] == "20" and not at.exception


def test_other_methods_of_a_class_that_is_known_do_not_say_that_it_is_unknown(page):
    at = page(g_others="true", g_five="true")
    assert "Beside Grad-CAM" in str([one.label for one in at.expander]) and "95%" in words(at)
    assert "has no class" not in words(at)


def test_bad_links_do_no_harm(page):
    at = page(g_class="💥", g_method_a="rollout", g_layer_a="<b>", g_opacity="-3", g_part="x", g_steps="9")
    assert at.selectbox(key="g_method_a").value == "Grad-CAM"
    assert at.selectbox(key="g_layer_a").value == "layer4.0"


def test_what_a_link_says_of_the_look_is_what_the_viewer_begins_with(page):
    at = page(g_opacity="30", g_region="false", g_over="difference")
    look = viewer_look(at)
    assert (look["opacity"], look["region"]) == (30, False)
    kept = at.session_state["kept"]
    other = page(g_opacity="90", g_region="false", g_over="both").session_state["kept"]
    assert {one["mode"] for one in all_maps(at) if one["key"] == "g_ab"} == {"difference"}
    assert "The difference of both maps" in kept and "Both maps" in other
    name = "Grad-CAM of Texture ResNet, A"
    assert np.abs(kept[name].draw().astype(int) - other[name].draw()).mean() > 5
