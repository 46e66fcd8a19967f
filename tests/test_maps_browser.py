"""Maps on the pages, in a real browser: what changes without the server, and that nothing moves meanwhile."""

import re
import time
from functools import partial

import pytest
from playwright.sync_api import expect
from shared import new_tab, settled
from test_browser import drawn

SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: "layout-shift" });
"""
FLIPS = {  # a page, the viewers whose maps come with one answer, and the key of the class in the address
    "": (("h_a", "h_b"), "h_class"),
    "grad_cam": (("g_a", "g_b", "g_ab"), "g_class"),
}
SIZES = [(1440, 1000), (390, 844)]
BOTH_SIZES = [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.long)]


def _note(page, _message) -> None:
    page.sent.append(time.monotonic())


@pytest.fixture
def visit(tab, server):
    """Opens a page at a size; what it sends to the server is counted in ``page.sent``."""
    pages = []

    def open_page(path, size):
        page = new_tab(tab.context)
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        page.sent = []
        sent = partial(_note, page)
        page.on("websocket", lambda socket, sent=sent: socket.on("framesent", sent))
        page.add_init_script(SHIFTS)
        page.goto(f"{server}/{path}")
        page.get_by_role("heading", level=1).wait_for()
        settled(page)
        pages.append(page)
        return page

    yield open_page
    assert not [problem for page in pages for problem in page.problems]
    for page in pages:
        page.close()


def wait_for_maps(page, keys) -> list[str]:
    for key in keys:
        expect(page.locator(f".st-key-{key} .frame")).to_have_attribute("data-draws", re.compile("."))
    settled(page)
    page.evaluate("window.shifts.length = 0")
    page.sent.clear()
    return [drawn(page, key) for key in keys]


@pytest.mark.parametrize("size", BOTH_SIZES)
@pytest.mark.parametrize("path", [pytest.param("", marks=pytest.mark.long), "grad_cam"])
def test_another_class_is_there_without_the_server_which_then_gets_one_message(visit, path, size):
    keys, name = FLIPS[path]
    page = visit(path, size)
    first, entries = wait_for_maps(page, keys), page.evaluate("history.length")
    clicked = time.monotonic()
    page.get_by_role("radio", name="Egyptian cat").click()
    page.wait_for_timeout(150)
    second = [drawn(page, key) for key in keys]
    assert all(a != b for a, b in zip(first, second, strict=True))
    expect(page).to_have_url(re.compile(f"{name}=Egyptian"))
    settled(page)
    assert len(page.sent) == 1 and page.evaluate("history.length") == entries + 1
    assert (
        page.sent[0] - clicked > 0.3
    )  # not before it has been left alone, and what is drawn was drawn by then
    assert [drawn(page, key) for key in keys] == second  # the server's answer is the same
    assert page.evaluate("window.shifts.reduce((a, b) => a + b, 0)") <= 0.05
    page.go_back()
    expect(page).not_to_have_url(re.compile(name))
    settled(page)
    assert [drawn(page, key) for key in keys] == first


@pytest.mark.long
def test_the_opacity_is_the_browsers_and_told_once_it_rests(visit):
    page = visit("grad_cam", SIZES[0])
    first = wait_for_maps(page, ["g_a"])
    slider = page.get_by_role("slider", name="Opacity")
    for value in range(65, 20, -5):
        slider.fill(str(value))
    page.wait_for_timeout(100)
    assert [drawn(page, "g_a")] != first
    expect(page).to_have_url(re.compile("g_opacity=25"))
    settled(page)
    assert len(page.sent) == 1
    page.get_by_role("radio", name="Difference").click()
    expect(page).to_have_url(re.compile("g_over=difference.*g_opacity=25|g_opacity=25.*g_over=difference"))
    settled(page)
    assert len(page.sent) == 2
    told = [drawn(page, key) for key in ("g_a", "g_ab")]
    other = visit(page.url.split("/")[-1], SIZES[0])  # the link shows the same to somebody else
    assert wait_for_maps(other, ("g_a", "g_ab")) == told


def test_a_layer_that_the_server_computes_moves_nothing(visit):
    page = visit("grad_cam", SIZES[0])
    before = wait_for_maps(page, ["g_a", "g_ab"])
    page.get_by_role("combobox", name="Layer").first.fill("blocks.3.0")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("g_layer_a=blocks.3.0"))
    settled(page)
    after = [drawn(page, key) for key in ("g_a", "g_ab")]
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert page.evaluate("window.shifts.reduce((a, b) => a + b, 0)") <= 0.05


@pytest.mark.long
def test_a_place_that_is_pinned_on_one_map_of_attention_is_asked_of_all(visit):
    page = visit("attention_rollout", SIZES[0])
    keys = ["r_b-attention", "r_b-rollout"]
    before = wait_for_maps(page, keys)
    frame = page.locator(".st-key-r_b-rollout .frame").first
    box = frame.bounding_box()
    frame.click(position={"x": 0.3 * box["width"], "y": 0.25 * box["height"]})
    expect(page).to_have_url(re.compile("x=30&y=25&r_query=the.point"))
    settled(page)
    assert all(a != b for a, b in zip(before, [drawn(page, key) for key in keys], strict=True))
