"""Activation maximisation against plain implementations, and what a shared network must not feel."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from shared import shared_model

from vizcore import objectives
from vizcore.imagine import augment, parameterise
from vizcore.imagine.augment import Augment, draw, look
from vizcore.imagine.crosseval import Made, counterpart, cross_evaluate, judge
from vizcore.imagine.gallery import load_gallery
from vizcore.imagine.maximise import (
    ALL_VIEWS,
    RECIPES,
    Recipe,
    bytes_per_image,
    input_size,
    maximise,
    normalisation,
    total_variation,
)
from vizcore.imagine.parameterise import colour_matrix, fourier, frequency_scale, measured_colours
from vizcore.networks.load import load_model
from vizcore.objectives import channel, logit

QUICK = Recipe(steps=6, views=1)


@pytest.fixture(scope="module")
def cnn():
    return shared_model("texture_resnet")


@pytest.fixture(scope="module")
def vit():
    return shared_model("texture_vit")


def last(model, asked, recipe=QUICK, *args, **options):
    *_, step = maximise(model, asked, recipe, *args, **options)
    return step


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


# ---------------------------------------------------------------- objectives


def plain_feature(model, images, layer, index, at):
    """A layer's channel by a hook on the network itself, and what of it the objective should be."""
    kept = []
    hook = model.net.get_submodule(layer).register_forward_hook(lambda _m, _i, out: kept.append(out.clone()))
    model.net(images)
    hook.remove()
    features = kept[0]
    if features.ndim == 3:
        features = features[:, 1:].transpose(1, 2).reshape(len(images), -1, *model.grid)
    own = features[:, index]
    return own.mean((1, 2)) if at is None else own[:, at[0], at[1]]


def others_best(output):
    return torch.cat([output[:, :4], output[:, 5:]], 1).max(1).values


CLASSES = {
    "logit": lambda output: output[:, 4],
    "log-probability": lambda output: output[:, 4] - output.exp().sum(1).log(),
    "margin": lambda output: output[:, 4] - others_best(output),
}


@pytest.mark.parametrize("name", CLASSES)
def test_class_objectives_have_the_gradient_of_their_formula(cnn, name):
    images = torch.randn(2, 3, 128, 128, generator=generator(), requires_grad=True)
    objective = objectives.CLASS_OBJECTIVES[name](cnn, 4)
    ours = torch.autograd.grad(objective.values(cnn.net(images), {}).sum(), images)[0]
    plain = torch.autograd.grad(CLASSES[name](cnn.net(images)).sum(), images)[0]
    torch.testing.assert_close(ours, plain)


@pytest.mark.parametrize("at", [None, (2, 5)])
@pytest.mark.parametrize("which", ["cnn", "vit"])
def test_first_step_goes_along_the_gradient_of_a_channel(request, which, at):
    """The first step of Adam moves every parameter by its rate, with the sign of the gradient."""
    model = request.getfixturevalue(which)
    layer = {"cnn": "layer2.0", "vit": "blocks.3"}[which]
    recipe = Recipe("pixels", steps=2, views=1, rate=0.05)
    steps = list(maximise(model, [channel(model, layer, 7, at)], recipe))
    start = steps[0].pictures.logit().requires_grad_()
    mean, std = (one.view(3, 1, 1) for one in normalisation(model))
    value = plain_feature(model, (start.sigmoid() - mean) / std, layer, 7, at)
    assert steps[0].objective.item() == pytest.approx(value.item(), rel=1e-4)
    slope = torch.autograd.grad(value.sum(), start)[0]
    moved = steps[1].pictures.logit() - start.detach()
    clear = slope.abs() > 1e-3 * slope.abs().max()
    assert clear.float().mean() > 0.1
    torch.testing.assert_close(moved[clear], 0.05 * slope.sign()[clear], rtol=1e-3, atol=1e-4)


def test_sums_and_opposites(cnn):
    images = torch.randn(2, 3, 128, 128, generator=generator())
    with torch.no_grad():
        output = cnn.net(images)
        maps = plain_feature(cnn, images, "layer2.0", 3, None)
        mixed = logit(cnn, 1) - 0.5 * channel(cnn, "layer2.0", 3) + -logit(cnn, 2)
        from vizcore.capture import capture

        seen = capture(cnn.net, images, mixed.layers)
        assert mixed.layers == ("layer2.0",)
        value = mixed.values(seen.output, seen.layers)
    torch.testing.assert_close(value, output[:, 1] - 0.5 * maps - output[:, 2])


def test_what_can_not_be_asked_is_said(cnn, vit):
    headless = replace(vit, num_classes=0, labels=[])
    with pytest.raises(ValueError, match="has no classes; ask for a channel"):
        logit(headless, 0)
    assert last(headless, [channel(headless, "blocks.2", 5)], replace(QUICK, steps=2)).done == 2
    with pytest.raises(ValueError, match="class 20 is not one of Texture ResNet's, 0 to 19"):
        objectives.margin(cnn, 20)
    with pytest.raises(ValueError, match="channels 0 to 63, not 64"):
        channel(cnn, "layer2.0", 64)
    with pytest.raises(ValueError, match="puts out no map; these do: conv1"):
        channel(cnn, "fc", 0)
    with pytest.raises(ValueError, match="16 × 16 places"):
        channel(cnn, "layer2.0", 0, (16, 0))


# ---------------------------------------------------------------- what pictures are made of


@pytest.mark.parametrize("size", [(12, 16), (9, 7)])
def test_fourier_is_the_inverse_transform_of_numpy(size):
    spectrum = torch.randn(2, *parameterise.spectrum_shape(size), generator=generator())
    values = spectrum.double().numpy()
    scaled = (values[..., 0] + 1j * values[..., 1]) * frequency_scale(size).numpy()
    flat = np.fft.irfft2(scaled, size, norm="ortho")
    mixed = np.einsum("dc,nchw->ndhw", colour_matrix().numpy(), flat)
    np.testing.assert_allclose(fourier(spectrum, size).numpy(), 1 / (1 + np.exp(-mixed)), atol=1e-5)


def test_lower_frequencies_count_more_and_the_mean_no_more_than_the_lowest():
    scale = frequency_scale((32, 32))
    assert scale[0, 0] == scale[0, 1] == scale.max()
    assert torch.all(scale[0, 1:].diff() < 0) and scale[3, 0] == scale[-3, 0]


def test_decorrelated_colours_reproduce_their_covariance():
    """Independent coefficients become pictures whose colours covary as those of the drawn textures."""
    wanted = torch.tensor(parameterise.COLOUR_COVARIANCE)
    torch.testing.assert_close(wanted.double(), measured_colours(), atol=1e-4, rtol=0)
    wanted = wanted / wanted.trace() * 3
    size = (16, 15)
    spectra = torch.randn(3000, *parameterise.spectrum_shape(size), generator=generator())
    colours = fourier(spectra, size).double().logit().movedim(1, 0).flatten(1)  # (3, pixels)
    found = torch.cov(colours)
    torch.testing.assert_close(found.float(), wanted, rtol=0.03, atol=0)


def test_natural_pictures_have_the_colours_of_photographs_and_leave_grey_sooner(cnn):
    covariance = torch.tensor(parameterise.NATURAL_COVARIANCE)
    spectra = torch.randn(3000, *parameterise.spectrum_shape((16, 15)), generator=generator()) / 4
    colours = parameterise.natural(spectra, (16, 15)).double().logit().movedim(1, 0).flatten(1)
    wanted = covariance / covariance.trace() * 3
    torch.testing.assert_close(torch.cov(colours).float(), wanted, rtol=0.05, atol=0)
    first = parameterise.start("natural", (32, 32), [generator(3)])
    assert parameterise.natural(first, (32, 32)).sub(0.5).abs().max() < 0.1
    spread = {}
    for recipe in ("clean", "vivid"):
        *_, last = maximise(cnn, [logit(cnn, 4)], replace(RECIPES[recipe], steps=12, views=1))
        spread[recipe] = last.pictures.std().item()
    assert spread["vivid"] > 1.5 * spread["clean"]


def test_a_start_is_faint_noise_of_its_seed():
    a, b = (parameterise.start("Fourier", (32, 32), [generator(3), generator(4)]) for _ in range(2))
    assert torch.equal(a, b) and not torch.equal(a[0], a[1])
    assert fourier(a, (32, 32)).sub(0.5).abs().max() < 0.2


# ---------------------------------------------------------------- random views

PICTURES = torch.rand(3, 3, 40, 48, generator=generator(5))


def test_no_view_is_the_picture_itself():
    views = draw(Augment(), [generator()], 3)
    assert not Augment() and ALL_VIEWS
    torch.testing.assert_close(look(PICTURES, views, (40, 48)), PICTURES)
    still = draw(Augment(jitter=1e-9), [generator()], 3)  # by way of resampling
    torch.testing.assert_close(look(PICTURES, still, (40, 48)), PICTURES, atol=1e-4, rtol=0)


def test_a_flip_is_a_flip_and_a_turn_is_a_turn():
    flipped = look(PICTURES, draw(Augment(flip=1), [generator()], 3), (40, 48))
    torch.testing.assert_close(flipped, PICTURES.flip(-1), atol=1e-4, rtol=0)
    square, views = PICTURES[..., :40], draw(Augment(rotation=90), [generator()], 3)
    quarter = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]).expand(3, 3, 3)
    turned = look(square, views._replace(homography=quarter), (40, 40))
    assert any(torch.allclose(turned, square.rot90(k, (-2, -1)), atol=1e-4) for k in (1, 3))
    angles = torch.atan2(views.homography[:, 1, 0], views.homography[:, 0, 0]).rad2deg()
    assert angles.abs().max() <= 90 and angles.std() > 1


@pytest.mark.parametrize("part", [name for name in vars(ALL_VIEWS)])
def test_every_part_changes_the_view_stays_near_and_passes_the_gradient(part):
    augment = Augment(**{part: getattr(ALL_VIEWS, part)})
    pictures = torch.rand(8, 3, 40, 48, generator=generator(5), requires_grad=True)
    views = draw(augment, [generator(1)], 8)
    seen = look(pictures, views, (40, 48))
    assert not torch.allclose(seen, pictures, atol=1e-3)
    assert seen.min() > -0.5 and seen.max() < 1.5
    assert torch.autograd.grad(seen.sum(), pictures)[0].abs().sum() > 0
    if views.homography is not None:
        corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]) @ views.homography.mT
        assert (corners[..., :2] / corners[..., 2:]).abs().max() < 1.5  # at most a quarter beyond the edge


def test_perspective_takes_corners_inwards():
    views = draw(Augment(perspective=0.4), [generator()], 50)
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]]) @ views.homography.mT
    corners = (corners[..., :2] / corners[..., 2:]).abs()
    assert 0.6 - 1e-4 <= corners.min() and corners.max() <= 1 + 1e-4


def test_colours_keep_grey_grey_and_hue_keeps_brightness():
    grey = torch.full((4, 3, 8, 8), 0.5)
    seen = look(grey, draw(Augment(hue=0.2, colour=0.4), [generator()], 4), (8, 8))
    torch.testing.assert_close(seen, seen.mean(1, keepdim=True).expand_as(seen))
    hue = look(PICTURES, draw(Augment(hue=0.2), [generator()], 3), (40, 48))
    torch.testing.assert_close(hue.mean(1), PICTURES.mean(1), atol=1e-4, rtol=0)


def test_normalisation_is_the_models_own(cnn):
    from PIL import Image

    array = (PICTURES[0].permute(1, 2, 0).numpy() * 255).astype(np.uint8)[:40, :40]
    image = Image.fromarray(array).resize((128, 128), Image.Resampling.NEAREST)
    pictures = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None] / 255
    seen = look(pictures, draw(Augment(), [generator()], 1), input_size(cnn), *normalisation(cnn))
    torch.testing.assert_close(seen, cnn.preprocess(image), atol=1e-5, rtol=0)


def test_a_view_depends_on_its_own_generator_alone():
    together = draw(ALL_VIEWS, [generator(1), generator(2)], 3)
    alone = draw(ALL_VIEWS, [generator(2)], 3)
    assert all(torch.equal(both[3:], one) for both, one in zip(together, alone, strict=True))


# ---------------------------------------------------------------- the loop


def test_it_climbs_and_the_same_seed_gives_the_same_picture(cnn):
    recipe = replace(RECIPES["fast"], steps=12)
    first, again, other = (list(maximise(cnn, [logit(cnn, 12)], recipe, [seed])) for seed in (3, 3, 4))
    assert first[-1].objective > first[0].objective + 1
    assert torch.equal(first[-1].best, again[-1].best)
    assert not torch.allclose(first[-1].best, other[-1].best, atol=0.01)
    assert [step.done for step in first] == list(range(1, 13))
    assert first[-1].pictures.min() >= 0 and first[-1].pictures.max() <= 1


def test_a_picture_is_the_same_alone_in_a_batch_and_in_several_passes(cnn):
    asked = [logit(cnn, 3), channel(cnn, "layer2.0", 5), logit(cnn, 9)]
    recipe = Recipe(steps=4, views=2, augment=ALL_VIEWS)
    together = last(cnn, asked, recipe, [1, 2, 3])
    alone = last(cnn, asked[1:2], recipe, [2])
    assert (together.pictures[1:2] - alone.pictures).abs().mean() < 5e-4
    passes = last(cnn, asked, recipe, [1, 2, 3], pass_bytes=bytes_per_image(cnn))  # one view each
    assert (together.pictures - passes.pictures).abs().mean() < 5e-4
    assert (last(cnn, asked[1:2], recipe, [1]).pictures - alone.pictures).abs().mean() > 0.01


def test_the_best_picture_is_a_copy_of_the_one_that_was_best(cnn):
    """Each objective climbs for some steps and then falls into a hole: its best picture is the one before."""

    def falls_after(steps: int, index: int):
        asked = iter(range(1000))
        return objectives.Objective(lambda output, _: output[:, index] - 100.0 * (next(asked) >= steps))

    steps = list(maximise(cnn, [falls_after(6, 4), falls_after(9, 5)], replace(QUICK, steps=14), [0, 1]))
    end = steps[-1]
    assert end.best_at.tolist() == [6, 9]
    for i, at in enumerate(end.best_at.tolist()):
        assert torch.equal(end.best[i], steps[at - 1].pictures[i])
        assert not torch.equal(end.best[i], end.pictures[i])
        mean, std = (one.view(3, 1, 1) for one in normalisation(cnn))
        with torch.no_grad():
            found = cnn.net((end.best[i][None] - mean) / std)[0, 4 + i]
        assert found.item() == pytest.approx(steps[at - 1].objective[i].item(), abs=1e-3)


def test_each_picture_stops_early_by_itself(cnn):
    """One objective that never changes stops after its patience; the other one goes on."""
    flat = objectives.Objective(lambda output, _: 0 * output[:, 0] + 1)
    recipe = replace(QUICK, steps=14, patience=5)
    steps = list(maximise(cnn, [flat, logit(cnn, 3)], recipe))
    assert steps[-1].done == 14 and steps[-1].running.tolist() == [1]
    assert torch.equal(steps[5].pictures[0], steps[-1].pictures[0])
    assert not torch.equal(steps[5].pictures[1], steps[-1].pictures[1])
    assert last(cnn, [flat], recipe).done == 6
    assert last(cnn, [flat], replace(recipe, patience=0)).done == 14


def test_what_stopped_early_keeps_its_best_beside_others(cnn):
    """A score that only falls: the first picture is the best one, whoever else is in the batch."""
    scores = iter(-float(i) for i in range(100))
    falling = objectives.Objective(lambda output, _: 0 * output[:, 0] + next(scores))
    recipe = replace(QUICK, steps=14, patience=3)
    *_, end = maximise(cnn, [falling, logit(cnn, 3)], recipe)
    first = next(maximise(cnn, [logit(cnn, 3)] * 2, recipe))
    assert end.done == 14 and end.best_at.tolist()[0] == 1
    assert torch.equal(end.best[0], first.pictures[0])


def test_no_two_changes_of_a_view_share_a_random_number(monkeypatch):
    """Each column of the draws is read by one of the changes alone."""
    drawn = torch.rand(1, augment.DRAWS, generator=torch.Generator().manual_seed(3))
    used = []
    for number in range(augment.DRAWS):
        other = drawn.clone()
        other[0, number] = (other[0, number] + 0.37) % 1
        changed = set()
        for name in ("jitter", "crop", "rotation", "perspective", "flip", "colour", "hue", "blur"):
            alone = augment.Augment(**{name: getattr(ALL_VIEWS, name)})
            before, after = (_views(alone, u, monkeypatch) for u in (drawn, other))
            if any(a is not None and not torch.equal(a, b) for a, b in zip(before, after, strict=True)):
                changed.add(name)
        used.append(changed)
    assert all(len(changed) <= 1 for changed in used) and set.union(*used) >= {
        "colour",
        "hue",
        "blur",
        "crop",
    }


def _views(recipe, u, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *_, **__: u)
    try:
        return augment.draw(recipe, [None], 1)
    finally:
        monkeypatch.undo()


def test_stopped_in_between_it_keeps_its_best_and_goes_on(cnn):
    steps = maximise(cnn, [logit(cnn, 2)], QUICK)
    third = [next(steps) for _ in range(3)][-1]
    kept = third.best.clone()
    rest = list(steps)
    assert torch.equal(third.best, kept) and rest[-1].done == QUICK.steps
    assert torch.equal(rest[-1].best, last(cnn, [logit(cnn, 2)]).best)


def test_regularisers_do_what_they_say(cnn):
    plain, faint, smooth = (
        last(cnn, [logit(cnn, 9)], replace(QUICK, steps=20, **change)).pictures
        for change in ({}, {"l2": 3000.0}, {"tv": 300.0})
    )
    assert (faint - 0.5).square().mean() < 0.5 * (plain - 0.5).square().mean()
    assert total_variation(smooth) < 0.5 * total_variation(plain)
    ramp = torch.arange(4.0).expand(1, 3, 4, 4)
    assert total_variation(ramp).item() == 1.0


@pytest.mark.long
def test_the_shared_network_feels_nothing_and_eight_threads_agree(cnn):
    recipe = replace(RECIPES["fast"], steps=5, augment=ALL_VIEWS)
    asked = [logit(cnn, 12) + channel(cnn, "layer3.0", 5)]
    before = {name: value.clone() for name, value in cnn.net.state_dict().items()}
    alone = last(cnn, asked, recipe).best

    def one_run(_):
        torch.set_num_threads(1)
        return last(cnn, asked, recipe).best

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(one_run, range(8)))
    assert all(torch.equal(alone, one) for one in together)
    assert all(parameter.grad is None for parameter in cnn.net.parameters())
    assert not any(parameter.requires_grad for parameter in cnn.net.parameters())
    assert not any(module._forward_hooks for module in cnn.net.modules()) and not cnn.net.training
    assert all(torch.equal(value, before[name]) for name, value in cnn.net.state_dict().items())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_cuda(cnn):
    model = load_model("texture_resnet", device="cuda")
    asked = [logit(model, 3), channel(model, "layer2.0", 5)]
    here = last(cnn, [logit(cnn, 3), channel(cnn, "layer2.0", 5)], replace(QUICK, augment=ALL_VIEWS))
    there = last(model, asked, replace(QUICK, augment=ALL_VIEWS))
    assert there.best.device.type == "cuda"
    assert (here.pictures - there.pictures.cpu()).abs().mean() < 1e-3


# ---------------------------------------------------------------- who is convinced


def test_judges_count_right_views_and_ranks(cnn):
    """A grey picture: the share of views, the mean probability and the rank are those of a plain loop."""
    picture = torch.rand(1, 3, 128, 128, generator=generator(2))
    found = {k: judge(cnn, picture, [k], views=3) for k in range(20)}
    assert sum(one.right.item() for one in found.values()) == pytest.approx(1)
    assert sum(one.probability.item() for one in found.values()) == pytest.approx(1, abs=1e-4)
    assert sum(one.rank.item() for one in found.values()) == pytest.approx(sum(range(1, 21)))


def test_pictures_of_another_size_and_classes_matched_by_name(cnn, vit):
    assert counterpart(cnn, 4, vit) == 4
    renamed = replace(vit, labels=[label.upper() for label in reversed(vit.labels)])
    assert counterpart(cnn, 4, renamed) == 15
    twice = replace(vit, labels=["same"] * 20)
    assert counterpart(replace(cnn, labels=["same", *cnn.labels[1:]]), 0, twice) is None
    other = replace(vit, title="Other", labels=[f"thing {k}" for k in range(20)])
    pictures = torch.rand(2, 3, 96, 160, generator=generator())
    *_, end = cross_evaluate([Made(cnn, True, [0, 1], pictures)], [cnn, vit, other])
    assert end.done == end.total == 6 and len(end.verdicts) == 4
    assert end.unknown == [("Other", "banded"), ("Other", "blotchy")]
    assert {one.judge for one in end.verdicts} == {"Texture ResNet", "Texture ViT"}


def test_the_stored_gallery_says_what_its_pictures_say(cnn, vit):
    """A sample of the stored pictures, judged anew; and the shares of classes that are promised."""
    found = load_gallery()
    for model, least in ((cnn, 0.9), (vit, 0.8)):
        own = [
            one for one in found.verdicts if one["origin"] == one["judge"] == model.title and one["robust"]
        ]
        assert len(own) == 20
        assert sum(one["right"] > 0.5 for one in own) >= math.ceil(20 * least)
        for k in (0, 12):
            stored = found.pictures[model.title, True][k]
            picture = torch.tensor(stored).permute(2, 0, 1)[None] / 255
            assert judge(model, picture, [k]).right.item() == pytest.approx(own[k]["right"], abs=0.07)


def test_the_stored_gallery_of_photographs_says_what_its_pictures_say():
    found = load_gallery("photographs")
    assert len(found.labels) == 24 and [robust for _, robust in found.pictures] == [True, True]
    models = {name: shared_model(name) for name in ("efficientnet_lite0", "photo_vit")}
    for model in models.values():
        own = [one for one in found.verdicts if one["origin"] == one["judge"] == model.title]
        assert sum(one["right"] > 0.5 for one in own) >= 20
    first = [model.label(k).split(",")[0] for k in range(model.num_classes)]  # of the smaller one
    picture = torch.tensor(found.pictures[model.title, True][0]).permute(2, 0, 1)[None] / 255
    right = judge(model, picture, [first.index(found.labels[0])]).right.item()
    assert right == pytest.approx(own[0]["right"], abs=0.07)
    colours = [cells.max(-1).astype(int) - cells.min(-1) for cells in found.pictures.values()]
    assert min(one.mean() for one in colours) > 25, "grey"


def test_classes_without_names_are_nobodys_counterpart(cnn, vit):
    a, b = (replace(model, labels=[]) for model in (cnn, vit))
    assert counterpart(a, 3, b) is None and counterpart(a, 3, a) == 3
