"""Sheets of small maps: what is sent of them, and that one is picked by mouse and keys."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import expect
from shared import settled

from ui import small_maps
from vizcore.drawing import render


def test_a_sheet_has_each_map_at_its_own_scale_a_byte_a_value():
    maps = np.random.default_rng(0).normal(size=(5, 6, 7)).astype(np.float32)
    data = small_maps.file(maps, 3, "viridis")
    image = Image.open(io.BytesIO(data))
    assert image.mode == "P" and image.size == (3 * 7, 2 * 6) and len(data) < 5 * 6 * 7 + 1100
    colours = np.asarray(image.convert("RGB"))
    for number, one in enumerate(maps):
        top, left = 6 * (number // 3), 7 * (number % 3)
        assert np.array_equal(
            colours[top : top + 6, left : left + 7], render.colourise(render.normalise(one), "viridis")
        )
    flat = np.asarray(Image.open(io.BytesIO(small_maps.file(np.ones((1, 2, 2), np.float32), 1, "grey"))))
    assert not flat.any()


def test_channels_are_picked_with_the_mouse_and_with_keys(tab, server):
    tab.set_viewport_size({"width": 1440, "height": 1000})
    tab.goto(f"{server}/feature_maps?picture=A+spiral+on+bands")
    tiles = tab.locator(".st-key-tiles_a button")
    expect(tiles.first).to_be_visible()
    settled(tab)
    names = tiles.all_text_contents()
    tiles.nth(9).click()
    expect(tiles.nth(9)).to_have_attribute("aria-pressed", "true")
    settled(tab)
    tiles.nth(0).focus()
    for key in ("ArrowRight", "ArrowDown", "Enter"):
        tab.keyboard.press(key)
    expect(tiles.nth(9)).to_have_attribute("aria-pressed", "false")  # the same one, from the first tile
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    expect(tiles.nth(10)).to_have_attribute("aria-pressed", "true")
    settled(tab)
    assert f"channels_a={names[10]}" in tab.url and f"channels_a={names[9]}" not in tab.url
    assert tiles.evaluate_all("all => all.filter((one) => one.tabIndex === 0).length") == 1
