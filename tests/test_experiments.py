"""Experiments: covers, guesses and adversarial changes, on networks and maps whose answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model
from torch import nn

from vizcore.baselines import blurred
from vizcore.experiments import cells, cover_up, trick, verdicts
from vizcore.experiments.verdicts import Fooled, Said
from vizcore.networks.load import from_module
from vizcore.networks.torchvision_ops import torchvision
from vizcore.pictures import known, textures
from vizcore.pictures.frame import Preprocess, seen, to_frame

transforms = torchvision.transforms


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return textures.two("spiralled", "banded", 3, 128).picture


def two_classes(*more, side=32, crop=32, **how):
    """Red less green against green less red, of the mean over all places; blue counts for nothing."""
    net = nn.Sequential(nn.Conv2d(3, 2, 1, bias=False), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    net[0].weight.data = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])[..., None, None]
    steps = [transforms.Resize(side), transforms.CenterCrop(crop), transforms.ToTensor()]
    return from_module(net, transforms.Compose([*steps, *more]), ["red", "green"], **how)


# ---------------------------------------------------------------- covers


@pytest.mark.parametrize("name", ["texture_resnet", "texture_vit"])
def test_a_cover_of_nothing_changes_nothing_and_one_of_everything_gives_the_cover_s_own_answer(scene, name):
    model, grid = shared_model(name), (32, 32)
    below = cover_up.ground(scene, "blur")
    nothing, everything = np.zeros(grid, bool), np.ones(grid, bool)
    assert (cover_up.covered(scene, nothing, below) == scene).all()
    assert (cover_up.covered(scene, everything, below) == below).all()
    own = torch.softmax(model.net(model.preprocess(Image.fromarray(scene))), 1)[0]
    assert torch.allclose(cover_up.answers(model, scene), own, atol=1e-6)
    blank = torch.softmax(model.net(model.preprocess(Image.fromarray(below))), 1)[0]
    assert torch.allclose(
        cover_up.answers(model, cover_up.covered(scene, everything, below)), blank, atol=1e-6
    )
    assert not torch.allclose(own, blank, atol=0.01)


def test_what_covers_is_the_blur_the_mean_or_another_picture(scene):
    images = torch.from_numpy(scene.copy()).permute(2, 0, 1)[None].float()
    assert np.abs(cover_up.ground(scene) - blurred(images)[0].permute(1, 2, 0).numpy()).max() <= 0.5001
    mean = cover_up.ground(scene, "mean")
    assert np.abs(mean - scene.mean((0, 1))).max() <= 0.5001
    wide = Image.new("RGB", (300, 90), "red")
    wide.paste("blue", (0, 0, 100, 90))  # is cut off, with as much of the right side
    other = cover_up.ground(scene, "picture", wide)
    assert other.shape == scene.shape and other[:, 60].tolist() == [[255, 0, 0]] * 128
    with pytest.raises(ValueError, match="unknown cover 'fog'; there are blur, mean"):
        cover_up.ground(scene, "fog")


@pytest.mark.parametrize("size", [(451, 300), (16, 768), (33, 32), (128, 128)])
def test_a_pixel_is_in_the_cell_that_its_middle_is_in(size):
    mark = np.random.default_rng(0).random((32, 21)) > 0.5
    expected = np.array(
        [
            [mark[int((y + 0.5) * 32 / size[1]), int((x + 0.5) * 21 / size[0])] for x in range(size[0])]
            for y in range(size[1])
        ]
    )
    found = cover_up.pixels(mark, size)
    assert (found == expected).all() and (found == known.of_grid(mark, size)).mean() > 0.99


# ---------------------------------------------------------------- guesses


def test_a_map_overlaps_with_itself_wholly_and_with_its_opposite_not_at_all():
    values = torch.rand(32, 32, generator=torch.Generator().manual_seed(0))
    where = torch.ones(32, 32, dtype=torch.bool)
    own = cells.first(values, where, 100)
    assert own.sum() == 100 and values[own].min() > values[~own].max()
    assert cells.overlap(own, values, where) == 1
    assert cells.overlap(own, -values, where) == 0


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_a_random_map_overlaps_by_the_mark_s_share_of_what_is_seen(share):
    box = (40.0, 0.0, 168.0, 128.0)  # of a picture of 208 x 128
    mark = torch.zeros(20, 32, dtype=torch.bool)
    mark[: round(20 * share)] = True
    where = cells.seen_cells(box, (208, 128), (20, 32))
    found = cells.by_chance(mark, box, (208, 128), (8, 8), draws=300)
    spread = np.std(found) / 20
    assert np.mean(found) == pytest.approx(float((mark & where).sum() / where.sum()), abs=4 * spread)
    assert spread > 0.001


def test_flat_maps_are_random_and_what_is_not_seen_is_never_chosen():
    where = torch.zeros(10, 10, dtype=torch.bool)
    where[:, :5] = True
    chosen = cells.first(torch.zeros(10, 10), where, 20)
    assert chosen.sum() == 20 and not chosen[:, 5:].any()
    assert not torch.equal(chosen, cells.first(torch.zeros(10, 10), where, 20, seed=1))
    assert cells.first(torch.ones(10, 10), where, 80).sum() == 50
    with pytest.raises(ValueError, match="Nothing is marked of what the network sees"):
        cells.overlap(~where, torch.zeros(10, 10), where)


def test_a_map_lies_on_the_cells_where_it_lies_in_the_picture():
    heatmap, box, size = torch.rand(7, 7), (60.0, 10.0, 340.0, 290.0), (448, 320)
    found, grid = cells.on_cells(heatmap, box, size, (20, 28)), (20, 28)
    framed = to_frame(heatmap, box, size)  # cells are 16 pixels: the middle lies between four pixels
    around = [framed[7 + i : 320 : 16, 7 + j : 448 : 16] for i in (0, 1) for j in (0, 1)]
    where = cells.seen_cells(box, size, grid)
    inside = where & seen(box, size)[7::16, 7::16] & seen(box, size)[8::16, 8::16]
    apart = (found - torch.stack(around).mean(0))[inside].abs()
    assert apart.max() < 0.03 and apart.mean() < 0.001, "but for the middles of its own cells"
    assert not found[~where].any()


# ---------------------------------------------------------------- fooled


@pytest.mark.parametrize("size", [1, 2, 8])
@pytest.mark.parametrize("name", ["texture_resnet", "texture_vit"])
def test_no_value_changes_by_more_than_the_bound_and_the_answer_goes(scene, name, size):
    model = shared_model(name)
    index = int(cover_up.answers(model, scene).argmax())
    *_, found = trick.tricks(model, scene, index, size)
    change = found.picture.astype(int) - scene
    assert found.picture.dtype == np.uint8 and np.abs(change).max() == size
    with torch.no_grad():
        scores = model.net(model.preprocess(Image.fromarray(found.picture)))[0]
    lead = scores[index] - torch.cat([scores[:index], scores[index + 1 :]]).max()
    assert found.margin == pytest.approx(float(lead), abs=1e-4)
    assert found.margin < 0 or size < 8
    shaken = trick.noise(scene, size).astype(int) - scene
    assert np.abs(shaken).max() == size and abs(shaken.mean()) < 0.1 * size


def test_a_linear_network_s_best_change_is_known(scene):
    model = two_classes()
    picture = np.ascontiguousarray(scene[:32, :32])
    expected = np.clip(picture.astype(int) + np.array([-3, 3, 0]), 0, 255)
    for steps in (1, 8):
        *_, found = trick.tricks(model, picture, 0, 3, steps)
        assert (found.picture == expected).all()


def bicubic(inside: int, outside: int) -> torch.Tensor:
    """Weights (outside, inside) of Pillow's bicubic interpolation, with its wider kernel where it shrinks."""
    scale = inside / outside
    wide = max(scale, 1.0)
    x = (torch.arange(inside) + 0.5 - (torch.arange(outside)[:, None] + 0.5) * scale).abs() / wide
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = torch.where(x < 1, near, torch.where(x < 2, far, torch.zeros(())))
    return weights / weights.sum(1, keepdim=True)


def by_hand(model, picture, index, size, steps):
    """Projected gradient descent on a square picture, written anew: matrices resize, deltas are projected."""
    mean, std = (torch.tensor(each)[:, None, None] for each in model.preprocess_numbers)
    side = model.preprocess(Image.fromarray(picture)).shape[-1]
    resize = bicubic(len(picture), side)
    start = torch.from_numpy(picture.copy()).double().permute(2, 0, 1)
    delta = torch.zeros_like(start)
    for _ in range(steps):
        delta.requires_grad_()
        seen_as = (resize.double() @ (start + delta) @ resize.double().T).clamp(0, 255) / 255
        scores = model.net(((seen_as - mean) / std)[None].float())[0]
        others = scores.clone()
        others[index] = -torch.inf
        (slope,) = torch.autograd.grad(scores[index] - others.max(), delta)
        delta = (delta.detach() - size / 4 * slope.sign()).clamp(-size, size)
        delta = (start + delta).clamp(0, 255) - start
        yield (start + delta).round().permute(1, 2, 0).to(torch.uint8).numpy()


@pytest.mark.parametrize("name", ["texture_resnet", "texture_vit"])
def test_it_is_what_a_second_implementation_finds(scene, name):
    from vizcore.networks.preprocessing import preprocessing_of

    model = shared_model(name)
    numbers = preprocessing_of(model)
    picture = np.asarray(Image.fromarray(scene).resize((200, 200), Image.Resampling.BICUBIC))
    index = int(cover_up.answers(model, picture).argmax())

    class Same:
        net, preprocess, preprocess_numbers = model.net, model.preprocess, (numbers.mean, numbers.std)

    ours = list(trick.tricks(model, picture, index, 4, steps=4))
    theirs = list(by_hand(Same, picture, index, 4, steps=4))
    assert (ours[0].picture == theirs[0]).mean() > 0.995, "but for gradients that are next to nothing"

    def lead(array):
        scores = model.net(model.preprocess(Image.fromarray(array)))[0]
        return float(scores[index] - scores[torch.arange(len(scores)) != index].max())

    assert ours[-1].margin == pytest.approx(min(map(lead, theirs)), rel=0.05)


@pytest.mark.parametrize("size", [(451, 300), (96, 160), (40, 40)])
@pytest.mark.parametrize("side, crop", [(36, 32), (24, 32), ((32, 32), 32)])
def test_preprocessing_is_followed_to_the_pixel(chelsea, size, side, crop):
    normalise = transforms.Normalize((0.5, 0.4, 0.3), (0.2, 0.3, 0.4))
    model, picture = two_classes(normalise, side=side, crop=crop), chelsea.resize(size)
    found = trick.follow(model, np.asarray(picture))
    seen_as, wanted = found(trick._tensor(np.asarray(picture))), model.preprocess(picture)
    assert (seen_as - wanted).abs().max() < 3 / 255 / 0.2, "it is rounded to 8 bits on the way"
    assert (seen_as - wanted).abs().mean() < 0.6 / 255 / 0.2


def test_colours_in_another_order_are_followed_and_what_is_no_shift_of_colours_is_refused(chelsea):
    model, picture = two_classes(), np.asarray(chelsea.resize((32, 32)))

    def prepared(change):
        steps = [*model.preprocess.transform.transforms, transforms.Lambda(change)]
        return replace(
            model, preprocess=Preprocess(transforms.Compose(steps), model.device, torch.float32), title="Odd"
        )

    *_, found = trick.tricks(prepared(lambda x: x.flip(0)), picture, 0, 2)
    change = np.sign(found.picture.astype(int) - picture)
    assert (change[..., 0] == 0).all() and (change[..., 1:] == [1, -1]).mean() > 0.99
    with pytest.raises(ValueError, match="What Odd does to a picture first can't be followed"):
        next(trick.tricks(prepared(lambda x: x**2), picture, 0, 2))


def test_what_can_t_be_asked_is_refused(scene):
    model = two_classes()
    for size in (0, 256, 1.5):
        with pytest.raises(ValueError, match="whole number from 1 to 255"):
            next(trick.tricks(model, scene, 0, size))
    with pytest.raises(ValueError, match="0 to 1"):
        next(trick.tricks(model, scene, 2, 1))
    with pytest.raises(ValueError, match="values"):
        next(trick.tricks(two_classes(scores_are="values"), scene, 0, 1))
    with pytest.raises(ValueError, match="no two answers"):
        next(trick.tricks(replace(model, num_classes=1), scene, 0, 1))


def test_the_difference_is_shown_about_grey():
    before = np.full((2, 2, 3), 100, np.uint8)
    after = before.copy()
    after[0, 0] = 102, 98, 255
    shown = trick.difference(before, after, 20)
    assert shown[0, 0].tolist() == [168, 88, 255] and shown[1, 1].tolist() == [128] * 3


# ---------------------------------------------------------------- sentences


def test_what_a_cover_does():
    cat, dog = Said("cat", 0.61), Said("dog", 0.4)
    assert verdicts.painted(cat, cat, 0.61, 0) == "Says “cat” (61%)."
    assert verdicts.painted(cat, Said("cat", 0.4), 0.4, 0.1) == "**Still “cat”**: 40%, was 61%."
    said = "**Changed**: now “dog” (40%); “cat” went from 61% to 30%."
    assert verdicts.painted(cat, dog, 0.3, 0.1) == said
    assert "not a number" in verdicts.painted(cat, Said("cat", float("nan")), 0, 0)
    assert "No cover of yours" in verdicts.smallest(None) and "**3.2%**" in verdicts.smallest(0.0321)
    said = verdicts.instead("cat", 0.6, 0.1, 0.2, 0.5)
    assert said.index("60%") < said.index("20%") < said.index("10%") < said.index("50%")


def test_what_a_guess_shares():
    said = verdicts.guessed(0.46, 0.12, 0.05)
    assert said == (
        "You share **46%** with its map; by chance 12%. Of random maps as coarse, 5% share as much or more."
    )
    assert "none share" in verdicts.guessed(0.9, 0.1, 0) and "drawn at random" in verdicts.guessed(
        1, 1, 1, True
    )


def test_who_is_fooled():
    def one(title, before, after, noise="cat"):
        return Fooled(title, Said(before, 0.6), Said(after, 0.9), Said(noise, 0.5))

    said = verdicts.fooled(one("X", "cat", "dog"), one("Y", "cat", "cat"), 2)
    assert "**X is fooled**: it said “cat” (60%), now “dog” (90%); no value" in said
    assert "more than 2 of 255. **Y isn’t**: still “cat” (90%), was 60%." in said
    said = verdicts.fooled(one("X", "cat", "cat"), one("Y", "cat", "bird"), 2)
    assert (
        "**X isn’t fooled**" in said
        and "**Y changes its answer too**: it said “cat” (60%), now “bird”" in said
    )
    none = Fooled("Z", Said("", 0), Said("", 0), Said("", 0), "Z has no classes.")
    assert verdicts.fooled(one("X", "cat", "dog"), none, 2).endswith("Z has no classes.")
    assert "leaves it at “cat” (50%)" in verdicts.control(one("X", "cat", "dog"))
    assert "changes its answer too, to “owl” (50%)" in verdicts.control(one("X", "cat", "dog", "owl"))
    assert "**0.90**; under a random change 0.99" in verdicts.given_away(0.9, 0.99)
    assert "can't be compared" in verdicts.given_away(float("nan"), 0.5)


@pytest.mark.parametrize(
    "classes, values, words", [(0, False, "no classes"), (5, True, "values"), (1, False, "one")]
)
def test_who_has_no_answer_that_could_change(classes, values, words):
    assert words in verdicts.no_answer("X", classes, values) and not verdicts.no_answer("X", 2, False)
