"""The experiments in a real browser, each with mouse, finger and keys, beside answers computed apart."""

import base64
import io
import re
import time
from urllib.parse import parse_qs, urlparse

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect
from shared import new_tab, settled, shared_model

from ui import marks
from ui.picture_picker import sample
from vizcore.experiments import cover_up
from vizcore.methods.cam import cams, default_layer
from vizcore.pictures.frame import to_frame

SPIRAL = sample("A spiral on bands")
LINK = "experiments?picture=A+spiral+on+bands"


@pytest.fixture(scope="module")
def phone(browser, server):
    """A tab that has a mouse, fingers and keys."""
    context = browser.new_context(
        has_touch=True, viewport={"width": 1280, "height": 720}, accept_downloads=True
    )
    page = new_tab(context)
    page.goto(f"{server}/{LINK}")
    page.get_by_role("heading", level=1).wait_for()
    settled(page)
    yield page
    assert not page.problems
    context.close()


def painted(page, key: str):
    """The mark that the address holds; None for none."""
    word = parse_qs(urlparse(page.url).query).get(key, [None])[0]
    return marks.decoded(SPIRAL, word)


def board(page, key="e_board"):
    canvas = page.locator(f".st-key-{key} canvas")
    canvas.scroll_into_view_if_needed()
    return canvas


def at(canvas, x: float, y: float) -> tuple[float, float]:
    box = canvas.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def by_mouse(page, canvas, ends) -> None:
    page.mouse.move(*at(canvas, *ends[0]))
    page.mouse.down()
    page.mouse.move(*at(canvas, *ends[1]), steps=5)
    page.mouse.up()


def by_finger(page, canvas, ends) -> None:
    client = page.context.new_cdp_session(page)

    def touch(kind, *place):
        points = [dict(zip("xy", place, strict=True))] if place else []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    first, last = (np.array(at(canvas, *end)) for end in ends)
    touch("touchStart", *first)
    for step in range(1, 6):
        touch("touchMove", *(first + (last - first) * step / 5))
    touch("touchEnd")


def by_keys(page, canvas, ends) -> None:
    canvas.focus()
    page.keyboard.press("Enter")  # in the middle
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")


WAYS = {"mouse": by_mouse, "finger": by_finger, "keys": by_keys}
LONG = pytest.mark.long  # python -m benchmarks long: each experiment in all three ways


def some(quick: str) -> list:
    """All ways, of which one belongs to the quick tests."""
    return [way if way == quick else pytest.param(way, marks=LONG) for way in WAYS]


ENDS = (0.2, 0.3), (0.7, 0.3)


def rows(page, slot: int) -> list[str]:
    """The shares in a network's bars, of now and of before."""
    found = page.locator(".st-key-e_bars ol.answers").nth(slot).locator("li")
    return [one.get_attribute("title") for one in found.all()]


def apart(name: str, mark) -> list[str]:
    """The same, of one's own."""
    below = cover_up.ground(SPIRAL.array)
    array = SPIRAL.array if mark is None else cover_up.covered(SPIRAL.array, mark, below)
    model = shared_model(name)
    with torch.no_grad():
        before, now = (
            torch.softmax(model.net(model.preprocess(Image.fromarray(one)))[0], 0)
            for one in (SPIRAL.array, array)
        )
    first = before.argsort(descending=True, stable=True)[:3].tolist()
    rest = [index for index in now.argsort(descending=True, stable=True).tolist() if index not in first]
    return [f"{now[index]:.2%}, was {before[index]:.2%}" for index in [*first, *rest][:5]]


def shared_apart(name: str, mark: np.ndarray) -> float:
    """The share of a mark that is among as many of a Grad-CAM's first cells: a cell is 12 pixels."""
    model = shared_model(name)
    images, index = model.preprocess(SPIRAL.image), model.labels.index("spiralled")
    heat = cams(model, images, (index,), default_layer(model), "Grad-CAM")[0, 0]
    framed = to_frame(heat, model.preprocess.box(SPIRAL.size), SPIRAL.size)
    middles = framed.reshape(32, 12, 32, 12)[:, 5:7, :, 5:7].mean((1, 3))  # between the four around each
    first = middles.flatten().argsort(descending=True)[: int(mark.sum())]
    return float(torch.from_numpy(mark.copy()).flatten()[first].float().mean())


def pixels(canvas) -> np.ndarray:
    data = canvas.evaluate("canvas => canvas.toDataURL('image/png')").partition(",")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


@pytest.mark.parametrize("way", some("mouse"))
def test_what_is_painted_out_moves_both_networks_bars(phone, way):
    phone.get_by_text("Paint it out", exact=True).click()
    canvas = board(phone)
    WAYS[way](phone, canvas, ENDS)
    expect(phone).to_have_url(re.compile("e_cover="))
    settled(phone)
    mark = painted(phone, "e_cover")
    assert 10 < mark.sum() < 300
    for slot, name in enumerate(("texture_resnet", "texture_vit")):
        assert rows(phone, slot) == apart(name, mark) != apart(name, None)
    expect(phone.get_by_role("button", name="Save")).to_be_visible()
    share = cover_up.pixels(mark, SPIRAL.size).mean()
    expect(phone.locator(".st-key-e_board output")).to_have_text(f"{100 * share:.1f} % covered")
    phone.mouse.move(2, 2)
    shown, wanted = pixels(canvas), cover_up.covered(SPIRAL.array, mark, cover_up.ground(SPIRAL.array))
    same = (shown == wanted).all(-1)
    assert same.mean() > 0.9, "but for the line around it"
    phone.locator(".st-key-e_board").get_by_role("button", name="Undo").click()
    expect(phone).not_to_have_url(re.compile("e_cover="))
    settled(phone)
    assert rows(phone, 0) == apart("texture_resnet", None)
    phone.go_back()  # to what was painted
    expect(phone).to_have_url(re.compile("e_cover="))
    settled(phone)
    assert rows(phone, 0) == apart("texture_resnet", mark) and (pixels(canvas) == shown).mean() > 0.99
    phone.locator(".st-key-e_board").get_by_role("button", name="Clear").click()
    expect(phone).not_to_have_url(re.compile("e_cover="))
    settled(phone)


def test_bars_move_while_the_stroke_goes_on_and_its_link_shows_the_same(phone, server):
    canvas = board(phone)
    phone.mouse.move(*at(canvas, 0.1, 0.5))
    phone.mouse.down()
    before = rows(phone, 0)
    phone.mouse.move(*at(canvas, 0.9, 0.5), steps=20)
    expect(phone.locator(".st-key-e_bars p.verdict").first).to_contain_text(re.compile("Still|Changed"))
    assert "e_cover" not in phone.url and rows(phone, 0) != before, "the brush is still down"
    phone.mouse.up()
    for height in (0.2, 0.3, 0.4, 0.6, 0.7):  # the newest counts, and the last is answered
        by_mouse(phone, canvas, ((0.3, height), (0.5, height)))
    expect(phone).to_have_url(re.compile("e_cover="))
    settled(phone)
    end = time.monotonic() + 10  # the address and the bars may come one after the other
    while True:
        mark, seen = painted(phone, "e_cover"), [rows(phone, slot) for slot in (0, 1)]
        same = seen[0] == apart("texture_resnet", mark) and mark[22, 12]
        if same or time.monotonic() > end:
            break
        phone.wait_for_timeout(200)
    assert same, "that at 0.7 of the height"
    other = new_tab(phone.context)
    other.goto(phone.url)
    other.locator(".st-key-e_bars li").first.wait_for()
    settled(other)
    assert [rows(other, slot) for slot in (0, 1)] == seen
    assert not other.problems
    other.close()


@pytest.mark.parametrize("way", some("finger"))
def test_maps_are_uncovered_after_a_guess(phone, way):
    phone.set_viewport_size({"width": 390, "height": 844})
    phone.get_by_text("Guess first", exact=True).click()
    canvas = board(phone, "e_guessing")
    settled(phone)
    expect(phone.get_by_text("covered until you have guessed")).to_have_count(2)
    expect(phone.get_by_role("button", name="Uncover both maps")).to_be_disabled()
    WAYS[way](phone, canvas, ENDS)
    expect(phone).to_have_url(re.compile("e_guess="))
    settled(phone)
    mark, uncover = painted(phone, "e_guess"), phone.get_by_role("button", name="Uncover both maps")
    if way == "keys":
        uncover.focus()
        phone.keyboard.press("Enter")
    else:
        uncover.tap() if way == "finger" else uncover.click()
    expect(phone.get_by_text(re.compile(f"by chance {mark.mean():.0%}"))).to_have_count(2)
    settled(phone)
    for slot, name in (("a", "texture_resnet"), ("b", "texture_vit")):
        said = phone.locator(f".st-key-e_seen_{slot} .facts").first.text_content()
        share = int(re.search(r"You share (\d+)% with its map", said)[1])
        assert share == pytest.approx(100 * shared_apart(name, mark), abs=0.51)
    WAYS[way](phone, canvas, ((0.1, 0.8), (0.9, 0.8)))  # too late
    with phone.expect_download() as file:
        phone.get_by_role("button", name="Card").click()
    card = Image.open(file.value.path())
    assert card.format == "PNG" and card.width > 3 * 2 * SPIRAL.size[0] and card.height > 2 * SPIRAL.size[1]
    assert (painted(phone, "e_guess") == mark).all()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    phone.get_by_role("button", name="Guess again").click()
    expect(phone).not_to_have_url(re.compile("e_guess="))
    settled(phone)
    phone.set_viewport_size({"width": 1280, "height": 720})


@pytest.mark.parametrize(
    "way, size",
    [("keys", 4), pytest.param("mouse", 1, marks=LONG), pytest.param("finger", 8, marks=LONG)],  # from 2
)
def test_a_network_is_fooled_within_the_bound(phone, way, size):
    phone.get_by_text("Fool it", exact=True).click()
    expect(phone).to_have_url(re.compile("e_part=Fool"))
    settled(phone)
    choice = phone.locator(".st-key-e_size").get_by_text(str(size), exact=True)
    if way == "keys":
        phone.locator(".st-key-e_size [aria-checked=true]").focus()
        phone.keyboard.press("ArrowRight")
        phone.keyboard.press("Enter")
    else:
        choice.tap() if way == "finger" else choice.click()
    expect(phone).to_have_url(re.compile(f"e_size={size}"))
    expect(phone.get_by_text(f"changed by more than {size} of 255")).to_be_visible()
    settled(phone)
    with phone.expect_download() as file:
        phone.get_by_role("button", name="Changed picture (PNG)").click()
    array = np.asarray(Image.open(file.value.path()))
    assert np.abs(array.astype(int) - SPIRAL.array).max() == size
    said = phone.locator(".st-key-e_verdict").inner_text()
    for name in ("texture_resnet", "texture_vit"):
        model = shared_model(name)
        with torch.no_grad():
            now = torch.softmax(model.net(model.preprocess(Image.fromarray(array)))[0], 0)
        assert f"“{model.label(int(now.argmax()))}” ({now.max():.0%})" in said
