"""Batch norms inside convolutions: the same answers, and nothing changed where they wouldn't be."""

import pytest
import torch
from shared import shared_model
from torch import nn

from vizcore.imagine.crosseval import Made, cross_evaluate, judge
from vizcore.methods import occlusion, score_cam
from vizcore.methods.table import METHODS
from vizcore.networks.folded import folded


@pytest.mark.parametrize("name", ["efficientnet_lite0", "texture_resnet", "photo_vit"])
def test_a_folded_network_answers_alike_and_its_own_stays(name, chelsea):
    model = shared_model(name)
    images = model.preprocess(chelsea)
    before = {key: (value.data_ptr(), value._version) for key, value in model.net.state_dict().items()}
    found = folded(model.net, images)
    assert found is not model.net
    assert any(isinstance(one, nn.BatchNorm2d) for one in model.net.modules())
    assert not any(isinstance(one, nn.BatchNorm2d) for one in found.modules())
    others = torch.cat(
        [images.flip(-1), 0.5 * images, torch.randn_like(images)]
    )  # not those it was checked on
    with torch.no_grad():
        expected, ours = model.net(others), found(others)
    assert (ours.softmax(1) - expected.softmax(1)).abs().max() < 1e-5
    assert (ours - expected).abs().max() < 1e-5 * expected.abs().max()
    after = {key: (value.data_ptr(), value._version) for key, value in model.net.state_dict().items()}
    assert after == before


class Crossed(nn.Module):
    """Its norm stands behind a convolution in the list of its parts, and before it in the pass."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.Linear(3, 4)
        nn.init.constant_(self.norm.bias, 1.0)

    def forward(self, x):
        return self.head(self.conv(self.norm(x)).mean((-2, -1)))


def test_where_a_norm_is_not_behind_its_convolution_nothing_is_folded():
    net = Crossed().eval().requires_grad_(False)
    assert folded(net, torch.randn(1, 3, 16, 16)) is net


def test_verdicts_of_folded_networks_are_those_of_the_networks():
    models = [shared_model("texture_resnet"), shared_model("texture_vit")]
    pictures = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    *_, last = cross_evaluate([Made(models[0], True, [3, 8], pictures)], models)
    assert last.done == last.total == len(last.verdicts) == 4
    for verdict in last.verdicts:
        k = [models[0].label(3), models[0].label(8)].index(verdict.name)
        model = next(one for one in models if one.title == verdict.judge)
        expected = judge(model, pictures[k : k + 1], [[3, 8][k]])
        assert verdict.right == expected.right.item() and verdict.rank == expected.rank.item()
        assert verdict.probability == pytest.approx(expected.probability.item(), abs=1e-5)


@pytest.mark.parametrize("name", ["Score-CAM", "occlusion"])
def test_methods_of_many_passes_come_to_the_same_without_norms(name, chelsea, monkeypatch):
    model = shared_model("texture_resnet")
    images, seen = model.preprocess(chelsea), []
    module = {"Score-CAM": score_cam, "occlusion": occlusion}[name]
    monkeypatch.setattr(module, "folded", lambda *asked: seen.append(folded(*asked)) or seen[-1])
    ours = METHODS[name].make(model, images, 3)
    assert len(seen) == 1 and not any(isinstance(one, nn.BatchNorm2d) for one in seen[0].modules())
    monkeypatch.setattr(module, "folded", lambda net, *_: net)
    plain = METHODS[name].make(model, images, 3)
    assert (ours - plain).abs().max() < 1e-4 * plain.abs().max()


def test_what_is_looked_at_keeps_its_norm(chelsea):
    model = shared_model("texture_resnet")
    found = folded(model.net, model.preprocess(chelsea), ["bn1", "layer2.0.conv1", "no module"])
    norms = {name for name, one in found.named_modules() if isinstance(one, nn.BatchNorm2d)}
    assert norms == {"bn1", "layer2.0.bn1"}
    model = shared_model("efficientnet_lite0")  # whose norms have their activations in them
    found = folded(model.net, model.preprocess(chelsea), ["bn1.act"])
    assert isinstance(found.bn1, nn.BatchNorm2d) and found.get_submodule("bn1.act")
