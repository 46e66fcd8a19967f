"""A linear probe: as scikit-learn's, read through the network as beside it, and back from a file or a zip."""

import io
import json
import re
import warnings
import zipfile

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import load, save
from shared import shared_model
from sklearn.linear_model import LogisticRegression
from test_hostile import says
from test_networks import own

from vizcore.methods.table import METHODS
from vizcore.networks.checkpoints import ModelError
from vizcore.networks.headed import featured, with_head
from vizcore.networks.preprocessing import Preprocessing, preprocessing_of, with_preprocessing
from vizcore.pictures import folders, textures
from vizcore.pictures.images import PictureError
from vizcore.studies import probe, probe_files
from vizcore.truth.intervals import wilson

KINDS = "banded", "polka-dotted", "spiralled", "woven"


def drawn(label: str, seed: int, size: int = 64) -> Image.Image:
    return Image.fromarray(textures.single(label, seed, size).picture)


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def pack(members) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
        warnings.simplefilter("ignore")  # of two members that have one name
        for name, data in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, data)
    return buffer.getvalue()


PICTURE = [png(drawn(KINDS[0], seed)) for seed in range(3)]


def classes(*names: str, each: int = 2) -> dict[str, bytes]:
    return {
        f"{name}/{k}.png": png(Image.new("RGB", (20, 20), (9 * i, k, 0)))
        for i, name in enumerate(names)
        for k in range(each)
    }


# ---------------------------------------------------------------- the regression


@pytest.mark.parametrize("count, width, strength", [(4, 300, 0.01), (4, 20, 1.0), (2, 300, 0.1)])
def test_answers_left_out_are_scikit_learns(count, width, strength):
    generator = torch.Generator().manual_seed(count)
    answers = torch.arange(160) % count
    middles = torch.randn(count, width, generator=generator)
    values = middles[answers] * 6 / width**0.5 + 3 * torch.randn(160, width, generator=generator) + 5
    labels = [str(k) for k in range(count)]
    *_, last = probe.cross_validated(values, answers, labels, strength)
    folds, theirs = probe.folds_of(answers), torch.empty_like(answers)
    for fold in range(5):
        out = folds == fold
        mean, spread = probe.scale(values[~out])
        scaled = ((values.double() - mean) / spread).numpy()
        model = LogisticRegression(C=strength, max_iter=5000, tol=1e-8)
        model.fit(scaled[~out], answers[~out])
        theirs[out] = torch.tensor(model.predict(scaled[out]))
    found = last.result
    assert (found.said == theirs).float().mean() >= 0.98
    assert 0.4 < found.accuracy.value < 0.99  # so that they could differ
    assert found.accuracy == wilson(int((theirs == answers).sum()), 160)
    weight, bias = probe.fit_scaled(values, answers, count, strength)
    mean, spread = probe.scale(values)
    model = LogisticRegression(C=strength, max_iter=5000, tol=1e-10)
    model.fit(((values.double() - mean) / spread).numpy(), answers)
    chances = (values.double() @ weight.double().T + bias.double()).softmax(1)
    assert np.abs(chances.numpy() - model.predict_proba(((values - mean) / spread).numpy())).max() < 1e-3


def test_each_fold_holds_of_each_class_its_share():
    answers = torch.tensor([0] * 11 + [1] * 5 + [2] * 7)
    table = torch.stack([probe.folds_of(answers)[answers == k].bincount(minlength=5) for k in range(3)])
    assert (table.max(1).values - table.min(1).values <= 1).all() and table.sum(0).max() <= 5
    assert probe.folds_of(torch.tensor([0, 0, 1, 1, 1])).max() == 1  # two pictures: two folds


# ---------------------------------------------------------------- the network with its new head


def vit(**options):
    small = {"img_size": 64, "patch_size": 8, "embed_dim": 48, "depth": 3, "num_heads": 3}
    return timm.models.VisionTransformer(**small, **options)


NETWORKS = {  # a network, and where its features are read
    "a CNN": (lambda: shared_model("texture_resnet"), "fc"),
    "a ViT": (lambda: shared_model("texture_vit"), "head"),
    "no classes": (lambda: own(vit(num_classes=0)), "head"),
    "two heads": (
        lambda: own(timm.models.deit.VisionTransformerDistilled(
            img_size=64, patch_size=8, embed_dim=48, depth=3, num_heads=3, num_classes=5)),
        None,
    ),
    "features of a module": (lambda: own(torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, stride=4, padding=1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(8, 6), torch.nn.Tanh())), None),
}  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_evidence_through_the_network_is_that_of_the_probe(name):
    make, place = NETWORKS[name]
    model = make()
    before = {key: value.clone() for key, value in model.net.state_dict().items()}
    net, found = featured(model)
    assert place is None or found == place
    images = torch.cat([model.preprocess(drawn(kind, 1)) for kind in KINDS])
    features = net(images)
    torch.manual_seed(0)
    weight, bias = torch.randn(3, features.shape[1]), torch.randn(3)
    ours = with_head(model, weight, bias, ["a", "b", "c"], "tried")
    assert torch.allclose(ours.net(images), features @ weight.T + bias, atol=1e-5)
    assert (ours.num_classes, ours.labels, ours.weights) == (3, ["a", "b", "c"], "checkpoint")
    assert len(ours.layers) > 1 and METHODS["LayerCAM"].make(ours, images[:1], "b").isfinite().all()
    gradients = METHODS["gradient"].make(ours, images[:1], "c")
    assert gradients.abs().max() > 0
    if ours.attention:
        assert METHODS["relevance"].make(ours, images[:1], "b").max() > 0
        assert METHODS["rollout"].make(ours, images[:1], "b").max() > 0
    assert bool(ours.attention) == (name in ("a ViT", "no classes", "two heads"))
    assert model.net.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[key]) for key, value in model.net.state_dict().items())


def test_textures_are_learnt_and_the_maps_are_of_the_new_classes():
    model = shared_model("texture_resnet")
    pictures = [(k, drawn(kind, seed)) for seed in range(6) for k, kind in enumerate(KINDS[:3])]
    steps = list(probe.probe(model, pictures, KINDS[:3], len(pictures)))
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total and len(steps) > 6
    result = steps[-1].result
    assert result.accuracy.value > 0.9 and result.of_class(0)[1] == 6
    ours = probe.probed(model, result)
    scene = textures.two("banded", "polka-dotted", seed=4, size=256)
    image = Image.fromarray(scene.picture)
    from vizcore.methods.table import in_frame

    for kind in ("banded", "polka-dotted"):
        heat = in_frame(ours, image, METHODS["Grad-CAM"].make(ours, ours.preprocess(image), kind))
        assert scene.masks[kind].flat[int(heat.argmax())]


# ---------------------------------------------------------------- files


def result_for(model, labels=("cat", "dog")) -> probe.Result:
    width = probe_files.features_of(model)
    torch.manual_seed(1)
    answers = torch.tensor([0, 1, 0, 1])
    return probe.Result(
        labels, probe.Head(torch.randn(len(labels), width), torch.zeros(len(labels))), answers, answers, 2
    )


def test_a_probe_comes_back_from_its_file_and_knows_its_network():
    model = shared_model("texture_resnet")
    result = result_for(model)
    data = probe_files.to_file(model, result)
    kept = probe_files.from_file(data)
    assert (kept.labels, kept.backbone) == (["cat", "dog"], "texture_resnet") and "4 pictures" in kept.said
    images = model.preprocess(drawn(KINDS[0], 3))
    same = probe.probed(model, result).net(images)
    assert torch.equal(probe_files.on(model, kept).net(images), same)
    for other in (shared_model("texture_vit"), shared_model("texture_resnet", "random")):
        with pytest.raises(ModelError, match="made on texture_resnet with other weights") as error:
            probe_files.on(other, kept)
        assert says(error.value)
    other = with_preprocessing(model, Preprocessing((0.1,) * 3, (0.2,) * 3, (128, 128)))
    assert torch.equal(probe_files.on(other, kept).net(images), same)  # its own preprocessing comes with it


def broken(change) -> bytes:
    data = probe_files.to_file(shared_model("texture_resnet"), result_for(shared_model("texture_resnet")))
    state, words = load(data), probe_files.metadata(data)
    change(state, words)
    return save(state, words)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda state, words: words.update(kind="a linear probe of Sightlines, 2"), "another version"),
        (lambda state, words: words.update(kind="mine"), "no linear probe"),
        (lambda state, words: words.update(labels=json.dumps(["one"])), "damaged"),
        (lambda state, words: state.update(bias=torch.zeros(3)), "damaged"),
        (lambda state, words: state.update(more=torch.zeros(3)), "damaged"),
        (lambda state, words: state["weight"].fill_(float("nan")), "damaged"),
        (lambda state, words: words.update(preprocessing="[" * 9999), "can't be read"),
        (lambda state, words: words.update(preprocessing='{"mean": 1}'), "can't be read"),
        (
            lambda state, words: words.update(
                preprocessing=words["preprocessing"].replace("[128, 128]", "[9999999, 9]")
            ),
            "16 to 1024 pixels",
        ),
    ],
)
def test_a_probe_that_does_not_fit_is_one_sentence(change, words):
    with pytest.raises(ModelError, match=words) as error:
        probe_files.on(shared_model("texture_resnet"), probe_files.from_file(broken(change)))
    assert says(error.value)


@pytest.mark.parametrize("data", [b"", b"PK", b"\xff" * 100, PICTURE[0], save({"a": torch.ones(1)})])
def test_other_files_are_no_probe(data):
    assert not probe_files.is_probe(data)
    with pytest.raises(ModelError, match="no linear probe"):
        probe_files.from_file(data)


def test_preprocessing_is_read_and_changed():
    model = shared_model("texture_resnet")
    assert preprocessing_of(model) == Preprocessing((0.5,) * 3, (0.5,) * 3, (128, 128))
    lite = preprocessing_of(shared_model("efficientnet_lite0", "random"))
    assert (
        lite.size == (224, 224)
        and lite.crop == pytest.approx(0.875)
        and lite.mean[0] == pytest.approx(127 / 255)
    )
    picture = drawn(KINDS[1], 5, 90).resize((120, 90))
    for one in (model, shared_model("efficientnet_lite0", "random")):
        transform = preprocessing_of(one).transform()
        assert torch.allclose(transform(picture)[None], one.preprocess(picture), atol=1e-6)
    wanted = Preprocessing((0, 0, 0), (1, 1, 1), (96, 64), 0.5, "bilinear", squash=True)
    changed = with_preprocessing(model, wanted)
    assert preprocessing_of(changed) == wanted and changed.preprocess(picture).shape == (1, 3, 96, 64)
    assert changed.layouts["layer4.0"].grid == (6, 4) and model.layouts["layer4.0"].grid == (8, 8)
    assert changed.preprocess.box((120, 90)) == pytest.approx((30, 22.5, 90, 67.5), abs=1)
    for wrong, words in (
        ({"std": (0, 1, 1)}, "above 0"),
        ({"std": (1e-30, 1, 1)}, "at least 0.001; one is 1e-30"),
        ({"size": (8, 8)}, "16 to 1024"),
        ({"crop": 2}, "0.1"),
    ):
        with pytest.raises(ModelError, match=words):
            with_preprocessing(
                model, Preprocessing(**({"mean": (0,) * 3, "std": (1,) * 3, "size": (64, 64)} | wrong))
            )
    with pytest.raises(ModelError, match="fails on a picture"):
        with_preprocessing(shared_model("texture_vit"), Preprocessing((0,) * 3, (1,) * 3, (64, 64)))


# ---------------------------------------------------------------- zips of folders


@pytest.mark.parametrize(
    "members, labels",
    [
        (classes("dog", "cat"), ["cat", "dog"]),
        (classes("mine/all/dog", "mine/all/cat"), ["cat", "dog"]),
        (classes("dog\\", "cat"), ["cat", "dog"]),
        (classes(*"abcdefghij"), list("abcdefghij")),
        (
            classes("cat, small", "a\u202eb", "<b>c", "ü" * 99),
            ["<b>c", "a b", "cat; small", "ü" * 60],
        ),
        (
            classes("cat", "dog") | {"cat/notes.txt": b"x", "empty/": b"", "__MACOSX/dog/a.png": b""},
            ["cat", "dog"],
        ),
    ],
)
def test_folders_become_classes(members, labels):
    data = pack(members)
    found = folders.folders(data)
    assert found.labels == labels and not found.left_out
    read = list(folders.pictures(data, found))
    assert all(one.picture for one in read) and len(read) == 2 * len(labels)
    assert {found.labels[one.answer][0] for one in read} == {label[0] for label in labels}


WRONG = {
    "one class": (classes("cat"), r"one folder with pictures \(cat\); 2 to 10"),
    "one class within": (classes("mine/cat"), r"one folder with pictures \(cat\); 2 to 10"),
    "eleven": (classes(*"abcdefghijk"), "11 folders with pictures; 2 to 10"),
    "no folder": ({"a.png": PICTURE[0], "b.png": PICTURE[1]}, "no folder of pictures"),
    "one picture a class": (classes("a", "b", each=1), "'a' has one picture; it takes at least 2"),
    "an empty folder and one": (classes("cat") | {"dog/": b""}, "one folder with pictures"),
    "folders within folders": (classes("train/cat", "train/dog", "val/cat"), "folders within folders"),
    "one name twice": ([*classes("a", "b").items(), ("a/0.png", PICTURE[0])], "holds a/0.png twice"),
    "folders alike": (classes("Cat", "cat "), "Two folders are called"),
    "nothing": ({"readme.txt": b"x"}, "no picture"),
    "out of it": (classes("a", "b") | {"../c.png": PICTURE[0]}, "leads out of it"),
    "a bomb": (classes("a") | {"b/0.png": PICTURE[0], "b/1.png": bytes(30_000_000)}, "unpacks to far more"),
    "no zip": (PICTURE[0], "not a zip"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_zip_that_is_no_set_of_classes_is_one_sentence(name):
    members, words = WRONG[name]
    if name == "a bomb":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for key, value in members.items():
                archive.writestr(key, value)
        data = buffer.getvalue()
    else:
        data = members if isinstance(members, bytes) else pack(members)
    with pytest.raises(PictureError, match=words) as error:
        list(folders.pictures(data, folders.folders(data)))
    assert says(error.value)


def test_broken_and_double_pictures_are_left_out_and_counted():
    data = pack(
        {"a/0.png": PICTURE[0], "a/1.png": PICTURE[1], "b/0.png": PICTURE[0], "b/1.png": b"no", "c.png": b""}
    )
    found = folders.folders(data)
    assert re.search("c.png lies in no class's folder: 1 so left out", found.left_out[0])
    read = list(folders.pictures(data, found))
    assert [bool(one.picture) for one in read] == [True, True, False, False]
    assert "is the same picture as a/0.png" in read[2].why and "can't be read" in read[3].why
    counts = [sum(bool(one.picture) for one in read if one.answer == k) for k in range(2)]
    with pytest.raises(PictureError, match="'b' has no picture that can be read and is in no other class"):
        for label, count in zip(found.labels, counts, strict=True):
            folders.few(label, count)


def test_a_picture_that_was_saved_again_is_the_same_picture():
    again = io.BytesIO()
    Image.open(io.BytesIO(PICTURE[0])).save(again, "PNG", compress_level=0)
    data = pack(
        {"a/0.png": PICTURE[0], "a/1.png": PICTURE[1], "b/0.png": again.getvalue(), "b/1.png": PICTURE[2]}
    )
    read = list(folders.pictures(data, folders.folders(data)))
    assert [bool(one.picture) for one in read] == [True, True, False, True]
    assert read[2].why == "b/0.png is the same picture as a/0.png."
