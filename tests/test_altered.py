"""Pictures without their shapes or textures: each change does what it says, at first nothing."""

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from shared import shared_model

from ui.picture_picker import SAMPLES_FOLDER
from vizcore.experiments.altered import CHANGES, Given, exchanged, filling
from vizcore.pictures import textures
from vizcore.pictures.sets import drawn
from vizcore.studies.knowing import Item, beside, curves, from_data, interval, knows
from vizcore.studies.knowing import as_data as written


@pytest.fixture(scope="module")
def cat():
    return np.asarray(Image.open(SAMPLES_FOLDER / "chelsea.png").convert("RGB"))[:211, :301]


@pytest.fixture(scope="module")
def given(cat):
    mask = np.zeros(cat.shape[:2], bool)
    mask[50:150, 40:200] = True
    return Given(3, mask, cat[::-1].copy())


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_begins_with_nothing_keeps_the_shape_and_is_the_same_again(cat, given, name):
    change, before = CHANGES[name], cat.copy()
    assert np.array_equal(change.make(cat, change.levels[0], given), cat)
    for level in change.levels[1:]:
        one, again = change.make(cat, level, given), change.make(cat, level, given)
        assert one.shape == cat.shape and one.dtype == np.uint8 and np.array_equal(one, again)
        assert not np.array_equal(one, cat)
    assert np.array_equal(cat, before)
    assert change.named(change.levels[0]) == "as it is" and "{" not in change.named(change.levels[-1])


@pytest.mark.parametrize("name", CHANGES)
def test_changes_of_odd_and_tiny_pictures(name):
    for shape in ((1, 1), (1, 40), (17, 5), (33, 31)):
        picture = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
        given = Given(0, np.ones(shape, bool), picture[::-1].copy())
        for level in CHANGES[name].levels:
            assert CHANGES[name].make(picture, level, given).shape == picture.shape


def test_shuffling_keeps_every_patch_and_moves_them(cat):
    for rows in (2, 4, 8):
        changed = CHANGES["shuffled"].make(cat, rows, Given(1))
        assert np.array_equal(np.sort(changed.reshape(-1, 3), 0), np.sort(cat.reshape(-1, 3), 0))
        height, width = 211 // rows, 301 // rows
        top, left = (211 - rows * height) // 2, (301 - rows * width) // 2
        first = changed[top : top + height, left : left + width]
        places = [
            (r, c)
            for r in range(rows)
            for c in range(rows)
            if np.array_equal(cat[top + r * height :, left + c * width :][:height, :width], first)
        ]
        assert len(places) == 1
    assert not np.array_equal(changed, CHANGES["shuffled"].make(cat, 8, Given(2)))


def test_low_and_high_add_up_to_the_picture(cat):
    for percent in (1, 4):
        low, high = (CHANGES[name].make(cat, percent, Given()) for name in ("blurred", "high-passed"))
        assert np.abs(low.astype(int) + high - 127 - cat).mean() < 1
    spread = [CHANGES["high-passed"].make(cat, one, Given()).std() for one in (8, 4, 2, 1, 0.5)]
    assert all(b < a for a, b in pairwise(spread))
    fine = [np.abs(np.diff(CHANGES["blurred"].make(cat, one, Given()).astype(int), axis=1)).mean()
            for one in (0, 0.5, 1, 2, 4, 8)]  # fmt: skip
    assert all(b < a for a, b in pairwise(fine))


@pytest.mark.parametrize("percent", [25, 50, 90])
def test_so_many_patches_are_dropped_and_the_rest_stays(cat, percent):
    changed = CHANGES["patches dropped"].make(cat, percent, Given(5))
    gone = (changed != cat).any(-1)
    assert gone.mean() == pytest.approx(percent / 100, abs=0.03)
    assert len(np.unique(changed[gone], axis=0)) == 1 and np.array_equal(changed[~gone], cat[~gone])
    more = CHANGES["patches dropped"].make(cat, 95, Given(5))
    assert (gone <= (more != cat).any(-1)).all(), "what is gone stays gone"


def test_phases_stay_and_amplitudes_are_the_others(cat, given):
    own, other = cat.astype(float), given.other.astype(float)
    found = np.fft.fft2(exchanged(own, other, 1.0), axes=(0, 1))
    wanted = np.fft.fft2(other, axes=(0, 1))
    assert np.allclose(np.abs(found), np.abs(wanted), atol=1e-6 * np.abs(wanted).max())
    strong = np.abs(wanted) > 1e-3 * np.abs(wanted).max()
    turned = np.angle(found * np.conj(np.fft.fft2(own, axes=(0, 1))))
    assert np.abs(turned[strong]).max() < 1e-6
    assert np.allclose(exchanged(own, other, 0.0), own, atol=1e-9)


def test_outlines(cat, given):
    black = CHANGES["silhouette"].make(cat, 1, given)
    assert (black[given.mask] == 0).all() and (black[~given.mask] == 255).all()
    other = CHANGES["another filling"].make(cat, 1, given)
    assert np.array_equal(other[given.mask], given.other[given.mask])
    assert np.array_equal(other[~given.mask], cat[~given.mask])
    flat = np.full((20, 30, 3), 90, np.uint8)
    assert (CHANGES["edges"].make(flat, 1, Given()) == 255).all(), "no edge, no line"
    for name, words in (("silhouette", "isn't known where"), ("another's amplitudes", "Another picture")):
        with pytest.raises(ValueError, match=words):
            CHANGES[name].make(cat, 1, Given())
    tiled = filling(Image.fromarray(cat), (400, 300))
    assert tiled.shape == (300, 400, 3)
    assert np.array_equal(tiled[:71, :100], cat[70:141, 100:200]), "the middle third"


# ---------------------------------------------------------------- who still knows it


@pytest.fixture(scope="module")
def found():
    """Six textures, each with the next one as its rival."""
    pictures = [np.asarray(one) for one in drawn(6, size=128)]
    items = [
        Item(textures.LABELS[k], pictures[k], k, None, pictures[(k + 1) % 6], None, (k + 1) % 6)
        for k in range(6)
    ]
    names = ["blurred", "another's amplitudes", "shuffled", "silhouette"]
    models = (shared_model("texture_resnet"), shared_model("texture_vit"))
    return [list(knows(model, items, names))[-1] for model in models]


def test_networks_that_are_shown_changes(found):
    one, other = found
    assert one.done == one.total == 6 and set(one.right) == {"shuffled", "blurred", "another's amplitudes"}
    assert one.right["blurred"].shape == (6, 6) and one.right["blurred"][:, 0].sum() >= 4
    assert all(one.chance[name][:, 0] == pytest.approx(one.chance["blurred"][:, 0]) for name in one.right)
    assert (one.right["blurred"] <= one.before["blurred"]).all(), "the likeliest is before its rival"
    assert (one.right["blurred"] <= one.either["blurred"]).all()
    made = curves(one)
    assert made["blurred"].right[0].value == one.right["blurred"][:, 0].mean()
    assert made["another's amplitudes"].before is not None and made["blurred"].before is None
    again = from_data(written(made))
    assert again["shuffled"].right[2].value == pytest.approx(made["shuffled"].right[2].value, abs=1e-3)
    differences = beside(one, other)["shuffled"]
    wanted = one.right["shuffled"].mean(0) - other.right["shuffled"].mean(0)
    assert [each.value for each in differences] == pytest.approx(wanted)
    with pytest.raises(ValueError, match="other pictures"):
        beside(one, other._replace(of=["x"] * 6))


def test_pictures_of_one_thing_count_as_one():
    """Two hundred pictures of ten things that are each right or wrong throughout are known as ten are."""
    things = [f"thing {k % 10}" for k in range(200)]
    values = np.array([k % 10 < 5 for k in range(200)])
    wide, narrow = interval(values, things), interval(values, [str(k) for k in range(200)])
    assert wide.value == narrow.value == 0.5
    assert 0.5 - wide.low > 3 * (0.5 - narrow.low) and wide.low == pytest.approx(0.2, abs=0.05)
