"""A map over a picture, and pictures on a sheet: exact where the answer can be worked out by hand."""

import numpy as np
import pytest
import torch

from vizcore.drawing import render

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
SEEN = np.zeros((12, 20), bool)
SEEN[2:10, 3:17] = True
INNER = np.zeros((12, 20), bool)  # without the line around what is seen
INNER[3:9, 4:16] = True
RAMP = np.tile(np.arange(20, dtype=np.float32), (12, 1))
MAPS = {"heat": RAMP, "signed": RAMP / 10 - 1, "colours": np.stack([RAMP / 19] * 3)}


@pytest.mark.parametrize("kind", MAPS)
def test_nothing_is_laid_where_the_model_saw_nothing_and_nothing_at_opacity_0(kind):
    shown = render.lay(PICTURE, MAPS[kind], SEEN, 0.8, kind=kind)
    assert np.array_equal(shown[~SEEN], PICTURE[~SEEN])
    assert (shown[INNER] != PICTURE[INNER]).any(-1).mean() > 0.9
    assert np.array_equal(render.lay(PICTURE, MAPS[kind], SEEN, 0, kind=kind)[INNER], PICTURE[INNER])
    assert np.array_equal(render.lay(PICTURE, MAPS[kind], SEEN & False, 1, kind=kind), PICTURE)


@pytest.mark.parametrize("kind", MAPS)
def test_a_line_surrounds_what_was_seen_where_that_is_not_all(kind):
    shown = render.lay(PICTURE, MAPS[kind], SEEN, 0.8, kind=kind)
    assert (shown[SEEN & ~INNER] == 255).all()
    whole = render.lay(PICTURE, MAPS[kind], SEEN | True, 0.8, kind=kind)
    assert not (whole[0] == 255).all()


def test_heat_runs_over_its_own_range_inside_what_was_seen_or_over_a_given_one():
    legend = render.legend("inferno", 256, 1)[0]
    own = render.lay(PICTURE, torch.from_numpy(RAMP), SEEN, 1, "inferno")
    assert np.array_equal(own[5, 4], legend[round(255 / 13)])  # 3 is the lowest seen and 16 the highest
    given = render.lay(PICTURE, RAMP, SEEN, 1, "inferno", low=0, high=8)
    assert np.array_equal(given[5, 4], legend[round(255 * 4 / 8)])
    assert np.array_equal(given[5, 15], legend[-1])
    flat = render.lay(PICTURE, RAMP * 0 + 7, SEEN, 1, "inferno")
    assert (flat[INNER] == legend[0]).all()


def test_signed_values_are_orange_and_blue_and_zero_shows_the_picture():
    shown = render.lay(PICTURE, MAPS["signed"], SEEN | True, 1, kind="signed")
    assert np.array_equal(shown[:, 10], PICTURE[:, 10])
    assert (shown[:, 0] == render.VIT_COLOUR).all()
    shown = render.lay(PICTURE, -MAPS["signed"], SEEN | True, 1, kind="signed")
    assert (shown[:, 0] == render.CNN_COLOUR).all()


def test_colours_are_shown_as_they_are():
    shown = render.lay(PICTURE, MAPS["colours"], SEEN | True, 1, kind="colours")
    assert (shown[..., 0] == (255 * RAMP / 19).round()).all() and (shown[..., :1] == shown).all()


@pytest.mark.parametrize(("count", "columns", "gap"), [(6, 3, 0), (5, 3, 2), (1, 4, 1)])
def test_a_mosaic_holds_each_picture_in_its_place(count, columns, gap):
    cells = [np.full((4, 6, 3), 10 + i, np.uint8) for i in range(count)]
    sheet = render.mosaic(cells, columns, gap, background=200)
    assert sheet.shape == (-(-count // columns) * (4 + gap) + gap, columns * (6 + gap) + gap, 3)
    for i, cell in enumerate(cells):
        top, left = gap + i // columns * (4 + gap), gap + i % columns * (6 + gap)
        assert np.array_equal(sheet[top : top + 4, left : left + 6], cell)
    assert (sheet == 200).sum() == sheet.size - count * 4 * 6 * 3
