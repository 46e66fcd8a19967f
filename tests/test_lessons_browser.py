"""Lessons in a real browser, from a fresh visitor: what a step needs is in view; on paper, one page."""

import shutil
import subprocess

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect
from shared import new_tab, settled

from ui.lessons import LESSONS
from ui.worksheets import worksheet

SIZES = {"desk": (1280, 720), "phone": (390, 844)}
QUICK = {("truth", 4, "desk"), ("paint", 2, "phone")}  # python -m benchmarks long: every step, on both
ALL = [
    (key, number, size)
    for key, one in LESSONS.items()
    for number in range(1, len(one.steps) + 1)
    for size in SIZES
]


def in_view(page, locator, height: int) -> None:
    box = locator.bounding_box()
    assert box and box["width"] > 20, locator
    assert box["y"] >= 0 and box["y"] + box["height"] <= height + 1, (locator, box)


@pytest.mark.parametrize(
    "key, number, size", [one if one in QUICK else pytest.param(*one, marks=pytest.mark.long) for one in ALL]
)
def test_the_question_the_maps_and_the_control_asked_for_are_in_view(browser, server, key, number, size):
    step, (width, height) = LESSONS[key].steps[number - 1], SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = new_tab(context)
    page.goto(f"{server}/{step.page[6:-3]}?start={key}.{number}")
    page.locator(".st-key-lesson_guide").wait_for()
    settled(page)
    in_view(page, page.get_by_text(step.question), height)
    for option in page.locator(".st-key-l_options button").all():
        in_view(page, option, height)
    guide = page.locator(".st-key-lesson_guide").bounding_box()
    for name in step.shows:
        for canvas in page.locator(f".st-key-{name} .frame canvas:not(.ghost)").all():
            box = canvas.bounding_box()
            if box and key not in ("paint",):  # there a brush is what is asked for
                in_view(page, canvas, height)
                assert box["x"] >= guide["x"] + guide["width"] or box["y"] >= guide["y"] + guide["height"]
    if step.asked:
        asked = page.locator(f".st-key-{step.asked}").first
        in_view(page, asked.locator("canvas").first if asked.locator("canvas").count() else asked, height)
    controls = page.locator("[data-testid=stMain] [data-testid=stSelectbox]:visible").count()
    assert controls <= 2, "only what the step needs"
    assert page.evaluate("document.documentElement.scrollWidth") <= width and not page.problems
    context.close()


@pytest.mark.skipif(not shutil.which("pdfinfo"), reason="poppler-utils isn't there")
def test_worksheets_are_one_page(browser, tmp_path):
    page = browser.new_page()
    for key, lesson in LESSONS.items():
        for answers in (False, True):
            page.set_content(worksheet(lesson, f"http://an.address.of/some_page?start={key}.1", answers))
            page.pdf(path=tmp_path / "sheet.pdf", prefer_css_page_size=True)
            told = subprocess.check_output(["pdfinfo", tmp_path / "sheet.pdf"], text=True)
            assert "Pages:           1\n" in told and "A4" in told, (key, answers)
    page.close()


@pytest.mark.parametrize("size", ["desk", pytest.param("phone", marks=pytest.mark.long)])
def test_a_room_s_code_is_read_from_the_screen_and_nothing_gives_an_answer_away(browser, server, size):
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = new_tab(context)
    page.goto(f"{server}/lessons")
    page.get_by_role("button", name="Open a room").click()
    image = page.locator(".st-key-l_door img")
    image.wait_for()
    settled(page)
    in_view(page, image, height)
    seen = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    sizes = (seen.repeat(times, 0).repeat(times, 1) for times in (1, 2, 3))
    read = next(filter(None, (cv2.QRCodeDetector().detectAndDecode(one)[0] for one in sizes)), "")
    code = page.locator(".st-key-l_door strong").inner_text()
    assert read.startswith("http://") and read.endswith(f"/room?room={code}")
    facts = page.locator(".st-key-g_maps .facts").first
    assert facts.text_content() and not facts.is_visible(), "it says where the maximum lies"
    page.get_by_role("button", name="Show the answer").click()
    expect(facts).to_be_visible()
    expect(image).to_have_count(0)
    assert not page.problems
    context.close()
