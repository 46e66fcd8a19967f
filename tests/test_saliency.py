"""Saliency: against captum, on networks whose answer is known, and on pictures that say nothing."""

import gc
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from captum.attr import GuidedBackprop, InputXGradient, IntegratedGradients, Occlusion, Saliency
from PIL import Image
from shared import shared_model
from torch import nn

from ui.picture_picker import SAMPLES_FOLDER
from vizcore import baselines, truth
from vizcore.capture import capture
from vizcore.drawing import render
from vizcore.methods import filters, gradients, integrated, occlusion, passes, smooth_grad, table
from vizcore.methods.cam import cam
from vizcore.methods.table import METHODS
from vizcore.networks.load import load_model
from vizcore.objectives import channel, logit, probability, values
from vizcore.pictures.images import read_picture
from vizcore.studies import gradient_rows
from vizcore.truth import randomised, similarity

CLOSE = 1e-4  # of the largest value
RUNS = {
    "SmoothGrad": smooth_grad.smooth_grad,
    "Integrated Gradients": integrated.integrated_gradients,
    "occlusion": occlusion.occlusion,
}
MODELS = [
    "texture_resnet",
    "texture_vit",
    *(pytest.param(name, marks=pytest.mark.long) for name in ("alexnet", "efficientnet_lite0")),
]


@pytest.fixture(scope="module", params=MODELS)
def asked(request):
    """A model, what it gets of a photograph, and a class."""
    model = shared_model(request.param, "random" if request.param == "alexnet" else "trained")
    images = model.preprocess(read_picture((SAMPLES_FOLDER / "chelsea.png").read_bytes()))
    return model, images, model.net(images)[0].argmax().item()


@pytest.fixture(scope="module")
def resnet():
    return shared_model("texture_resnet")


def last(steps):
    *_, found = steps
    return found


def close(found, expected, tolerance=CLOSE):
    assert found.shape == expected.shape and expected.abs().max() > 0
    assert (found - expected).abs().max() <= tolerance * expected.abs().max()


class Linear(nn.Module):
    """Scores are weighted sums of the pixels, so every answer is known."""

    def __init__(self, weight):
        super().__init__()
        self.weight = weight  # (classes, 3, H, W)

    def forward(self, images):
        return torch.einsum("bchw,kchw->bk", images, self.weight)


@pytest.fixture
def linear(resnet):
    weight = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    return replace(resnet, net=Linear(weight), num_classes=2), weight


# ---------------------------------------------------------------- a second implementation


def test_gradients_agree_with_captum(asked):
    model, images, target = asked
    close(gradients.gradient(model, images, target), Saliency(model.net).attribute(images, target, abs=False))
    close(
        gradients.gradient_times_input(model, images, target),
        InputXGradient(model.net).attribute(images, target),
    )


def test_smooth_grad_agrees_with_captum_on_the_same_noise(asked):
    model, images, target = asked
    noises = smooth_grad._noises(images, 0.2, seed=3)
    shaken = torch.cat([images + next(noises) for _ in range(3)])
    assert 0.19 < (shaken - images).std() / (images.max() - images.min()) < 0.21
    expected = Saliency(model.net).attribute(shaken, [target] * 3, abs=False).mean(0, keepdim=True)
    found = list(smooth_grad.smooth_grad(model, images, target, noise=0.2, draws=3, seed=3))
    assert found[-1].done == found[-1].total == 3
    close(found[-1].pixels, expected)


@pytest.mark.parametrize(
    ("rule", "theirs"),
    [
        ("Gauss-Legendre", "gausslegendre"),
        pytest.param("midpoint", "riemann_middle", marks=pytest.mark.long),
        pytest.param("left", "riemann_left", marks=pytest.mark.long),
    ],
)
def test_integrated_gradients_agree_with_captum_and_so_does_the_gap(asked, rule, theirs):
    model, images, target = asked
    blank = baselines.BASELINES["mean"](model, images)
    expected, delta = IntegratedGradients(model.net).attribute(
        images, blank, target, n_steps=8, method=theirs, return_convergence_delta=True, internal_batch_size=4
    )
    found = last(integrated.integrated_gradients(model, images, target, baseline="mean", steps=8, rule=rule))
    close(found.pixels, expected.float())
    assert found.gap == pytest.approx(delta.item(), abs=1e-3 * abs(found.difference))
    assert found.share == pytest.approx(abs(found.gap / found.difference))


def test_occlusion_agrees_with_captum(asked):
    model, images, target = asked
    window = images.shape[-1] // 4 + 3  # the last square reaches over the edge
    found = last(occlusion.occlusion(model, images, target, window=window, stride=window - 5))
    expected = Occlusion(model.net).attribute(
        images, (3, window, window), (3, window - 5, window - 5),
        baselines=baselines.BASELINES["black"](model, images), target=target, perturbations_per_eval=5,
    )  # fmt: skip
    close(found.pixels, expected[:, :1])


@pytest.mark.filterwarnings("ignore:Setting backward hooks")
def test_guided_backpropagation_agrees_with_captum(chelsea, resnet):
    for model in (shared_model("alexnet", "random"), resnet):
        images = model.preprocess(chelsea)
        theirs = deepcopy(model.net).requires_grad_(True)
        for module in theirs.modules():
            if isinstance(module, nn.ReLU):
                module.inplace = False
        expected = GuidedBackprop(theirs).attribute(images.clone().requires_grad_(), 3)
        close(gradients.guided_backpropagation(model, images, 3), expected.detach())


# ---------------------------------------------------------------- networks whose answer is known


def test_of_a_linear_network_every_method_knows_the_answer(linear):
    model, weight = linear
    images = torch.randn(1, 3, 16, 16)
    blank = baselines.BASELINES["blur"](model, images)
    expected = {
        "gradient": weight[1:],
        "gradient × input": weight[1:] * images,
        "SmoothGrad": weight[1:],
        "Integrated Gradients": weight[1:] * (images - blank),
    }
    for name, pixels in expected.items():
        settings = {"baseline": "blur", "steps": 2} if name == "Integrated Gradients" else {}
        assert torch.allclose(
            last(table.METHODS[name].run(model, images, 1, **settings)).pixels, pixels, atol=1e-5
        )
    found = last(occlusion.occlusion(model, images, 1, baseline="blur", window=1, stride=1)).pixels
    assert torch.allclose(found, (weight[1:] * (images - blank)).sum(1, keepdim=True), atol=1e-3)
    assert torch.allclose(
        table.METHODS["gradient"].make(model, images, 1, part="positive"), weight[1].clamp(min=0).amax(0)
    )
    assert torch.allclose(
        table.METHODS["gradient"].make(model, images, 1, part="negative"), (-weight[1]).clamp(min=0).amax(0)
    )


def test_guided_relus_by_hand(resnet):
    """Passed on where the unit is active, and neither saturated nor told to be less."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.six, self.rest = nn.ReLU6(inplace=True), nn.ReLU(inplace=True)

        def forward(self, images):
            x = images.flatten(1)
            sign = x.new_tensor([1, -1, 1, 1, -1, 1])
            six, rest = self.six(x[:, :6].clone()), self.rest(x[:, 6:].clone())
            return (six * sign + rest * 2 * sign).sum(1, True)

    model = replace(resnet, net=Net(), num_classes=1)
    images = torch.tensor([3.0, 3, -1, 7, 7, 0, 3, 3, -1, 7, 7, 0]).view(1, 3, 2, 2)
    found = gradients.guided_backpropagation(model, images, 0).flatten().tolist()
    assert found == [1, 0, 0, 0, 0, 0, 2, 0, 0, 2, 0, 0]
    assert gradients.gradient(model, images, 0).flatten().tolist() == [1, -1, 0, 0, 0, 0, 2, -2, 0, 2, -2, 0]


def test_guided_backpropagation_refuses_other_activations_in_a_sentence(linear):
    for name, kind in {"texture_vit": "GELU", "test_efficientnet": "SiLU"}.items():
        model = shared_model(name, "random")
        assert not METHODS["guided backpropagation"].applies(model)
        with pytest.raises(ValueError, match=f"is defined for ReLU and ReLU6; .* uses .*{kind}"):
            gradients.guided_backpropagation(model, torch.zeros(1, 3, 128, 128), 0)
    assert gradients.why_not_guided(linear[0]).endswith("has no such module.")
    for name in ("alexnet", "efficientnet_lite0", "test_resnet"):
        assert METHODS["guided backpropagation"].applies(shared_model(name, "random"))


def test_guided_backpropagation_fails_the_randomisation_test_where_the_gradient_does_not(resnet):
    images = resnet.preprocess(read_picture((SAMPLES_FOLDER / "coffee.png").read_bytes()))
    target = resnet.net(images)[0].argmax().item()
    _, forgetful = next(randomised(resnet))  # its classifier is random
    alike = {}
    for name in ("gradient", "guided backpropagation"):
        make = METHODS[name].make
        alike[name] = similarity(make(resnet, images, target), make(forgetful, images, target))[0]
    assert alike["guided backpropagation"] > 0.9 and alike["gradient"] < 0.8


# ---------------------------------------------------------------- this and not that


def test_the_difference_of_two_classes(asked, chelsea):
    model, images, target = asked
    other = 4 if target != 4 else 5
    against = logit(model, target) - logit(model, other)
    found = gradients.gradient(model, images, against)
    close(found, gradients.gradient(model, images, target) - gradients.gradient(model, images, other))
    scores = model.net(images)
    assert torch.equal(values(model.net, images, against), scores[:, target] - scores[:, other])
    assert torch.equal(probability(model.net, images, against), scores.softmax(1)[:, target])
    with pytest.raises(ValueError, match="class 1000000 is not one of"):
        logit(model, 10**6)


def test_a_class_is_asked_for_by_its_name_too(resnet):
    images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(2))
    by_index = gradients.gradient(resnet, images, resnet.labels.index("woven"))
    assert torch.equal(gradients.gradient(resnet, images, "Woven"), by_index)
    with pytest.raises(ValueError, match="Texture ResNet has no class called 'tabby'"):
        gradients.gradient(resnet, images, "tabby")


def test_cams_and_curves_take_the_difference_along(resnet):
    images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    against = logit(resnet, 2) - logit(resnet, 7)
    assert not torch.allclose(cam(resnet, images, against), cam(resnet, images, 2), rtol=0.1)
    heat = cam(resnet, images, against)
    found = [[*truth.curves(resnet.net, images, {"map": heat}, target)][-1] for target in (against, 2)]
    assert found[0] == found[1]  # taking one logit from all changes no probability


def test_a_channel_can_be_asked_where_a_class_can(resnet):
    """Every method takes any objective; a channel's gradient at its own layer is one over the places."""
    images = torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    layer = resnet.cam_layer
    wanted = channel(resnet, layer, 5)
    found = cam(resnet, images, wanted)
    maps = capture(resnet.net, images, [layer]).layers[layer][0]
    assert torch.allclose(found, maps[5].relu() / maps[5].numel(), rtol=1e-4, atol=1e-7)
    for name, how in {"SmoothGrad": {"draws": 2}, "occlusion": {"window": 0.5}, "gradient": {}}.items():
        assert table.METHODS[name].make(resnet, images, wanted, **how).any()


# ---------------------------------------------------------------- completeness, chunks, half way


@pytest.mark.parametrize("name", [pytest.param("texture_resnet", marks=pytest.mark.long), "texture_vit"])
def test_integrated_gradients_close_the_gap_by_themselves(name, chelsea):
    model = shared_model(name)
    images = model.preprocess(chelsea)
    target = model.net(images)[0].argmax().item()
    steps = list(integrated.integrated_gradients(model, images, target, steps=2, within=0.05))
    assert steps[-1].share <= 0.05 and steps[-1].steps > 2
    finished = [step for step in steps if step.done == step.total]
    assert [step.steps for step in finished] == [2 * 2**k for k in range(len(finished))]
    assert all(step.share > 0.05 for step in finished[:-1])
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    whole = finished[-2]  # while the steps are doubled, the last whole answer is shown
    assert all(s.pixels is whole.pixels for s in steps if whole.done < s.done < steps[-1].done)
    capped = last(integrated.integrated_gradients(model, images, target, steps=2, within=0, most=7))
    assert capped.steps == 4


def test_chunks_are_bounded_by_bytes_and_make_no_difference(resnet, chelsea, monkeypatch):
    images, sizes = resnet.preprocess(chelsea), []
    differentiate = gradients.differentiate

    def watched(net, some, target):
        sizes.append(len(some))
        return differentiate(net, some, target)

    for module in (integrated, smooth_grad):
        monkeypatch.setattr(module, "differentiate", watched)
    run = {"Integrated Gradients": {"steps": 20}, "SmoothGrad": {"draws": 20}}
    found = {name: last(RUNS[name](resnet, images, 3, **how)).pixels for name, how in run.items()}
    assert max(sizes) == passes.LIMITS["cpu"][1]
    kept = passes._kept(resnet.net, images, logit(resnet, 3))
    monkeypatch.setattr(passes, "LIMITS", {"cpu": (3 * kept, 16)})
    sizes.clear()
    for name, how in run.items():
        close(last(RUNS[name](resnet, images, 3, **how)).pixels, found[name])
    assert max(sizes) == 3 and sum(sizes) == 40


def test_what_a_pass_keeps_is_counted_in_bytes(resnet):
    images = torch.randn(1, 3, 128, 128)
    one = passes._kept(resnet.net, images, logit(resnet, 0))
    largest = max(layout.channels * layout.grid[0] * layout.grid[1] for layout in resnet.layouts.values())
    assert (
        4 * largest
        < one
        < 4 * sum(2 * layout.channels * layout.grid[0] * layout.grid[1] for layout in resnet.layouts.values())
    )
    twice = passes._kept(resnet.net, torch.randn(1, 3, 256, 256), logit(resnet, 0))
    assert 3.5 < twice / one < 4.5  # grows with the pixels, so no weights are counted


@pytest.mark.long
def test_half_way_a_method_has_the_gist(resnet, chelsea):
    images = resnet.preprocess(chelsea)
    target = resnet.net(images)[0].argmax().item()
    for name, how in {"SmoothGrad": {}, "Integrated Gradients": {}, "occlusion": {"window": 0.25}}.items():
        steps = list(table.METHODS[name].steps(resnet, images, target, **how))
        assert len(steps) > 1 and steps[-1].done == steps[-1].total
        assert all(step.total == steps[-1].total and step.pixels.isfinite().all() for step in steps)
        half, whole = (step.maps[0].flatten() for step in (steps[len(steps) // 2], steps[-1]))
        assert torch.corrcoef(torch.stack([half, whole]))[0, 1] > 0.7, name


# ---------------------------------------------------------------- pictures and networks that say nothing


def test_flat_pictures_and_dead_networks_give_zeros_and_no_nan(resnet, linear):
    dead = replace(linear[0], net=Linear(torch.zeros(2, 3, 16, 16)))
    for model, images in (
        (resnet, resnet.preprocess(Image.new("RGB", (64, 64)))),  # black as the baseline
        (dead, torch.randn(1, 3, 16, 16)),
        (dead, torch.zeros(1, 3, 16, 16)),
    ):
        for name, method in table.on_page("saliency").items():
            if method.applies(model):
                how = {"window": 0.25} if name == "occlusion" else {}
                found = last(method.steps(model, images, 1, **how))
                heat = found.maps[0]
                assert found.pixels.isfinite().all() and heat.isfinite().all()
                if name in ("Integrated Gradients", "occlusion"):
                    assert heat.abs().max() < 1e-5  # rounding, which depends on the chunk
                if name == "Integrated Gradients":
                    assert "**0.0%** of the difference" in found.note
    nothing = np.zeros((3, 4, 4), np.float32)
    assert render.end_of_scale(nothing) == 0
    assert (render.centred(nothing, 0) == 128).all() and (render.from_black(nothing, 0) == 0).all()


def test_colours_are_symmetric_about_grey():
    pixels = np.zeros((3, 10, 10), np.float32)
    pixels[0, 0, 0], pixels[2, 5, 5] = 4, -4
    assert 0 < render.end_of_scale(pixels) <= 4
    shown = render.centred(pixels, 4)
    assert shown[0, 0].tolist() == [255, 128, 128] and shown[5, 5].tolist() == [128, 128, 0]
    assert render.from_black(pixels, 4)[5, 5].tolist() == [0, 0, 0]
    values = np.random.default_rng(0).normal(size=(3, 100, 100))
    assert (np.abs(values) > render.end_of_scale(values)).mean() == pytest.approx(render.CLIPPED, rel=0.05)


@pytest.mark.long
def test_a_first_layer_that_works_in_place_and_half_precision(resnet, chelsea):
    net = nn.Sequential(nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(48, 2)).requires_grad_(False)
    images = torch.randn(1, 3, 4, 4)
    before = images.clone()
    found = gradients.gradient(replace(resnet, net=net, num_classes=2), images, 1)
    assert torch.equal(images, before) and torch.equal(found == 0, images <= 0)
    half = load_model("texture_resnet")
    half.net.to(torch.bfloat16)
    images = resnet.preprocess(chelsea)[..., :64, :64]  # most CPUs are slow at this precision
    how = {"gradient": {}, "Integrated Gradients": {"steps": 4}, "occlusion": {"window": 0.5}}
    for name, settings in how.items():
        found = METHODS[name].make(half, images.bfloat16(), 3, **settings)
        assert found.dtype == torch.float32 and found.isfinite().all()


def test_errors_name_what_is_permitted(resnet):
    images = torch.zeros(1, 3, 128, 128)
    with pytest.raises(ValueError, match="class 20 is not one of Texture ResNet's, 0 to 19"):
        gradients.gradient(resnet, images, 20)
    with pytest.raises(ValueError, match="Texture ResNet has no classes"):
        next(occlusion.occlusion(replace(resnet, num_classes=0), images, 0))
    with pytest.raises(ValueError, match="unknown baseline 'grey'; there are black, mean, blur, white"):
        next(integrated.integrated_gradients(resnet, images, 0, baseline="grey"))
    with pytest.raises(ValueError, match="unknown rule 'right'; there are Gauss-Legendre, midpoint, left"):
        next(integrated.integrated_gradients(resnet, images, 0, rule="right"))


# ---------------------------------------------------------------- shared networks


@pytest.mark.long
def test_four_threads_and_nothing_left_behind(resnet):
    before = {name: value.clone() for name, value in resnet.net.state_dict().items()}
    pictures = [torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(i)) for i in range(4)]

    def ask(images):
        how = {"Integrated Gradients": {"steps": 3}, "SmoothGrad": {"draws": 2}, "occlusion": {"window": 0.5}}
        return torch.stack(
            [
                METHODS[name].make(resnet, images, logit(resnet, 2) - logit(resnet, 1), **how.get(name, {}))
                for name in table.on_page("saliency")
            ]
        )

    alone = [ask(images) for images in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(ask, pictures))
    for a, b in zip(alone, together, strict=True):
        assert torch.allclose(a, b, rtol=1e-3, atol=1e-6)
    for module in resnet.net.modules():
        assert not module._forward_hooks and not module._backward_hooks
    assert not any(isinstance(module, gradients._GuidedReLU) for module in resnet.net.modules())
    assert all(p.grad is None and not p.requires_grad for p in resnet.net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in resnet.net.state_dict().items())


# ---------------------------------------------------------------- sheets and filters


def test_a_row_for_each_picture(resnet, chelsea):
    sheet = gradient_rows.rows(resnet, [("Chelsea", chelsea), ("wide", chelsea.resize((300, 60)))])
    side = 128
    assert sheet.dtype == np.uint8 and sheet.shape[1] == 3 * (side + 8) + 8
    pixels = render.to_array(gradients.gradient(resnet, resnet.preprocess(chelsea), 0))
    target = resnet.net(resnet.preprocess(chelsea))[0].argmax().item()
    pixels = render.to_array(gradients.gradient(resnet, resnet.preprocess(chelsea), target)[0])
    shown = render.centred(pixels, render.end_of_scale(pixels))
    top, left = 2 * 28, 2 * 8 + side
    assert (sheet[top : top + side, left : left + side] == shown).all()
    grey = sheet[top : top + side, left + side + 8 : left + 2 * side + 8]
    assert (grey[..., 0] == grey[..., 2]).all() and grey.max() == 255
    assert (gradient_rows.rows(resnet, [("Chelsea", chelsea)], target=3) != sheet[: 28 * 3 + side + 8]).any()


def test_first_filters():
    alexnet = filters.first_filters(shared_model("alexnet", "random"))
    assert alexnet.name == "features.0" and alexnet.weight.shape == (64, 3, 11, 11)
    vit = filters.first_filters(shared_model("texture_vit"))
    components, shares = filters.principal(vit.weight, 28)
    assert components.shape == (28, 3, 16, 16)
    flat = components.flatten(1)
    assert torch.allclose(flat @ flat.T, torch.eye(28), atol=1e-5)
    assert (shares.diff() <= 0).all() and 0.5 < shares.sum() < 1
    variance = ((vit.weight.flatten(1) - vit.weight.flatten(1).mean(0)) @ flat.T).square().sum(0)
    assert torch.allclose(variance / (vit.weight - vit.weight.mean(0)).square().sum(), shares, rtol=1e-3)
    assert filters.tiles(components, 7).shape == (4 * 46 + 2, 7 * 46 + 2, 3)
    grey = replace(shared_model("texture_vit"), net=nn.Sequential(nn.Conv2d(1, 4, 3)))
    assert filters.first_filters(grey) is None
    assert filters.first_filters(replace(grey, net=nn.Sequential(nn.Linear(3, 3)))) is None


def test_of_a_pass_that_was_measured_nothing_stays_in_memory():
    model = shared_model("texture_resnet")
    images = torch.randn(1, 3, 128, 128)

    def graphs() -> int:
        gc.collect()
        return sum(isinstance(one, torch.Tensor) and one.grad_fn is not None for one in gc.get_objects())

    before = graphs()
    assert passes._left_behind(model.net, images, logit(model, 0)) > 0
    assert graphs() == before


def test_a_network_is_asked_once_what_a_pass_keeps(monkeypatch):
    model, measure, asked = shared_model("texture_resnet"), passes._left_behind, []
    model = replace(model, net=deepcopy(model.net))  # one that nobody has asked yet
    monkeypatch.setattr(passes, "_left_behind", lambda *args: asked.append(args) or measure(*args))
    small, large = torch.randn(1, 3, 64, 64), torch.randn(1, 3, 128, 128)
    first = [passes._kept(model.net, images, logit(model, 0)) for images in (small, large)]
    assert [passes._kept(model.net, images, logit(model, 5)) for images in (small, large)] == first
    assert len(asked) == 2 and first[0] < first[1]
