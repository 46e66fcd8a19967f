"""Every widget of the Saliency page, without a browser."""

import io
import re

import numpy as np
import pytest
import streamlit as st
from PIL import Image

from benchmarks.whole_app import all_maps, viewer_look
from ui import jobs, mapped, viewer
from ui.saliency import looks, panels


def fine(at):
    assert not at.exception, at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def words(at) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.caption])


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app(**{"a": "texture_resnet", "b": "texture_vit", "picture": "Honeycomb in bands", **link})
        return fine(at.switch_page("pages/saliency.py").run())

    return open_page


def test_first_view_shows_coloured_gradients_of_both_and_what_they_cannot_tell(page):
    at = page(s_class="honeycombed")
    assert at.selectbox(key="s_method_a").value == at.selectbox(key="s_method_b").value == "gradient"
    assert words(at).count("Mid-grey is 0") == 2 and words(at).count("Noisy, and local") == 1
    assert words(at).count("lies on the honeycomb") == 2 and ":green-badge[for honeycombed]" in words(at)


def test_views_classes_and_the_difference_of_two(page):
    at = page()
    for view in looks.VIEWS[1:]:
        fine(at.segmented_control(key="s_view").set_value(view).run())
    assert "The largest absolute value of the three colours" in words(at)
    maps = all_maps(at)
    assert [one["kind"] for one in maps] == ["heat"] * 2 and [one["rows"] for one in maps] == [128] * 2
    assert all(one["range"][0] == 0 < one["range"][1] == one["high"] for one in maps)
    assert viewer_look(page(s_view="over the picture", s_opacity="30", s_region="false")) == viewer.LOOK | {
        "opacity": 30,
        "region": False,
    }
    fine(at.selectbox(key="s_class").set_value("honeycombed").run())
    fine(at.selectbox(key="s_not").set_value("banded").run())
    assert words(at).count("for honeycombed, not banded") == 2
    fine(at.selectbox(key="s_not").set_value("honeycombed").run())
    assert "A class is not asked against itself" in words(at) and "honeycombed, not" not in words(at)


def test_guided_backpropagation_is_shown_to_fail_and_is_not_there_for_a_vit(page):
    both = {f"s_method_{slot}": "guided backpropagation" for slot in "ab"}
    at = page(picture="A cup of espresso", **both)
    assert at.selectbox(key="s_method_b").value == "gradient"
    assert "defined for ReLU and ReLU6; Texture ViT uses GELU" in at.selectbox(key="s_method_b").help
    assert "failed the randomisation test" in words(at)
    pairs = re.findall(r"rank correlation \*\*(.*?)\*\* with the map above \(gradient: (.*?)\)", words(at))
    assert len(pairs) == 2 and all(float(guided) > float(plain) for guided, plain in pairs)


@pytest.mark.long
def test_a_long_method_begins_by_itself_and_doubling_its_steps_is_one_click(page):
    at = page(s_method_a="Integrated Gradients", s_steps="25")
    stated = re.search(
        r"a gap of \*\*(.*?)\*\*, \*\*(.*?)%\*\* of the difference, with (\d+) steps", words(at)
    )
    assert float(stated[2]) <= 5
    fine(at.button(key="s_run_a_double").click().run())
    assert f"with {2 * int(stated[3])} steps" in words(at)
    assert at.select_slider(key="s_steps").value == 2 * int(stated[3])
    of_black = re.search(r"a gap of .*?steps", words(at))[0]
    fine(at.segmented_control(key="s_baseline").set_value("mean").run())
    assert "Completeness" in words(at) and of_black not in words(at)  # another question, another answer


@pytest.mark.long
def test_doubling_the_steps_runs_both_networks_again(page):
    at = page(s_method_a="Integrated Gradients", s_method_b="Integrated Gradients", s_steps="25")
    fine(at.button(key="s_run_b_double").click().run())
    least = at.select_slider(key="s_steps").value
    steps = [int(found) for found in re.findall(r"with (\d+) steps", words(at))]
    assert len(steps) == 2 and min(steps) >= least > 25


def test_what_one_visitor_waited_for_is_there_for_the_next(page, monkeypatch):
    page(s_method_a="SmoothGrad", s_draws="10")

    def refuse(*_, **__):
        raise AssertionError("asked again")

    monkeypatch.setattr(mapped, "job", refuse)
    at = page(s_method_a="SmoothGrad", s_draws="10")
    assert not [one for one in at.button if one.key == "s_run_a_button"]


def test_rows_of_networks_without_classes_are_one_sentence(page, classless):
    at = page(a=classless, weights_a="random", b=classless, weights_b="random", s_sheet="true")
    assert not at.exception and "Neither network has classes" in "".join(one.value for one in at.info)


def test_rows_of_two_networks_of_one_architecture(page):
    at = page(a="texture_resnet", b="texture_resnet", weights_b="random", s_sheet="true")
    assert at.selectbox(key="s_rows_model").options == ["A: Texture ResNet", "B: Texture ResNet"]


@pytest.mark.long
def test_a_long_method_can_be_stopped_and_keeps_what_it_has(page, monkeypatch):
    draw, stopped = panels.draw, []

    def click_on_stop(asked, look, step):
        if asked.how.slow and step.done >= 16 and not stopped:
            stopped.append(step)
            st.session_state["job_s_run_b"]["running"] = False
            st.rerun()  # leaves the script by a BaseException, as a click does
        return draw(asked, look, step)

    monkeypatch.setattr(panels, "draw", click_on_stop)
    monkeypatch.setattr(jobs, "DRAW_EVERY", 0)
    at = page(s_method_b="occlusion", s_window="25")
    assert at.button(key="s_run_b_button").label == "Go on" and "Stopped at" in words(at)
    assert "one square at a time" in words(at)  # its map is there
    fine(at.run())
    assert at.button(key="s_run_b_button").label == "Go on"  # what was stopped doesn't begin by itself
    fine(at.button(key="s_run_b_button").click().run())
    assert "Stopped at" not in words(at) and "one square at a time" in words(at)


@pytest.mark.long
@pytest.mark.parametrize("method", ["gradient × input", "SmoothGrad"])
def test_evidence_asks_about_the_map_that_is_shown(page, method):
    at = page(s_method_a=method, s_view="positive", s_draws="5", s_not="banded", s_class="honeycombed")
    at.select_slider(key="g_steps").set_value(8).run()
    fine(at.button(key="g_curves_button").click().run())
    assert words(at).count("Deletion, area: map") == 2
    question = at.session_state["job_g_curves"]["question"][2]
    assert question[2] == method and question[5] is not None and ("part", "positive") in question[-1]
    for part in ("Cross-test", "Randomised weights", "Noise"):
        fine(at.segmented_control(key="s_part").set_value(part).run())
    fine(at.button(key="g_shaken_button").click().run())
    assert words(at).count("Mean rank correlation") == 2


def test_a_row_for_each_picture_is_saved_as_one(page):
    at = page(s_sheet="true", s_rows=["Scales in cracks", "Chelsea the cat"])
    assert at.multiselect(key="s_rows").value == ["Scales in cracks", "Chelsea the cat"]
    labels = [one.label for one in at.get("download_button")]
    assert "Save as one picture" in labels
    fine(at.multiselect(key="s_rows").set_value([]).run())
    assert "Choose some pictures" in words(at)


@pytest.mark.parametrize(("method", "view"), [("gradient", "colours"), ("gradient × input", "negative")])
def test_the_code_makes_the_figure_again(page, tmp_path, method, view):
    at = page(s_method_a=method, s_view=view, s_class="honeycombed", s_not="banded")
    kept = at.session_state["kept"][f"{method} of Texture ResNet, A"]
    target = tmp_path / "figure.png"
    exec(kept.code.replace('"figure.png"', repr(str(target))), {})
    made = np.asarray(Image.open(target)).astype(int)
    assert abs(made - kept.draw().astype(int)).max() <= 1  # rounding
    assert kept.maps["pixels"].shape == (3, 128, 128) and "not banded" in kept.caption


def test_first_layer_filters(page):
    at = page(s_first="true")
    assert "its 64 filters of 7 × 7 pixels" in words(at) and "principal components of its 192" in words(at)


def test_models_that_differ_and_a_model_without_classes(page, classless):
    at = page(a="efficientnet_lite0", picture="Chelsea the cat", s_class="tabby", s_not="lynx")
    assert "Texture ViT has no class “tabby”: this is for its own top class" in words(at)
    assert "It has no class “lynx” either" in words(at) and "for tabby, not lynx" in words(at)
    at = page(b=classless, weights_b="random")
    assert "has no classes" in at.info[0].value and words(at).count("Mid-grey is 0") == 1


def test_a_picture_that_says_nothing(page, app):
    at = page()
    data = io.BytesIO()
    Image.fromarray(np.zeros((40, 300, 3), np.uint8)).save(data, "PNG")
    at.file_uploader(key="file").upload("black.png", data.getvalue(), "image/png").run()
    for view in looks.VIEWS:
        fine(at.segmented_control(key="s_view").set_value(view).run())


def test_bad_links_do_no_harm(page):
    choices = {"s_class": "💥", "s_method_a": "<b>", "s_view": "x", "s_baseline": "red", "s_rows": "x"}
    numbers = {"s_steps": "3", "s_window": "-4", "s_opacity": "1e9", "s_first": "maybe"}
    at = page(**choices, **numbers, s_not="top class", s_part="?", s_sheet="true")
    assert at.selectbox(key="s_method_a").value == "gradient"
    assert at.segmented_control(key="s_view").value == "colours"


def test_a_class_asked_against_that_only_the_other_network_has(page):
    at = page(a="texture_resnet", b="efficientnet_lite0", s_class="honeycombed", s_not="daisy")
    assert "It has no class “daisy”, so nothing is taken away." in words(at)  # but the one asked for
