"""Every widget of the Similarity page, without a browser."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image

from ui import jobs, saving
from ui.similarity import cka_figures, picture_sets, presets
from vizcore.studies import stored_cka


def fine(at):
    assert not at.exception, at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def words(at) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.caption])


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app(**{"a": "texture_resnet", "b": "texture_vit", "k_n": "64", "k_control": "false", **link})
        return at.switch_page("pages/similarity.py").run()

    return open_page


def step(at):
    return at.session_state["job_k_cka"]["found"][-1]


def run(at):
    return fine(at.button(key="k_cka_button").click().run())


def test_a_run_ends_in_matrices_of_both_estimators_that_say_how_many_pictures_they_rest_on(page):
    at = fine(page(k_control="true"))
    assert "n = " not in words(at)
    run(at)
    assert "**n = 64** of 64 drawn textures" in words(at) and "unbiased estimator" in words(at)
    assert "Control: random weights" in words(at) and "Control: noise" in words(at)
    found = step(at)
    assert found.found.cka["unbiased"].shape == found.control.cka["unbiased"].shape == (8, 8)
    assert found.found.cka["unbiased"][-1, -1] > 0.5 > found.found.cka["unbiased"][-1, 0]
    assert "matches are better" in words(at) and not at.warning
    fine(at.toggle(key="k_biased").set_value(True).run())
    assert "what the biased estimator makes of nothing" in words(
        at
    ) and "biased estimator, **n = 64**" in words(at)
    noise = step(at).found.noise
    assert noise["biased"].mean() > 0.5 > 0.1 > abs(noise["unbiased"].mean())


@pytest.mark.long
def test_presets_choose_in_the_sidebar_and_start(page):
    at = page(a="texture_vit")
    fine(at.button(key="k_random").click().run())
    assert [at.selectbox(key=slot).value for slot in "ab"] == ["texture_vit"] * 2
    assert "Texture ViT, trained** against **B: Texture ViT, random weights (seed 0)" in words(at)
    assert step(at).found.cka["unbiased"][-1, -1] < 0.2
    fine(at.button(key="k_itself").click().run())
    assert (abs(step(at).found.cka["unbiased"].diagonal() - 1) < 1e-9).all()
    fine(at.button(key="k_pair").click().run())
    assert "A: Texture ResNet, trained** against **B: Texture ViT, trained" in words(at)


def test_two_random_networks_where_nobody_has_weights():
    state = {}
    presets.state, real = state, presets.state
    try:
        presets._against_random("lambda_resnet38t")
    finally:
        presets.state = real
    assert state["weights_a"] == state["weights_b"] == "random" and state["seed_a"] != state["seed_b"]
    assert set(presets.UNTRAINED) < set(presets.STUDY.values())


@pytest.mark.long
def test_random_weights_are_offered_where_there_are_no_others(page):
    at = page(a="lambda_resnet38t", k_n="4")
    assert "no trained weights" in at.error[0].value
    fine(at.button(key="k_anyway").click().run())
    assert "A: Lambda ResNet-38, random weights (seed 0)** against **B: Texture ViT, trained" in words(at)
    assert step(at).done == 4


@pytest.mark.long
def test_layers_features_kernel_and_numbers(page):
    at = page()
    at.segmented_control(key="k_layers").set_value("all").run()
    at.segmented_control(key="k_features").set_value("mean over places").run()
    at.segmented_control(key="k_kernel").set_value("RBF").run()
    at.slider(key="k_bandwidth").set_value(1.0).run()
    at.number_input(key="k_seed").set_value(3).run()
    at.number_input(key="k_n").set_value(40).run()
    assert "40 pictures are few" in at.warning[0].value
    run(at)
    assert step(at).found.cka["unbiased"].shape == (48, 64)
    assert "rbf kernel" in words(at) and "**n = 40** of 40" in words(at)
    at.number_input(key="k_n").set_value(3).run()
    assert "at least 4 pictures, not 3" in at.error[0].value
    assert not [button for button in at.button if button.key == "k_cka_button"]


@pytest.mark.long
def test_undefined_cells_stay_empty_and_are_named(page):
    at = run(page(a="resnet18", weights_a="random", k_layers="all", k_n="4"))
    missing = np.isnan(step(at).found.cka["unbiased"])
    assert "`layer1.0.bn2`" in words(at) and "of A put out the same for every picture" in words(at)
    assert missing.all(1).any() and not missing.all()


@pytest.mark.long
def test_a_run_can_be_stopped_keeps_its_estimate_and_goes_on(page, monkeypatch):
    show, stopped = cka_figures.show, []

    def click_on_stop(asked, latest):
        show(asked, latest)
        if latest.done == 32 and not stopped:
            stopped.append(True)
            st.session_state["job_k_cka"]["running"] = False
            st.rerun()

    monkeypatch.setattr(cka_figures, "show", click_on_stop)
    monkeypatch.setattr(jobs, "DRAW_EVERY", 0)
    at = run(page())
    assert "Stopped at 50%" in words(at) and "**n = 32** of 64" in words(at)
    run(at)
    assert "**n = 64** of 64" in words(at)


@pytest.mark.long
def test_the_table_the_picture_and_the_code_can_be_taken_away(page, tmp_path, monkeypatch):
    at = run(page())
    (kept,), (rows,) = (at.session_state[name].values() for name in ("kept", "tables"))
    cka = step(at).found.cka["unbiased"]
    table = pd.read_csv(io.BytesIO(saving.table_file(rows)), index_col=0)
    assert list(table.index)[0] == "conv1" and list(table.columns)[-1] == "norm"
    assert np.allclose(table.to_numpy(), cka, atol=1e-6)
    assert np.array_equal(kept.maps["cka"], cka) and "n = 64 drawn textures" in kept.caption
    picture = Image.open(io.BytesIO(saving.picture_file(kept)))
    assert picture.format == "PNG" and min(picture.size) > 300

    monkeypatch.chdir(tmp_path)
    written = {}
    exec(kept.code, written)
    assert np.allclose(written["cka"], cka, atol=1e-6)
    assert np.array_equal(written["figure"], kept.draw()) and (tmp_path / "figure.png").exists()


def encode(noise: int) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((40, 40), noise).save(buffer, "PNG")
    return buffer.getvalue()


def pack(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(count):
            archive.writestr(f"{i}.png", encode(10 + 20 * i))
    return buffer.getvalue()


def test_uploaded_pictures(page):
    at = fine(page(k_data="Your pictures"))
    assert "Upload pictures" in at.info[0].value
    at.file_uploader(key="k_files").set_value([("six.zip", pack(6), "application/zip")]).run()
    assert "6 pictures read" in words(fine(at))
    run(at)
    assert "**n = 6** of 6 your pictures" in words(at)
    same = [(f"{i}.png", encode(0), "image/png") for i in range(5)]
    run(at.file_uploader(key="k_files").set_value(same).run())
    assert any("nothing to compare" in warning.value for warning in at.warning)
    at.file_uploader(key="k_files").set_value([("none.zip", b"PK", "application/zip")]).run()
    assert "not a zip" in at.error[0].value and not at.exception


def test_cifar_that_cannot_be_had_is_one_sentence(page, monkeypatch):
    from vizcore.pictures import sets as pictures
    from vizcore.pictures.images import PictureError

    def fail(*_):
        raise PictureError("CIFAR-100 can't be downloaded (no network); the drawn textures work.")

    picture_sets._cifar_pictures.clear()
    monkeypatch.setattr(pictures, "cifar100", fail)
    at = fine(page(k_data="CIFAR-100"))
    at.button(key="k_get").click().run()
    assert "can't be downloaded" in at.error[0].value and not at.exception


def test_folders_only_where_the_server_is_ones_own(page, monkeypatch, tmp_path):
    assert page(k_data="A folder here").segmented_control(key="k_data").value == "Drawn textures"
    (tmp_path / "class").mkdir()
    for i in range(5):
        Image.effect_noise((40, 40), 10 + 20 * i).save(tmp_path / "class" / f"{i}.png")
    monkeypatch.setenv("SIGHTLINES_LOCAL", "1")
    at = fine(page(k_data="A folder here"))
    run(at.text_input(key="k_folder").set_value(str(tmp_path)).run())
    assert "**n = 5** of 5 pictures of that folder" in words(at)
    (tmp_path / "class" / "1.png").write_bytes(b"damaged")
    at.number_input(key="k_seed").set_value(1).run()
    at.button(key="k_cka_button").click().run()
    assert "1.png: This file can't be read" in at.error[0].value and not at.exception
    at.text_input(key="k_folder").set_value(str(tmp_path / "no")).run()
    assert "There is no folder" in at.error[0].value


def test_bad_links_do_no_harm(page):
    at = fine(page(k_n="-3", k_layers="<b>", k_kernel="x", k_bandwidth="1e9", k_data="💥", k_seed="nan"))
    assert at.segmented_control(key="k_layers").value == "blocks"


# ---------------------------------------------------------------- what the page opens with


def test_it_opens_on_a_stored_result_of_the_pair_in_the_box(page):
    at = fine(page(k_n="128", k_control="true"))
    assert "Computed beforehand" in words(at) and "job_k_cka" not in at.session_state
    assert "**n = 128** of 128 drawn textures" in words(at) and "Control: random weights" in words(at)
    fine(at.toggle(key="k_biased").set_value(True).run())
    assert "biased estimator, **n = 128**" in words(at)
    for widget, value in (("k_seed", 1), ("k_n", 96)):
        fine(at.number_input(key=widget).set_value(value).run())
        assert "Computed beforehand" not in words(at) and "n = " not in words(at)  # that is another question


def test_the_stored_result_is_of_these_weights():
    assert stored_cka.load_stored().weights == stored_cka.weights_digest(), (
        "python -m benchmarks cka --stored"
    )


@pytest.mark.long
def test_the_stored_result_is_what_a_run_comes_to(page):
    at = run(page(k_n="128"))
    stored = stored_cka.load_stored()
    for kind in ("cka", "noise"):
        for estimator in ("unbiased", "biased"):
            found, known = (getattr(one, kind)[estimator] for one in (step(at).found, stored.found))
            assert np.abs(found - known).max() < 1e-3
    assert abs(stored.control.cka["unbiased"] - stored.found.cka["unbiased"]).max() > 0.2
