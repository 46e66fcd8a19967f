"""A study of maps: one table however many work, whatever is killed and whatever the files are."""

import json
import os
import random
import signal
import sys
import time
import zipfile
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model
from test_hostile import RIGHT, WRONG, encode, photo
from test_pictures import cifar_packed, served

from benchmarks import study
from vizcore import truth
from vizcore.__main__ import main
from vizcore.at_scale import by_name, contact_sheets, in_mosaics, own_folder, run_maps, sources, tables, told
from vizcore.at_scale.measures import How
from vizcore.at_scale.progress import Progress
from vizcore.at_scale.run_maps import Asked
from vizcore.at_scale.shards import Rank, StudyError, own_rank, parts_of
from vizcore.methods.table import METHODS
from vizcore.pictures import cifar
from vizcore.pictures.frame import to_frame
from vizcore.pictures.images import PictureError
from vizcore.pictures.sets import drawn

PAIR = "texture_resnet", "texture_vit"
COUNT = 9
HOW = How(("Grad-CAM", "relevance"), steps=2)


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch):
    monkeypatch.setattr(run_maps, "network", lambda name, *_: shared_model(name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Drawn textures, a folder for each class, and one file that is no picture."""
    root, pictures = tmp_path_factory.mktemp("textures"), drawn(COUNT)
    for k, picture in enumerate(pictures):
        (root / pictures.names[k]).mkdir(exist_ok=True)
        picture.save(root / pictures.names[k] / f"{k}.png")
    (root / "woven").mkdir(exist_ok=True)
    (root / "woven" / "damaged.png").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def alone(folder, tmp_path_factory):
    """The study as one process makes it."""
    for name in PAIR:
        shared_model(name)
    patch = pytest.MonkeyPatch()
    patch.setattr(run_maps, "network", lambda name, *_: shared_model(name))
    out = run_maps.run(asked(folder, tmp_path_factory.mktemp("alone") / "out"), Rank())
    patch.undo()
    return out


def asked(folder, out, networks=PAIR, how=HOW, **more):
    return Asked(sources.pictures_of(folder), networks, how, out, **more)


def table(out):
    rows = tables.rows_of(tables.read(out / tables.TABLE))
    return {(row["number"], row["network"], row["method"]): row for row in rows}


def process(asked, rank):
    """A process of its own with all that is loaded, as torchrun would start one."""
    child = get_context("fork").Process(target=_forked, args=(asked, rank))
    child.start()
    return child


def _forked(asked, rank):
    os.setsid()
    sys.stderr = open(os.devnull, "w")
    torch.set_num_threads(1)
    run_maps.run(asked, rank)


# ---------------------------------------------------------------- one table, whoever makes it


def test_two_processes_make_the_table_of_one(folder, alone, tmp_path):
    both = [process(asked(folder, tmp_path / "out"), Rank(rank, 2)) for rank in range(2)]
    for one in both:
        one.join(120)
    assert [one.exitcode for one in both] == [0, 0]
    assert table(tmp_path / "out") == table(alone)
    assert (tmp_path / "out" / "summary.json").read_bytes() == (alone / "summary.json").read_bytes()


def test_a_run_that_is_killed_is_taken_up_again(folder, alone, tmp_path):
    """At any moment; what was made stays as it is, and the rest comes to the same."""
    out, moment = tmp_path / "out", random.Random(os.getpid()).uniform(0.05, 1.5)
    first = process(asked(folder, out), Rank(0, 2))
    time.sleep(moment)
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    before = {path: path.stat().st_mtime_ns for path in out.glob("parts-*/*.parquet")}
    run_maps.run(asked(folder, out), Rank())
    assert table(out) == table(alone), f"killed after {moment} s"
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not [path for path in out.rglob(".*")]


def test_what_a_killed_run_left_beside_its_files_is_swept(folder, tmp_path):
    """Wherever it was killed: at the plan, at a part, at the end. Hidden files of others stay."""
    out = tmp_path / "out"
    run_maps.run(asked(folder, out), Rank())
    part = next(out.glob("parts-*/*.npz"))
    left = [path.with_name(f".{path.name}.host-7") for path in (out / "study.json", out / "summary.md", part)]
    others = [out / ".DS_Store", out / ".notes.mine-7", out / ".study.json.swp"]
    for path in (*left, *others):
        path.write_bytes(b"half")
    run_maps.run(asked(folder, out), Rank())
    assert [path for path in left if path.exists()] == []
    assert all(path.exists() for path in others)


@pytest.mark.long
def test_24_pictures_by_one_process_by_two_and_killed_under_torchrun(tmp_path, capsys):
    """The benchmark's own study, small: one rank, torchrun and the whole group are killed."""
    assert study.same(study.pictures(tmp_path / "data", 24), tmp_path, 1), capsys.readouterr().out
    assert capsys.readouterr().out.count("same table True") == len(study.KILLS)


def test_what_is_left_of_a_killed_run_is_waited_for_and_writes_nothing_twice(folder, alone, tmp_path):
    """An orphan that goes on: no part is made by both, and the maps are those of one process."""
    out = tmp_path / "out"
    orphan = process(asked(folder, out), Rank(0, 2))
    run_maps.run(asked(folder, out), Rank())
    orphan.join(120)
    assert table(out) == table(alone)
    one, other = (sorted(out.glob("parts-*/*.npz")) for out in (out, alone))
    assert len(one) == len(other) == len(parts_of(COUNT + 1))
    for mine, theirs in zip(one, other, strict=True):
        with np.load(mine) as a, np.load(theirs) as b:
            assert a.files == b.files and all((a[name] == b[name]).all() for name in a.files)


def test_another_study_is_not_mixed_with_the_one_that_is_there(folder, alone, tmp_path):
    with pytest.raises(StudyError, match="another study .it differs in steps"):
        run_maps.run(asked(folder, alone, how=HOW._replace(steps=4)), Rank())
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StudyError, match="holds other things"):
        run_maps.run(asked(folder, tmp_path), Rank())


def test_parts_depend_on_the_number_of_pictures_alone():
    for count in (1, 3, 24, 120, 1000, 10_001):
        parts = parts_of(count)
        assert [k for part in parts for k in part] == list(range(count))
        assert max(map(len, parts)) <= 32
    assert len(parts_of(120)) % 2 == 0  # two processes have as much to do


def test_a_rank_is_what_torchrun_says(monkeypatch):
    assert own_rank() == Rank(0, 1, 0)
    for name, value in {"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    assert own_rank() == Rank(3, 8, 1)
    monkeypatch.setenv("RANK", "8")
    with pytest.raises(StudyError, match="none of WORLD_SIZE = 8"):
        own_rank()


# ---------------------------------------------------------------- what the rows say


def test_a_row_says_what_the_network_and_the_method_say(folder, alone):
    found, items = table(alone), sources.pictures_of(folder).items
    for name in PAIR:
        model, picture = shared_model(name), items[0].read()
        images = model.preprocess(picture)
        scores = model.net(images)[0].softmax(-1)
        row = found[0, name, "Grad-CAM"]
        assert row["answer"] == model.label(int(scores.argmax()))
        assert row["probability"] == pytest.approx(float(scores.max()), rel=1e-5)
        assert row["right"] == (row["answer"] == items[0].kind) and row["picture"] == items[0].name
        heat = METHODS["Grad-CAM"].make(model, images, int(scores.argmax()))
        kept = next(tables.array(part, row["array"]) for part in sorted(alone.glob("parts-*/00000.npz")))
        assert np.abs(kept - heat.numpy()).max() <= 1e-4 * np.abs(kept).max()
        *_, last = truth.curves(model.net, images, {"map": heat}, row["answer_index"], steps=2)
        assert row["deletion"] == pytest.approx(last.curves["deletion", "map"].area, abs=1e-4)
    one, other = (found[0, name, "Grad-CAM"] for name in PAIR)
    assert one["maps_alike"] == other["maps_alike"] and -1 <= one["maps_alike"] <= 1
    assert one["answers_alike"] == (one["answer"] == other["answer"])
    assert found[0, "texture_resnet", "relevance"]["reason"].startswith("It has no attention")
    assert found[0, "texture_resnet", "random"]["deletion"] is not None


def test_a_damaged_picture_is_a_row_with_its_reason(alone):
    (row,) = [row for row in table(alone).values() if row["picture"] == "woven/damaged.png"]
    assert "can't be read as a picture" in row["reason"] and row["network"] is None
    assert json.loads((alone / told.SUMMARY).read_text())["left out"] == 1


def test_the_summary_is_the_mean_over_pictures_beside_the_controls(alone):
    rows = json.loads((alone / told.SUMMARY).read_text())["rows"]
    (row,) = [
        one for one in rows if (one["network"], one["method"], one["kind"]) == (PAIR[0], "Grad-CAM", "")
    ]
    found = table(alone)
    apart = [
        found[k, PAIR[0], "random"]["deletion"] - one["deletion"]
        for (k, name, method), one in found.items()
        if name == PAIR[0] and method == "Grad-CAM"
    ]
    assert row["pictures"] == len(apart) == COUNT
    assert row["deletion beyond random"] == pytest.approx([np.mean(apart), *truth.paired(apart)])
    kinds = {one["kind"] for one in rows}
    assert kinds == {"", *(one["kind"] for one in found.values() if one["network"])}
    assert Image.open(alone / contact_sheets.SHEET).width > 3 * 192


def test_the_most_different_pictures_are_those_that_are_named_differently_by_sure_networks():
    nan = np.nan
    values = {"answers_alike": [1, 1, 0, 0, 0, 0], "probability": [1, 1, 0.9, 0.8, 0.9, 0.5],
              "maps_alike": [0.9, 0.9, nan, nan, 0.2, 0.2]}  # fmt: skip
    columns = told.Columns(np.array([0, 0, 1, 1, 2, 2]), {}, {}, {k: np.array(v) for k, v in values.items()})
    assert told.most_different(columns) == [1, 2, 0]


def test_a_mask_says_whether_a_map_points_there(folder, tmp_path):
    masks, item = tmp_path / "masks", sources.pictures_of(folder).items[0]
    (masks / item.kind).mkdir(parents=True)
    mask = np.zeros((128, 128), np.uint8)
    mask[:, :40] = 255
    Image.fromarray(mask).save(masks / item.name)
    how = How(("Grad-CAM",), steps=0)
    found = table(run_maps.run(asked(folder, tmp_path / "out", PAIR[:1], how, masks=masks), Rank()))
    row, model = found[0, PAIR[0], "Grad-CAM"], shared_model(PAIR[0])
    heat = METHODS["Grad-CAM"].make(model, model.preprocess(item.read()), row["answer_index"])
    framed = to_frame(heat, model.preprocess.box((128, 128)), (128, 128))
    assert row["energy"] == pytest.approx(truth.energy(framed, mask > 0), abs=1e-4)
    assert row["pointing"] == truth.pointing(framed, mask > 0) and row["deletion"] is None
    assert found[1, PAIR[0], "Grad-CAM"]["energy"] is None


def test_a_map_is_asked_for_a_picture_in_a_mosaic(folder, tmp_path):
    """By its class; a control that is the same everywhere is right in one of four."""
    how = HOW._replace(methods=("Grad-CAM",), steps=0, mosaics=True)
    found = table(run_maps.run(asked(folder, tmp_path / "out", PAIR[:1], how), Rank()))
    items, model = sources.pictures_of(folder).items, shared_model(PAIR[0])
    for k in range(3):
        scene = in_mosaics.around(k, items[k].read(), items)
        assert len({name.split("/")[0] for name in scene.masks}) == 4, "four classes"
        images = model.preprocess(Image.fromarray(scene.picture))
        heat = METHODS["Grad-CAM"].make(model, images, model.labels.index(items[k].kind))
        framed, cell = (
            to_frame(heat, model.preprocess.box((384, 384)), (384, 384)),
            scene.masks[items[k].name],
        )
        row = found[k, PAIR[0], "Grad-CAM"]
        assert row["cell_energy"] == pytest.approx(truth.energy(framed, cell), abs=1e-4)
        assert row["in_cell"] == (truth.pointing(framed, cell) if heat.max() > 0 else 0.25)
    centre = [row["cell_energy"] for (_, _, method), row in found.items() if method == "centre"]
    assert len(centre) == COUNT and centre == pytest.approx([0.25] * COUNT, abs=0.02)
    summary = json.loads((tmp_path / "out" / told.SUMMARY).read_text())["rows"]
    assert any("in_cell beyond random" in one for one in summary)
    assert in_mosaics.marks(torch.zeros(4, 4), torch.eye(4) > 0) == {"in_cell": 0.25, "cell_energy": 0.25}
    few = [items[0], *(one for one in items if one.kind == items[0].kind)]
    assert in_mosaics.around(0, items[0].read(), few) is None


# ---------------------------------------------------------------- files of any kind


def test_a_hostile_folder_ends_in_a_table(tmp_path):
    root, out = tmp_path / "pictures", tmp_path / "out"
    root.mkdir()
    for k, make in enumerate(one[0] for one in (*RIGHT.values(), *WRONG.values())):
        (root / f"{k:03}.png").write_bytes(make())
    deep = root.joinpath(*["down"] * 20)
    deep.mkdir(parents=True)
    (deep / "deep.png").write_bytes(encode(photo()))
    names = ["עברית.png", "日本語.png", "a\nb.png", "<b>$x$ [x](y).png", "💡.png", "x" * 200 + ".png"]
    for name in (*names, os.fsdecode(b"\xff\xfe.png")):
        (root / name).write_bytes(encode(photo()))
    (tmp_path / "secret.png").write_bytes(encode(photo()))
    (root / "out.png").symlink_to(tmp_path / "secret.png")
    (root / "nowhere.png").symlink_to(root / "nothing.png")
    (root / "circle.png").symlink_to(root / "circle.png")
    (root / "around").symlink_to(root)
    os.mkfifo(root / "pipe.png")
    (root / "folder.png").mkdir()
    found = table(run_maps.run(asked(root, out, PAIR[:1], How(("Grad-CAM",), steps=0)), Rank()))
    reasons = {row["picture"]: row["reason"] for row in found.values() if row["network"] is None}
    assert len({row["picture"] for row in found.values() if row["network"]}) == len(RIGHT) + 8
    assert len(reasons) == len(WRONG) + 5
    for name, why in {"out.png": "leads out", "nowhere.png": "nowhere", "circle.png": "nowhere",
                      "around": "isn't followed", "pipe.png": "no ordinary"}.items():  # fmt: skip
        assert why in reasons[name]
    assert all(name.isprintable() for _, name in [(0, row["picture"]) for row in found.values()])
    assert any(row["picture"].count("/") == 20 for row in found.values())


def test_a_zip_is_read_as_the_folder_that_it_holds(tmp_path):
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("all/cat/1.png", encode(photo()))
        archive.writestr("all/dog/2.png", encode(photo()))
        archive.writestr("all/dog/../../3.png", encode(photo()))
        archive.writestr("__MACOSX/all/dog/._2.png", b"")
    found = sources.pictures_of(path).items
    assert [(one.name, one.kind) for one in found][-1] == ("dog/2.png", "dog")
    assert found[-1].read().size == (64, 48)
    with pytest.raises(PictureError, match="leads out of the zip"):
        next(one for one in found if "3.png" in one.name).read()
    path.write_bytes(b"PK no zip")
    with pytest.raises(PictureError, match="is no zip"):
        sources.pictures_of(path)


def test_a_copy_of_a_data_set_is_read_by_its_own_lists(tmp_path):
    root = tmp_path / "dtd"
    for kind, count in (("banded", 3), ("dotted", 2)):
        (root / "images" / kind).mkdir(parents=True)
        for k in range(count):
            (root / "images" / kind / f"{kind}_{k}.jpg").write_bytes(encode(photo(), "JPEG"))
    (root / "labels").mkdir()
    (root / "labels" / "train1.txt").write_text("banded/banded_0.jpg\ndotted/dotted_0.jpg\n")
    (root / "labels" / "val1.txt").write_text("banded/banded_1.jpg\n")
    (root / "labels" / "test1.txt").write_text("dotted/dotted_1.jpg\n../../secret.jpg\nbanded/none.jpg\n")
    (tmp_path / "secret.jpg").write_bytes(encode(photo(), "JPEG"))
    kinds = [(one.name, one.kind) for one in sources.pictures_of(root, "train").items]
    assert kinds == [(f"{one[:6]}/{one}.jpg", one[:6]) for one in ("banded_0", "banded_1", "dotted_0")]
    test = {one.name: one for one in sources.pictures_of(root).items}
    assert test["dotted/dotted_1.jpg"].read().size == (64, 48)
    for name in test.keys() - {"dotted/dotted_1.jpg"}:
        with pytest.raises(PictureError, match="left out"):
            test[name].read()
    (root / "labels" / "val1.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(PictureError, match="val1.txt of DTD can't be read"):
        sources.pictures_of(root, "train")


def test_cifar_is_read_from_its_binary_form_and_never_unpickled(tmp_path, monkeypatch):
    data, records = cifar_packed()
    served(monkeypatch, data)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    items = sources.pictures_of("cifar100", "train").items
    assert len(items) == 12 and items[0].name == "kind0/00000.png" and items[0].kind == "kind0"
    assert np.asarray(items[0].read())[0, 1].tolist() == records[0, [3, 1027, 2051]].tolist()
    assert len(sources.pictures_of(tmp_path / "datasets" / cifar.FOLDER).items) == 12
    for name in ("meta", "train", "test"):
        (tmp_path / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(PictureError, match="only unpickling opens"):
        sources.pictures_of(tmp_path)


# ---------------------------------------------------------------- the command


def test_the_command_makes_a_study_and_says_what_is_wrong(folder, tmp_path, capsys):
    def command(*words):
        return main(["study", "maps", "--data", str(folder), "--out", str(tmp_path / "out"), *words])

    assert command("--networks", PAIR[0], "--methods", "Grad-CAM", "--steps", "0") == 0
    assert {"table.parquet", "summary.md", "sheet.png"} <= {
        path.name for path in (tmp_path / "out").iterdir()
    }
    assert command("--networks", PAIR[0], "--methods", "Grad-CAMM") == 1
    assert "no method 'Grad-CAMM'" in capsys.readouterr().err
    assert main(["study", "maps", "--data", str(tmp_path / "no"), "--out", "x", "--networks", "a"]) == 1
    assert "no folder, zip or data set" in capsys.readouterr().err


def test_without_pyarrow_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    tables.arrow.cache_clear()
    with pytest.raises(StudyError, match=r"pip install 'sightlines\[study\]'"):
        tables.arrow()
    tables.arrow.cache_clear()


def test_networks_are_named_as_the_command_line_names_them(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(
        by_name, "load_model", lambda name, weights="trained", **_: asked.append((name, weights))
    )
    by_name.network("resnet50"), by_name.network("resnet50:random")
    assert asked == [("resnet50", "trained"), ("resnet50", "random")]
    (tmp_path / "mine.safetensors").write_bytes(b"")
    (tmp_path / "out.safetensors").symlink_to(__file__)
    monkeypatch.setenv(own_folder.FOLDER, str(tmp_path))
    assert list(own_folder.own_networks()) == ["mine"]


def test_progress_says_what_is_left_and_how_fast():
    progress = Progress(100, Rank(1, 2))
    progress.begun -= 10
    progress.there(40)
    progress.done += 20
    assert progress.words().startswith(
        "process 2 of 2: 60 of 100 pictures, 40 left, about 20 s; 2.0 pictures"
    )
