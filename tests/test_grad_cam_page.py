"""Every widget of the Grad-CAM page, without a browser."""

import pytest
import streamlit as st

from ui import evidence, jobs


def fine(at):
    assert not at.exception, at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def words(at) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.caption])


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
    assert words(at).count("the true region") == 2 and "Agreement: rank correlation" in words(at)
    assert "Orange: Texture ResNet for “honeycombed”; Blue: Texture ViT for “honeycombed”" in words(at)


def test_class_look_methods_and_layers(page):
    at = page()
    fine(at.selectbox(key="g_class").set_value("zigzagged").run())
    assert "Texture ResNet for “zigzagged”" in words(at)
    assert "true region" not in words(at)  # there are no zigzags in it
    fine(at.segmented_control(key="g_over").set_value("difference").run())
    fine(at.slider(key="g_opacity").set_value(30).run())
    fine(at.toggle(key="g_region").set_value(False).run())
    for method in ("LayerCAM", "relevance", "rollout"):
        fine(at.selectbox(key="g_method_b").set_value(method).run())
    assert "it is the same map whatever you ask for" in words(at)
    fine(at.selectbox(key="g_layer_a").set_value("layer2.0").run())
    assert "16 × 16 cells" in words(at)
    at.selectbox(key="g_method_b").set_value("Grad-CAM").run()
    at.selectbox(key="g_layer_b").set_value("blocks.5").run()
    assert "exactly zero" in fine(at).warning[0].value  # the other map is still there
    assert "Orange: Texture ResNet" in words(at)


def test_score_cam_runs_on_request(page):
    at = page()
    at.selectbox(key="g_method_b").set_value("Score-CAM").run()
    assert "Run the network 192 times" in fine(at).button(key="g_score_b_button").label
    assert "Blue" not in words(at)
    fine(at.button(key="g_score_b_button").click().run())
    assert "Blue: Texture ViT" in words(at) and at.button(key="g_score_b_button").label == "Once more"
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


def test_a_job_can_be_stopped_keeps_what_it_has_and_goes_on(page, monkeypatch):
    chart, stopped = evidence._similarity_chart, []

    def click_on_stop(steps, colour):
        if len(steps) == 4 and not stopped:
            stopped.append(True)
            st.session_state["job_g_random"]["running"] = False
            st.rerun()  # leaves the script by a BaseException, as a click does
        chart(steps, colour)

    at = page(g_part="Randomised weights")
    monkeypatch.setattr(evidence, "_similarity_chart", click_on_stop)
    monkeypatch.setattr(jobs, "DRAW_EVERY", 0)
    fine(at.button(key="g_random_button").click().run())
    assert at.button(key="g_random_button").label == "Go on" and "Stopped at" in words(at)
    assert at.slider(key="g_depth").max == 3
    fine(at.button(key="g_random_button").click().run())
    assert at.button(key="g_random_button").label == "Once more"
    found = at.session_state["job_g_random"]["found"]
    assert [step.value.done for step in found] == [*range(8), *range(found[-1].value.total + 1)]


def test_cross_test_randomised_weights_and_noise(page):
    at = page()
    fine(at.segmented_control(key="g_part").set_value("Cross-test").run())
    assert words(at).count("% “") == 8  # both models on the whole, what A left, what B left, what chance left
    fine(at.slider(key="g_left").set_value(50).run())
    fine(at.segmented_control(key="g_part").set_value("Randomised weights").run())
    fine(at.button(key="g_random_button").click().run())
    depth = at.slider(key="g_depth")
    assert depth.value == depth.max >= 7
    fine(depth.set_value(2).run())
    fine(at.segmented_control(key="g_part").set_value("Noise").run())
    fine(at.slider(key="g_noise").set_value(10).run())
    fine(at.button(key="g_shaken_button").click().run())
    assert words(at).count("Mean rank correlation") == 2
    assert set(evidence.PARTS) == {"Curves", "Cross-test", "Randomised weights", "Noise"}


def test_a_class_that_one_model_does_not_know_and_a_model_without_classes(page):
    at = page(a="efficientnet_lite0", picture="Chelsea the cat", g_class="tabby")
    assert "Texture ViT has no class “tabby”: this is for its own top class" in words(at)
    assert "They answer **different questions**" in words(at)
    fine(at.segmented_control(key="g_part").set_value("Cross-test").run())
    at = page(b="vit_small_patch14_dinov2", weights_b="random")
    assert "has no classes" in at.info[0].value and "Orange: Texture ResNet" in words(at)


def test_bad_links_do_no_harm(page):
    at = page(g_class="💥", g_method_a="rollout", g_layer_a="<b>", g_opacity="-3", g_part="x", g_steps="9")
    assert at.selectbox(key="g_method_a").value == "Grad-CAM"
    assert at.selectbox(key="g_layer_a").value == "layer4.0"
