"""What somebody who knows only Python can add: a network of their own, a CAM, a model of the catalogue."""

import numpy as np
import pytest
import torch
from conftest import shared_model
from PIL import Image
from torch import nn

from vizcore import cam, capture, catalog, evidence, features, heatmaps, render, saliency
from vizcore.frame import seen
from vizcore.models import ModelError, from_module
from vizcore.torchvision_ops import torchvision

T = torchvision.transforms
TRANSFORM = T.Compose([T.Resize(72), T.CenterCrop(64), T.ToTensor(), T.Normalize((0.5,) * 3, (0.5,) * 3)])


class Bright(nn.Module):
    """Says "red" for a picture with red in it, and where it is, is known."""

    def __init__(self):
        super().__init__()
        self.colours = nn.Conv2d(3, 2, 4, stride=4, bias=False)
        with torch.no_grad():
            self.colours.weight[0] = torch.tensor([1.0, -1, -1])[:, None, None]  # red
            self.colours.weight[1] = torch.tensor([-1.0, -1, 1])[:, None, None]  # blue
        self.drop = nn.Dropout(0.5)

    def forward(self, images):
        return self.drop(self.colours(images).relu()).mean((-2, -1))


@pytest.fixture
def picture():
    """A red square on the left of a grey picture that isn't square."""
    array = np.full((90, 120, 3), 128, np.uint8)
    array[30:60, 25:55] = 255, 0, 0
    return Image.fromarray(array), (array[..., 0] > 200)


def test_any_module_with_a_preprocessing(picture):
    image, red = picture
    net = Bright().train()
    model = from_module(net, TRANSFORM, ["red", "blue"], title="Mine", device="cpu")
    assert (model.family, model.num_classes, model.labels) == ("cnn", 2, ["red", "blue"])
    assert model.layers == ["colours"] and model.layouts["colours"].grid == (16, 16)
    assert net.training and net.colours.weight.requires_grad  # the original is as it was
    assert not model.net.training and model.net(model.preprocess(image)).argmax() == 0

    heat = heatmaps.METHODS["Grad-CAM"].make(model, model.preprocess(image), 0)
    framed = heatmaps.in_frame(model, image, heat)
    assert framed.shape == (90, 120) and evidence.pointing(framed, red) and evidence.energy(framed, red) > 0.8
    captured = capture.capture(model.net, model.preprocess(image), ["colours"]).layers["colours"]
    assert features.as_maps(captured, model.layouts["colours"]).shape == (2, 16, 16)
    visible = seen(model.preprocess.box(image.size), image.size)
    assert render.overlay(np.asarray(image), framed, visible, 0.7).shape == (90, 120, 3)


def test_a_module_that_cannot_be_shown_says_why():
    with pytest.raises(ModelError, match="3 labels, but the network has 2 classes"):
        from_module(Bright(), TRANSFORM, ["a", "b", "c"])
    with pytest.raises(ModelError, match="none of its layers puts out a map"):
        from_module(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 2)), TRANSFORM)
    with pytest.raises(ModelError, match="Mine can't be visualised: it fails on a picture"):
        from_module(nn.Conv2d(4, 2, 3), TRANSFORM, title="Mine")


def eigen_like(activation, gradient):
    """Where the features are strongest along their mean gradient's sign (an example)."""
    return (gradient.mean((-2, -1), keepdim=True).sign() * activation).sum(-3)


def test_a_cam_is_one_function_and_one_line_of_a_table(app, monkeypatch):
    """The README's example: it reaches the table of methods, its test, and the page."""
    import importlib

    monkeypatch.setitem(cam.METHODS, "Sign-CAM", eigen_like)
    model = shared_model("texture_resnet")
    images = torch.zeros(1, 3, 128, 128)
    assert cam.cam(model, images, 3, method="Sign-CAM").shape == (8, 8)
    importlib.reload(heatmaps)  # as at a start with the line in the table
    try:
        at = app("pages/grad_cam.py", a="texture_resnet", picture="Honeycomb in bands", g_method_a="Sign-CAM")
        assert not at.exception and not at.error
        assert at.selectbox(key="g_method_a").value == "Sign-CAM"
        assert any(name.startswith("Sign-CAM of") for name in at.session_state["kept"])
    finally:
        monkeypatch.undo()
        importlib.reload(heatmaps)


def inverted(model, images, target):
    """A pixel method (an example)."""
    yield saliency.Partial(1, 1, -saliency.gradient(model, images, target))


@pytest.mark.parametrize("words", ["", "Turns everything around."])
@pytest.mark.parametrize("slow", [False, True])
def test_a_pixel_method_is_one_function_and_one_row(app, monkeypatch, slow, words):
    import importlib

    row = saliency.Method(inverted, saliency.strongest, (), slow)
    row = row._replace(**({"limits": words} if words and hasattr(row, "limits") else {}))
    monkeypatch.setitem(saliency.METHODS, "inverted gradient", row)
    importlib.reload(heatmaps)  # as at a start with the row in the table
    try:
        link = {"a": "texture_resnet", "picture": "Honeycomb in bands", "s_method_a": "inverted gradient"}
        at = app("pages/saliency.py", **link)
        assert not at.exception and not at.error
        assert at.selectbox(key="s_method_a").value == "inverted gradient"
        assert any(words in block.value for block in at.caption)
        if slow:
            at.button(key="s_run_a_button").click().run()
            assert not at.exception
        assert any(name.startswith("inverted gradient of") for name in at.session_state["kept"])
    finally:
        monkeypatch.undo()
        importlib.reload(heatmaps)


def test_a_model_is_one_line_of_the_catalogue(app, monkeypatch):
    monkeypatch.setitem(catalog.CATALOG, "resnet10t", catalog.Entry("ResNet-10"))
    at = app("pages/feature_maps.py", a="resnet10t", weights_a="random")
    assert not at.exception and not at.error
    assert "resnet10t" in at.selectbox(key="a").options
    assert any(block.value == "ResNet-10" for block in at.subheader)
