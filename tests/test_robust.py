"""Batches, torch's modes, types of numbers, and networks that are broken: an answer, or one true sentence."""

import io

import pytest
import torch
from PIL import Image
from safetensors.torch import save
from shared import shared_model
from torch import nn

from vizcore import baselines, capture, objectives, truth
from vizcore.imagine import augment, crosseval, parameterise
from vizcore.imagine import maximise as actmax
from vizcore.methods import (
    attention,
    cam,
    features,
    fine_cam,
    gradients,
    integrated,
    method,
    occlusion,
    passes,
    rollout,
    score_cam,
    smooth_grad,
    table,
    tokens,
)
from vizcore.methods import table as heatmaps
from vizcore.networks.load import Layout, ModelError, from_module, load_model, retraced
from vizcore.networks.torchvision_ops import timm, torchvision
from vizcore.pictures import frame
from vizcore.studies import cka as similarity

STEPS = torchvision.transforms
TRANSFORM = STEPS.Compose([STEPS.Resize((64, 64)), STEPS.ToTensor(), STEPS.Normalize([0.5] * 3, [0.5] * 3)])


def small_cnn():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5),
    )  # fmt: skip


def small_vit():
    torch.manual_seed(0)
    return timm.create_model("vit_tiny_patch16_224", img_size=64, depth=2, num_classes=5, embed_dim=48)


SMALL = {"cnn": small_cnn, "vit": small_vit}


@pytest.fixture(scope="module")
def nets():
    return {kind: from_module(make(), TRANSFORM, device="cpu") for kind, make in SMALL.items()}


# ---------------------------------------------------------------- batches

B = 3


def last(steps):
    *_, end = steps
    return end


def cam_map(model, images):
    return cam.cam(model, images, 1)


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


# by name: (kind of network, the shape of one of a batch, or None for a picture, the call). The call gets
# (B, ...) and gives B results, or refuses.
MAP, CHANNELS, ATTENTION = (16, 16), (8, 16, 16), (3, 17, 17)
GRID, START = (4, 4), torch.eye(17)[:1]
CALLS = {
    "as_maps": ("cnn", CHANNELS, lambda m, x: features.as_maps(x, Layout("NCHW", 8, (16, 16)))),
    "summary": ("cnn", CHANNELS, lambda m, x: features.summary(squeezed(x)).high),
    "strength": ("cnn", CHANNELS, lambda m, x: features.strength(squeezed(x))),
    "norms": ("cnn", CHANNELS, lambda m, x: features.norms(squeezed(x))),
    "standing_out": ("cnn", CHANNELS, lambda m, x: features.standing_out(squeezed(x), 1, 2)),
    "by_strength": ("cnn", CHANNELS, lambda m, x: features.by_strength(squeezed(x))),
    "pca_colours": ("cnn", CHANNELS, lambda m, x: features.pca_colours(squeezed(x))),
    "features.similarity": ("cnn", CHANNELS, lambda m, x: features.similarity(squeezed(x), 1, 2)),
    "features.similarities": ("cnn", CHANNELS, lambda m, x: features.similarities(squeezed(x))),
    "capture": ("cnn", None, lambda m, x: capture.capture(m.net, x, ["3"]).layers["3"]),
    **{
        name: ("cnn", CHANNELS, lambda m, x, weigh=how.weigh: weigh(x, x.cos()))
        for name, how in cam.CAMS.items()
    },
    **{
        f"cams {name}": ("vit", None, lambda m, x, name=name: cam.cams(m, x, [1, 2], None, name)[1])
        for name in cam.CAMS
    },
    "cam": ("cnn", None, cam_map),
    "hold": ("vit", None, lambda m, x: cam.hold(m, x).output),
    "fine_cams": ("cnn", None, lambda m, x: fine_cam.fine_cams(m, x, [1, 2])[1]),
    "score_cams": ("cnn", None, lambda m, x: last(score_cam.score_cams(m, x, [1])).maps[0]),
    "several": ("cnn", None, lambda m, x: cam.several(m, x, [3], ["LayerCAM"])["LayerCAM"][0]),
    "class_blind": ("cnn", None, lambda m, x: cam.class_blind(m, x, None, "Grad-CAM")),
    **{
        f"heatmaps {name}": ("cnn" if name in ("guided backpropagation", fine_cam.NAME) else "vit", None,
                             lambda m, x, make=method.make: make(m, x, 1))
        for name, method in heatmaps.METHODS.items()
    },  # fmt: skip
    "in_frame": ("cnn", MAP, lambda m, x: heatmaps.in_frame(m, blank_picture(), x)),
    "to_frame": ("cnn", MAP, lambda m, x: frame.to_frame(x, (0, 0, 20, 30), (20, 30))),
    "attention": ("vit", None, lambda m, x: attention.attention(m.net, x, m.attention)[1]),
    "class_attention": ("vit", None, lambda m, x: first_flow(m, x)),
    "fuse": ("vit", ATTENTION, lambda m, x: attention.fuse(x, "max")),
    "attended": ("vit", ATTENTION[1:], lambda m, x: attention.attended(squeezed(x), (1, 2), GRID, 1)[0]),
    "attended by all": ("vit", ATTENTION[1:], lambda m, x: attention.attended(squeezed(x), None, GRID, 1)[0]),
    "rollout": ("vit", ATTENTION, lambda m, x: rollout.rollout([x.softmax(-1)] * 2, START)[-1]),
    "relevance": ("vit", ATTENTION[1:], lambda m, x: rollout.relevance([x.relu()] * 2, START)[-1]),
    "weighted_rollout": (
        "vit", ATTENTION[1:], lambda m, x: rollout.weighted_rollout([x.relu()] * 2, START)[-1],
    ),
    "on_patches": ("vit", (17,), lambda m, x: tokens.on_patches(x, GRID, 1)),
    "distances": ("vit", ATTENTION, lambda m, x: attention.distances(x.softmax(-1), GRID, 1, (4, 4))),
    "pointing": ("cnn", MAP, lambda m, x: truth.pointing(squeezed(x), squeezed(x) > 1)),
    "energy": ("cnn", MAP, lambda m, x: truth.energy(squeezed(x), squeezed(x) > 1)),
    "ranked": ("cnn", MAP, lambda m, x: truth.ranked(squeezed(x), (20, 20))),
    "on_input": ("cnn", MAP, lambda m, x: truth.on_input(squeezed(x), (0, 0, 8, 8), (20, 20))),
    "rank_correlation": ("cnn", MAP, lambda m, x: truth.rank_correlation(squeezed(x), squeezed(x.cos()))),
    "ssim": ("cnn", MAP, lambda m, x: truth.ssim(squeezed(x), squeezed(x).flip(1))),
    "overlap": ("cnn", MAP, lambda m, x: truth.overlap(squeezed(x), squeezed(x).flip(1))),
    "evidence.similarity": ("cnn", MAP, lambda m, x: truth.similarity(squeezed(x), squeezed(x).flip(1))),
    "mean_colour": ("cnn", None, lambda m, x: baselines.mean_colour(x)),
    "blurred": ("cnn", None, lambda m, x: baselines.blurred(x)),
    "curves": ("cnn", None, lambda m, x: curved(m, x)),
    "randomisation": ("cnn", None, lambda m, x: last(truth.randomisation(m, x, cam_map)).heatmap),
    "randomisation of what takes a batch": ("cnn", None, lambda m, x: forgotten(m, x)),
    "stability": ("cnn", None, lambda m, x: shaken(m, x)),
    "gradient": ("cnn", None, lambda m, x: gradients.gradient(m, x, 1)),
    "gradient × input": ("cnn", None, lambda m, x: gradients.gradient_times_input(m, x, 1)),
    "guided": ("cnn", None, lambda m, x: gradients.guided_backpropagation(m, x, 1)),
    "smooth_grad": ("cnn", None, lambda m, x: last(smooth_grad.smooth_grad(m, x, 1, draws=2)).pixels),
    "integrated_gradients": (
        "cnn", None, lambda m, x: last(integrated.integrated_gradients(m, x, 1, steps=2)).pixels,
    ),
    "occlusion": ("cnn", None, lambda m, x: last(occlusion.occlusion(m, x, 1, window=32)).pixels),
    **{
        f"saliency {name}": ("cnn", None, lambda m, x, make=how.make: make(m, x, 1))
        for name, how in table.on_page("saliency").items()
    },
    **{
        f"baseline {name}": ("cnn", None, lambda m, x, make=make: make(m, x))
        for name, make in baselines.BASELINES.items()
    },
    "strongest": ("cnn", CHANNELS, lambda m, x: method.strongest(x)),
    "summed": ("cnn", CHANNELS, lambda m, x: method.summed(x)),
    **{f"{name} part": ("cnn", CHANNELS, lambda m, x, f=f: f(x)) for name, f in method.PARTS.items()},
    "probability": ("cnn", None, lambda m, x: objectives.probability(m.net, x, 2)),
    "values": ("cnn", None, lambda m, x: objectives.values(m.net, x, objectives.logit(m, 2))),
    "similarity.features": ("cnn", CHANNELS, lambda m, x: similarity.features(x, pooled=True)),
    "look": ("cnn", None, lambda m, x: augment.look(x, same_views(len(x)), (64, 64))),
    "pixels": ("cnn", (3, 8, 8), lambda m, x: parameterise.pixels(x, (8, 8))),
    "fourier": ("cnn", parameterise.spectrum_shape((8, 8)), lambda m, x: parameterise.fourier(x, (8, 8))),
    "total_variation": ("cnn", (3, 8, 8), lambda m, x: actmax.total_variation(x)),
    "judge": ("cnn", (3, 64, 64), lambda m, x: judged(m, x)),
    "objective": ("cnn", None, lambda m, x: excited(m, x)),
}  # fmt: skip


def first_flow(model, images):
    return rollout.class_attention(model.net, images, model.attention, [2])[1][0][0]


def shaken(model, images):
    return last(truth.stability(model, images, lambda m, x: cam.cams(m, x, [1])[0, 0], 1)).heatmap


def forgotten(model, images):
    return last(truth.randomisation(model, images, lambda m, x: cam.cams(m, x, [1])[0, 0])).heatmap


def curved(model, images):
    steps = truth.curves(model.net, images, {"a": noise(4, 4)}, 1, steps=2)
    return last(steps).curves["deletion", "a"].area


def judged(model, x):
    return torch.stack(crosseval.judge(model, x.sigmoid(), [1] * len(x), 4), 1)


def excited(model, images):
    layers = capture.capture(model.net, images, ["3"]).layers
    return objectives.channel(model, "3", 1).values(None, layers)


def squeezed(x):
    """What a function of one map gets: the map alone, or, in error, the whole batch."""
    return x[0] if len(x) == 1 else x


def same_views(count):
    return augment.draw(actmax.ALL_VIEWS, [torch.Generator().manual_seed(0) for _ in range(count)], 1)


def blank_picture():
    return Image.new("RGB", (20, 30))


def numbers(result):
    """Any result as a tensor."""
    return torch.as_tensor(result).double()


@pytest.mark.parametrize("name", CALLS)
def test_a_batch_is_answered_picture_by_picture_or_refused(name, nets):
    kind, shape, call = CALLS[name]
    model = nets[kind]
    batch = noise(B, *(shape or (3, 64, 64)), seed=5)
    alone = [call(model, batch[i : i + 1]) for i in range(B)]  # each works by itself
    try:
        together = call(model, batch)
    except Exception as error:
        assert isinstance(error, ValueError), f"torch's own words: {error}"
        assert "batch" in str(error) and "expected" in str(error) and str(B) in str(error)
        return
    together = numbers(together)
    assert together.shape[:1] == (B,)
    for found, own in zip(together, map(numbers, alone), strict=True):
        scale = own.abs().max().clamp(min=1e-12)
        assert found.numel() == own.numel()
        assert (found - own.view_as(found)).abs().max() <= 1e-4 * scale


def test_every_public_function_of_pictures_is_in_the_list():
    """A new one has to be asked too."""
    listed = " ".join(CALLS)
    for module in (cam, fine_cam, score_cam, gradients, smooth_grad, integrated, occlusion, method, features):
        for name, function in vars(module).items():
            if getattr(function, "__module__", "") != module.__name__ or name.startswith("_"):
                continue
            words = getattr(function, "__annotations__", {})
            tensors = {"images", "activation", "maps", "pixels"} & set(words)
            if tensors and not isinstance(function, type):
                weighs = function in [how.weigh for how in cam.CAMS.values()]
                assert name in listed or weighs or name in KNOWN, name


KNOWN = {
    "one_picture", "one_map", "batch_maps", "full", "guided_backpropagation", "gradient_times_input",
    "differentiate",
}  # fmt: skip


def test_blurred_blurs_each_picture_of_a_batch():
    batch = noise(B, 3, 32, 40)
    assert torch.equal(baselines.blurred(batch), torch.cat([baselines.blurred(one[None]) for one in batch]))


@pytest.mark.parametrize("kind", ["NCHW", "NHWC", "tokens"])
def test_as_maps_refuses_what_it_would_drop(kind):
    layout = Layout(kind, 2, (3, 4), int(kind == "tokens"))
    shape = {"NCHW": (2, 3, 4), "NHWC": (3, 4, 2), "tokens": (13, 2)}[layout.kind]
    assert features.as_maps(noise(1, *shape), layout).shape == (2, 3, 4)
    with pytest.raises(ValueError, match="batch of 3"):
        features.as_maps(noise(3, *shape), layout)


# ---------------------------------------------------------------- torch's modes

MODES = {
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
}
RECIPE = actmax.Recipe(steps=2, augment=actmax.ALL_VIEWS)


def pictures():
    rng = torch.Generator().manual_seed(3)
    return [
        Image.fromarray(torch.randint(0, 256, (64, 64, 3), generator=rng, dtype=torch.uint8).numpy())
        for _ in range(4)
    ]


ASKED = {
    **{
        f"map {name}": lambda m, x, name=name: heatmaps.METHODS[name].make(m, x, 1)
        for name in heatmaps.METHODS
    },
    "class_attention": lambda m, x: rollout.class_attention(m.net, x, m.attention, [2])[1][0],
    "curves": lambda m, x: last(
        truth.curves(m.net, x, {"a": noise(4, 4)}, 1, steps=4)
    ).curves["deletion", "a"].probabilities,
    "randomisation": lambda m, x: last(truth.randomisation(m, x, cam_map)).heatmap,
    "stability": lambda m, x: last(truth.stability(m, x, cam_map, 1, draws=2)).probability,
    "maximise": lambda m, x: last(actmax.maximise(m, [objectives.margin(m, 1)], RECIPE)).best,
    "grams": lambda m, x: similarity.grams(m.net, torch.cat([x, -x, x / 2, x.cos()]), m.layers[:3]).values,
    "compare": lambda m, x: last(similarity.compare(m, m, pictures())).cka["unbiased"],
    "judge": lambda m, x: torch.stack(crosseval.judge(m, x.sigmoid(), [1], 4)),
    "pca_colours": lambda m, x: features.pca_colours(x[0].repeat(2, 1, 1)[:4]),
}  # fmt: skip


OUTSIDE = {}  # (kind, name) -> what is said in no mode


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", SMALL)
def test_the_callers_mode_changes_nothing(kind, mode, nets):
    model, wrong = nets[kind], []
    picture = pictures()[0]
    for name, ask in ASKED.items():
        method = heatmaps.METHODS.get(name.removeprefix("map "))
        if method and not method.applies(model) or name == "class_attention" and not model.attention:
            continue
        if (kind, name) not in OUTSIDE:
            OUTSIDE[kind, name] = numbers(ask(model, model.preprocess(picture)))
        outside = OUTSIDE[kind, name]
        try:
            with MODES[mode]():
                inside = numbers(ask(model, model.preprocess(picture)))
        except Exception as error:
            wrong.append(f"{name}: {str(error)[:60]}")
            continue
        if not torch.equal(inside.nan_to_num(-7), outside.nan_to_num(-7)):
            wrong.append(f"{name}: differs by {(inside - outside).abs().max():.2g}")
    assert not wrong


@pytest.mark.parametrize("mode", MODES)
def test_what_is_asked_without_a_method_does_not_feel_the_mode(mode, nets):
    model, images = nets["vit"], noise(2, 3, 64, 64)
    wanted = objectives.margin(model, 1)
    asked = {
        "values": lambda: objectives.values(model.net, images, wanted),
        "probability": lambda: objectives.probability(model.net, images, 1),
        "of an objective": lambda: objectives.probability(model.net, images, wanted),
        "embedding": lambda: objectives.embedding(model, images),
        "differentiate": lambda: gradients.differentiate(model.net, images, wanted),
        "retraced": lambda: len(retraced(model).layers),
        "look": lambda: augment.look(images, same_views(2), (64, 64)),
    }
    outside = {name: numbers(ask()) for name, ask in asked.items()}
    with MODES[mode]():
        inside = {name: numbers(ask()) for name, ask in asked.items()}
    assert [name for name in asked if not torch.equal(inside[name], outside[name])] == []
    assert outside["differentiate"].any()


def test_a_networks_own_loading_does_not_feel_the_mode():
    wrong = []
    with torch.inference_mode():
        model = from_module(small_cnn(), TRANSFORM, device="cpu")
        bundled = load_model("texture_vit", "random", device="cpu")
    for one in (model, bundled):
        try:
            found = cam.cam(one, one.preprocess(pictures()[0]), 1)
        except RuntimeError as error:
            wrong.append(str(error)[:60])
        else:
            assert found.isfinite().all()
    assert not wrong


def test_a_generator_keeps_its_modes_to_itself(nets):
    model = nets["cnn"]
    images = model.preprocess(pictures()[0])
    steps, found = smooth_grad.smooth_grad(model, images, 1, draws=3), []
    chunk = passes.LIMITS["cpu"]
    try:
        passes.LIMITS["cpu"] = (1, 1)  # a pass for each draw
        for mode in (torch.no_grad, torch.inference_mode, torch.enable_grad):
            with mode():
                before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
                try:
                    found.append(next(steps).done)
                except (RuntimeError, StopIteration) as error:
                    found.append(str(error)[:50])
                assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before
    finally:
        passes.LIMITS["cpu"] = chunk
    assert found == [1, 2, 3]
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()


# ---------------------------------------------------------------- types of numbers


def loaded(net):
    """``from_module``; a refusal is a failure of the test."""
    try:
        return from_module(net, TRANSFORM, device="cpu")
    except ModelError as error:
        pytest.fail(f"refused: {error}")


TOLERANCE = {torch.float64: 1e-12, torch.float32: 1e-3, torch.bfloat16: 0.3, torch.float16: 0.1}
COARSE = ("gradient", "saliency", "guided", "occlusion", "XGrad", "Integrated", "Smooth")  # many near-ties


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("kind", SMALL)
def test_every_method_in_every_type(kind, dtype, nets):
    exact = loaded(SMALL[kind]().double()) if dtype != torch.float64 else None
    model = loaded(SMALL[kind]().to(dtype))
    picture, wrong = pictures()[0], []
    images = model.preprocess(picture)
    assert images.dtype == dtype
    for name, how in heatmaps.METHODS.items():
        if not how.applies(model):
            continue
        found = how.make(model, images, 1)
        assert found.dtype in ((torch.float64, torch.float32) if dtype == torch.float64 else (torch.float32,))
        assert found.isfinite().all()
        if exact is None or (dtype.itemsize == 2 and any(word in name for word in COARSE)):
            continue
        want = how.make(exact, exact.preprocess(picture), 1).double()
        if (found.double() - want).abs().max() > TOLERANCE[dtype] * want.abs().max():
            wrong.append(name)
    assert not wrong
    for name in ("curves", "randomisation", "stability", "maximise", "compare", "judge"):
        assert len(numbers(ASKED[name](model, images)).flatten())


def test_cams_of_a_double_network_are_computed_in_double():
    model = loaded(small_vit().double())
    images = model.preprocess(pictures()[0])
    layer = cam.default_layer(model)
    scores, layers = capture.capture(model.net, images, [layer], grad=True)
    (gradient,) = torch.autograd.grad(scores[0, 1], layers[layer])
    want = (gradient * layers[layer].detach())[0, 1:].sum(-1).view(4, 4).relu()
    found = cam.cam(model, images, 1, layer, "HiResCAM").double()
    assert want.max() > 0 and (found - want).abs().max() <= 1e-12 * want.max()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.uint8], ids=str)
@pytest.mark.parametrize("kind", SMALL)
def test_pictures_of_another_type_than_the_network_are_one_sentence(kind, dtype, nets):
    model, images = nets[kind], noise(1, 3, 64, 64).to(dtype)
    for name in ("capture", "curves", "values", "probability", "integrated_gradients", "cam"):
        ask = CALLS[name][2]
        if name == "capture":
            ask = lambda m, x: capture.capture(m.net, x, m.layers[:1])  # noqa: E731
        with pytest.raises(ValueError, match="this network computes in torch.float32"):
            ask(model, images)


def test_views_of_pictures_of_any_type_are_single():
    pictures = noise(2, 3, 64, 64).sigmoid()
    want = augment.look(pictures, same_views(2), (64, 64))
    for dtype in (torch.float64, torch.bfloat16):
        found = augment.look(pictures.to(dtype), same_views(2), (64, 64))
        assert found.dtype == torch.float32 and torch.allclose(found, want, atol=0.02)


def test_what_no_map_or_class_is_is_said(nets):
    broken = noise(4, 4)
    broken[1, 2] = torch.nan
    for judge in (truth.pointing, truth.energy):
        with pytest.raises(ValueError, match="not finite"):
            judge(broken, broken > 0)
    with pytest.raises(ValueError, match="one map is"):
        truth.rank_correlation(noise(4, 4), noise(5, 5))
    for target in (5, -1):
        with pytest.raises(ValueError, match="0 to 4"):
            objectives.probability(nets["cnn"].net, noise(1, 3, 64, 64), target)


class NoHalf(nn.Module):
    """A network with an operation that half precision lacks on this machine."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.conv(x)
        if x.dtype == torch.float16:
            raise RuntimeError("\"slow_operation\" not implemented for 'Half'")
        return self.head(x.mean((2, 3)))


def test_what_half_precision_lacks_is_said_plainly():
    with pytest.raises(ModelError, match="half precision, for which cpu lacks an operation"):
        from_module(NoHalf().half(), TRANSFORM, device="cpu")


# ---------------------------------------------------------------- broken files


def state_of(change):
    state = shared_model("texture_resnet", "random").net.state_dict()
    state = {name: value.clone() for name, value in state.items()}
    change(state)
    return state


def negative(state):
    state["bn1.running_var"][2] = -1e-3


def endless(state):
    state["bn1.running_mean"][0] = torch.inf


def complex_(state):
    state["fc.weight"] = torch.complex(state["fc.weight"], torch.ones_like(state["fc.weight"]))


def integers(state):
    state["fc.weight"] = torch.ones_like(state["fc.weight"], dtype=torch.int64)


def huge(state):
    state["fc.bias"] = state["fc.bias"].double() + 1e300


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (negative, r"negative variance \(first in bn1.running_var\)"),
        (endless, r"not finite \(first in bn1.running_mean\)"),
        (complex_, r"complex numbers where real ones are expected \(first in fc.weight\)"),
        (integers, r"integers where floating-point numbers are expected \(first in fc.weight\)"),
        (huge, r"too large for float32 \(first in fc.bias\)"),
    ],
)
@pytest.mark.parametrize("kind", ["safetensors", "torch.save"])
def test_values_that_are_no_weights_are_refused_by_name(change, words, kind):
    state, file = state_of(change), io.BytesIO()
    torch.save(state, file)
    data = file.getvalue()
    if kind == "safetensors":
        data = save({key: value.contiguous() for key, value in state.items()})
    with pytest.raises(ModelError, match=words):
        load_model("texture_resnet", checkpoint=data, device="cpu")


# ---------------------------------------------------------------- broken networks


def broken(value):
    """A network whose scores are all ``value``; a finite one, so that it can be loaded."""
    net = small_cnn()
    nn.init.zeros_(net[-1].weight)
    nn.init.constant_(net[-1].bias, 0.5)
    model = from_module(net, TRANSFORM, device="cpu")
    model.net[-1].bias.fill_(value)
    return model


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_scores_that_are_no_numbers_are_no_verdict(value):
    found = crosseval.judge(broken(value), torch.rand(2, 3, 64, 64), [0, 3], 4)
    assert all(one.isnan().all() for one in found)


def test_a_constant_network_is_at_chance():
    found = crosseval.judge(broken(0.5), torch.rand(2, 3, 64, 64), [0, 3], 4)
    assert found.right.tolist() == [0, 0]
    assert found.rank.tolist() == [3, 3]  # of 5 classes
    assert found.probability.tolist() == pytest.approx([0.2, 0.2])


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_network_whose_answer_is_no_number_is_refused_at_load(value):
    net = small_cnn()
    nn.init.constant_(net[-1].bias, value)
    with pytest.raises(ModelError, match="Mine can't be visualised: its output .* is not finite"):
        from_module(net, TRANSFORM, title="Mine", device="cpu")


# ---------------------------------------------------------------- rounding noise


class Normed(nn.Module):
    """A LayerNorm over the channels right behind the layer, as in Swin: HiResCAM is 0 there by arithmetic."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 64, 8, 8), nn.GELU(), nn.Conv2d(64, 64, 1))
        self.norm, self.head = nn.LayerNorm(64), nn.Linear(64, 5)

    def forward(self, x):
        x = self.norm(50 * self.features(x).permute(0, 2, 3, 1))  # large beside the norm's own constant
        return self.head(x.mean((1, 2)))


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_map_that_cancels_is_no_evidence(dtype):
    torch.manual_seed(1)
    model = loaded(Normed().to(dtype))
    images = model.preprocess(pictures()[0])
    maps = {name: cam.cam(model, images, 1, "features.2", name) for name in cam.CAMS}
    assert not maps["HiResCAM"].any()
    assert maps["Grad-CAM"].any() and maps["LayerCAM"].any()


@pytest.mark.parametrize(
    "name, layer",
    [
        pytest.param("swin_tiny_patch4_window7_224", "layers.3", marks=pytest.mark.long),
        ("test_coatnet", "stages"),
        ("test_maxvit", "stages"),
        pytest.param("coatnet_pico_rw_224", "stages.3", marks=pytest.mark.long),
        pytest.param("maxvit_rmlp_pico_rw_256", "stages.3", marks=pytest.mark.long),
        pytest.param("samvit_base_patch16_224", "blocks.11", marks=pytest.mark.long),
    ],
)
def test_hirescam_before_a_norm_is_no_evidence(name, layer, chelsea):
    model = shared_model(name, "random")
    images = model.preprocess(chelsea)
    assert not cam.cams(model, images, [3, 5], layer, "HiResCAM").any()
    assert cam.cams(model, images, [3, 5], layer, "Grad-CAM").any()


class Deaf(nn.Module):
    """A CNN whose scores hear of the picture by ``volume`` only."""

    def __init__(self, volume):
        super().__init__()
        self.features, self.head, self.volume = nn.Conv2d(3, 12, 8, 8), nn.Linear(12, 5), volume

    def forward(self, x):
        x = self.features(x).relu().mean((2, 3))
        return self.head(x) * self.volume + torch.arange(1.0, 6.0)


@pytest.mark.parametrize("volume, seen", [(1e-7, False), (1e-2, True)])
def test_score_cam_of_scores_that_no_channel_changes_is_no_evidence(volume, seen):
    torch.manual_seed(0)
    model = from_module(Deaf(1.0), TRANSFORM, title="Deaf", device="cpu")
    model.net.volume = volume
    steps = list(score_cam.score_cams(model, model.preprocess(pictures()[0]), [3], "features", chunk=4))
    assert (steps[-1].maps.any().item(), any(step.maps.any() for step in steps)) == (seen, seen)


@pytest.mark.parametrize("name", ["texture_resnet", "texture_vit", "efficientnet_lite0"])
def test_true_maps_are_what_the_method_says_bit_for_bit(name, chelsea):
    model = shared_model(name)
    images, layer = model.preprocess(chelsea), cam.default_layer(model)
    scores, layers = capture.capture(model.net, images, [layer], grad=True)
    index = scores[0].argmax().item()
    (gradient,) = torch.autograd.grad(scores[0, index], layers[layer])
    maps = [
        features.as_maps(one.detach(), model.layouts[layer]).contiguous() for one in (layers[layer], gradient)
    ]
    for name, how in cam.CAMS.items():
        want = how.weigh(*maps).relu()
        assert want.any() and torch.equal(cam.cam(model, images, index, layer, name), want)


def page_of_a_broken_judge():
    from ui.activation_maximization.imagined import judged

    row = {"origin": "A", "robust": True, "name": "tabby", "probability": 0.9, "rank": 1.0}
    nan = float("nan")
    judged([row | {"judge": "A", "right": 1.0},
            row | {"judge": "Broken", "right": nan, "probability": nan, "rank": nan}])  # fmt: skip


def page_of_a_broken_answer():
    from types import SimpleNamespace

    from ui.figures import predictions

    model = SimpleNamespace(weights="checkpoint", source="a file", title="Broken", label=str)
    predictions(model, [(3, float("nan")), (4, float("nan"))], (0, 0, 0))


def test_a_page_says_that_an_output_is_no_number():
    from streamlit.testing.v1 import AppTest

    table = AppTest.from_function(page_of_a_broken_judge, default_timeout=120).run()
    assert not table.exception
    assert [one.value for one in table.warning] == [
        "Broken has no verdict on 1 of the pictures: its output is not a number."
    ]
    answer = AppTest.from_function(page_of_a_broken_answer, default_timeout=120).run()
    assert not answer.exception
    assert [one.value for one in answer.warning] == ["Nothing: its output on this picture is not a number."]
