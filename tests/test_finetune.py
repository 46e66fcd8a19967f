"""Networks learn classes of a folder: by their head alone or as a whole, and are there by name afterwards."""

import json
import os
import socket
import sys
from multiprocessing import get_context

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model

from vizcore.__main__ import main
from vizcore.at_scale import by_name, own_folder, sources
from vizcore.at_scale.shards import Rank, StudyError
from vizcore.finetune import own_file, run_finetune, whole_network
from vizcore.finetune.classes_of import lots
from vizcore.finetune.own_file import Outcome
from vizcore.finetune.run_finetune import PRESETS, finetune
from vizcore.finetune.whole_network import Recipe
from vizcore.networks.catalog import CATALOG
from vizcore.pictures.textures import single
from vizcore.studies.cka import grams

ONE, QUICK = Rank(), Recipe(epochs=1, batch=8)
KINDS = "woven", "bubbly", "zigzagged"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("textures")
    for kind in KINDS:
        (root / kind).mkdir()
        for k in range(10):
            Image.fromarray(single(kind, 9_000_000 + k, 128).picture).save(root / kind / f"{k}.png")
    (root / "woven" / "damaged.png").write_bytes(b"no picture")
    return root


@pytest.fixture(autouse=True)
def _loaded_once(monkeypatch, tmp_path):
    monkeypatch.setattr(run_finetune, "network", lambda name, *_: shared_model(*name.split(":")))
    monkeypatch.setenv(own_folder.FOLDER, str(tmp_path))


def learn(folder, out, recipe=QUICK, network="texture_resnet", name="mine", rank=ONE):
    return finetune(network, str(folder), out, name, recipe, rank=rank)


def test_the_head_alone_is_the_probe_of_the_app_and_loads_by_name(folder, tmp_path):
    learnt = learn(folder, tmp_path, None)
    model, item = by_name.network("mine", "cpu"), lots(str(folder)).test.items[0]
    assert model.labels == sorted(KINDS) == list(learnt.labels) and model.title == "mine"
    assert model.labels[int(model.net(model.preprocess(item.read())).argmax())] == item.kind
    card = (tmp_path / "mine.md").read_text()
    assert (
        "The head alone has learnt" in card and "| woven |" in card and "6 pictures of the test right" in card
    )
    assert json.loads((tmp_path / "mine.json").read_text())["left out"][0].startswith(
        "woven/damaged.png: This file"
    )


def test_a_whole_network_learns_and_loads_by_name_with_its_preprocessing(folder, tmp_path):
    learnt = learn(folder, tmp_path)
    model, found = by_name.network("mine", "cpu"), lots(str(folder))
    said = torch.stack([model.net(model.preprocess(item.read()))[0].argmax() for item in found.test.items])
    assert torch.equal(said, learnt.tested.whole) and model.num_classes == 3 and model.labels == sorted(KINDS)
    box = shared_model("texture_resnet").preprocess.box((200, 128))
    assert model.preprocess.box((200, 128)) == box
    assert len(grams(model.net, model.preprocess(found.test.items[0].read()), model.blocks).values) > 3
    assert (
        Image.open(tmp_path / "mine.png").width > 200
        and "](<mine.png>)" in (tmp_path / "mine.md").read_text()
    )
    assert not list(tmp_path.glob(".mine*")), "the state is gone with the run's end"
    figures = json.loads((tmp_path / "mine.json").read_text())
    assert np.trace(figures["confusion"]) == sum(said == torch.tensor(found.test.answers))


def test_it_changes_all_of_the_network_and_begins_with_the_probe(folder):
    model, found = shared_model("texture_vit"), lots(str(folder))
    head = run_finetune.Head(torch.randn(3, 192), torch.randn(3))
    net = whole_network.begun(model, head)
    assert torch.equal(net.head.weight, head.weight) and torch.equal(net.cls_token, model.net.cls_token)
    assert all(parameter.requires_grad for parameter in net.parameters())
    images = torch.cat([model.preprocess(item.read()) for item in found.test.items[:2]])
    net.eval()
    own = model.net.forward_head(model.net.forward_features(images), pre_logits=True)
    assert torch.allclose(net(images), torch.nn.functional.linear(own, *head), atol=1e-4)


def test_a_run_that_was_stopped_goes_on_where_it_was(folder, tmp_path, monkeypatch):
    done = []

    def add(self, count):
        done.append(count)
        if self.what == "pictures" and len(done) == 8:
            raise KeyboardInterrupt

    monkeypatch.setattr(whole_network.Progress, "add", add)
    monkeypatch.setattr(whole_network, "KEPT_EVERY", 0)
    recipe = Recipe(epochs=2, batch=4)
    monkeypatch.setattr(
        run_finetune.frozen_head, "Progress", lambda *_: type("", (), {"add": lambda *_: 0})()
    )
    with pytest.raises(KeyboardInterrupt):
        learn(folder, tmp_path, recipe)
    state = torch.load(tmp_path / ".mine" / "state.pt", weights_only=True)
    assert (state["epoch"], state["batch"]) == (1, 1) and len(done) == 8
    with pytest.raises(StudyError, match="a run with other options"):
        learn(folder, tmp_path, recipe._replace(rate=1.0))
    learn(folder, tmp_path, recipe)
    whole = len(lots(str(folder)).learn.items) // 4 + bool(len(lots(str(folder)).learn.items) % 4)
    assert len(done) == 2 * whole + 1, "the batch whose state wasn't kept is made twice, no other"


def test_what_was_finished_is_not_learnt_again_and_no_other_network_is_lost(folder, tmp_path, monkeypatch):
    first = learn(folder, tmp_path, None)
    monkeypatch.setattr(run_finetune.frozen_head, "features_of", None)
    again = learn(folder, tmp_path, None)
    assert again.tested is None and again.said == first.said and again.path == first.path
    with pytest.raises(StudyError, match="a network 'mine' already, which learnt otherwise"):
        learn(folder, tmp_path)
    (tmp_path / "mine.json").unlink()
    with pytest.raises(StudyError, match="choose another --name, or delete it"):
        learn(folder, tmp_path, None)


def test_a_budget_of_no_time_is_the_frozen_head(folder, tmp_path):
    """The schedule ends with the budget; what comes out is never worse than it began."""
    tested = learn(folder, tmp_path, QUICK._replace(minutes=1e-9)).tested
    assert torch.equal(tested.whole, tested.frozen)


@pytest.mark.long
def test_two_processes_learn_together(folder, tmp_path):
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = str(one.getsockname()[1])
    both = [get_context("fork").Process(target=_rank, args=(folder, tmp_path, r, port)) for r in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join(120)
    assert [one.exitcode for one in both] == [0, 0]
    assert by_name.network("mine", "cpu").labels == sorted(KINDS)


def _rank(folder, out, rank, port):
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    sys.stderr = open(os.devnull, "w")
    learn(folder, out, rank=Rank(rank, 2, rank))


# ---------------------------------------------------------------- what is learnt from


def test_nothing_that_is_tested_was_learnt_from(folder, tmp_path):
    found = lots(str(folder))
    names = [{item.name for item in lot.items} for lot in (found.learn, found.choose, found.test)]
    assert not names[0] & names[1] and not names[0] & names[2] and not names[1] & names[2]
    assert len(set.union(*names)) == 30 and len(names[2]) == 6 and found.unread[0].startswith("woven/damaged")
    for part in ("train", "val"):
        (tmp_path / part).symlink_to(folder)
    both = lots(str(tmp_path))
    assert len(both.test.items) == 30 and len(both.learn.items) + len(both.choose.items) == 30


def test_folders_that_are_no_classes_are_refused(folder, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.png").write_bytes((folder / "woven" / "0.png").read_bytes())
    with pytest.raises(StudyError, match="1 classes are too few"):
        lots(str(tmp_path))
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "b.png").write_bytes((folder / "woven" / "0.png").read_bytes())
    with pytest.raises(StudyError, match="'one' has too few pictures"):
        lots(str(tmp_path))


def test_a_card_says_how_good_it_is_beside_the_frozen_head():
    answers = torch.tensor([0, 0, 1, 1, 1, 0])
    tested = Outcome(answers, torch.tensor([1, 1, 1, 1, 1, 0]), answers)
    value, ends = own_file.difference(tested)
    assert value == pytest.approx(1 / 3) and ends[0] < value < ends[1]
    card = own_file.card(
        "mine", shared_model("texture_vit"), ["a|b", "c"], tested, {"of the test": 6}, "How."
    )
    assert "100.0%" in card and "66.7%" in card and "+33.3%" in card and "| a/b | 3 |  |" in card
    many = own_file._matrix(own_file.confusion(answers, tested.frozen, 40), [str(k) for k in range(40)])
    assert "| 0 | 1 | 2 |" in many


def test_presets_name_networks_that_there_are():
    for preset in PRESETS.values():
        assert set(preset.networks) <= set(CATALOG) and preset.data in sources.DATA_SETS


@pytest.mark.long
@pytest.mark.parametrize(
    "preset, network", [(p, n) for p in PRESETS for n in PRESETS[p].networks if "large" not in n]
)
def test_presets_run_whole_on_small_data(preset, network, folder, tmp_path, monkeypatch):
    """With random weights, which need no download; the ViT-L, of 1.2 GB, is left out."""
    monkeypatch.setattr(run_finetune, "network", by_name.network)
    command = ["finetune", f"{network}:random", "--preset", preset, "--data", str(folder), "--epochs", "1"]
    assert main([*command, "--batch", "8"]) == 0
    assert by_name.network(f"{preset}-{network}", "cpu").labels == sorted(KINDS)


def test_the_command_says_what_is_wrong(folder, tmp_path, capsys):
    assert main(["finetune", "texture_resnet", "--data", str(tmp_path / "none"), "--out", str(tmp_path)]) == 1
    assert "no folder, zip or data set" in capsys.readouterr().err
    assert main(["finetune", "texture_resnet", "--data", str(folder), "--name", "../up"]) == 1
    assert "A network's name has letters" in capsys.readouterr().err
    assert main(["finetune", "texture_resnet", "--data", str(folder), "--head", "--name", "here"]) == 0
    assert (tmp_path / "here.safetensors").is_file()
