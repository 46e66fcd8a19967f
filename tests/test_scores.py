"""One logit, labels by themselves, values, embeddings: maps, curves and verdicts."""

import pytest
import torch
from shared import shared_model
from test_networks import noise, own, prepared
from torch import nn

from vizcore import truth
from vizcore.capture import capture
from vizcore.imagine.crosseval import judge
from vizcore.methods.cam import cams
from vizcore.methods.table import METHODS
from vizcore.networks.load import ModelError, from_module
from vizcore.objectives import (
    embedding,
    like_place,
    log_probability,
    logit,
    margin,
    probability,
    similarity,
    values,
)
from vizcore.scores import kind_of, probabilities


class Net(nn.Module):
    """``shape`` makes of scores (B, K) what the network returns."""

    def __init__(self, count=1, shape=lambda scores: scores):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
        self.head, self.shape = nn.Linear(8, count), shape

    def forward(self, x):
        return self.shape(self.head(self.body(x).mean((2, 3))))


def twin(scores):
    return torch.cat([scores, torch.zeros_like(scores)], 1)


def areas(model, images, target, heat):
    *_, last = truth.curves(model.net, images, {"map": heat}, target, steps=8)
    return torch.tensor([curve.probabilities for curve in last.curves.values()])


def test_one_logit_and_its_twin_of_two_are_the_same():
    one, two = own(Net()), own(Net(shape=twin))
    assert one.num_classes == 1 and two.num_classes == 2
    images = noise(one, 0)
    for name in ("Grad-CAM", "LayerCAM", "gradient", "occlusion"):
        for ask in (logit, margin, log_probability):
            a, b = (METHODS[name].make(model, images, ask(model, 0)) for model in (one, two))
            assert (a - b).abs().max() <= 1e-6 and (a.any() or name == "Grad-CAM")
    heat = METHODS["gradient"].make(one, images, 0)
    for ask in (lambda _: 0, lambda model: logit(model, 0)):
        a, b = (areas(model, images, ask(model), heat) for model in (one, two))
        assert (a - b).abs().max() <= 1e-6 and 0 < a.min() and a.max() < 1
    no = probability(one.net, images, -logit(one, 0))
    assert torch.allclose(no, probability(two.net, images, 1), atol=1e-6)


SHAPES = {
    "an object": lambda s: type("Output", (), {"logits": s})(),
    "a dict": lambda s: {"loss": None, "logits": s},
    "a tuple": lambda s: (s, [s]),
    "trailing ones": lambda s: s[..., None, None],
}


@pytest.mark.parametrize("kind", SHAPES)
def test_scores_are_found_and_it_is_said_where(kind):
    plain, model = own(Net(4)), own(Net(4, SHAPES[kind]))
    assert model.num_classes == 4 and model.layers == plain.layers and "its scores are" in model.source
    images = noise(model, 0)
    assert torch.equal(cams(model, images, [3]), cams(plain, images, [3]))
    assert "its scores are" not in plain.source
    assert own(Net(1, lambda s: s[:, 0])).num_classes == 1  # (B,)


def in_place(scores):
    return (scores * 1.0).sigmoid_()


PROBABILITIES = {  # what a network returns -> how its scores are to be read
    "softmax": (lambda s: s.softmax(1), "softmax"),
    "torch.softmax": (lambda s: {"out": torch.softmax(s, -1), "loss": None}, "softmax"),
    "nn.Softmax2d": (lambda s: nn.Softmax2d()(s[..., None, None]), "softmax"),
    "of a mean": (lambda s: (s.softmax(1) + s.softmax(1)) / 2, "softmax"),
    "logarithms": (lambda s: s.log_softmax(1), "softmax"),
    "sigmoid": (lambda s: nn.Sigmoid()(s), "sigmoid"),
    "in place": (in_place, "sigmoid"),
}


@pytest.mark.parametrize("kind", PROBABILITIES)
@pytest.mark.parametrize("count", [1, 4])
def test_probabilities_are_not_made_probabilities_a_second_time(kind, count):
    """A network's own numbers are what the app calls its probabilities; its maps are those of the scores."""
    shape, read = PROBABILITIES[kind]
    if count == 1 and read == "softmax":
        return
    plain, model = own(Net(count)), own(Net(count, shape))
    images = 4 * noise(model, 0)
    wanted = plain.net(images).softmax(1) if read == "softmax" else plain.net(images).sigmoid()
    assert torch.allclose(probabilities(model.net, model.net(images)), wanted, atol=1e-6)
    assert kind_of(model.net, count) == read
    if kind not in ("of a mean", "logarithms"):
        assert torch.equal(model.net(images), plain.net(images)) and "is given" in model.source
        assert torch.equal(cams(model, images, [0]), cams(plain, images, [0]))
    values = from_module(Net(count, shape), prepared(64, 64), device="cpu", scores_are="values")
    assert not torch.equal(values.net(images), plain.net(images)) and "given" not in values.source


def test_of_several_that_may_be_scores_none_is_guessed():
    alone = own(Net(4, lambda s: {"maps": s[..., None, None].expand(-1, -1, 2, 2), "classes": s}))
    assert alone.num_classes == 4 and "['classes'], (B, K)" in alone.source
    with pytest.raises(ModelError, match=r"returns \['a'\] and \['b'\], and nothing says which"):
        own(Net(4, lambda s: {"a": s, "b": s[:, :2]}))


def test_labels_by_themselves_and_values_agree_with_a_plain_loop():
    steps = prepared(64, 64)
    for kind, read in (("sigmoid", torch.sigmoid), ("values", lambda s: s)):
        model = from_module(Net(3), steps, ["a", "b", "c"], device="cpu", scores_are=kind)
        images, wanted = noise(model, 0), logit(model, "b")
        assert (wanted.bounds == (0, 1)) == (kind == "sigmoid") == (wanted.chance is not None)
        heat = METHODS["gradient"].make(model, images, wanted)
        *_, last = truth.curves(model.net, images, {"m": heat}, wanted, steps=4, baseline="mean")
        ranks, blank = truth.ranked(heat, (64, 64)).view(64, 64), images.mean((2, 3), keepdim=True)
        for share, found in zip(*last.curves["deletion", "m"],
                                strict=True):  # fmt: skip
            covered = torch.where(ranks < round(share * 64 * 64), blank, images)
            assert found == pytest.approx(read(model.net(covered))[0, 1].item(), abs=1e-5)
    with pytest.raises(ValueError, match="have no probability"):
        log_probability(model, 0)
    assert logit(model, "b").words == "more of b" and (-logit(model, "b")).words == "less more of b"
    with pytest.raises(ModelError, match="softmax, sigmoid, values, not 'odds'"):
        from_module(Net(3), steps, scores_are="odds")


def test_targets_are_those_of_pytorch_grad_cam():
    """Grad-CAM for each of their targets, before its scaling and in double precision."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.activations_and_gradients import ActivationsAndGradients
    from pytorch_grad_cam.utils import model_targets as theirs

    one, many = own(Net(1).double()), own(Net(4).double())
    pairs = [
        (many, logit(many, 2), theirs.ClassifierOutputTarget(2)),
        (many, log_probability(many, 2), theirs.ClassifierOutputSoftmaxTarget(2)),
        (one, logit(one, 0), theirs.BinaryClassifierOutputTarget(1)),
        (one, -logit(one, 0), theirs.BinaryClassifierOutputTarget(0)),
        (one, logit(one, 0), theirs.RawScoresOutputTarget()),
    ]
    for model, wanted, target in pairs:
        seen = 0
        for seed in range(4):
            images = noise(model, seed).double()
            watch = ActivationsAndGradients(model.net, [model.net.body[2]], None)
            watch.device = "cpu"
            score = target(watch(images.clone().requires_grad_())[0]).squeeze()
            score.backward()
            values, slopes = watch.activations[0].numpy(), watch.gradients[0].numpy()
            watch.release()
            weights = GradCAM.get_cam_weights(None, images, [], None, values, slopes)
            heat = torch.from_numpy((weights[..., None, None] * values).sum(1)[0]).clamp(min=0)
            ours = cams(model, images, [wanted], "body.2")[0, 0].double()
            if isinstance(target, theirs.ClassifierOutputSoftmaxTarget):
                ours = ours * score.detach()  # the slope of a probability is it times that of its logarithm
            assert (ours - heat).abs().max() <= 1e-6 * heat.max()
            seen += bool(heat.any())
        assert seen > 1


def test_a_likeness_is_the_cosine_of_features():
    model = own(Net(6))
    images = torch.cat([noise(model, 0), noise(model, 1)])
    region = torch.zeros(model.layouts["body.3"].grid)
    region[:4, :4] = 1
    wanted = embedding(model, images[:1], "body.3", region)[0]
    maps = model.net.body(images)
    assert torch.allclose(wanted, maps[0, :, :4, :4].mean((1, 2)), atol=1e-6)
    like = similarity(model, wanted, "body.3")
    cosine = nn.functional.cosine_similarity(maps.mean((2, 3)), wanted[None])
    assert torch.allclose(values(model.net, images, like), cosine, atol=1e-6)
    assert like.bounds == (-1, 1) and METHODS["gradient"].make(model, images[:1], like).max() > 0


def test_what_answers_the_same_whatever_it_sees_is_not_right():
    pictures = torch.rand(1, 3, 64, 64)
    sure = own(Net(1, lambda s: s * 0 + s.detach().abs() * 0 - 1))
    found = judge(sure, pictures, [0], views=4)
    assert found.right == 0 and found.rank == 2 and found.probability == pytest.approx(0.2689, abs=1e-3)
    worth = from_module(Net(2), prepared(64, 64), device="cpu", scores_are="values")
    assert judge(worth, pictures, [logit(worth, 1)], views=4).right.isnan()


def test_what_is_like_a_place_is_the_cosine_of_the_picture_and_the_place():
    model = shared_model("texture_vit")
    layer = model.blocks[-1]
    images = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(5)) * 2 - 1
    wanted = like_place(model, images, (2, 5))
    maps = model.layouts[layer].maps(capture(model.net, images, [layer]).layers[layer])
    by_hand = torch.cosine_similarity(maps.mean((2, 3)), maps[:, :, 2, 5])
    assert torch.allclose(values(model.net, images, wanted), by_hand, atol=1e-5) and by_hand.abs() < 0.999
    heat = METHODS["Grad-CAM"].make(model, images, wanted, layer=layer)
    assert heat.max() > 0 and "row 2, column 5" in wanted.words
    with pytest.raises(ValueError, match="8 × 8 places"):
        like_place(model, images, (8, 0))
