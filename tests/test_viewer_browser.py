"""The viewer in a real browser, on a page of its own (``viewer_demo.py``)."""

import base64
import contextlib
import os
import socket
import subprocess
import sys

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from shared import ROOT, settled, watch
from viewer_demo import cases, drawn

from benchmarks.visitor import wait_for
from ui import figures, viewer
from vizcore.drawing import render
from vizcore.pictures.frame import seen, to_frame

WATCHED = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def demo():
    """The page on a server of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "tests/viewer_demo.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port)], cwd=ROOT, env=dict(os.environ), stdout=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def visit(browser, demo):
    """Opens the page; the browser may not complain. ``sent`` and ``got`` count what goes to and fro."""
    with contextlib.ExitStack() as stack:
        pages = []

        def open_page(query="", width=1280, height=900, **options):
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            stack.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(60_000)
            page.problems, page.sent, page.got = [], [], []
            page.on("console", lambda message: watch(page, message))
            page.on("pageerror", lambda error: page.problems.append(str(error)))
            page.on("websocket", lambda socket: count(page, socket))
            page.add_init_script(WATCHED)
            page.goto(f"{demo}/?{query}")
            settled(page)
            page.wait_for_function(f"({FRAMES}).length && ({FRAMES}).every((frame) => frame.dataset.draws)")
            page.wait_for_timeout(300)
            pages.append(page)
            return page

        yield open_page
        assert not [problem for page in pages for problem in page.problems]


def count(page, websocket):
    websocket.on("framesent", lambda data: page.sent.append(len(data)))
    websocket.on("framereceived", lambda data: page.got.append(len(data)))


FRAMES = "[...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]"
FRAMES += ".map((host) => host.shadowRoot.querySelector('.frame')).filter((frame) => frame)"


def frame(page, key):
    return page.locator(f".st-key-{key} .frame")


def draws(page, *keys) -> list[int]:
    """How often each viewer has put a picture on its canvas."""
    return [int(frame(page, key).get_attribute("data-draws")) for key in keys]


def pixels(page, key) -> np.ndarray:
    """What is on a viewer's canvas, (H, W, 3)."""
    data = (
        frame(page, key)
        .locator("canvas")
        .first.evaluate(
            """(canvas) => {
          const { width, height } = canvas, context = canvas.getContext("2d");
          const { data } = context.getImageData(0, 0, width, height);
          let text = "";
          for (let i = 0; i < data.length; i += 4096)
            text += String.fromCharCode(...data.subarray(i, i + 4096));
          return [btoa(text), width, height];
        }"""
        )
    )
    array = np.frombuffer(base64.b64decode(data[0]), np.uint8)
    return array.reshape(data[2], data[1], 4)[..., :3]


def shifted(page) -> float:
    """How much of the page has moved since this was asked before."""
    return page.evaluate(
        "() => { const all = window.shifts; window.shifts = []; return all.reduce((a, b) => a + b, 0) }"
    )


def look(page, opacity, colours):
    page.get_by_role("slider", name="Opacity").fill(str(opacity))
    page.get_by_role("combobox", name="Colours").select_option(colours)
    page.wait_for_timeout(500)


def same(drawn_there, drawn_here):
    """99.9 % of the pixels within 2 of 255, none beyond 6."""
    off = np.abs(drawn_there.astype(int) - drawn_here).max(-1)
    assert (off <= 2).mean() >= 0.999 and off.max() <= 6, (off.mean(), (off > 2).mean(), off.max())


# ---------------------------------------------------------------- the same picture


LOOKS = (70, "viridis"), (35, "grey")
ALL_LOOKS = *LOOKS, (100, "inferno"), (90, "cividis")


@pytest.mark.parametrize("looks", [LOOKS, pytest.param(ALL_LOOKS, marks=pytest.mark.long)])
def test_every_kind_of_map_is_drawn_as_the_server_draws_it(visit, looks):
    page = visit("cases")
    for opacity, colours in looks:
        look(page, opacity, colours)
        for name, case in cases().items():
            one, values = case.map, viewer.sent(case.map.values)
            low, high = one.range or (None, None)
            if one.grid:
                values = values[int(0.6 * 8) * 8 + int(0.4 * 8)].reshape(one.grid)  # the pinned place's row
            if one.kind == "signed":
                values = values / (high or 1)
            here = figures.laid(case.array, values, one.box, one.kind, low, high, opacity / 100, colours)
            if one.region:
                here = render.contour(here, case.regions[one.region])
            try:
                same(pixels(page, f"case-{name}"), here)
            except AssertionError as error:
                raise AssertionError(f"{name} at {opacity} % in {colours}") from error


@pytest.mark.long
def test_two_maps_together_are_drawn_as_the_server_draws_them(visit):
    page = visit("cases")
    array, sides, boxes = drawn()[0], [], []
    size = array.shape[1], array.shape[0]
    import torch

    for name in "ab":
        one = cases()[name].map
        values = viewer.sent(one.values)
        framed = to_frame(torch.from_numpy(values), one.box, size).numpy()
        boxes.append(seen(one.box, size).numpy())
        sides.append(render.normalise(framed, 0, max(float(values.max()), 1e-12)) * boxes[-1])
    both = render.tint(array, [(sides[0], render.CNN_COLOUR, 0.7), (sides[1], render.VIT_COLOUR, 0.7)])
    change = (sides[0] - sides[1]) * (boxes[0] & boxes[1])
    difference = render.blend(render.tint(array, []), render.diverging(change), np.abs(change) * 0.7)
    region = cases()["b"].regions["banded"]  # the first of the two that has one
    same(pixels(page, "mode-both"), render.contour(both, region))
    same(pixels(page, "mode-difference"), render.contour(difference, region))
    for side in "ab":
        assert (pixels(page, f"mode-{side}") == pixels(page, f"side-{side}")).all()
    swiped, cut = pixels(page, "mode-swipe"), round(0.4 * size[0])
    assert (swiped[:, : cut - 1] == pixels(page, "side-a")[:, : cut - 1]).all()
    assert (swiped[:, cut + 1 :] == pixels(page, "side-b")[:, cut + 1 :]).all()


@pytest.mark.long
def test_a_shared_scale_ends_where_the_widest_does(visit):
    page = visit()
    page.get_by_role("radio", name="shared").click()
    page.wait_for_timeout(300)
    ends = [page.locator(f".st-key-{key} .legend").inner_text().split() for key in "ab"]
    assert ends[0] == ends[1]
    page.get_by_role("radio", name="own").click()
    page.wait_for_timeout(300)
    own = [page.locator(f".st-key-{key} .legend").inner_text().split() for key in "ab"]
    assert own[0] != own[1] and ends[0] in own


# ---------------------------------------------------------------- without the server


def test_opacity_colours_scale_region_and_both_send_nothing(visit):
    page = visit("quiet")
    before, sent = draws(page, "a", "b", "ab"), len(page.sent)
    look(page, 35, "inferno")
    page.get_by_role("radio", name="shared").click()
    page.get_by_label("True region").uncheck()
    for mode in ("Difference", "Swipe", "A", "B", "Both"):
        page.get_by_role("radio", name=mode, exact=True).click()
    frame(page, "a").get_by_role("application")
    page.locator(".st-key-a").hover()
    page.get_by_role("button", name="Zoom").first.click()
    page.wait_for_timeout(1500)
    assert len(page.sent) == sent
    assert all(after > was for after, was in zip(draws(page, "a", "b", "ab"), before, strict=True))


@pytest.mark.long
def test_the_look_is_told_once_when_it_has_been_left_alone(visit):
    page = visit()
    sent = len(page.sent)
    for opacity in range(20, 60, 5):
        page.get_by_role("slider", name="Opacity").fill(str(opacity))
    page.wait_for_timeout(250)
    assert len(page.sent) == sent
    expect(page.get_by_text("'opacity': 55")).to_be_visible()
    settled(page)
    assert len(page.sent) == sent + 1
    expect(page.get_by_role("slider", name="Opacity")).to_have_value("55")


@pytest.mark.long
def test_another_class_is_there_at_once_and_told_once_later(visit):
    page = visit()
    before, sent, was = draws(page, "a", "b", "ab"), len(page.sent), pixels(page, "a")
    took = page.evaluate(
        f"""async () => {{
          const frames = {FRAMES}, took = [];
          const host = document.querySelector(".st-key-pick [data-testid=stBidiComponentIsolated]");
          for (const name of ["banded", "spiralled", "banded"]) {{
            const was = frames.map((frame) => frame.dataset.draws), start = performance.now();
            host.shadowRoot.querySelector(`[value=${{name}}]`).click();
            while (frames.some((frame, i) => frame.dataset.draws === was[i]))
              await new Promise(requestAnimationFrame);
            took.push(performance.now() - start);
          }}
          return took;
        }}"""
    )
    page.wait_for_timeout(150)
    assert len(page.sent) == sent
    assert min(took) <= 50, took
    expect(page.locator(".st-key-a .now")).to_contain_text("banded")
    expect(page.get_by_text("told: [['name', 'banded']]")).to_be_visible()
    settled(page)
    assert len(page.sent) == sent + 1
    assert draws(page, "a", "b", "ab") == [count + 3 for count in before]  # three flips, no answer redrawn
    assert (pixels(page, "a") != was).any()


@pytest.mark.long
def test_what_the_server_must_compute_leaves_the_old_map_until_it_is_there(visit):
    page = visit()
    page.evaluate(f"() => {{ window.canvases = {FRAMES}.map((frame) => frame.querySelector('canvas')) }}")
    shifted(page)
    tops = "() => [...document.querySelectorAll('h1, .stMarkdown, .st-key-a, .st-key-ab')]"
    tops += ".map((element, _, all) => element.getBoundingClientRect().y - all[0].getBoundingClientRect().y)"
    was, before, places = pixels(page, "a"), draws(page, "a", "b"), page.evaluate(tops)
    page.get_by_role("radio", name="something else").click()
    expect(frame(page, "a")).to_have_class("frame waiting")
    assert (pixels(page, "a") == was).all()
    page.wait_for_function(f"({FRAMES})[0].dataset.draws === '{before[0] + 1}'")
    expect(frame(page, "a")).not_to_have_class("frame waiting")
    settled(page)
    page.get_by_text("early", exact=True).click()
    page.wait_for_function(f"({FRAMES})[0].dataset.draws === '{before[0] + 2}'")
    settled(page)
    assert page.evaluate("() => window.canvases.every((canvas) => canvas.isConnected)")
    assert draws(page, "a", "b") == [count + 2 for count in before] and (pixels(page, "a") != was).any()
    assert shifted(page) == 0
    assert np.abs(np.subtract(page.evaluate(tops), places)).max() <= 2


# ---------------------------------------------------------------- pointing


def places(page, key="a"):
    page.get_by_text("places", exact=True).click()
    expect(page.locator(f".st-key-{key} .now")).to_contain_text("likeness")
    settled(page)
    frame(page, key).scroll_into_view_if_needed()
    return frame(page, key)


POINTING = f"""
(steps) => new Promise((done) => {{
  const frames = {FRAMES}.slice(0, 2), box = frames[0].getBoundingClientRect();
  const was = frames.map((frame) => Number(frame.dataset.draws));
  const step = (number) => {{
    if (number === steps) return done(frames.map((frame, i) => Number(frame.dataset.draws) - was[i]));
    const at = {{ clientX: box.x + (number * 71) % box.width, clientY: box.y + (number * 97) % box.height }};
    frames[0].dispatchEvent(new PointerEvent("pointermove", {{ ...at, bubbles: true }}));
    requestAnimationFrame(() => requestAnimationFrame(() => step(number + 1)));
  }};
  step(0);
}})
"""


@pytest.mark.long
def test_both_maps_follow_the_pointer_at_thirty_a_second(visit):
    page = visit()
    places(page)
    sent, steps = len(page.sent), 60
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})  # others may want the machine as well

    def busy():
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return next(one["value"] for one in metrics if one["name"] == "TaskDuration")

    start = busy()
    coarse, fine = page.evaluate(POINTING, steps)
    assert (busy() - start) / steps <= 1 / 30
    assert coarse >= 0.9 * steps and fine >= 0.9 * steps  # but for steps within a cell
    assert len(page.sent) == sent


@pytest.mark.long
def test_the_crosshair_is_at_the_same_place_everywhere_and_a_click_pins_it(visit):
    page = visit()
    one = places(page)
    sent, box = len(page.sent), one.bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.7 * box["height"])
    page.wait_for_timeout(200)
    marks = [frame(page, key).locator(".cross").get_attribute("style") for key in ("a", "b", "ab")]
    assert len(set(marks)) == 1 and "translate(30" in marks[0]
    expect(frame(page, "a").locator(".tip")).to_contain_text("1 cosine row 6 of 8, column 3 of 8")
    assert len(page.sent) == sent
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_text("['point', (0.3")).to_be_visible()
    settled(page)
    assert len(page.sent) == sent + 1
    page.mouse.move(5, 5)
    page.wait_for_timeout(200)
    assert frame(page, "b").locator(".cross").get_attribute("style") == marks[1]  # it stays


@pytest.mark.long
def test_by_keyboard(visit):
    page = visit()
    one = places(page)
    one.focus()
    one.press("ArrowRight")
    one.press("ArrowDown")
    expect(page.locator(".st-key-a [aria-live]")).to_contain_text("row 6 of 8, column 6 of 8")
    was, sent = pixels(page, "b"), len(page.sent)
    one.press("ArrowLeft")
    page.wait_for_timeout(200)
    assert (pixels(page, "b") != was).any() and len(page.sent) == sent
    one.press("Enter")
    expect(page.get_by_text("['point', (0.5625, 0.6875)]")).to_be_visible()
    one.press("+")
    expect(one.locator(".layers")).to_have_attribute(
        "style", "transform: translate(-62.5%, -87.5%) scale(2);"
    )
    one.press("Escape")
    expect(one.locator(".layers")).to_have_attribute("style", "")


@pytest.mark.long
def test_zoom_keeps_the_place_under_the_pointer(visit):
    page = visit()
    one = places(page)
    box = one.bounding_box()
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.4 * box["height"])
    settled(page)
    page.get_by_role("button", name="Zoom").first.click()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.wait_for_timeout(200)
    expect(one.locator(".tip")).to_contain_text("row 4 of 8, column 6 of 8")  # 70 %, 40 %: now in the middle
    page.get_by_role("button", name="Zoom").first.press("Escape")


@pytest.mark.long
def test_full_screen(visit):
    page = visit()
    one = frame(page, "a")
    one.focus()
    one.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    one.press("f")
    page.wait_for_function("document.fullscreenElement === null")


# ---------------------------------------------------------------- what it costs, how it stands


@pytest.mark.long
def test_code_picture_and_matrix_come_once(visit):
    page = visit()
    picture, matrix = len(cv2.imencode(".png", drawn()[0])[1]), 16**2 * 16**2
    assert sum(page.got) < 60_000 + picture
    page.got.clear()
    page.get_by_text("early", exact=True).click()
    settled(page)
    assert 0 < sum(page.got) <= 30_000
    page.get_by_text("late", exact=True).click()
    settled(page)
    page.got.clear()
    places(page)
    assert matrix < sum(page.got) <= matrix + 64**2 + 20_000
    page.got.clear()
    one = frame(page, "a")
    one.scroll_into_view_if_needed()
    one = one.bounding_box()
    page.mouse.click(one["x"] + 50, one["y"] + 50)
    expect(page.get_by_text("['point'")).to_be_visible()
    settled(page)
    assert 0 < sum(page.got) <= 30_000


@pytest.mark.long
@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_the_page_comes(visit, width):
    page = visit("wait=0.5&narrow", width=width)
    assert shifted(page) <= 0.01


@pytest.mark.long
def test_two_stand_beside_each_other_on_a_phone(visit):
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    a, b = (frame(page, key).bounding_box() for key in "ab")
    assert a["x"] + a["width"] < b["x"] and a["width"] > 150 and abs(a["y"] - b["y"]) < 60
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.touchscreen.tap(b["x"] + 20, b["y"] + 20)
    expect(page.get_by_text("['point', (0.1")).to_be_visible()


@pytest.mark.long
@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_axe_finds_nothing(visit, theme):
    page = visit(color_scheme=theme)
    one = frame(page, "a").bounding_box()
    page.mouse.move(one["x"] + 90, one["y"] + 90)
    page.wait_for_timeout(300)
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    found = Axe().run(page, context="[data-testid=stMainBlockContainer]", options=rules)
    assert not found.response["violations"], found.response["violations"]


@pytest.mark.long
@pytest.mark.parametrize("motion, moves", [("no-preference", True), ("reduce", False)])
def test_a_new_map_fades_in_unless_motion_is_unwanted(visit, motion, moves):
    page = visit(reduced_motion=motion)
    page.evaluate(
        "() => { const old = Element.prototype.animate; window.faded = 0; "
        "Element.prototype.animate = function (...all) { window.faded += 1; return old.apply(this, all) } }"
    )
    page.get_by_text("early", exact=True).click()
    settled(page)
    assert (page.evaluate("window.faded") > 0) == moves
