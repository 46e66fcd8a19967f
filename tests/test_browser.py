"""The app in a real browser, as a person uses it. Skipped where there is no Chromium, never in CI."""

import re

import pytest
from conftest import ROOT, settled
from playwright.sync_api import expect


@pytest.fixture
def page(visit):
    page = visit("feature_maps?picture=Chelsea+the+cat&a=efficientnet_lite0&weights_b=random", 1440, 1000)
    pictures(page).nth(2).wait_for()
    settled(page)
    return page


def test_the_first_visitor_of_a_server_may_come_by_a_link_to_any_page(visit):
    page = visit("attention_rollout?weights_b=random&picture=A+rocket")
    page.get_by_role("heading", name="Attention rollout").wait_for()
    expect(page.get_by_role("combobox", name="Picture", exact=True)).to_have_value("A rocket", timeout=60_000)
    pictures(page).first.wait_for()
    settled(page)


def pictures(page):
    """The pictures that can be pointed at: both models' overlay, the channels, the heads."""
    return page.locator(".frame img")


def source(locator) -> str:
    return locator.get_attribute("src")


def test_a_photograph_its_layers_and_channels(page, tmp_path):
    both = pictures(page).first
    cat = source(both)
    expect(page.get_by_text("tiger cat", exact=False).first).to_be_attached()

    page.get_by_test_id("stFileUploader").locator("input[type=file]").first.set_input_files(
        ROOT / "samples" / "coffee.png"
    )
    expect(page.get_by_role("combobox", name="Picture", exact=True)).to_have_value("Your picture")
    settled(page)
    coffee = source(both)
    assert coffee != cat

    page.get_by_text("blocks.2", exact=True).first.click()
    expect(page).to_have_url(re.compile("layer_a=blocks.2.1"), timeout=30_000)
    settled(page)
    deeper = source(both)
    assert deeper != coffee

    channels = pictures(page).nth(1)
    box = channels.bounding_box()
    channels.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.1})  # third of the first row
    expect(page).to_have_url(re.compile(r"channels_a=\d+"), timeout=30_000)
    settled(page)
    assert source(both) != deeper
    channels.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.1})
    expect(page).not_to_have_url(re.compile("channels_a"), timeout=30_000)
    settled(page)
    assert source(both) == deeper

    page.get_by_role("link", name="Attention rollout").click()
    page.get_by_role("heading", name="Attention rollout").wait_for()
    settled(page)
    expect(page.get_by_role("combobox", name="Picture", exact=True)).to_have_value("Your picture")
    page.get_by_role("link", name="Feature maps").click()
    page.get_by_role("heading", name="Feature maps").wait_for()
    pictures(page).nth(2).wait_for()
    settled(page)
    assert "layer_a=blocks.2.1" in page.url and source(both) == deeper


def test_the_build_up_plays_without_reloading_the_page(page):
    page.get_by_role("link", name="Attention rollout").click()
    page.get_by_role("heading", name="Attention rollout").wait_for()
    play = page.get_by_role("button", name="Play")
    play.wait_for()
    settled(page)
    page.evaluate("window.mark = 1")
    play.click()
    block = page.get_by_role("slider", name="Built up from block 1 to block")
    expect(block).to_have_value("2", timeout=15_000)
    expect(block).to_have_value("4", timeout=15_000)
    expect(block).to_have_value("6", timeout=15_000)
    play.wait_for()  # it stops by itself at the last block
    assert page.evaluate("window.mark") == 1


def test_pointing_at_the_picture_asks_both_models(page, server):
    both = pictures(page).first
    before = source(both)
    box = both.bounding_box()
    both.click(position={"x": box["width"] * 0.37, "y": box["height"] * 0.42})
    expect(page).to_have_url(re.compile("x=37&y=42.*view_a=Similar.places"), timeout=30_000)
    settled(page)
    expect(page.get_by_text("Attention of the point in blocks.5.attn, mean.")).to_be_visible()
    assert source(both) != before
    mark = page.locator(".frame i").first.evaluate(
        "e => [e.style.left, e.style.top, getComputedStyle(e).display]"
    )
    assert mark == ["37%", "42%", "block"]

    frame = page.locator(".frame").first
    frame.focus()
    frame.press("ArrowRight")
    expect(page).to_have_url(re.compile("x=42&y=42"), timeout=30_000)
    settled(page)

    seen = source(both)
    link = page.url
    page.goto("about:blank")
    page.goto(link)  # the link opens the same view in a new session
    pictures(page).nth(1).wait_for()
    settled(page)
    assert source(pictures(page).first) == seen


def test_layers_by_keyboard(page):
    page.get_by_role("heading", name="Feature maps").click()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("layer_a=blocks.5.0"), timeout=30_000)
    settled(page)
    page.keyboard.press("ArrowLeft")
    expect(page).not_to_have_url(re.compile("blocks.5.0"), timeout=30_000)


def test_nothing_is_wider_than_the_screen(page):
    for width in 390, 1024:
        page.set_viewport_size({"width": width, "height": 844})
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
