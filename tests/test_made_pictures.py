"""Pictures whose answer is known, made in the sidebar: their masks under all pages' maps, and their links."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model

from benchmarks.whole_app import all_maps
from ui import brush
from ui import regions as regions_of_files
from ui.network_picker import Choice
from ui.picture_picker import MADE, OPENING, PHOTOGRAPHS, SAMPLES, SAMPLES_FOLDER, Source, sample
from ui.thing_names import common
from ui.your_model import asking, truth_table
from vizcore import judgements, truth
from vizcore.methods.table import METHODS, in_frame
from vizcore.pictures import known, textures
from vizcore.pictures.images import PictureError
from vizcore.studies import named as studies_named

CELLS = list(SAMPLES)


def test_every_photograph_is_credited_free_and_small():
    credits = (SAMPLES_FOLDER / "CREDITS.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\S+) \| .* \| (CC0|public domain) \|$", credits, re.M))
    assert rows.keys() == set(PHOTOGRAPHS.values()) and len(rows) >= 8
    for file in set(rows) - set(SAMPLES.values()):
        assert (SAMPLES_FOLDER / file).stat().st_size < 60_000 and max(sample_size(file)) <= 640


def sample_size(file: str) -> tuple[int, int]:
    return Image.open(SAMPLES_FOLDER / file).size


def fine(at):
    assert not at.exception and not at.error, [one.value for one in (*at.exception, *at.error)]
    return at


def captions(at):
    return " ".join(one.value for one in at.caption)


def inside_of(at):
    """What lies where the class is, in percent, and its maximum, in the page's sentences."""
    words = " ".join(one.value for one in at.markdown)
    return re.findall(
        r"\*\*(\d+)%\*\* of .+? lies on the .+?; its maximum lies \*\*(there|elsewhere)\*\*", words
    )


def test_a_mosaic_of_samples_is_in_the_link_and_its_cells_are_what_the_network_calls_them(app):
    at = fine(app("pages/saliency.py", picture=MADE, p_seed="3", s_class="espresso", s_method_a="gradient"))
    assert "A cup of espresso: **espresso** (EfficientNet-Lite0" in captions(at)
    at.number_input(key="p_seed").set_value(5).run()
    assert fine(at).query_params["p_seed"] == "5" and at.query_params["picture"] == MADE
    model = shared_model("efficientnet_lite0")
    scene = known.mosaic({name: sample(name).image for name in CELLS}, seed=5)
    image = Image.fromarray(scene.picture)
    index = next(k for k in range(1000) if model.label(k) == "espresso")
    heat = in_frame(model, image, METHODS["gradient"].make(model, model.preprocess(image), index))
    mask = scene.masks["A cup of espresso"]
    side = "there" if truth.pointing(heat, mask) else "elsewhere"
    assert inside_of(at) == [(f"{truth.energy(heat, mask):.0%}".rstrip("%"), side)]


@pytest.mark.parametrize("page", ["home", "grad_cam", "attention_rollout", "feature_maps"])
def test_every_page_takes_a_picture_that_was_made(app, page):
    at = fine(app(f"pages/{page}.py", picture=MADE, p_kind="cut-outs", p_seed="2"))
    assert at.selectbox(key="p_ground").value == "noise"
    assert at.multiselect(key="p_things").value == CELLS[:2]


def test_a_map_for_each_thing_says_what_lies_on_the_other(app):
    at = fine(app("pages/grad_cam.py", picture=MADE, p_kind="mosaic", g_class="espresso"))
    told = {one["name"]: one for one in all_maps(at) if one.get("region")}
    assert {"tiger cat", "espresso", "missile"} <= told.keys(), "all of them are at hand"
    assert "lies on “" in told["espresso"]["facts"] and "lies on the espresso" in told["espresso"]["facts"]


def test_a_region_and_a_name_of_ones_own(app):
    link = {"p_kind": "region", "p_one": "A rocket", "p_names": "missile", "s_class": "missile"}
    at = fine(app("pages/saliency.py", picture=MADE, **link))
    assert "the region: **missile** (as you say)" in captions(at) and len(inside_of(at)) == 1
    assert "call the whole picture so" not in captions(at)
    unnamed = app("pages/saliency.py", picture=MADE, **link | {"p_names": ""})
    assert re.search(r"the region: \*\*.+ They call the whole picture so: if you marked", captions(unnamed))
    at.number_input(key="p_left").set_value(75).run()
    assert any("is empty" in one.value for one in at.error), "a rectangle without a pixel"


@pytest.mark.parametrize("edges", [(0, 0, 100, 100), (0, 0, 3, 100)])
def test_a_region_that_is_all_or_nothing_of_what_is_seen_makes_no_map_right_or_wrong(app, edges):
    link = dict(zip(("p_left", "p_top", "p_right", "p_bottom"), map(str, edges), strict=True))
    at = fine(
        app("pages/home.py", picture=MADE, p_kind="region", p_one="Chelsea the cat", b="photo_vit", **link)
    )
    (said,) = [one.value for one in at.markdown if "Egyptian cat” is" in one.value]
    assert "Both networks see nothing of where “Egyptian cat” is, or nothing else" in said
    assert "points" not in said and "point to" not in said
    told = [one["facts"] for one in all_maps(at) if one["name"] == one["chosen"]]
    assert len(told) == 2 and all("so any map of it has its maximum" in one for one in told)


def test_what_lies_on_a_ground_is_not_in_it_too(app):
    link = {"p_kind": "cut-outs", "p_things": ["A rocket"], "p_ground": "A rocket"}
    at = app("pages/saliency.py", picture=MADE, **link)
    assert "A rocket" not in at.selectbox(key="p_ground").options and not at.exception
    assert any("p_ground is “A rocket”, which isn't available here" in one.value for one in at.warning)


def left_out(at) -> str:
    """What the button that copies the link says that it leaves out."""
    parts = [one.proto for one in at.get("bidi_component")]
    (data,) = [json.loads(one.json) for one in parts if one.component_name == "sightlines.link"]
    return data["without"]


def test_what_is_painted_is_in_no_link_and_reset_clears_it(app):
    at = fine(app("pages/your_model.py", picture=MADE, p_kind="region", p_one="A rocket"))
    key = at.session_state["chosen"][0].key
    assert left_out(at) == "" and not at.number_input(key="p_left").disabled
    grid = np.zeros(brush.grid_of(at.session_state["chosen"][0].size), bool)
    grid[:9, :9] = True
    at.session_state["p_brush_mask"] = key, 1, grid
    fine(at.run())
    assert left_out(at) == "the region that you painted" and at.number_input(key="p_left").disabled
    at.button(key="reset").click().run()
    assert fine(at).selectbox(key="picture").value == OPENING and left_out(at) == ""
    at.selectbox(key="picture").set_value(MADE).run()
    at.segmented_control(key="p_kind").set_value("region").run()
    at.selectbox(key="p_one").set_value("A rocket").run()
    assert not fine(at).number_input(key="p_left").disabled, "nothing is painted any more"


def test_too_few_cells_are_refused_in_words_and_what_is_not_there_in_the_link(app):
    at = app("pages/saliency.py", picture=MADE, p_cells=["A rocket", "Yours, 1"])
    assert any("4 or 9 pictures, not 1" in one.value for one in at.error)
    assert any("Yours, 1" in one.value for one in at.warning), "an upload stayed with them"
    assert not at.exception


def test_the_texture_pair_names_no_photograph(app):
    at = fine(app("pages/saliency.py", picture=MADE, a="texture_resnet"))
    assert "no network here is sure enough what it is" in captions(at) and not inside_of(at)


def test_the_sentence_about_a_name():
    assert judgements.named("a", "cat", [("X", 0.5), ("Y", 0.25)]) == "a: **cat** (X 50%, Y 25%)."
    said = judgements.named("a", "cat", [("X", 0.5), ("Y", 0.25)], {"Y": "dog"})
    assert said == "a: **cat** (X 50%, Y 25%). Y finds “dog” likelier."
    assert judgements.named("a", "cat") == "a: **cat** (as you say)."
    assert "nothing is asked" in judgements.named("a", "")


@pytest.mark.parametrize(
    "said, name",
    [
        ([], ""),
        ([{"cat": 0.5, "dog": 0.4}], "cat"),
        ([{"cat": 0.19}], ""),
        ([{"tiger cat": 0.6, "tabby": 0.3}, {"tabby": 0.3, "dog": 0.4}], "tabby"),
        ([{"missile": 0.9, "crane": 0.05}, {"crane": 0.2}], "missile"),
        ([{"missile": 0.3}, {"crane": 0.8}], "crane"),
        ([{"missile": 0.1}, {"crane": 0.1}], ""),
        ([{"switch": 0.2, "ladybug": 0.0}, {"ladybug": 0.25}], ""),
    ],
)
def test_a_thing_has_one_name_that_all_networks_know_if_there_is_one(said, name):
    assert common(said) == name


def test_where_the_networks_differ_a_cell_still_has_one_name(app):
    at = fine(app("pages/saliency.py", picture=MADE, b="photo_vit"))
    at.run()
    picture = at.session_state["chosen"][0]
    masks = list(picture.masks.values())
    assert masks and not any((one & two).any() for one in masks for two in masks if one is not two)
    assert re.search(
        r"Chelsea the cat: \*\*.+?\*\* \(EfficientNet-Lite0 \d+%, Photo ViT \d+%\)", captions(at)
    )


# ---------------------------------------------------------------- masks of several things


def picture_file(array) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def annotated(file="chelsea.png", size=(451, 300), **changes) -> bytes:
    box = [10, 10, 200, 10, 200, 200, 10, 200]
    said = {
        "images": [{"id": 1, "file_name": file, "width": size[0], "height": size[1]}],
        "categories": [{"id": 1, "name": "tabby"}, {"id": 2, "name": "dog"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "segmentation": [box]},
            {"image_id": 1, "category_id": 2, "segmentation": [[300, 50, 440, 50, 440, 290]]},
        ],
    }
    return json.dumps(said | changes).encode()


def zipped(**files) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "."), content)
    return data.getvalue()


def regions(app):
    return app("pages/saliency.py", picture=MADE, p_kind="region", p_one="Chelsea the cat")


def test_coco_s_polygons_become_the_picture_s_masks_by_their_class(app):
    at = regions(app)
    at.file_uploader(key="p_mask").set_value(("a.json", annotated(), "application/json")).run()
    fine(at)
    picture = at.session_state["chosen"][0]
    assert "tabby: **tabby** (as you say)" in captions(at), "a class's own name needs no guess"
    assert picture.title == "Chelsea the cat" and picture.masks["tabby"].shape == picture.array.shape[:2]
    assert picture.masks["tabby"].sum() == pytest.approx(190 * 190, rel=0.01)
    assert len(picture.things) == 2 and picture.things[1].alone.size != picture.size


def test_of_a_zip_s_pictures_one_is_chosen(app):
    grey, mask = np.full((60, 80, 3), 90, np.uint8), np.zeros((60, 80), np.uint8)
    mask[10:30, 20:50] = 255
    pairs = {"a__png": grey, "a_mask_tabby__png": mask, "b__png": grey, "b_mask_tabby__png": mask[:, ::-1]}
    data = zipped(**{name: picture_file(array) for name, array in pairs.items()})
    at = regions(app)
    at.file_uploader(key="p_mask").set_value(("a.zip", data, "application/zip")).run()
    assert left_out(at) == "the masks that you uploaded"
    at.selectbox(key="p_one").set_value("b").run()
    fine(at)
    assert at.selectbox(key="p_one").options == ["a", "b"]
    assert (at.session_state["chosen"][0].masks["tabby"] == (mask[:, ::-1] > 0)).all()


@pytest.mark.parametrize(
    "name, data, words",
    [
        ("a.zip", b"PK not a zip", "not a zip"),
        ("a.zip", zipped(a__png=picture_file(np.zeros((40, 40, 3), np.uint8))), "no mask for a"),
        ("a.zip", zipped(a__txt=b"x"), "holds no picture"),
        ("a.zip", zipped(a__json=b"[1]" + b" " * 3_000_000), "far more than a photograph"),
        ("a.json", b"{", "no COCO annotation file"),
        ("a.json", annotated("else.png"), "marks nothing"),
        ("a.json", annotated(size=(300, 300)), "proportions differ"),
        ("a.json", annotated(size=(10**6, 10**6)), "more shapes than can be drawn"),
        (
            "a.json",
            annotated(images=[{"id": 1, "file_name": "chelsea.png", "width": 1e999, "height": 1}]),
            "no COCO",
        ),
        (
            "a.json",
            annotated(annotations=[{"image_id": 1, "category_id": 1, "segmentation": [[900] * 8]}]),
            "marks nothing",
        ),
        (
            "a.json",
            annotated(
                annotations=[{"image_id": 1, "category_id": 1, "segmentation": [[1, 2, 9, 2, 9, 9]] * 20_000}]
            ),
            "more shapes than can be drawn",
        ),
    ],
)
def test_what_marks_nothing_ends_in_a_sentence(name, data, words):
    sources = {title: Source(title, sample(title).image, "", file) for title, file in SAMPLES.items()}
    file = type("File", (), {"name": name, "file_id": str(hash(data)), "getvalue": lambda self: data})()
    with pytest.raises(PictureError) as said:
        regions_of_files._annotated(file, sources)
    assert words in str(said.value)


def test_an_annotation_file_is_bounded_before_it_is_read():
    with pytest.raises(PictureError, match="21 MB; at most 20"):
        known.read_coco(b" " * 21_000_000)
    assert not known.read_coco(annotated("else.png", size=(10**9, 10**9)), {"chelsea.png"}), (
        "nothing is drawn"
    )


# ---------------------------------------------------------------- painted


def test_a_painted_mask_comes_back_as_it_was_sent():
    grid = brush.grid_of((300, 451))
    assert max(grid) == brush.CELLS and grid == (128, 85)
    mask = np.random.default_rng(0).random(grid) > 0.5
    assert (brush.decode(brush.encode(mask), grid) == mask).all()
    full = known.of_grid(np.ones(grid, bool), (300, 451))
    assert full.shape == (451, 300) and full.all()


@pytest.mark.parametrize(
    "said",
    [
        None,
        3,
        "",
        "AAAA",
        {},
        ["A"],
        "é" * 1816,
        "!" * 1816,
        "A" * 1816,
        "A" * 10**6,
        brush.encode(np.ones((9, 9)) > 0),
    ],
)
def test_what_is_no_mask_is_none(said):
    assert brush.decode(said, (128, 85)) is None


def test_what_is_painted_counts_instead_of_the_rectangle_and_for_its_picture_only(app):
    at = regions(app)
    key = at.session_state["chosen"][0].key
    mask = np.zeros(brush.grid_of((451, 300)), bool)
    mask[:10] = True
    at.session_state["p_brush_mask"] = key, 1, mask
    fine(at.run())
    picture = at.session_state["chosen"][0]
    assert picture.things[0].mask.mean() == pytest.approx(mask.mean(), abs=0.01)
    assert at.number_input(key="p_left").disabled
    at.selectbox(key="p_one").set_value("A rocket").run()
    assert fine(at).session_state["chosen"][0].things[0].mask.mean() == pytest.approx(0.25, abs=0.01)


def test_of_a_photograph_nothing_is_said_that_holds_of_drawings_only():
    one = judgements.Network("X", answer="other", inside=True)
    for what, other in (("texture", "the other texture"), ("thing", "another thing")):
        said = judgements.verdict("cat", "known", one, one, what=what)
        assert f"{other} first" in said and f"asked for {other}?" in said


def test_a_cut_out_keeps_its_transparency_and_an_opaque_one_is_cut_round():
    array = np.zeros((40, 60, 4), np.uint8)
    array[10:30, 20:40] = 200, 0, 0, 255
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    thing = known.cut(known.read_cutout(file.getvalue()))
    assert thing.size == (20, 20) and np.asarray(thing)[..., 3].min() == 255
    disc = np.asarray(known.round_cut(Image.new("RGB", (100, 60), "red")))[..., 3] > 0
    assert disc.mean() == pytest.approx(np.pi / 4, abs=0.01) and torch.tensor(disc)[0].float().mean() < 0.3


def test_what_lies_on_another_thing_is_said_of_the_largest():
    assert judgements.elsewhere({"cat": 0.1, "dog": 0.2}) == "**20%** lies on “dog”."
    assert judgements.elsewhere({}) == judgements.elsewhere({"cat": 0.001}) == ""


def test_the_attention_page_says_where_a_known_thing_is(app):
    at = fine(
        app("pages/attention_rollout.py", picture="A spiral on bands", b="texture_vit", r_class="banded")
    )
    told = [one for one in all_maps(at) if "of the heat lies on the bands" in one["facts"]]
    assert len(told) >= 2 and all(one.get("region") == "banded" for one in told), "rollout, and relevance"
    at = app("pages/attention_rollout.py", picture="A rocket", b="texture_vit")
    assert not any("of the heat" in one["facts"] for one in all_maps(at))


# ---------------------------------------------------------------- the table of truth


def test_the_table_of_truth_asks_what_each_network_can_be_asked(app, monkeypatch):
    monkeypatch.setattr(truth_table, "_methods", lambda slow: ["Grad-CAM", "relevance"])
    at = fine(app("pages/your_model.py", b="texture_vit", t_seed="3", t_third="Model A with random weights"))
    at.button(key="t_run_button").click().run()
    fine(at)
    words = " ".join(one.value for one in [*at.markdown, *at.caption])
    assert "For EfficientNet-Lite0, " in words and "of 36 questions" in words, "the astronaut has no name"
    assert "Texture ViT was asked nothing" in words
    assert "EfficientNet-Lite0, random names no photograph: it was asked for the other networks" in words
    table = at.dataframe[0].value
    assert list(table["Map"])[-3:] == ["random (control)", "centre (control)", "edges (control)"]
    assert "Grad-CAM" in list(table["Map"]) and not any("Texture" in column for column in table.columns)
    assert at.query_params["t_seed"] == "3"


def test_a_network_that_names_none_is_asked_for_the_others_classes_and_this_is_said(monkeypatch):
    named_by = studies_named.named

    def unsure(model, pictures):
        for step in named_by(model, pictures):
            low = {title: name._replace(probability=0.1) for title, name in step.names.items()}
            yield step if model.family == "cnn" else step._replace(names=low)

    monkeypatch.setattr(asking, "TEXTURES", [])  # as if these were networks of photographs
    monkeypatch.setattr(studies_named, "named", unsure)
    chosen = [Choice("", name, "trained") for name in ("texture_resnet", "texture_vit")]
    networks = [asking.Network(one, one.name, shared_model(one.name)) for one in chosen]
    pictures = {name: Image.fromarray(textures.single(name, 9, 96).picture) for name in textures.LABELS[:4]}
    *_, last = asking.answers(networks, pictures, 1, 0, ["Grad-CAM"])
    assert [last.networks[one.title].questions for one in networks] == [4, 4]
    assert asking.unasked(networks[0], last) == []
    (said,) = asking.unasked(networks[1], last)
    assert "names none of these photographs: it was asked for the other networks' classes" in said


def test_a_method_is_said_to_beat_the_controls_only_where_its_interval_does():
    def measured(name, value, half):
        return judgements.Measured(name, value, value - half, value + half)

    controls = [measured("random", 0.25, 0.1), measured("edges", 0.4, 0.1)]
    best = [measured("Grad-CAM", 0.9, 0.1), measured("gradient", 0.3, 0.1)]
    said = judgements.known("X", 40, 0.25, best, controls)
    assert "Grad-CAM points right most often: in 90% of 40 questions (80% to 100%; chance 25%)" in said
    assert "more than each control" in said
    said = judgements.known("X", 40, 0.25, [measured("Grad-CAM", 0.55, 0.1)], controls)
    assert "**not clearly more** than the control edges does" in said
    assert "asked nothing" in judgements.known("X", 0, 0.25, best, controls)
