"""What somebody who knows only Python can add: a network of their own, a CAM, a model of the catalogue."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from benchmarks.whole_app import all_maps
from vizcore import capture, truth
from vizcore.drawing import render
from vizcore.methods import features, table
from vizcore.methods import table as heatmaps
from vizcore.methods.method import Method, Setting, Step
from vizcore.networks import catalog
from vizcore.networks.load import ModelError, from_module
from vizcore.networks.torchvision_ops import torchvision
from vizcore.pictures.frame import seen

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
    assert framed.shape == (90, 120) and truth.pointing(framed, red) and truth.energy(framed, red) > 0.8
    captured = capture.capture(model.net, model.preprocess(image), ["colours"]).layers["colours"]
    assert features.as_maps(captured, model.layouts["colours"]).shape == (2, 16, 16)
    visible = seen(model.preprocess.box(image.size), image.size)
    assert render.lay(np.asarray(image), framed, visible, 0.7).shape == (90, 120, 3)


def test_a_module_that_cannot_be_shown_says_why():
    with pytest.raises(ModelError, match="3 labels, but the network has 2 classes"):
        from_module(Bright(), TRANSFORM, ["a", "b", "c"])
    with pytest.raises(ModelError, match="none of its layers puts out a map"):
        from_module(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 2)), TRANSFORM)
    with pytest.raises(ModelError, match="Mine can't be visualised: it fails on a picture"):
        from_module(nn.Conv2d(4, 2, 3), TRANSFORM, title="Mine")


def test_a_method_of_several_maps_fits_without_a_special_case(app, monkeypatch):
    """Its first map is the one that is tested; each is shown, with its name."""

    def thirds(model, images, wanted):
        yield Step(1, 1, torch.eye(3)[:, None].expand(3, 4, 3), names=("left", "middle", "right"))

    row = Method(thirds, "Cuts the picture in three.", page="grad_cam", knows_class=False)
    monkeypatch.setitem(table.METHODS, "thirds", row)
    at = app("pages/grad_cam.py", a="texture_resnet", picture="Honeycomb in bands", g_method_a="thirds")
    assert not at.exception and not at.error
    names = [one["words"] for one in all_maps(at)]
    assert [name for name in names if name in ("left", "middle", "right")] == ["left", "middle", "right"]
    assert any("Cuts the picture in three." in block.value for block in at.markdown)


def test_a_long_method_of_either_page_begins_by_itself(app, monkeypatch):
    def slowly(model, images, wanted, strength=1.0):
        for done in (1, 2):
            yield Step(done, 2, strength * torch.ones(1, 4, 4) * done, names=())

    told = {"strength": Setting("Strength, %", 50, range(1, 101), unit=0.01)}
    row = Method(slowly, "An example.", page="grad_cam", passes=90, settings=told)
    monkeypatch.setitem(table.METHODS, "slowly", row)
    at = app("pages/grad_cam.py", a="texture_resnet", picture="Honeycomb in bands", g_method_a="slowly",
             gm_strength="20")  # fmt: skip
    assert not at.exception and at.slider(key="gm_strength").value == 20
    assert at.session_state["kept"]["slowly of Texture ResNet, A"].maps["map"].max() == np.float32(0.4)


def test_a_model_is_one_line_of_the_catalogue(app, monkeypatch):
    monkeypatch.setitem(catalog.CATALOG, "resnet10t", catalog.Entry("ResNet-10", megabytes=22))
    at = app("pages/feature_maps.py", a="resnet10t", weights_a="random")
    assert not at.exception and not at.error
    assert "ResNet-10 · download, 22 MB" in at.selectbox(key="a").options
    assert any(block.value == "ResNet-10" for block in at.subheader)
