"""Every widget of the feature maps page and of the sidebar, without a browser."""

import io
import socket

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from shared import ran, shared_model

from benchmarks.whole_app import all_maps, all_words, viewer_look
from ui.feature_maps.layers import stages
from ui.feature_maps.views import VIEWS
from ui.picture_picker import OPENING, SAMPLES, SCENES
from vizcore.networks.torchvision_ops import timm
from vizcore.pictures.frame import on_pixels

PAGE = "pages/feature_maps.py"


def fine(at):
    """No traceback, no error box: the page as it should be."""
    assert not at.exception, at.exception
    assert not at.error, [error.value for error in at.error]
    return at


def captions(at) -> str:
    return all_words(at)


@pytest.fixture
def page(app):
    def open_page(**link):
        return fine(app(PAGE, **{"weights_b": "random", **link}))

    return open_page


def test_first_view_shows_a_photograph_and_what_a_trained_cnn_says_of_it(page):
    at = page()
    assert at.selectbox(key="picture").value == "Chelsea the cat"
    assert at.selectbox(key="a").value == "efficientnet_lite0"
    assert at.segmented_control(key="view_a").value == "Channels"
    assert at.segmented_control(key="view_b").value == "Attention"
    assert "Mean absolute activation" in captions(at) and "Attention of the class token" in captions(at)
    caption = at.session_state["kept"]["Both maps"].caption
    assert "Orange: mean absolute activation" in caption and "Blue: attention of the class token" in caption
    assert "random weights (seed 0)" in captions(at)


@pytest.mark.long
def test_every_sample(page):
    at = page()
    for name in [*SCENES, *SAMPLES]:
        at.selectbox(key="picture").set_value(name).run()
        assert fine(at).selectbox(key="picture").value == name


def test_uploads(page):
    at = page()
    buffer = io.BytesIO()
    Image.new("RGB", (300, 200), "teal").save(buffer, "PNG")
    at.file_uploader(key="file").set_value(("teal.png", buffer.getvalue(), "image/png")).run()
    assert fine(at).selectbox(key="picture").value == "Your picture"
    at.file_uploader(key="file").set_value(("broken.png", buffer.getvalue()[:50], "image/png")).run()
    assert "can't be read as a picture" in at.error[0].value and not at.exception
    assert at.selectbox(key="picture").value == "Your picture"  # the picture before it is still there
    at.file_uploader(key="file").set_value(None).run()
    assert fine(at).selectbox(key="picture").value == OPENING


def test_views_of_a_cnn(page):
    at = page()
    before = captions(at)
    for view, words in {
        "PCA colours": "as red, green and blue",
        "Similar places": "Similarity to the point",
        "Change": "Where the layer responds more (orange) or less (blue) than blocks.4.1",
        "Channels": "Mean absolute activation",
    }.items():
        at.segmented_control(key="view_a").set_value(view).run()
        assert words in captions(fine(at))
    assert captions(at) == before
    at.segmented_control(key="order_a").set_value("index").run()
    at.number_input(key="sheet_a").set_value(2).run()
    fine(at.multiselect(key="channels_a").set_value([3, 50]).run())
    assert "Channels 3, 50" in captions(at)
    at.number_input(key="sheet_a").set_value(3).run()
    fine(at.selectbox(key="layer_a").set_value("blocks.1.0").run())  # 24 channels: one sheet, no channel 50
    assert at.multiselect(key="channels_a").value == [3]


def test_views_of_a_vit(page):
    at = page()
    at.segmented_control(key="query_b").set_value("the point").run()
    at.selectbox(key="head_b").set_value("head 2").run()
    assert "Attention of the point in blocks.5.attn, head 2" in captions(fine(at))
    before, words = all_maps(at), captions(at)
    at.number_input(key="x").set_value(20).run()
    at.number_input(key="y").set_value(80).run()
    assert captions(fine(at)) != words  # another patch gives the class token another share
    assert [one["id"] for one in all_maps(at)] == [one["id"] for one in before]  # of all places, and is there
    assert before[1]["grid"] == [8, 8]
    for view in VIEWS:
        fine(at.segmented_control(key="view_b").set_value(view).run())


def test_layers_by_stage_by_name_and_by_steps(page):
    at = page()
    at.pills(key="stage_a").set_value("blocks.2").run()
    assert fine(at).selectbox(key="layer_a").value == "blocks.2.1"
    at.button(key="next_a").click().run()
    assert at.selectbox(key="layer_a").value == "blocks.3.0" and at.pills(key="stage_a").value == "blocks.3"
    at.segmented_control(key="view_a").set_value("Change").run()
    assert "less (blue) than blocks.2.1" in captions(fine(at))
    at.button(key="back_a").click().run()
    assert "less (blue) than blocks.3.0" in captions(fine(at))
    at.selectbox(key="layer_a").set_value("conv_stem").run()
    assert "32 channels of 112 × 112" in captions(fine(at))
    at.button(key="back_a").click().run()
    assert fine(at).selectbox(key="layer_a").value == "conv_stem"  # nothing before the first


@pytest.mark.long
def test_another_model_forgets_the_layer_and_channels_of_the_last(page):
    at = page(layer_a="blocks.3.1", channels_a="70")
    assert at.multiselect(key="channels_a").value == [70]
    at.selectbox(key="a").set_value("resnet18").run()
    at.segmented_control(key="weights_a").set_value("random").run()
    assert fine(at).selectbox(key="layer_a").value.startswith("layer")
    at.number_input(key="seed_a").set_value(5).run()
    assert "random weights (seed 5)" in captions(fine(at))
    at.selectbox(key="a").set_value("texture_vit").run()
    at.segmented_control(key="view_a").set_value("Attention").run()
    at.selectbox(key="a").set_value("resnet18").run()
    assert fine(at).segmented_control(key="view_a").value == "Channels"


def test_links_restore_the_view_and_bad_ones_do_no_harm(page, app):
    link = {
        "picture": "A rocket",
        "layer_a": "blocks.1.0",
        "view_a": "PCA colours",
        "x": "10",
        "opacity_b": "30",
    }
    at = page(**link)
    assert at.selectbox(key="picture").value == "A rocket"
    assert at.selectbox(key="layer_a").value == "blocks.1.0"
    assert at.segmented_control(key="view_a").value == "PCA colours"
    assert (at.number_input(key="x").value, at.session_state["opacity_b"]) == (10, 30)
    look, kept = viewer_look(at), at.session_state["kept"]
    assert (look["opacity_a"], look["opacity_b"]) == (70, 30)
    usual = page(**{**link, "opacity_b": "70"}).session_state["kept"]
    own = {name: (one.draw() != usual[name].draw()).any() for name, one in kept.items()}
    assert [name for name in own if own[name]] == [name for name in own if not name.endswith(", A")]
    bad = {"picture": "../../etc/passwd", "layer_a": "<script>", "view_a": "3", "x": "-5", "opacity_b": "nan",
           "channels_a": "999999", "head_b": "head 99", "sheet_a": "1e9", "y": "💥"}  # fmt: skip
    at = page(**bad)
    assert at.selectbox(key="picture").value == OPENING and at.number_input(key="x").value == 50
    at = app(PAGE, a="no/such model", b="texture_vit", weights_b="random")
    assert not at.exception and "There is no model called 'no/such model'" in at.error[0].value


def test_a_checkpoint_and_its_labels(page, small):
    torch.manual_seed(0)
    state = timm.create_model(small, num_classes=3).state_dict()
    at = page(a=small, weights_a="random")
    at.file_uploader(key="checkpoint_a").set_value(
        ("mine.safetensors", save(state), "application/octet-stream")
    ).run()
    assert "a checkpoint of your own" in captions(fine(at))
    at.file_uploader(key="labels_a").set_value(("names.txt", b"cat\ndog\nowl", "text/plain")).run()
    fine(at)
    at.file_uploader(key="labels_a").set_value(("names.txt", b"cat", "text/plain")).run()
    assert "There is 1 label, but the network has 3 classes" in at.error[0].value and not at.exception


def test_without_a_network_the_page_says_what_works_instead(page, small, app, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError("the network is unreachable")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    at = app(PAGE, a=small, weights_b="random")
    assert not at.exception
    assert at.error[0].value.endswith("can't be reached from here.")
    assert [one.label for one in at.main.button][:3] == [
        "Use EfficientNet-Lite0",
        "Random weights",
        "Try again",
    ]
    assert "Attention of the class token" in captions(at)  # the other model is not disturbed
    at.button(key="retry_a").click().run()
    assert "can't be reached" in at.error[0].value
    at.button(key="random_a").click().run()
    fine(at)
    at.segmented_control(key="weights_a").set_value("trained").run()
    at.button(key="ready_a").click().run()
    assert at.session_state["a"] == "efficientnet_lite0"
    fine(at)


def test_a_model_without_classes_and_one_without_attention(page, classless):
    at = page(a=classless, weights_a="random", b="texture_resnet")
    assert "no classifier" in captions(at)
    assert "Attention" in at.segmented_control(key="view_a").options
    assert "Attention" not in at.segmented_control(key="view_b").options


def test_stages_tell_the_parts_of_a_network_apart():
    resnet = shared_model("texture_resnet").layers
    assert list(dict.fromkeys(stages(resnet).values())) == ["stem", "layer1", "layer2", "layer3", "layer4"]
    layers = [f"encoder.layers.encoder_layer_{block}" for block in range(12)]  # torchvision's own names
    vit = stages(["conv_proj", *(f"{layer}.{part}" for layer in layers for part in ("ln_1", "mlp"))])
    assert all(vit[f"{layer}.mlp"] == layer for layer in layers)
    assert stages(["features.0", "features.1", "avgpool"])["avgpool"]
    assert np.all([name in stages(resnet) for name in resnet])


def test_the_maps_of_all_places_are_sent_where_they_are_few_enough(page):
    """Both networks then answer under the pointer; of finer layers they are asked by a click."""
    at = page(view_a="Similar places", view_b="Similar places")
    assert [one["grid"] for one in all_maps(at)] == [[14, 14], [8, 8]]
    assert all(one["rows"] * one["columns"] == one["grid"][0] * one["grid"][1] for one in all_maps(at))
    at = page(view_a="Similar places", layer_a="blocks.1.0")
    assert all_maps(at)[0]["grid"] is None and all_maps(at)[0]["rows"] == 56


def test_a_row_of_the_similarities_is_the_similarity_of_its_place():
    from vizcore.methods.features import similarities, similarity

    maps = torch.randn(5, 3, 4)
    maps[:, 1, 1] = 0
    for row, column in ((0, 0), (2, 3), (1, 1)):
        one = similarities(maps)[4 * row + column].reshape(3, 4)
        assert torch.allclose(one, similarity(maps, row, column), atol=1e-6)


def test_places_far_beyond_the_rest_are_outlined(page, tmp_path, monkeypatch):
    """None is, in the networks in the box; here the one of the longest features."""
    monkeypatch.setattr("vizcore.methods.features.outliers", lambda lengths: lengths == lengths.max())
    at = page(view_a="Norms")
    one = next(one for one in all_maps(at) if one["key"] == "f_a")
    assert one["region"] == "far beyond the rest" and "**outlined** on the map: row" in all_words(at)
    assert any("on_pixels(outliers(heat)" in made.code for made in ran(at, tmp_path).values())


def test_pixels_in_cells():
    cells = torch.tensor([[False, True], [False, False]])
    found = on_pixels(cells, (2, 0, 6, 4), (8, 4))
    assert found.int().tolist() == [[0, 0, 0, 0, 1, 1, 0, 0]] * 2 + [[0] * 8] * 2
