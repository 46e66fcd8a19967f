import io
import pickle
import socket
import time
from dataclasses import replace

import pytest
import torch
from PIL import Image
from safetensors.torch import save
from shared import shared_model

from ui.picture_picker import SAMPLES_FOLDER
from vizcore.__main__ import main as command
from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.features import as_maps, pca_colours, similarity, strength, summary
from vizcore.networks.build import build
from vizcore.networks.catalog import CATALOG
from vizcore.networks.checkpoints import fit_state_dict, read_checkpoint, read_labels
from vizcore.networks.load import ModelError, load_model, weights_at_hand
from vizcore.networks.shapes_only import shapes_only
from vizcore.networks.torchvision_ops import timm, torchvision


@pytest.fixture
def no_network(monkeypatch):
    """Every connection and every name look-up fails, as on a machine without a network."""

    def refuse(*_args, **_kwargs):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


LARGE = "vit_large_patch32_224", "vit_large_patch32_384"  # python -m benchmarks networks NAME
# Those in the box are of all kinds; the others are built as these are.
KINDS = ("alexnet",)


def _kinds(names) -> list:
    """Of some names those that stand for the others, the rest marked as long."""
    quick = [name for name in names if name in KINDS or CATALOG[name].offline]
    return [name if name in quick else pytest.param(name, marks=pytest.mark.long) for name in names]


@pytest.mark.parametrize("name", _kinds([name for name in CATALOG if name not in LARGE]))
def test_every_entry_builds_and_everything_that_applies_to_it_runs(name, chelsea):
    model = load_model(name, "random", device="cpu")
    assert model.weights == "random" and "seed 0" in model.source
    assert not model.net.training and not any(p.requires_grad for p in model.net.parameters())
    assert model.family == ("vit" if any(kind in name for kind in ("vit", "deit", "dino")) else "cnn")
    assert set(model.blocks) <= set(model.layers) == set(model.layouts)
    assert len(model.labels) in (0, model.num_classes)
    x = model.preprocess(chelsea)
    layers = [model.blocks[0], model.blocks[len(model.blocks) // 2], model.layers[-1]]
    captured = capture(model.net, x, layers)
    assert captured.output.isfinite().all()
    for layer in layers:
        maps = as_maps(captured.layers[layer], model.layouts[layer])
        assert maps.shape == (model.layouts[layer].channels, *model.layouts[layer].grid)
        assert pca_colours(maps).isfinite().all()
        assert similarity(maps, 0, 1)[0, 1] == pytest.approx(1, abs=1e-4)
        assert strength(maps).min() >= 0 and 0 <= summary(maps).dead <= 1
    if model.attention:
        matrix = attention(model.net, x, model.attention[-1:])[0]
        assert matrix.shape[-1] == model.num_prefix_tokens + model.grid[0] * model.grid[1]
        assert torch.allclose(matrix.sum(-1), torch.ones(()), atol=1e-4)
    assert bool(model.attention) == (model.family == "vit")


@pytest.mark.parametrize(
    ("file", "answers"),
    [
        ("chelsea.png", {"tabby", "tiger cat", "Egyptian cat"}),
        ("coffee.png", {"espresso"}),
        ("rocket.jpg", {"missile", "projectile"}),
        ("koala.webp", {"koala"}),
        ("bison.webp", {"bison"}),
        ("german_shepherd.webp", {"German shepherd"}),
        ("red_panda.webp", {"lesser panda"}),
        ("goldfish.webp", {"goldfish"}),
        ("clownfish.webp", {"anemone fish"}),
    ],
)
def test_efficientnet_knows_the_samples(file, answers):
    model = shared_model("efficientnet_lite0")
    assert model.weights == "trained" and len(model.labels) == model.num_classes == 1000
    with torch.no_grad():
        best = model.net(model.preprocess(Image.open(SAMPLES_FOLDER / file))).argmax().item()
    assert model.label(best) in answers


@pytest.mark.parametrize(
    "names",
    [
        ("test_vit", "test_resnet"),
        pytest.param(("deit_tiny_patch16_224", "resnet18"), marks=pytest.mark.long),
    ],
)
def test_preprocessing_is_timms_own_for_the_same_settings(chelsea, names):
    for name in names:
        model = shared_model(name, "random")
        config = timm.data.resolve_data_config({}, model=model.net)
        assert torch.equal(model.preprocess(chelsea)[0], timm.data.create_transform(**config)(chelsea))
    lite = shared_model("efficientnet_lite0")
    config = timm.data.resolve_data_config({}, model=lite.net) | {
        "mean": (127 / 255,) * 3,
        "std": (128 / 255,) * 3,
    }
    assert torch.equal(lite.preprocess(chelsea)[0], timm.data.create_transform(**config)(chelsea))


def test_random_weights_follow_the_seed():
    first, again, other = (load_model("texture_vit", "random", seed=seed).net for seed in (3, 3, 4))
    name = "blocks.0.attn.qkv.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


@pytest.mark.parametrize(
    ("name", "family", "has_attention"),
    [
        # windows: no attention over the whole picture
        pytest.param("swin_tiny_patch4_window7_224", "vit", False, marks=pytest.mark.long),
        ("convnext_atto", "cnn", False),
        pytest.param("mixer_s16_224", "vit", False, marks=pytest.mark.long),
        pytest.param("deit_tiny_distilled_patch16_224", "vit", True, marks=pytest.mark.long),
        pytest.param("deit3_small_patch16_224", "vit", True, marks=pytest.mark.long),
        pytest.param("eva02_tiny_patch14_224", "vit", True, marks=pytest.mark.long),
    ],
)
def test_other_architectures_of_timm(name, family, has_attention, chelsea):
    model = shared_model(name, "random")
    assert (model.family, bool(model.attention)) == (family, has_attention)
    layer = model.blocks[-2]
    maps = as_maps(capture(model.net, model.preprocess(chelsea), [layer]).layers[layer], model.layouts[layer])
    assert maps.shape[1:] == model.layouts[layer].grid


@pytest.mark.long
def test_channels_last_features_are_read_the_right_way_round(chelsea):
    model = shared_model("swin_tiny_patch4_window7_224", "random")
    layout = model.layouts["layers.0.blocks.0"]
    assert layout.kind == "NHWC" and layout.grid == (56, 56) and layout.channels == 96


@pytest.mark.parametrize(
    "name", ["resnet118", "hf-hub:somebody/model", "../../etc/passwd", "local-dir:/etc", ""]
)
def test_unknown_names_are_refused(name):
    with pytest.raises(ModelError, match="There is no model called") as error:
        load_model(name)
    assert "efficientnet_lite0" in str(error.value) or "did you mean" in str(error.value)


def test_weights_nobody_has_are_refused_and_never_random():
    with pytest.raises(ModelError, match="choose random weights"):
        load_model("lambda_resnet38t")
    with pytest.raises(ModelError, match="'trained' or 'random', not 'pretrained'"):
        load_model("resnet18", "pretrained")


@pytest.mark.parametrize("name", ["resnet18", "alexnet"])
def test_without_a_network_hub_models_fail_at_once_and_say_what_works(name, no_network):
    start = time.monotonic()
    with pytest.raises(ModelError, match="can't be reached.*efficientnet_lite0.*random weights"):
        load_model(name)
    assert time.monotonic() - start < 10


def test_a_network_that_swallows_everything_is_given_up(monkeypatch):
    monkeypatch.setattr("vizcore.networks.checkpoints.PROBE_SECONDS", 1.5)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: time.sleep(30))
    start = time.monotonic()
    with pytest.raises(ModelError, match="can't be reached"):
        load_model("resnet18")
    assert time.monotonic() - start < 4


def test_a_cached_hub_file_is_used_without_asking_the_network(no_network, monkeypatch, tmp_path):
    source = timm.create_model("test_vit")
    path = tmp_path / "model.safetensors"
    path.write_bytes(save(source.state_dict()))
    monkeypatch.setattr("vizcore.networks.checkpoints.cached_hub_file", lambda repository: str(path))
    model = load_model("test_vit", device="cpu")
    assert model.weights == "trained" and model.source.startswith("timm/")
    assert torch.equal(model.net.head.weight, source.head.weight)


def test_the_command_lists_and_prefetches(no_network, capsys):
    assert command(["list"]) == 0
    listing = capsys.readouterr().out
    assert all(name in listing for name in CATALOG) and "to download" in listing
    assert command(["prefetch", "efficientnet_lite0", "resnet18"]) == 1
    printed = capsys.readouterr().out
    assert "efficientnet_lite0: ready" in printed and "can't be reached" in printed
    assert weights_at_hand("lambda_resnet38t", CATALOG["lambda_resnet38t"]) == "none"


# ---------------------------------------------------------------- checkpoints


def torch_bytes(value) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def three_classes():
    torch.manual_seed(1)
    return timm.create_model("test_resnet", num_classes=3).state_dict()


@pytest.mark.parametrize(
    "wrap", [pytest.param(lambda s: s, marks=pytest.mark.long), lambda s: {"model": s, "epoch": 3}]
)
def test_a_checkpoint_brings_its_number_of_classes(three_classes, wrap):
    model = load_model("test_resnet", checkpoint=torch_bytes(wrap(three_classes)), labels=["a", "b", "c"])
    assert (model.weights, model.num_classes, model.labels) == ("checkpoint", 3, ["a", "b", "c"])
    assert torch.equal(model.net.fc.weight.cpu(), three_classes["fc.weight"])
    with pytest.raises(ModelError, match="2 labels, but the network has 3 classes"):
        load_model("test_resnet", checkpoint=torch_bytes(three_classes), labels=["a", "b"])


def test_safetensors_with_labels_in_half_precision_and_wrapped_names(three_classes):
    state = {f"module.{k}": v.half() if v.is_floating_point() else v for k, v in three_classes.items()}
    model = load_model("test_resnet", checkpoint=save(state, {"labels": '["x", "y", "z"]'}))
    assert model.labels == ["x", "y", "z"] and model.net.fc.weight.dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "classifier"),
    [
        pytest.param("alexnet", "classifier.6", marks=pytest.mark.long),
        pytest.param("vit_b_16", "heads.head", marks=pytest.mark.long),
        pytest.param("deit_tiny_patch16_224", "head", marks=pytest.mark.long),
        pytest.param("lambda_resnet38t", "head.fc", marks=pytest.mark.long),
        ("efficientnet_lite0", "classifier"),
    ],
)
def test_a_checkpoint_of_every_kind_of_architecture(name, classifier):
    if CATALOG[name].source == "torchvision":
        state = torchvision.models.get_model(name).state_dict()
    else:
        state = shared_model(name, "random").net.state_dict()
    for part in ("weight", "bias"):
        state[f"{classifier}.{part}"] = state[f"{classifier}.{part}"][:7].clone()
    model = load_model(name, checkpoint=torch_bytes(state), device="cpu")
    assert model.num_classes == 7 and model.labels == [] and model.label(5) == "class 5"


class Evil:
    def __reduce__(self):
        return print, ("code ran",)


def tampered(state, **changes):
    return torch_bytes({**{k: v for k, v in state.items() if changes.get(k, 0) is not None}, **{
        k: v for k, v in changes.items() if v is not None
    }})  # fmt: skip


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda s: torch_bytes({"weights": Evil()}), "could run somebody's code"),
        (lambda s: pickle.dumps(Evil()), "could run somebody's code"),
        (lambda s: b"", "neither safetensors nor"),
        (lambda s: b"hello world, this is text", "neither safetensors nor"),
        (lambda s: b"\xff" * 4000, "neither safetensors nor"),
        (lambda s: torch_bytes(s)[:5000], "damaged|neither"),
        (lambda s: save(s)[:-100], "neither safetensors nor"),
        (lambda s: torch_bytes([1, 2]), "no state dict"),
        (lambda s: torch_bytes({"a": 1}), "something other than tensors"),
        (
            lambda s: tampered(s, **{"conv1.0.weight": None}),
            r"doesn't fit test_resnet: 1 of its weights are missing",
        ),
        (lambda s: tampered(s, extra=torch.ones(1)), "1 are not part of it .first extra"),
        (lambda s: tampered(s, **{"bn1.weight": torch.ones(5)}), r"bn1.weight: \(5,\), expected \(32,\)"),
        (
            lambda s: tampered(s, **{"bn1.weight": torch.full((32,), torch.nan)}),
            "not finite .first in bn1.weight",
        ),
        (
            lambda s: torch_bytes(timm.create_model("test_byobnet", num_classes=3).state_dict()),
            "doesn't fit test_resnet",
        ),
    ],
)
def test_what_is_no_checkpoint_of_this_network_is_refused_in_one_sentence(make, says, three_classes, capsys):
    with pytest.raises(ModelError, match=says) as error:
        load_model("test_resnet", checkpoint=make(three_classes))
    assert "\n" not in str(error.value) and len(str(error.value)) < 400
    assert "code ran" not in capsys.readouterr().out


def test_old_checkpoints_without_batch_counters_fit(three_classes):
    old = {k: v for k, v in three_classes.items() if "num_batches_tracked" not in k}
    net = timm.create_model("test_resnet", num_classes=3)
    net.load_state_dict(fit_state_dict(net, old, "test_resnet"))
    assert read_checkpoint(torch_bytes(old))[1] is None


def test_label_files():
    assert read_labels(b"\xef\xbb\xbfcat\n\n dog \n") == ["cat", "dog"]
    assert read_labels('["Käse", 3]'.encode()) == ["Käse", "3"]
    for data in (b"", b"\xff\xfe\x00", b"a\x00b", b'["a"', b"x\n" * 100_001):
        with pytest.raises(ModelError, match="label file"):
            read_labels(data)


# ---------------------------------------------------------------- what is known before they are there


@pytest.mark.parametrize(
    "name", [name for name, one in CATALOG.items() if one.source in ("timm", "torchvision")]
)
def test_the_size_of_a_download_is_four_bytes_a_parameter(name):
    """Of the architecture as it was trained: the catalogue may ask for fewer places."""
    entry = replace(CATALOG[name], kwargs={})
    with shapes_only():
        parameters = sum(one.numel() for one in build(name, entry).parameters())
    assert CATALOG[name].megabytes == round(4 * parameters / 1e6)
