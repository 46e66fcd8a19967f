"""The Photo ViT: what it is, that it knows photographs, and the commands that make and measure it."""

import json
import socket
import zipfile

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from shared import ROOT, shared_model

from benchmarks import networks
from benchmarks import photo as measure
from training import loop, photo, photo_card, photographs, views
from ui.picture_picker import SAMPLES_FOLDER
from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.cam import cam
from vizcore.methods.rollout import rollout
from vizcore.networks import geometry, hybrid
from vizcore.networks.load import load_model
from vizcore.pictures import textures

WEIGHTS = ROOT / "vizcore" / "weights"
GOLDFISH, BEAR = "n01443537", "n02132136"


@pytest.fixture(autouse=True)
def one_thread():
    with loop.one_thread():
        yield


def sample(name):
    return Image.open(SAMPLES_FOLDER / name).convert("RGB")


# ---------------------------------------------------------------- the network


def test_it_loads_without_a_network_and_is_small(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    model = load_model("photo_vit", device="cpu")
    assert model.weights == "trained" and (model.family, model.grid) == ("vit", (6, 6))
    assert sum(path.stat().st_size for path in WEIGHTS.glob("photo_vit*")) < 12e6


def test_its_classes_are_efficientnets_to_the_letter():
    model, teacher = shared_model("photo_vit"), shared_model("efficientnet_lite0")
    assert len(set(model.labels)) == model.num_classes == 200
    assert set(model.labels) <= set(teacher.labels)


def test_its_first_stages_are_efficientnets(chelsea):
    model, teacher = shared_model("photo_vit"), shared_model("efficientnet_lite0")
    images, last = model.preprocess(chelsea), f"blocks.{hybrid.STAGES - 1}"
    stem = capture(model.net, images, [f"patch_embed.backbone.{last}"]).layers
    own = capture(teacher.net, images, [last]).layers[last]
    assert torch.equal(*stem.values(), own) and own.shape == (1, views.CHANNELS, 12, 12)


@pytest.mark.parametrize(("file", "answer"), [
    ("coffee.png", "espresso"), ("rocket.jpg", "projectile"), ("koala.webp", "koala"),
    ("bison.webp", "bison"), ("german_shepherd.webp", "German shepherd"),
    ("red_panda.webp", "lesser panda"), ("goldfish.webp", "goldfish"),
])  # fmt: skip
def test_it_knows_some_of_the_samples(file, answer):
    model = shared_model("photo_vit")
    with torch.no_grad():
        scores = model.net(model.preprocess(sample(file)))[0]
    assert answer in {model.label(k) for k in scores.topk(3).indices.tolist()}


def test_its_attention_is_on_offer_in_every_block_and_rolls_out(chelsea):
    model = shared_model("photo_vit")
    assert model.attention == [f"blocks.{k}.attn" for k in range(4)] and not model.no_rollout
    matrices = attention(model.net, model.preprocess(chelsea), model.attention)
    rolled = rollout(matrices, torch.eye(37))
    assert torch.allclose(rolled.sum(-1), torch.ones(4, 1, 37), atol=1e-5)
    assert rolled[-1, 0, 0, 1:].std() > 0


def test_its_layers_lie_as_the_picture_does():
    model = shared_model("photo_vit")
    layers = [*model.blocks, model.cam_layer]
    found = networks.followed(model.net, model, layers)
    assert not {
        layer: one.reason(geometry.STRICT) for layer, one in found.items() if one.reason(geometry.STRICT)
    }


def test_grad_cam_has_something_to_show_for_each_of_two_classes(chelsea):
    model = shared_model("photo_vit")
    maps = [cam(model, model.preprocess(chelsea), which) for which in ("Egyptian cat", "espresso")]
    assert maps[0].shape == (6, 6) and maps[0].max() > 0
    assert not torch.equal(*maps)


# ---------------------------------------------------------------- the commands


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A zip of ten drawn pictures, laid out as photographs are."""
    path = tmp_path_factory.mktemp("pictures") / "drawn.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(10):
            picture = textures.single(textures.LABELS[k % 2], k, 64).picture
            content = cv2.imencode(".png", picture[..., ::-1])[1].tobytes()
            archive.writestr(f"{(BEAR, GOLDFISH)[k % 2]}/images/{k}.png", content)
    return path


def test_a_fifth_at_most_is_left_out_by_name_alone(drawn):
    every = photographs.read([drawn])
    learnt, away = photographs.divided(every)
    assert len(learnt) == 8 and sorted({one.wnid for one in away}) == [GOLDFISH, BEAR]
    blank = [one._replace(content=b"") for one in reversed(every)]
    assert {one.name for one in photographs.divided(blank)[1]} == {one.name for one in away}
    assert photographs.read([drawn.parent]) == every


def test_classes_stand_in_imagenets_order_and_strangers_are_refused(drawn):
    every = photographs.read([drawn])
    assert [(k, words.split(",")[0]) for _, k, words in photographs.classes(every)] == [
        (1, "goldfish"),
        (294, "brown bear"),
    ]
    with pytest.raises(ValueError, match="n99999999"):
        photographs.classes([*every, every[0]._replace(wnid="n99999999")])
    with pytest.raises(ValueError, match="no pictures like"):
        photographs.read([SAMPLES_FOLDER])


def test_views_show_the_share_that_they_say(drawn):
    pictures = photographs.read([drawn])
    black, white = (np.full((64, 64, 3), value, np.uint8) for value in (0, 255))
    plain = [
        one._replace(content=cv2.imencode(".png", (black, white)[k % 2])[1].tobytes())
        for k, one in enumerate(pictures)
    ]
    for index in range(40):
        shown, labels = views.view(index, plain, [k % 2 for k in range(10)], 2, seed=0)
        assert shown.shape == (192, 192, 3) and labels.sum() == pytest.approx(1)
        assert shown.mean() / 255 == pytest.approx(labels[1], abs=0.01)


def test_the_teacher_with_folded_norms_answers_as_efficientnet_does(chelsea):
    model = shared_model("efficientnet_lite0")
    picture = np.array(chelsea.resize((192, 192)))
    stem, places, whole = views.Teacher([281, 285, 967])(picture[None])
    x = (torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() - 127) / 128
    with torch.no_grad():
        scores = model.net(x)[:, [281, 285, 967]].softmax(-1)
        own = capture(model.net, x, ["blocks.4"]).layers["blocks.4"]
    assert torch.allclose(whole, scores, atol=1e-4) and torch.allclose(stem, own, atol=1e-3)
    assert places.shape == (1, 36, 3)


def test_what_changes_hands_takes_its_answers_along():
    """Features that say whose they are, and answers too."""
    whose = torch.arange(8.0)
    rows = {
        "stem": whose.view(8, 1, 1, 1).expand(8, 3, 12, 12),
        "patches": whose.view(8, 1, 1).expand(8, 36, 2),
        "whole": whose.view(8, 1).expand(8, 2),
        "labels": whose.view(8, 1).expand(8, 2),
    }
    found = photo.mixed(rows, np.random.default_rng(0))
    cells = found["stem"][:, 0].unflatten(1, (6, 2)).unflatten(3, (6, 2)).mean((2, 4))
    assert torch.equal(cells.flatten(1), found["patches"][..., 0])
    assert torch.allclose(found["whole"][:, 0], cells.mean((1, 2)), atol=1e-5)
    assert (found["whole"][:4, 0] != whose[:4]).all() and torch.equal(found["whole"][4:, 0], whose[4:])


def test_features_are_drawn_with_their_own_answers(drawn, tmp_path):
    every = photographs.read([drawn])
    made = views.Views(tmp_path, every, photographs.classes(every), 0, 16, lambda line: None)
    rows, there = photo.drawn(made, 0, 2, 1, 0, batch=12), made.chunk(0)
    for k in range(6, 12):  # those before are mixed
        (where,) = np.flatnonzero((there["stem"] == rows["stem"][k].half().numpy()).all((1, 2, 3)))
        for key in ("patches", "whole", "labels"):
            assert np.array_equal(there[key][where], rows[key][k].half().numpy()), key


def test_the_learner_is_the_network_without_its_stem(chelsea):
    model = shared_model("photo_vit")
    images = model.preprocess(chelsea)
    with torch.no_grad():
        stem = model.net.patch_embed.backbone(images)[-1]
        scores, places = photo.Learner(model.net)(stem, torch.arange(36))
        assert torch.allclose(scores, model.net(images), atol=1e-4) and places.shape == (1, 36, 200)


def test_an_interrupted_run_ends_where_an_uninterrupted_one_does(drawn, tmp_path):
    every = photographs.read([drawn])
    pictures, classes = photographs.divided(every)[0], photographs.classes(every)

    def run(folder, **options):
        (tmp_path / folder).mkdir(exist_ok=True)
        made = views.Views(tmp_path, pictures, classes, 0, 8, lambda line: None)
        return photo.train(made, tmp_path / folder, 2, 2, 0, batch=4, report=lambda line: None, **options)[0]

    whole = run("whole")
    run("halves", until=1)
    halves = run("halves")
    for key, value in whole.state_dict().items():
        assert torch.equal(value, halves.state_dict()[key]), key
    with pytest.raises(ValueError, match="choose other --runs"):
        made = views.Views(tmp_path, pictures, classes, 0, 8, lambda line: None)
        photo.train(made, tmp_path / "whole", 3, 2, 0, batch=4)


def test_the_commands_make_weights_figures_and_a_card(drawn, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(photo, "BATCH", 4)
    options = ["--runs", str(tmp_path / "runs"), "--views", "8", "--steps", "2"]
    photo.main(["--pictures", str(drawn), "--out", str(tmp_path), *options])
    assert (tmp_path / "photo_vit.txt").read_text().startswith("goldfish, Carassius auratus\nbrown bear")
    measure.main(["--pictures", str(drawn), "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "8 pictures of 2 classes to learn from; 2 left out" in printed and "2 photographs of 2" in printed
    card = (tmp_path / "PHOTO_VIT.md").read_text()
    assert "2 batches of 4 out of 8 views, drawn from\n8 photographs" in card


def test_a_class_that_is_named_counts_and_one_that_is_not_does_not(chelsea, tmp_path):
    chelsea.save(tmp_path / "cat.png")
    content = (tmp_path / "cat.png").read_bytes()
    teacher = shared_model("efficientnet_lite0")
    cat, fish = (photographs.Photograph(wnid, "cat.png", content) for wnid in ("n02124075", GOLDFISH))
    classes = photographs.classes([cat, fish])
    found = measure.measured(teacher, classes, [fish, cat])
    assert found["top1"][0] == 0.5 and found["top5"][0] == 1  # the fish is second of two
    assert list(found["classes"].values()) == [[0, 1, 1], [1, 1, 1]]


def test_the_card_says_what_was_measured(tmp_path):
    for path in WEIGHTS.glob("photo_vit*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert photo_card.write(tmp_path).read_text() == (WEIGHTS / "PHOTO_VIT.md").read_text()
    figures = json.loads((WEIGHTS / "photo_vit.json").read_text())
    assert figures["pictures"] >= 2000
    for name in measure.NETWORKS:
        counted = np.array(list(figures[name]["classes"].values()))
        assert counted.sum(0)[2] == figures["pictures"]
        assert counted.sum(0)[:2] / figures["pictures"] == pytest.approx(
            [figures[name]["top1"][0], figures[name]["top5"][0]], abs=1e-4
        )
    assert list(figures["photo_vit"]["classes"]) == shared_model("photo_vit").labels


def test_another_sets_pictures_are_known_by_folder_by_name_or_by_number(tmp_path):
    places = "n01443537/a.jpg", "n07749582_lemon.png", "seen/imagenet_00_1.jpg", "n02129165/images/b.JPEG"
    for place in (*places, "n01440764/tench.jpg", "imagenet_01_0.jpg", "nobody.jpg"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / place)
    (tmp_path / "n01443537" / "words.txt").write_text("no picture")
    classes, found, others = measure.another(tmp_path)
    assert len(classes) == 200 and others == 3  # two tenches, and one of no name
    assert sorted(one.wnid for one in found) == ["n01443537", "n01443537", "n02129165", "n07749582"]
