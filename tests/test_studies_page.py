"""The page Studies: a study's table, its links to live views, and what others may not see of the machine."""

import json
import shutil
import time
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
import streamlit as st
from playwright.sync_api import expect
from shared import new_tab, settled, shared_model

from benchmarks import visitor
from benchmarks.whole_app import all_words
from ui import on_a_folder, study_pictures
from ui.network_picker import Choice
from ui.studies import study_table
from vizcore.at_scale import measures, own_folder, run_maps, sources, tables
from vizcore.at_scale.measures import How
from vizcore.at_scale.plans import PLAN
from vizcore.at_scale.run_maps import Asked
from vizcore.at_scale.shards import Rank
from vizcore.pictures.sets import drawn

PAIR = "texture_resnet", "texture_vit"


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """A folder with one study, of three drawn textures."""
    root, data = tmp_path_factory.mktemp("studies"), tmp_path_factory.mktemp("data")
    pictures = drawn(3)
    for k, picture in enumerate(pictures):
        (data / pictures.names[k]).mkdir()
        picture.save(data / pictures.names[k] / f"{k}.png")
    patch = pytest.MonkeyPatch()
    patch.setattr(run_maps, "network", lambda name, *_: shared_model(name))
    how = How(("Grad-CAM", "relevance"), steps=0)
    run_maps.run(Asked(sources.pictures_of(data), PAIR, how, root / "three textures"), Rank())
    patch.undo()
    return root


@pytest.fixture(autouse=True)
def _shown(studies, monkeypatch):
    monkeypatch.setenv(study_pictures.FOLDER, str(studies))
    st.cache_data.clear()


def test_a_row_leads_to_the_live_view_of_its_picture_network_and_method(app, studies):
    at = app("pages/studies.py")
    assert not at.exception and at.selectbox(key="d_study").value == "three textures"
    table = at.dataframe[0].value
    row = table[(table.network == PAIR[1]) & (table.method == "relevance")].iloc[0]
    link = urlsplit(row["view"])
    assert link.path == "grad_cam" and not link.netloc
    words = dict(parse_qsl(link.query))
    live = app("pages/grad_cam.py", **words)
    assert not live.exception and not live.warning
    assert live.selectbox(key="a").value == PAIR[1] and live.selectbox(key="g_method_a").value == "relevance"
    picture = live.session_state["chosen"][0]
    assert np.array_equal(picture.array, np.asarray(drawn(3)[int(words["picture"].split()[-1])]))
    assert live.session_state["g_class"] == row["answer"]


def test_controls_have_no_live_view(studies):
    found = list(tables.rows_of(tables.read(studies / "three textures" / tables.TABLE)))
    plan = json.loads((studies / "three textures" / PLAN).read_text())
    made = study_table.links(found, "three textures", plan)
    assert [bool(one) for one in made] == [row["array"] is not None for row in found]
    assert 0 < sum(map(bool, made)) < len(made)
    plan["networks"][0]["name"] = "mine.safetensors"
    linked = [{**found[0], "network": network} for network in ("mine.safetensors", "resnet18:random")]
    mine, random = study_table.links(linked, "x", {"networks": [{"name": "mine.safetensors"}]})
    assert mine is None and "weights_a=random" in random


def test_ten_thousand_rows_are_there_within_a_second(tmp_path, app, studies):
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / PLAN).write_bytes((studies / "three textures" / PLAN).read_bytes())
    (one, *_) = tables.rows_of(tables.read(studies / "three textures" / tables.TABLE))
    rows = [{**one, "number": k, "picture": f"{k}.png", "deletion": k / 1e4} for k in range(10_000)]
    tables.write_part(tmp_path / "large" / tables.TABLE, measures.COLUMNS, rows, {})
    plan = json.loads((tmp_path / "large" / PLAN).read_text())
    begun = time.process_time()
    table, count = study_table._table(str(tmp_path / "large" / tables.TABLE), 0, "large", plan)
    assert time.process_time() - begun < 1
    assert count == table.num_rows == 10_000 and "view" in table.column_names


FROM_A_CLICK = """() => {  // ms until the table is drawn, by the page's own clock
    addEventListener("click", () => (window.clicked = performance.now()), { capture: true, once: true });
    const look = () => {
        const table = window.clicked && document.querySelector("[data-testid=stDataFrame] canvas");
        if (table) window.drawn = performance.now() - window.clicked;
        else requestAnimationFrame(look);
    };
    look();
}"""


@pytest.mark.long
def test_in_a_browser_ten_thousand_rows_open_within_a_second_and_a_row_leads_to_its_view(studies, browser):
    """From a click in the sidebar until the table is drawn, and once more; a click on a row's "open"."""
    (studies / "large").mkdir()
    try:
        (studies / "large" / PLAN).write_bytes((studies / "three textures" / PLAN).read_bytes())
        every = list(tables.rows_of(tables.read(studies / "three textures" / tables.TABLE)))
        rows = [{**every[k % len(every)], "probability": k / 1e4} for k in range(10_000)]
        tables.write_part(studies / "large" / tables.TABLE, measures.COLUMNS, rows, {})
        with visitor.server(**{study_pictures.FOLDER: str(studies)}) as (address, _):
            page = new_tab(browser.new_context())
            for first in ("grad_cam", "lessons"):  # the first needs what a new server has yet to import
                page.goto(f"http://{address}/{first}")
                page.get_by_role("heading", level=1).wait_for()
                settled(page)
            page.wait_for_timeout(2000)  # who begins to read
            page.evaluate(FROM_A_CLICK)
            page.locator("[data-testid=stSidebar]").get_by_role("link", name="Studies").click()
            first = page.wait_for_function("window.drawn").json_value() / 1000
            settled(page)
            expect(page.get_by_text("maps, 3 pictures")).to_be_visible()
            box = page.get_by_test_id("data-grid-canvas").bounding_box()
            page.mouse.move(box["x"] + 20, box["y"] + 52)  # a link that is not hovered over isn't one yet
            page.mouse.move(box["x"] + 22, box["y"] + 53, steps=4)
            page.wait_for_timeout(300)
            with page.context.expect_page() as opened:
                page.mouse.click(box["x"] + 22, box["y"] + 53, delay=60)
            live = opened.value
            live.get_by_role("heading", level=1, name="Grad-CAM").wait_for(timeout=60_000)
            settled(live)
            words = dict(parse_qsl(urlsplit(live.url).query))
            assert words["a"] == every[0]["network"] and words["picture"] == "study large 0"
            assert "of a study" in live.content() and not live.get_by_test_id("stException").count()
        assert first < 1, f"{first:.2f} s"
        print(f"10,000 rows are drawn {first:.2f} s after the click")
    finally:
        shutil.rmtree(studies / "large")


def test_only_the_folder_of_studies_can_be_read(app, studies, monkeypatch, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / PLAN).write_text('{"data": "/"}')
    (studies / "link").symlink_to(outside)
    try:
        assert list(study_pictures.studies()) == ["three textures"]
    finally:
        (studies / "link").unlink()
    for name in ("../outside", str(outside), "link"):
        assert study_pictures.folder_of(name) is None
        assert study_pictures.find(f"study {name} 0") is None
    at = app("pages/studies.py", d_study="../outside", picture=f"study {outside} 0")
    assert not at.exception and "is the name of no study here" in at.warning[0].value
    monkeypatch.setenv("SIGHTLINES_LOCAL", "1")
    assert study_pictures.folder_of(str(outside)) == outside
    assert study_pictures.find("study three textures 99999") is None


def test_without_studies_the_page_says_how_to_have_one(app, monkeypatch):
    monkeypatch.delenv(study_pictures.FOLDER)
    at = app("pages/studies.py")
    assert not at.exception and "sightlines study maps" in at.info[0].value


def test_a_page_has_the_command_for_the_view_at_hand(app):
    choices = [Choice("a", "resnet18", "random"), Choice("b", "x$(rm)", "checkpoint")]
    said = on_a_folder.command(
        "saliency", choices, {"s_method_a": "gradient × input", "s_method_b": "gradient"}
    )
    assert said == (
        "sightlines study maps --networks resnet18:random 'x$(rm)=mine.safetensors' --data FOLDER "
        "--methods 'gradient × input' gradient --out RESULTS"
    )
    assert "study imagine" in on_a_folder.command("activation_maximization", choices, {"m_class": ["a cat"]})
    assert "study similarity" in on_a_folder.command("similarity", choices, {})
    at = app("pages/grad_cam.py")
    assert any(box.label == "Run this on a folder" for box in at.expander)


def test_a_network_of_the_folder_of_networks_is_offered_and_loaded_by_name(app, monkeypatch, tmp_path):
    from vizcore.finetune import own_file

    model = shared_model(PAIR[0])
    labels = [f"kind {k}" for k in range(20)]
    (tmp_path / "mine.safetensors").write_bytes(
        own_file.weights_file(model, model.net.state_dict(), labels, "")
    )
    monkeypatch.setenv(own_folder.FOLDER, str(tmp_path))
    at = app("pages/grad_cam.py", a="mine", b="texture_vit", picture="A spiral on bands")
    assert not at.exception and not at.error
    assert "mine · fine-tuned, on this server" in at.selectbox(key="a").options
    assert "kind " in all_words(at)
