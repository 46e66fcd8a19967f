"""The drawn textures: repeatable at any size, and honest about where each one is."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from vizcore.pictures import textures
from vizcore.pictures.textures import LABELS, contact_sheet, on_distractor, scenes, single, two

DTD_NAMES = (
    "banded blotchy braided bubbly bumpy chequered cobwebbed cracked crosshatched crystalline fibrous grid "
    "honeycombed marbled polka-dotted scaly spiralled sprinkled woven zigzagged"
).split()


def small(picture, side=16):
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(float).ravel()


def test_labels_are_the_frozen_twenty():
    assert list(LABELS) == DTD_NAMES


@pytest.mark.parametrize("label", LABELS)
def test_every_class_draws_a_varied_picture_again_and_again(label):
    first, again, other = single(label, 1, 96), single(label, 1, 96), single(label, 2, 96)
    assert first.picture.shape == (96, 96, 3) and first.picture.dtype == np.uint8
    assert np.array_equal(first.picture, again.picture)
    assert np.abs(first.picture.astype(int) - other.picture).mean() > 4
    assert list(first.masks) == [label] and first.masks[label].all()
    contrast = [single(label, seed, 64).picture.astype(float).std((0, 1)).max() for seed in range(8)]
    assert np.median(contrast) > 10


@pytest.mark.parametrize("size", [16, 33, 100, 224])
def test_any_size(size):
    for n, label in enumerate(LABELS):
        scene = two(label, LABELS[n - 1], 5, size)
        assert scene.picture.shape == (size, size, 3)
        assert [mask.shape for mask in scene.masks.values()] == [(size, size)] * 2


@pytest.mark.parametrize(
    "label", [*LABELS[:5], *(pytest.param(label, marks=pytest.mark.long) for label in LABELS[5:])]
)
def test_a_seed_means_the_same_picture_at_another_size(label):
    # Features scale with the frame: the small picture is the large one made smaller. Blind to grain.
    alike = []
    for seed in range(6):
        a, b = small(single(label, seed, 96).picture), small(single(label, seed, 192).picture)
        alike.append(np.corrcoef(a, b)[0, 1])
    assert np.median(alike) > 0.8


def test_two_masks_partition_the_frame_and_vary():
    areas, outlines = [], set()
    for seed in range(40):
        a, b = LABELS[seed % 20], LABELS[(seed + 7) % 20]
        scene = two(a, b, seed, 64)
        assert list(scene.masks) == [a, b]
        assert np.array_equal(scene.masks[a], ~scene.masks[b])
        areas.append(scene.masks[a].mean())
        outlines.add(scene.masks[a].tobytes())
    assert min(areas) > 0.25 and max(areas) < 0.65 and np.std(areas) > 0.04
    assert len(outlines) == 40


def test_masks_say_where_the_texture_is(monkeypatch):
    # With a white and a black "texture" and no camera, the picture is the mask.
    monkeypatch.setitem(textures.TEXTURES, "grid", lambda s: s.flat(np.ones(3)))
    monkeypatch.setitem(textures.TEXTURES, "woven", lambda s: s.flat(np.zeros(3)))
    monkeypatch.setattr(scenes, "distractor", lambda s: s.flat(np.zeros(3)))
    monkeypatch.setattr(scenes, "photograph", lambda s, picture: picture)
    for scene in (two("grid", "woven", 3, 80), on_distractor("grid", 3, 80)):
        assert np.array_equal(scene.picture[..., 0] > 0.5, scene.masks["grid"])


def test_on_distractor_covers_a_part():
    shares = [on_distractor("scaly", seed, 64).masks["scaly"].mean() for seed in range(30)]
    assert 0.15 < min(shares) and max(shares) < 0.7
    assert np.std(shares) > 0.05


def test_distractors_are_smoother_than_textures():
    def detail(picture):
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5)
        return np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()

    plain = []
    for seed in range(20):
        sketch = textures.Sketch(np.random.default_rng(seed), 96)
        plain.append(detail((np.clip(textures.distractor(sketch), 0, 1) * 255).astype(np.uint8)))
    drawn = [detail(single(label, 3, 96).picture) for label in LABELS]
    assert np.median(drawn) > 3 * np.median(plain)


@pytest.mark.parametrize("draw", [single, on_distractor, lambda label, seed: two("grid", label, seed)])
def test_unknown_label_is_named_with_the_permitted_ones(draw):
    with pytest.raises(ValueError, match="'stripy'.*banded.*zigzagged"):
        draw("stripy", 0)


def test_other_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="must differ.*'grid'"):
        two("grid", "grid", 0)
    with pytest.raises(ValueError, match="at least 16 pixels, not 8"):
        single("grid", 0, 8)


def test_contact_sheet_has_a_row_for_each_class():
    sheet = contact_sheet(size=32, columns=2)
    assert sheet.shape == (20 * 32, 150 + 64, 3)
    for row, label in enumerate(LABELS):
        for column in range(2):
            own = sheet[row * 32 :, 150 + column * 32 :][:32, :32]
            assert np.array_equal(own, single(label, column, 32).picture)


@pytest.mark.long
@pytest.mark.parametrize("module", ["vizcore.pictures.textures", "vizcore.textures"])
def test_the_command_writes_the_contact_sheet(tmp_path, module):
    target = tmp_path / "sheet.png"
    done = subprocess.run(
        [sys.executable, "-m", module, str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert cv2.imread(str(target)).shape[0] == 20 * 96
    assert "20 classes" in done.stdout
