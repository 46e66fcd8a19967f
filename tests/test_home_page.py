"""What the home page says of two networks, and its button to another picture."""

import io

import pytest
import streamlit as st
from PIL import Image

from benchmarks.whole_app import all_maps, all_words, viewer_look, whole_app
from ui import answers, figures, first_asked, viewer
from ui.network_picker import DEFAULTS, PHOTOGRAPHED
from ui.picture_picker import OPENING, SCENES


def words(at) -> str:
    assert not at.exception, at.exception
    return all_words(at)


def shown(at, kind="Grad-CAM of") -> int:
    return sum(name.startswith(kind) for name in at.session_state["kept"])


DRAWN = {"picture": "A spiral on bands", "a": "texture_resnet"}


def test_random_weights_are_not_praised(app):
    at = app(**DRAWN, weights_a="random")
    assert "good answer" not in words(at).casefold() and "Both look" not in words(at)
    assert "Texture ResNet has random weights" in words(at)


def test_a_class_that_a_network_does_not_have(app):
    at = app(picture="A spiral on bands")
    assert "photograph's evidence" not in words(at)
    assert "EfficientNet-Lite0 has no class “spiralled”." in words(at)
    assert "EfficientNet-Lite0 has no class “spiralled”: this is for its own top class, “coil”." in words(at)
    assert "The map of Texture ViT points to where “spiralled” is." in words(at)


def test_a_network_that_cannot_be_had_is_not_compared(app):
    at = app(picture="A spiral on bands", a="resnet50")
    assert "photograph's evidence" not in words(at)
    assert "Model A couldn't be loaded." in words(at) and "So nothing is compared." in words(at)


def test_networks_of_textures_are_not_asked_about_a_photograph(app):
    at = app(picture="A rocket", a="texture_resnet")
    assert shown(at) == 0 and "look" not in at.session_state
    said = words(at)  # each of both, of its map and of its answers, and the verdict
    assert said.count("learnt only drawn textures") == 5
    at = app(picture="A rocket", a="texture_resnet", b="efficientnet_lite0")
    assert shown(at) == 1 and "Grad-CAM for **missile**" in words(at)


def test_a_map_without_evidence_finds_nothing(app, monkeypatch):
    import numpy as np

    from ui import answers

    monkeypatch.setattr(answers, "class_cams", lambda *asked: np.zeros((len(asked[4]), 7, 7), np.float32))
    at = app(picture="A rocket", b="efficientnet_lite0")
    assert "finds **missile**" not in words(at) and "Grad-CAM for **missile**: no positive" in words(at)
    assert "Neither map has positive evidence for “missile”" in words(at)
    at = app(**DRAWN)
    assert "inside" not in words(at) and "outside" not in words(at) and "Neither map points" not in words(at)


@pytest.mark.parametrize("weights", ["weights_a", "weights_b"])
def test_the_button_sets_all_that_it_means(app, weights):
    at = app(**DRAWN, **{weights: "random", weights.replace("weights", "seed"): "3"})
    at.button(key="h_turn").click().run()
    words(at)
    assert at.selectbox(key="a").value == "efficientnet_lite0"
    assert at.selectbox(key="b").value == "photo_vit"
    assert at.selectbox(key="picture").value == "Four photographs"
    assert at.session_state["h_class"] in at.session_state["chosen"][0].masks
    for slot in "ab":
        assert at.session_state[f"weights_{slot}"] == "trained"
    assert not any("random weights (seed" in one.value for one in at.markdown)
    at.button(key="h_turn").click().run()
    words(at)
    assert at.selectbox(key="picture").value == "A spiral on bands"
    assert at.selectbox(key="a").value == "texture_resnet" and at.session_state["weights_a"] == "trained"


@pytest.mark.parametrize("page", ["home", "grad_cam", "saliency", "feature_maps", "attention_rollout"])
def test_no_answer_about_a_strange_kind_of_picture_stands_alone(app, page):
    for name, kind in (("A rocket", "only drawn textures"), ("A spiral on bands", "photographs")):
        told = [one.value for one in app(f"pages/{page}.py", picture=name).caption if "guess" in one.value]
        assert len(told) == 1 and kind in told[0]


def test_neither_is_one_on_a_slide_in_a_row_or_in_a_comparison(app):
    """What a network says of a kind of picture that it never saw is called a guess there as well."""
    at = app("pages/saliency.py", picture="A spiral on bands", s_sheet="true", s_rows=["A rocket"])
    rows = "It learnt only drawn textures, so what it says of another picture is a guess."
    drawn = "It learnt photographs, so what it says of drawn textures is a guess."
    slide = {slot: make().words for slot, (_, make) in at.session_state["panels"].items()}
    assert drawn in slide["a"] and not any("guess" in one for one in (*slide["b"], *slide[""]))
    told = [one.value for one in at.caption]
    assert told.count(drawn) == 1 and rows not in told  # the rows' photograph is A's own kind
    at.selectbox(key="s_rows_model").set_value("B: Texture ViT").run()
    assert [one.value for one in at.caption].count(rows) == 1
    told = [one.value for one in app("pages/similarity.py").caption]
    assert f"EfficientNet-Lite0: {drawn}" in told and sum("guess" in one for one in told) == 1


def test_what_home_opens_with():
    """Both name what is asked for first, both maps point there, and what nobody can be asked is said."""
    with whole_app() as visit:
        at = visit("home", {})
        said, picture = words(at), at.session_state["chosen"][0]
        assert picture.title == OPENING and at.session_state["h_class"] == picture.asked == "koala"
        assert "Both maps point to where “koala” is." in said and "The picture was put together" in said
        assert not picture.unnamed and "is a guess" not in said
        assert "agreement is no second opinion" in said and "here are 4" in said
        maps = [one for one in all_maps(at) if one["name"] == one["chosen"]]
        assert len(maps) == 2 and all("its maximum lies **there** too" in one["facts"] for one in maps)
        assert not at.query_params
        at = visit("grad_cam", {})
        assert at.selectbox(key="g_class").value == "koala" and not at.query_params
        at = visit("similarity", {})
        assert [at.selectbox(key=slot).value for slot in "ab"] == [*DEFAULTS.values()]


def test_the_networks_follow_the_picture_until_one_is_chosen():
    """What knows textures for a drawn picture, what knows photographs for another; a choice stays."""
    with whole_app() as visit:
        at = visit("home", {})
        pairs = [[at.selectbox(key=slot).value for slot in "ab"]]
        for name in ("A rocket", "Chequers in cobwebs"):
            at.selectbox(key="picture").set_value(name).run()
            pairs.append([at.selectbox(key=slot).value for slot in "ab"])
        assert pairs == [[*PHOTOGRAPHED.values()], [*PHOTOGRAPHED.values()], [*DEFAULTS.values()]]
        at.selectbox(key="b").set_value("efficientnet_lite0").run()
        at.selectbox(key="picture").set_value("A rocket").run()
        assert [at.selectbox(key=slot).value for slot in "ab"] == ["efficientnet_lite0"] * 2
        at = visit("home", {"picture": "A rocket", "a": "texture_resnet"})
        assert [at.selectbox(key=slot).value for slot in "ab"] == ["texture_resnet", "photo_vit"]


def test_what_is_asked_beforehand_is_what_a_first_visit_asks(monkeypatch):
    """Else a process that takes over has worked in vain: nothing is left to be computed."""
    st.cache_data.clear()
    with whole_app() as visit:
        first_asked.ask()
        monkeypatch.setattr(answers, "held_pass", lambda *_: pytest.fail("not asked beforehand"))
        for link in ({}, {"picture": next(iter(SCENES))}):
            at = visit("home", link)
            assert not at.exception, at.exception


def test_what_the_picture_shows_stands_first_among_classes():
    with whole_app() as visit:
        options = visit("grad_cam", {}).selectbox(key="g_class").options
        assert options[:5] == ["top class", "koala", "Egyptian cat", "espresso", "goldfish"]
        assert len(options) == len(set(options)) > 1000


@pytest.mark.parametrize("page", ["look_inside", "unit", "claims", "experiments", "saliency", "feature_maps"])
def test_pages_open_on_what_home_shows(page):
    with whole_app() as visit:
        at = visit(page, {})
        assert not at.exception and not at.error and not at.warning


def test_what_the_button_promises_is_what_it_opens():
    with whole_app() as visit:
        at = visit("home", {})
        (button,) = [one for one in at.button if one.label == "See a right answer with a wrong map"]
        button.click().run()
        assert "A right answer doesn't make a map right." in words(at) and not at.exception


def test_nobody_is_told_to_ask_for_what_was_asked_for():
    with whole_app() as visit:
        at = visit("home", {"v": "4", "h_scale": "shared"})
        assert "Would they still" in words(at) and "on one scale" in words(at)
        at.session_state["h_class"] = "espresso"
        assert "Would they still" not in words(at.run()) and "Both maps point to" in words(at)


def test_the_sidebar_says_of_random_weights_that_they_learnt_nothing(app):
    at = app(weights_a="random")
    notes = [one.value for one in at.sidebar.caption]
    assert "EfficientNet-Lite0: trained on ImageNet." not in notes
    assert "EfficientNet-Lite0: random weights, so it has learnt nothing." in notes
    assert "Texture ViT: knows 20 textures and nothing else." in notes


def test_the_maps_of_both_textures_come_with_one_answer_and_the_choice_is_in_the_link(app):
    at = app(**DRAWN)
    assert at.session_state["h_class"] == "spiralled"
    for one in all_maps(at):
        assert one["chosen"] == "spiralled" and one["name"] == one["region"] and one["name"] in one["words"]
        thing = {"spiralled": "the spiral", "banded": "the bands"}[one["name"]]
        assert f"of the heat lies on {thing}" in one["facts"]
    assert [one["name"] for one in all_maps(at)] == ["spiralled", "banded"] * 2
    at = app(**DRAWN, h_class="banded")
    assert {one["chosen"] for one in all_maps(at)} == {"banded"} and at.query_params["h_class"] in (
        "banded",
        ["banded"],
    )


def test_the_likeliest_classes_of_a_photograph_and_the_one_asked_for_are_maps(app):
    at = app(picture="A rocket", b="efficientnet_lite0", weights_b="random")
    names = [one["name"] for one in all_maps(at)]
    half = len(names) // 2
    assert names[:half] == names[half:] and 6 <= half <= 10 and names[0] == "missile"
    at = app(picture="A rocket", b="efficientnet_lite0", weights_b="random", h_class="tabby")
    assert [one["name"] for one in all_maps(at)][:half] == names[:half] and all_maps(at)[-1][
        "name"
    ] == "tabby"
    assert all_maps(at)[0]["chosen"] == "tabby" and "Grad-CAM for **tabby**" in words(at)


def test_a_link_says_how_the_maps_look_and_what_is_saved_looks_alike(app):
    at, usual = app(**DRAWN, h_opacity="20", h_colours="cividis", h_scale="shared"), app(**DRAWN)
    assert viewer_look(at) == viewer.LOOK | {"opacity": 20, "colours": "cividis", "scale": "shared"}
    assert viewer_look(usual) == viewer.LOOK
    for name, one in at.session_state["kept"].items():
        assert (one.draw() != usual.session_state["kept"][name].draw()).any(), name
        assert "cividis" in one.code and "cividis" not in usual.session_state["kept"][name].code


def test_answers_are_nothing_but_text():
    listed = figures._bars([{"class": "<b>cat & dog</b>", "probability": 0.256}], "#e67700")
    assert "&lt;b&gt;cat &amp; dog&lt;/b&gt;</span><span>26%" in listed and "width: 25.60%" in listed


def test_of_a_picture_of_nothing_it_is_said_that_it_shows_nothing(app):
    at = app("pages/home.py", b="photo_vit")
    for file, words in ((Image.new("RGB", (64, 64), "white"), True), (Image.linear_gradient("L"), False)):
        data = io.BytesIO()
        file.save(data, "PNG")
        at.file_uploader(key="file").set_value(("a.png", data.getvalue(), "image/png")).run()
        assert not at.exception and at.session_state["chosen"][0].title == "a.png"
        assert any("The picture is the same everywhere" in one.value for one in at.caption) == words
