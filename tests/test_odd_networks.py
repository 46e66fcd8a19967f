"""Networks that break what is taken for granted: a right map, or one true sentence."""

import pytest
import torch
from test_networks import own
from torch import nn
from torch.utils.checkpoint import checkpoint

from vizcore.methods.table import METHODS
from vizcore.networks.load import ModelError
from vizcore.networks.torchvision_ops import timm


class Cut(nn.Module):
    """A network whose score no gradient reaches."""

    def __init__(self, way):
        super().__init__()
        torch.manual_seed(0)
        self.way, self.body, self.head = way, nn.Conv2d(3, 8, 3, 2, 1), nn.Linear(8, 4)

    def forward(self, x):
        if self.way == "checkpoint":
            return self.head(checkpoint(self.body, x, use_reentrant=True).mean((2, 3)))
        features = self.body(x).mean((2, 3))
        return self.head.bias.expand(len(x), -1) if self.way == "deaf" else self.head(features.detach())


@pytest.mark.parametrize("way", ["deaf", "detached"])
def test_a_score_that_no_gradient_reaches_has_no_map_and_a_sentence(way):
    model = own(Cut(way))
    images = torch.randn(1, 3, 64, 64)
    with pytest.raises(ValueError, match="no gradient leads from"):
        METHODS["Grad-CAM"].make(model, images, 1)
    assert not METHODS["gradient"].make(model, images, 1).any()


@pytest.mark.filterwarnings("ignore:None of the inputs")
def test_gradients_that_torch_refuses_are_refused_at_load():
    with pytest.raises(ModelError, match="use_reentrant"):
        own(Cut("checkpoint"))


def test_complex_numbers_are_no_scores():
    class Complex(Cut):
        def forward(self, x):
            return super().forward(x) * 1j

    assert not own(Complex("detached")).num_classes


class Wrapped(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x)


def small_vit(**options):
    return timm.create_model("test_vit", depth=2, num_classes=5, img_size=64, **options)


@pytest.mark.parametrize(
    ("net", "grid"),
    [
        (lambda: Wrapped(small_vit()), (4, 4)),
        (lambda: small_vit(dynamic_img_size=True), (6, 4)),
        (lambda: Wrapped(small_vit(dynamic_img_size=True)), (6, 4)),
    ],
    ids=["in a module of one's own", "at another size", "both"],
)
def test_a_vit_keeps_its_attention(net, grid):
    model = own(net(), 16 * grid[0], 16 * grid[1])
    assert not model.no_rollout and (model.grid, model.num_prefix_tokens) == (grid, 1)
    images = torch.randn(1, 3, 16 * grid[0], 16 * grid[1])
    assert METHODS["rollout"].make(model, images).shape == grid


class Part(Cut):
    """Sees only the middle of a picture."""

    def forward(self, x):
        return super().forward(x[..., 20:44, 20:44])


class Uneven(nn.Sequential):
    """Strides that differ much between the sides."""

    def __init__(self, stride):
        torch.manual_seed(0)
        body = nn.Conv2d(3, 8, 3, stride, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 1, 1)
        super().__init__(*body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5))


def test_a_network_that_sees_a_part_of_the_picture_is_told_so():
    with pytest.raises(ModelError, match="it does not hear of all of the picture"):
        own(Part("plain"))


@pytest.mark.parametrize("stride", [(2, 5), (1, 8), (12, 1)])
def test_a_layer_may_be_finer_along_one_side(stride):
    model = own(Uneven(stride), 96, 96)
    assert model.cam_layer == "2" and model.layouts["2"].grid == tuple(-(-96 // step) for step in stride)


class Lots(Cut):
    """Answers by lot, or by what else is in the batch."""

    def forward(self, x):
        values = self.body(x)
        if self.way == "dropout":
            values = nn.functional.dropout(values, 0.2, training=True)
        if self.way == "batch":
            values = values / values.std()
        return self.head(values.mean((2, 3)))


class Beside(Lots):
    """The same, returned with something else beside it."""

    def forward(self, x):
        scores = super().forward(x)
        return {"logits": scores, "seen": x} if self.way == "dropout" else (scores, x)


@pytest.mark.parametrize("kind", [Lots, Beside])
@pytest.mark.parametrize(("way", "words"), [("dropout", "draws by lot"), ("batch", "beside it in the batch")])
def test_an_answer_that_is_not_the_pictures_own_is_refused(way, words, kind):
    with pytest.raises(ModelError, match=words):
        own(kind(way))
    assert own(kind("steady")).num_classes == 4


class Overwrites(Cut):
    """Changes its picture, or features behind a ReLU, a layer's or its own, in place."""

    def __init__(self, way):
        super().__init__(way)
        self.body = nn.Sequential(self.body, nn.ReLU())

    def forward(self, x):
        if self.way == "picture":
            x.sub_(0.5).div_(2)
        features = self.body(x)
        if self.way == "own":
            features = features.relu()
        if self.way in ("layer", "own"):
            features *= 2
        return self.head(features.mean((2, 3)))


def test_a_network_that_changes_its_picture_in_place_gets_another_one():
    model, images = own(Overwrites("picture")), torch.randn(1, 3, 64, 64)
    before, plain = images.clone(), own(Overwrites("plain"))
    for name in ("Grad-CAM", "gradient"):
        wanted = METHODS[name].make(plain, (images - 0.5) / 2, 1)
        factor = 2 if name == "gradient" else 1  # of a picture twice as large
        assert torch.allclose(METHODS[name].make(model, images, 1) * factor, wanted, atol=1e-6)
    assert torch.equal(images, before)


def test_no_gradient_through_what_is_overwritten_is_one_sentence():
    with pytest.raises(ModelError, match="overwrites in place"):
        own(Overwrites("own"))
    model = own(Overwrites("layer"))
    assert METHODS["Grad-CAM"].make(model, torch.randn(1, 3, 64, 64), 1).any()
    with pytest.raises(ValueError, match="overwrites in place"):
        METHODS["gradient"].make(model, torch.randn(1, 3, 64, 64), 1)


class Twice(Cut):
    """Sees the picture, then its mirror image, by the same layers."""

    def forward(self, x):
        return self.head((self.body(x) + self.body(x.flip(3))).mean((2, 3)))


def test_layers_that_run_twice_are_said_to():
    with pytest.raises(ModelError, match="picture changes in the last of its several runs"):
        own(Twice("plain"))


def test_one_value_a_channel_is_no_map():
    """(B, 2, 1, 1) isn't two rows of one place: a pooled picture, or the weights of channels."""
    torch.manual_seed(0)
    ends = nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 2, 1), nn.Flatten(), nn.Linear(2, 4)
    assert own(nn.Sequential(nn.Conv2d(3, 2, 3, 2, 1), *ends)).layers == ["0"]


@pytest.mark.parametrize("kind", ["its own", "somebody's later"])
def test_hooks_that_a_network_came_with_are_a_part_of_it(kind):
    def tripled(_module, _inputs, output):
        return 3 * output

    net, images = Overwrites("plain"), torch.randn(1, 3, 64, 64)
    plain = METHODS["Grad-CAM"].make(own(net), images, 1)
    if kind == "its own":
        net.head.register_forward_hook(tripled)
    model = own(net)
    if kind != "its own":
        model.net.head.register_forward_hook(tripled)
    factor = 3 if kind == "its own" else 1
    assert torch.allclose(METHODS["Grad-CAM"].make(model, images, 1), factor * plain)


class Gated(Cut):
    """Places are weighed by a softmax over one number each: their mean doesn't matter, so neither does its
    gradient."""

    def __init__(self, way):
        super().__init__(way)
        self.gate = nn.Conv2d(8, 1, 3, 1, 1)

    def forward(self, x):
        values = self.body(x)
        gate = self.gate(values)
        shares = gate.flatten(2).softmax(-1).view_as(gate)
        return self.head((values * shares).sum((2, 3)))


def test_a_map_that_is_rounding_alone_is_no_evidence_of_a_single_channel_either():
    model = own(Gated("softmax"))
    for seed in range(6):
        images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
        for target in range(4):
            assert not METHODS["Grad-CAM"].make(model, images, target, layer="gate").any()
            assert METHODS["LayerCAM"].make(model, images, target, layer="gate").any()
