"""Every widget of the activation maximisation page, without a browser."""

import io
import json
import zipfile

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from benchmarks.whole_app import whole_app
from ui import jobs
from ui.activation_maximization import imagined, runs
from vizcore.imagine.gallery import load_gallery

PAIR = {"a": "texture_resnet", "b": "texture_vit"}
QUICK = {"m_part": "Make your own", "m_recipe": "fast", "m_steps": "16", "m_views": "1"}


def fine(at):
    assert not at.exception, at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def words(at) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.caption, *at.info])


def found(at):
    return at.session_state["job_m_run"]["found"][-1].found


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app(**{**PAIR, **link})
        return fine(at.switch_page("pages/activation_maximization.py").run())

    return open_page


def test_the_gallery_comes_first_and_says_who_agrees(page):
    at = page()
    assert words(at).count("transfer **worse**") == 2 and "of 32 random views" in words(at)
    table = at.dataframe[0].value
    assert len(table) == 8 and set(table["made with"]) == {"random views", "one view"}
    fine(at.selectbox(key="m_look").set_value("banded").run())
    assert "Texture ResNet’s picture is named “banded” by Texture ResNet in **100%**" in words(at)


def test_the_gallery_follows_the_networks_or_says_whose_it_is(page):
    titles = ["Texture ResNet", "Texture ViT"]
    assert [one.value for one in page().subheader] == titles
    assert [one.value for one in page(a="texture_vit", b="texture_resnet").subheader] == titles[::-1]
    random = {"b": "efficientnet_lite0", "weights_b": "random"}
    at = page(**random)
    assert [one.value for one in at.subheader] == titles[:1]
    assert "Nothing was imagined beforehand for EfficientNet-Lite0 with other weights." in words(at)
    at = page(weights_a="random", **random)
    assert [one.value for one in at.subheader] == titles
    assert "and EfficientNet-Lite0 with other weights. These are pictures of Texture ResNet" in words(at)
    fine(at.button(key="m_own").click().run())
    assert at.session_state["m_part"] == "Make your own" and at.button(key="m_run_button")


def test_it_opens_on_the_networks_of_home():
    with whole_app() as visit:
        at = fine(visit("activation_maximization", {}))
        assert [one.value for one in at.subheader] == ["EfficientNet-Lite0", "Photo ViT"]
        fine(at.button(key="m_turn_texture_resnet").click().run())
        assert at.subheader[0].value == "Texture ResNet"


def test_a_page_that_opens_on_textures_says_why_as_long_as_it_shows_them():
    opens = "It begins with the pair that knows the textures"
    with whole_app() as visit:
        assert opens in words(fine(visit("similarity", {})))
        assert opens not in words(fine(visit("similarity", {"a": "efficientnet_lite0"})))


def test_each_pair_has_its_gallery(page):
    titles = ["EfficientNet-Lite0", "Photo ViT"]
    at = page()
    fine(at.button(key="m_turn_efficientnet_lite0").click().run())
    assert [one.value for one in at.subheader] == titles
    assert at.selectbox(key="m_look").value == "goldfish" and "one view" not in words(at)
    stored = load_gallery("photographs")
    (own,) = [one for one in stored.verdicts if (one["name"], one["origin"]) == ("goldfish", titles[1])
              and one["judge"] == titles[0]]  # fmt: skip
    assert f"Photo ViT’s picture is named “goldfish” by {titles[0]} in **{own['right']:.0%}**" in words(at)
    at = page(a="photo_vit", b="texture_vit")
    assert [one.value for one in at.subheader] == titles[1:]
    assert "What Texture ViT imagines are other classes: choose it as Model A" in words(at)


def test_what_is_said_of_real_photographs():
    rows = [
        {"judge": "X", "name": name, "pictures": 10, "right": share} for name, share in (("a", 0.5), ("b", 1))
    ]
    said = imagined.photographed([*rows, {**rows[0], "judge": "Y", "right": 0.25}])
    assert "up to 10 of each" in said and said.endswith("named by X in **75%** and by Y in **25%**.")


def test_a_tile_opens_its_class(page, monkeypatch):
    told = []
    monkeypatch.setattr(imagined, "sheet", lambda *args: told.append(args))
    at = page()
    names, columns, look = told[0][3], told[0][4], told[0][-1]
    assert len(names) == 20 and columns == 5 and [one[6] for one in told] == [names[12]] * 2
    imagined.state, real = {}, imagined.state
    try:
        look("scaly")
        assert imagined.state == {"m_look": "scaly"}
    finally:
        imagined.state = real
    assert not at.exception


@pytest.mark.long
def test_both_networks_run_at_once_and_are_asked_about_each_other(page):
    at = page(**QUICK, m_class=["grid"])
    assert not at.dataframe
    fine(at.button(key="m_run_button").click().run())
    assert at.button(key="m_run_button").label == "Once more"
    run = found(at)
    assert set(run) == {"a", "b"} and all(len(one.objective) == 16 for one in run.values())
    assert all(one.best.shape == (1, 128, 128, 3) for one in run.values())
    assert [step for step, _ in run["a"].film] == [1, 2, 4, 8, 12, 16]
    fine(at.button(key="m_cross_button").click().run())
    table = at.dataframe[0].value
    assert len(table) == 8 and words(at).count("Without random views") == 2
    fine(at.number_input(key="m_seed").set_value(5).run())
    assert at.button(key="m_run_button").label == "Imagine"  # another question


@pytest.mark.long
def test_two_networks_of_one_title_are_told_apart(page):
    at = page(**QUICK, m_class=["grid"], b="texture_resnet", weights_b="random", seed_b="3")
    fine(at.button(key="m_run_button").click().run())
    fine(at.button(key="m_cross_button").click().run())
    table = at.dataframe[0].value
    assert len(table) == 8 and len(set(table["judge"])) == len(set(table["made for"])) == 2


def test_the_pictures_carry_their_recipe(page, monkeypatch):
    packed = {}
    monkeypatch.setattr(st, "download_button", lambda label, data, *_, **__: packed.update({label: data}))
    at = page(**QUICK, m_who="A", m_class=["grid"])
    fine(at.button(key="m_run_button").click().run())
    with zipfile.ZipFile(io.BytesIO(packed["Save the pictures with their recipe"]())) as file:
        (name,) = file.namelist()
        image = Image.open(io.BytesIO(file.read(name)))
    notes = json.loads(image.text["recipe"])
    assert name == "a_0_grid.png" and image.size == (128, 128)
    assert notes["model"] == "texture_resnet" and notes["target"] == ["class", "logit", 11]
    assert notes["recipe"]["steps"] == 16 and notes["recipe"]["name"] == "fast"


@pytest.mark.parametrize(
    "kind",
    [{"m_class": ["grid", "banded"]}, pytest.param({"m_kind": "a channel"}, marks=pytest.mark.long)],
    ids=str,
)
def test_the_code_makes_the_same_pictures(page, tmp_path, monkeypatch, kind):
    at = page(**QUICK, m_who="A", m_objective="margin", m_seed="3", **kind)
    fine(at.button(key="m_run_button").click().run())
    (kept,) = at.session_state["kept"].values()
    monkeypatch.chdir(tmp_path)
    written = {}
    exec(kept.code, written)
    # gradient ascent amplifies rounding, which differs with the number of threads
    assert written["figure"].shape == kept.draw().shape == (128, 256, 3)
    assert np.abs(written["figure"].astype(int) - kept.draw().astype(int)).mean() < 2
    assert "seed 3" in kept.caption and (tmp_path / "figure.png").exists()


def test_it_stops_keeps_its_best_and_goes_on(page, monkeypatch):
    draw, stopped = runs._curves, []

    def click_on_stop(one, so_far):
        if so_far.step == 5 and not stopped:
            stopped.append(so_far.best.copy())
            st.session_state["job_m_run"]["running"] = False
            st.rerun()  # leaves the script by a BaseException, as a click does
        draw(one, so_far)

    at = page(**QUICK, m_who="A", m_class=["grid"])
    monkeypatch.setattr(runs, "_curves", click_on_stop)
    monkeypatch.setattr(jobs, "DRAW_EVERY", 0)
    fine(at.button(key="m_run_button").click().run())
    assert at.button(key="m_run_button").label == "Go on" and "Stopped at" in words(at)
    assert (found(at)["a"].best == stopped[0]).all() and found(at)["a"].best_at == [5]
    assert at.button(key="m_cross_button")  # what there is can be asked about
    fine(at.button(key="m_run_button").click().run())
    assert found(at)["a"].step == 16 and len(found(at)["a"].objective) == 16


def test_recipes_bring_their_options_and_options_are_the_links(page):
    at = page(m_part="Make your own")
    assert at.select_slider(key="m_steps").value == 128
    fine(at.select_slider(key="m_views").set_value(8).run())
    fine(at.segmented_control(key="m_recipe").set_value("classic").run())
    assert at.select_slider(key="m_views").value == 1 and at.select_slider(key="m_l2").value == 1.0
    assert at.segmented_control(key="m_paint").value == "pixels" and at.toggle(key="m_stop").value
    assert len(at.pills(key="m_parts").value) == 7
    fine(at.pills(key="m_parts").set_value([]).run())
    fine(at.segmented_control(key="m_recipe").set_value("clean").run())
    assert at.pills(key="m_parts").value


@pytest.mark.long
def test_channels_of_a_network_without_classes(page, classless):
    link = {"b": classless, "weights_b": "random"}
    at = page(**link, **QUICK, m_who="B")
    assert "have no classes: ask for a channel" in words(at)
    at = page(**QUICK, m_kind="a channel", m_place_a="in the middle", m_channel_b="3", m_real="true")
    assert at.selectbox(key="m_layer_a").value.startswith("layer")
    fine(at.selectbox(key="m_layer_a").set_value("layer4.0").run())
    fine(at.button(key="m_run_button").click().run())
    assert len(found(at)["a"].best) == 2 and len(found(at)["b"].best) == 1
    assert "channels have no counterpart" in words(at) and "The three strongest of" in words(at)


@pytest.mark.long
def test_networks_that_know_other_classes(page):
    at = page(**QUICK, a="efficientnet_lite0", m_class=["grid"])
    assert "EfficientNet-Lite0 knows none of these classes." in words(at)
    fine(at.button(key="m_run_button").click().run())
    assert set(found(at)) == {"b"}
    fine(at.button(key="m_cross_button").click().run())
    assert "EfficientNet-Lite0 has no class “grid”, or more than one, so it is not asked" in words(at)


def test_bad_links_do_no_harm(page):
    nonsense = {name: "💥" for name in (
        "m_part", "m_who", "m_kind", "m_class", "m_recipe", "m_paint", "m_objective", "m_seed", "m_steps",
        "m_views", "m_l2", "m_tv", "m_parts", "m_stop", "m_real", "m_look", "m_layer_a", "m_channel_a",
    )}  # fmt: skip
    assert page(**nonsense).segmented_control(key="m_part").value == "Gallery"
    at = page(**{**nonsense, "m_part": "Make your own"})
    assert at.multiselect(key="m_class").value == ["honeycombed"]
    assert at.select_slider(key="m_steps").value == 128 and at.number_input(key="m_seed").value == 0
    at = page(**{**nonsense, "m_part": "Make your own", "m_kind": "a channel"})
    assert at.multiselect(key="m_channel_a").value == ["0", "1"]
    fine(page(m_part="Make your own", m_seed="-7", m_steps="3", m_class=["grid"] * 30))


def _judged(differences):
    """A page that shows what another network said of pictures of some classes."""

    def script(differences):
        from ui.activation_maximization.imagined import judged

        judged(
            [
                {"origin": "Mine", "judge": "Other", "robust": robust, "name": f"class {i}",
                 "right": 0.5 + robust * difference, "probability": 0.5, "rank": 1.0}
                for robust in (True, False)
                for i, difference in enumerate(differences)
            ]
        )  # fmt: skip

    at = AppTest.from_function(script, kwargs={"differences": differences}).run()
    assert not at.exception
    return "\n".join(one.value for one in at.markdown)


def test_transfer_is_called_worse_only_where_it_is_beyond_the_scatter():
    assert "transfer **worse**" in _judged([0.3, 0.25, 0.35, 0.3, 0.28, 0.31])
    scattered = _judged([0.3, -0.28, 0.3, -0.29, 0.01, 0.02])
    assert "**worse**" not in scattered and "neither clearly better nor worse" in scattered
    few = _judged([0.3, 0.3])
    assert "**worse**" not in few and "anecdote" in few
