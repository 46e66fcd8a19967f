"""The way in, in a real browser: a lesson to its end, a link that opens the same, files, accessibility."""

import hashlib
import io
import re
import zipfile

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect
from shared import new_tab, settled

from ui.lessons import LESSONS

PAGES = ["", "lessons", "room", "feature_maps", "attention_rollout", "grad_cam", "saliency",
         "activation_maximization", "look_inside", "unit", "claims", "similarity", "your_model",
         "experiments",
         "grad_cam?picture=Honeycomb+in+bands&g_class=honeycombed&v=3&lesson=truth.1"]  # fmt: skip
RULES = {  # by theme: only colours differ
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "dark": ["color-contrast"],
}


MAPS = "[data-testid=stMain] .frame canvas:not(.ghost):visible"


def pictures(page) -> list[str]:
    """A digest of each map over the picture."""
    data = [canvas.evaluate("canvas => canvas.toDataURL()") for canvas in page.locator(MAPS).all()]
    return [hashlib.sha256(one.encode()).hexdigest() for one in data]


@pytest.mark.long
def test_the_first_lesson_from_home_to_its_end_and_its_link_in_another_browser(visit, browser):
    page = visit("")
    lesson = LESSONS["truth"]
    page.get_by_role("link", name="First lesson").click()
    links = {}
    for number, step in enumerate(lesson.steps, 1):
        expect(page.get_by_text(f"step {number} of {len(lesson.steps)}")).to_be_visible(timeout=60_000)
        settled(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("Grad-CAM")
        expect(page).to_have_url(re.compile(f"lesson=truth.{number}"))
        answer = page.get_by_text(step.answer)
        expect(answer).not_to_be_visible()
        page.locator(".st-key-l_options").get_by_role("button", name=step.options[step.right]).click()
        expect(answer).to_be_visible()
        settled(page)
        if number in (2, 4):
            page.get_by_role("button", name="Copy link").click()
            expect(page.get_by_role("button", name="Copied")).to_be_visible()
            links[number] = page.evaluate("navigator.clipboard.readText()"), pictures(page)
        if number < len(lesson.steps):
            page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Next")).to_have_count(0)
    page.get_by_role("link", name="More lessons").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Lessons")
    expect(page.get_by_text("· step 5 of")).to_have_count(0)

    assert links[2][1] != links[4][1]
    other = new_tab(browser.new_context())
    for link, seen in links.values():
        other.goto(link)
        expect(other.locator(MAPS)).to_have_count(len(seen), timeout=60_000)
        settled(other)
        assert pictures(other) == seen and len(set(seen)) == 2  # A and B; the rest isn't seen
    assert not other.problems
    other.context.close()


def test_a_link_is_there_to_be_selected_where_it_cannot_be_copied(visit):
    page = visit("your_model?picture=A+rocket")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    page.get_by_role("button", name="Copy link").click()
    field = page.get_by_role("textbox", name="The address of this view")
    expect(field).to_have_value(page.url)
    assert field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == page.url


def test_a_figure_the_maps_a_table_and_everything_are_saved(visit, tmp_path):
    page = visit("grad_cam?picture=Honeycomb+in+bands&g_class=banded")

    def saved(name):
        with page.expect_download() as download:
            page.get_by_role("button", name=name).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    page.get_by_role("button", name="Save").click()
    figure = Image.open(saved("Grad-CAM of Texture ResNet, A (PNG)"))
    assert figure.width == 384 and figure.height > 384 and "class banded" in figure.text["Description"]
    maps = np.load(saved("Raw maps (NPZ)"))
    assert [maps[key].shape for key in maps.files] == [(8, 8), (8, 8)]
    assert maps["grad-cam-of-texture-resnet-a.map"].max() > 0
    table = saved("Answers of Texture ResNet").read_text("utf-8-sig")
    assert table.startswith("class,probability") and len(table.splitlines()) == 6
    everything = zipfile.ZipFile(saved("Everything (ZIP)"))
    assert everything.testzip() is None
    inside = Image.open(io.BytesIO(everything.read("figures/grad-cam-of-texture-resnet-a.png")))
    assert np.array_equal(np.asarray(inside), np.asarray(figure))


def complaints(page, rules: list[str]) -> list[str]:
    # the colours of words in a block of code are Streamlit's own, and no option of its theme sets them
    options = {"runOnly": rules, "resultTypes": ["violations"]}
    found = Axe().run(page, {"exclude": [[".token"]]}, options).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}" for rule in found for node in rule["nodes"]]


QUICK = PAGES[0], PAGES[-1]


@pytest.mark.parametrize(
    "path", [path if path in QUICK else pytest.param(path, marks=pytest.mark.long) for path in PAGES]
)
def test_titles_labels_and_contrast_in_both_themes(visit, path):
    page = visit(path)
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_count(1)
    assert page.title() == ("Home" if not path else heading.inner_text()) + " · Sightlines"
    for image in page.locator("[data-testid=stMain] img").all():
        # a sheet of many small maps is a group with a name, and each of its buttons has one
        assert image.get_attribute("alt") or image.evaluate("one => !!one.closest('[role=group]')")
    for scheme, rules in RULES.items():
        page.emulate_media(color_scheme=scheme)
        settled(page)
        assert not complaints(page, rules)
    page.set_viewport_size({"width": 390, "height": 844})
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
