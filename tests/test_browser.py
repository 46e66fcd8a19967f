"""The app in a real browser, as a person uses it. Skipped where there is no Chromium, never in CI."""

import re

import pytest
from playwright.sync_api import expect
from shared import ROOT, settled


@pytest.fixture
def page(visit):
    page = visit("feature_maps?picture=Chelsea+the+cat&a=efficientnet_lite0&weights_b=random", 1440, 1000)
    sheets(page).nth(1).wait_for()
    settled(page)
    return page


def test_the_first_visitor_of_a_server_may_come_by_a_link_to_any_page(visit):
    page = visit("attention_rollout?weights_b=random&picture=A+rocket")
    page.get_by_role("heading", name="Attention rollout").wait_for()
    expect(page.get_by_role("combobox", name="Picture", exact=True)).to_have_value("A rocket", timeout=60_000)
    page.locator(".st-key-r_b-rollout .frame canvas").first.wait_for(timeout=60_000)
    settled(page)


def sheets(page):
    """The sheets that can be pointed at: the channels, the heads."""
    return page.locator(".st-key-tiles_a [role=group], .st-key-heads_b [role=group]")


def drawn(page, key="f_ab") -> str:
    """What a viewer shows, by default that of both models' maps."""
    return page.locator(f".st-key-{key} .frame canvas").first.evaluate("canvas => canvas.toDataURL()")


def test_a_photograph_its_layers_and_channels(page, tmp_path):
    cat = drawn(page)
    expect(page.get_by_text("tiger cat", exact=False).first).to_be_attached()

    page.get_by_test_id("stFileUploader").locator("input[type=file]").first.set_input_files(
        ROOT / "samples" / "coffee.png"
    )
    expect(page.get_by_role("combobox", name="Picture", exact=True)).to_have_value("Your picture")
    settled(page)
    coffee = drawn(page)
    assert coffee != cat

    page.get_by_text("blocks.2", exact=True).first.click()
    expect(page).to_have_url(re.compile("layer_a=blocks.2.1"), timeout=30_000)
    settled(page)
    deeper = drawn(page)
    assert deeper != coffee

    channels = sheets(page).nth(0)
    box = channels.bounding_box()
    channels.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.1})  # third of the first row
    expect(page).to_have_url(re.compile(r"channels_a=\d+"), timeout=30_000)
    settled(page)
    assert drawn(page) != deeper
    channels.click(position={"x": box["width"] * 0.3, "y": box["height"] * 0.1})
    expect(page).not_to_have_url(re.compile("channels_a"), timeout=30_000)
    settled(page)
    assert drawn(page) == deeper

    page.get_by_role("link", name="Attention rollout").click()
    page.get_by_role("heading", name="Attention rollout").wait_for()
    settled(page)
    expect(page.get_by_role("combobox", name="Picture", exact=True)).to_have_value("Your picture")
    page.get_by_role("link", name="Feature maps").click()
    page.get_by_role("heading", name="Feature maps").wait_for()
    sheets(page).nth(1).wait_for()
    settled(page)
    assert "layer_a=blocks.2.1" in page.url and drawn(page) == deeper


@pytest.mark.long
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
    expect(block).to_have_value("4", timeout=15_000)  # of the Photo ViT's four
    play.wait_for()  # it stops by itself at the last block
    assert page.evaluate("window.mark") == 1 and "r_block" not in page.url, "the last is the default"


def test_pointing_at_a_map_asks_both_models(page):
    before = drawn(page)
    frame = page.locator(".st-key-f_a .frame").first
    box = frame.bounding_box()
    frame.click(position={"x": box["width"] * 0.37, "y": box["height"] * 0.42})
    expect(page).to_have_url(re.compile("x=37&y=42.*view_a=Similar.places.*view_b=Similar"), timeout=30_000)
    page.mouse.move(5, 5)
    settled(page)
    for key in ("f_a", "f_b"):
        expect(page.locator(f".st-key-{key} .said .now")).to_contain_text("Similarity to the point")
        mark = page.locator(f".st-key-{key} .cross").evaluate("one => one.style.transform")
        assert mark == "translate(37%, 42%)"
    asked = drawn(page)
    assert asked != before

    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.2)
    page.wait_for_timeout(300)
    assert drawn(page) != asked and not sent and "x=37&y=42" in page.url  # without the server
    page.mouse.move(5, 5)
    frame.focus()
    frame.press("ArrowRight")
    frame.press("Enter")
    expect(page).to_have_url(re.compile(r"x=(?!37&)\d+&y="), timeout=30_000)
    settled(page)

    seen, link = drawn(page), page.url
    page.goto("about:blank")
    page.goto(link)  # the link opens the same view in a new session
    page.locator(".st-key-f_ab .frame canvas").first.wait_for()
    settled(page)
    assert drawn(page) == seen


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


def test_a_region_is_painted_with_the_mouse_and_taken_back(visit):
    page = visit("your_model?picture=A+picture+whose+answer+is+known&p_kind=region&p_one=Chelsea+the+cat")
    brush = page.locator(".st-key-p_brush")
    brush.locator("canvas").scroll_into_view_if_needed()
    box = brush.locator("canvas").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    left = page.get_by_role("spinbutton", name="Left")
    expect(left).to_be_disabled(timeout=30_000)  # the server has heard of it
    brush.get_by_role("button", name="Undo").click()
    expect(left).to_be_enabled(timeout=30_000)
