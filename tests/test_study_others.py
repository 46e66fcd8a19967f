"""Studies that judge, compare and imagine: thin over what exists, on any folder and any networks."""

import json

import numpy as np
import pytest
from PIL import Image
from shared import shared_model

from vizcore.at_scale import run_imagine, run_judge, run_similarity, sources, tables
from vizcore.at_scale.run_judge import as_seen, recipe_of
from vizcore.at_scale.shards import Rank, StudyError
from vizcore.imagine.crosseval import judge
from vizcore.imagine.maximise import Recipe
from vizcore.pictures.sets import drawn
from vizcore.studies.cka import compare

PAIR = "texture_resnet", "texture_vit"
ONE = Rank()


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch):
    def loaded(name, *_):
        return shared_model(name.removesuffix(":random"), "random" if name.endswith(":random") else "trained")

    for module in (run_judge, run_similarity, run_imagine):
        monkeypatch.setattr(module, "network", loaded)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root, pictures = tmp_path_factory.mktemp("textures"), drawn(5)
    for k, picture in enumerate(pictures):
        (root / pictures.names[k]).mkdir()
        picture.save(root / pictures.names[k] / f"{k}.png")
    (root / "zebra").mkdir()
    pictures[0].save(root / "zebra" / "unknown.png")
    (root / "zebra" / "damaged.png").write_bytes(b"no picture")
    return root


def test_pictures_are_imagined_and_then_judged_as_a_data_set(tmp_path):
    """Their recipes say what they were made for, with and without random views."""
    made = run_imagine.run_imagine(PAIR[:1], ["woven", "3"], tmp_path / "made", Recipe(steps=3), rank=ONE)
    files = sorted(made.glob("pictures/*/*.png"))
    assert len(files) == 4 and {path.parent.name for path in files} == {
        "woven",
        shared_model(PAIR[0]).label(3),
    }
    with Image.open(files[0]) as image:
        recipe = recipe_of(image)
        assert recipe["network"] == PAIR[0] and recipe["recipe"]["steps"] == 3 and image.size == (128, 128)
    with Image.open(made / "sheet.png") as drawn:
        assert drawn.width > 2 * 192 and drawn.height > 2 * 192, "two classes, with and without views"
    before = [path.stat().st_mtime_ns for path in files]
    run_imagine.run_imagine(PAIR[:1], ["woven", "3"], tmp_path / "made", Recipe(steps=3), rank=ONE)
    assert [path.stat().st_mtime_ns for path in files] == before

    source = sources.pictures_of(made / run_imagine.PICTURES)
    out = run_judge.run_judge(source, PAIR, tmp_path / "judged", views=4, rank=ONE)
    groups = json.loads((out / "summary.json").read_text())["by origin"]
    keys = {(one["origin"], one["augmented"], one["judge"]) for one in groups}
    assert keys == {(PAIR[0], augmented, name) for augmented in (True, False) for name in PAIR}
    assert Image.open(out / "sheet.png").width > 200
    assert all(one["pictures"] == 2 for one in groups) and "| with |" in (out / "summary.md").read_text()


def test_a_judge_is_asked_for_the_class_of_the_folder(folder, tmp_path):
    source = sources.pictures_of(folder)
    out = run_judge.run_judge(source, PAIR, tmp_path / "out", views=4, rank=ONE)
    rows = {(row["picture"], row["judge"]): row for row in tables.rows_of(tables.read(out / tables.TABLE))}
    model, item = shared_model(PAIR[1]), source.items[0]
    found = judge(model, as_seen(model, item.read())[None], [model.labels.index(item.kind)], 4)
    row = rows[item.name, PAIR[1]]
    assert [row[name] for name in run_judge.FIGURES] == [
        float(getattr(found, n)[0]) for n in run_judge.FIGURES
    ]
    assert "no class 'zebra'" in rows["zebra/unknown.png", PAIR[0]]["reason"]
    assert "can't be read" in rows["zebra/damaged.png", PAIR[0]]["reason"]
    by_class = json.loads((out / "summary.json").read_text())["by class"]
    assert {one["kind"] for one in by_class} == {one.kind for one in source.items} - {"zebra"}


def test_each_pair_of_networks_is_compared(folder, tmp_path):
    names = (PAIR[0], f"{PAIR[0]}:random")
    source = sources.pictures_of(folder)
    out = run_similarity.run_similarity(source, names, tmp_path / "out", count=6, rank=ONE)
    rows = list(tables.rows_of(tables.read(out / tables.TABLE)))
    a, b = shared_model(PAIR[0]), shared_model(PAIR[0], "random")
    *_, last = compare(a, b, run_similarity.chosen(source, 6), batch=run_similarity.BATCH)
    own = [row["cka"] for row in rows if (row["a"], row["b"]) == names]
    assert np.array(own, float) == pytest.approx(last.cka["unbiased"].flatten(), nan_ok=True)
    assert len({row["number"] for row in rows}) == 3 == len(list(out.glob("cka-*.png")))
    with pytest.raises(StudyError, match="at least 4 pictures"):
        run_similarity.chosen(sources.Source("", source.items[:3]), 6)


def test_the_preset_takes_what_was_fine_tuned_and_random_ones(monkeypatch):
    monkeypatch.setattr(run_similarity, "own_networks", lambda: {"cifar100-resnet18": ""})
    found = run_similarity.preset("cifar100")
    assert found[0] == "cifar100-resnet18" and len(found) == 8
    assert {"lambda_resnet38t:random", "vit_large_patch32_224:random"} <= set(found)


@pytest.mark.long
def test_the_preset_runs_whole_on_small_data(folder, tmp_path, monkeypatch):
    """All of its networks but the ViT-L, which takes 1.2 GB."""
    monkeypatch.undo()
    small = [name for name in run_similarity.preset("cifar100") if "large" not in name]
    out = run_similarity.run_similarity(sources.pictures_of(folder), small, tmp_path / "out", 4, rank=ONE)
    found = json.loads((out / "summary.json").read_text())
    assert len(found) == 21
    assert all(one["best match, mean"] > 0.999 for one in found if one["a"] == one["b"])


def test_a_class_that_no_network_has_is_said():
    with pytest.raises(StudyError, match="None of these networks has any of the classes zebra"):
        run_imagine.wanted({PAIR[0]: shared_model(PAIR[0])}, ["zebra"])


@pytest.mark.parametrize("text", ["[" * 90_000, '{"class": 3, "network": "a"}', "null", "no JSON"])
def test_a_text_chunk_that_is_no_recipe_says_nothing(text):
    image = Image.new("RGB", (16, 16))
    image.info["recipe"] = text
    assert recipe_of(image) == {}


def test_files_are_named_so_that_any_system_takes_them():
    assert run_imagine.file_name("jack-o'-lantern") == "jack-o_-lantern"
    assert run_imagine.file_name("../../etc/passwd") == "_.._etc_passwd"
    assert run_imagine.file_name("..") == "unnamed"
