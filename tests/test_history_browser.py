"""Back and Forward in a real browser: an action that changes the address is one entry, and can be undone."""

import re

import pytest
from playwright.sync_api import expect
from shared import new_tab, settled


@pytest.fixture
def page(tab):
    """A tab with a history of its own."""
    page = new_tab(tab.context)
    page.set_viewport_size({"width": 1280, "height": 900})
    yield page
    page.close()


def opened(page, address: str, heading: str) -> None:
    page.goto(address)
    page.get_by_role("heading", level=1, name=heading).wait_for()
    settled(page)


def state(page) -> tuple:
    """What is shown: the page, its address, where it has them the picture and networks, a lesson's step."""
    settled(page)
    shown = [one.input_value() for name in ("Picture", "Model A", "Model B")
             for one in page.get_by_role("combobox", name=name, exact=True).all()]  # fmt: skip
    steps = page.get_by_text("· step").all_inner_texts()
    return page.get_by_role("heading", level=1).inner_text(), page.url, *shown, *steps


def pick(page, label: str, value: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).click()
    page.get_by_role("option", name=value, exact=True).click()


def go(page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", level=1, name=name).wait_for()


def comes_to(page, seen: tuple) -> None:
    """On a busy machine the server hears late that the browser went elsewhere."""
    for _ in range(20):
        if state(page) == seen:
            return
    assert state(page) == seen


def walk(page, actions: list) -> None:
    """Each action grows the history by one; all of them back, and forward again."""
    states = [state(page)]
    for action in actions:
        before = page.evaluate("history.length")
        action()
        states.append(state(page))
        assert page.evaluate("history.length") == before + 1, states[-1]
    length = page.evaluate("history.length")
    for seen in states[-2::-1]:
        page.go_back()
        comes_to(page, seen)
    for seen in states[1:]:
        page.go_forward()
        comes_to(page, seen)
    assert page.evaluate("history.length") == length
    expect(page.get_by_test_id("stException")).to_have_count(0)


@pytest.mark.long
def test_a_picture_another_page_and_an_option(page, server):
    opened(page, f"{server}/your_model", "Your own model")
    walk(
        page,
        [
            lambda: pick(page, "Picture", "Scales in cracks"),
            lambda: go(page, "Feature maps"),
            lambda: page.get_by_role("button", name="←").first.click(),
            lambda: page.get_by_role("button", name="Reset").click(),
        ],
    )


def test_back_from_where_nothing_was_chosen_leads_to_the_step_that_was_left(page, server):
    opened(page, f"{server}/lessons", "Lessons")
    page.get_by_role("link", name="Is the heatmap telling the truth?").click()
    page.get_by_text("step 1 of 5").wait_for()
    before = state(page)
    go(page, "Your own model")
    assert state(page)[1] == f"{server}/your_model"
    page.go_back()
    comes_to(page, before)


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_lesson_and_out_of_it_to_what_was_there(page, server, whole):
    opened(page, f"{server}/lessons?picture=A+spiral+in+a+weave&weights_b=random", "Lessons")

    def step(number):
        return page.get_by_text(f"step {number} of 5")

    link = page.get_by_role("link", name="Is the heatmap telling the truth?")
    between = [
        lambda: (page.get_by_role("link", name="Next").click(), step(2).wait_for()),
        lambda: (page.get_by_role("link", name="Back").click(), step(1).wait_for()),
    ] * whole
    walk(
        page,
        [
            lambda: (link.click(), step(1).wait_for()),
            *between,
            lambda: go(page, "Your own model"),
        ],
    )
    assert state(page)[2] == "A spiral in a weave" and "weights_b=random" in page.url


@pytest.mark.long
def test_what_changes_no_address_is_no_entry(page, server):
    opened(page, f"{server}/attention_rollout?picture=A+spiral+in+a+weave", "Attention rollout")
    page.get_by_role("button", name="Play").wait_for()
    address, length = page.url, page.evaluate("history.length")
    page.get_by_role("button", name="Play").click()
    block = page.get_by_role("slider", name="Built up from block 1 to block")
    expect(block).to_have_value("3", timeout=15_000)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Raw maps (NPZ)").wait_for()
    assert (page.evaluate("history.length"), page.url) == (length, address)
    page.get_by_role("button", name="Pause").click()
    expect(page).to_have_url(re.compile("r_block="))
    settled(page)
    assert page.evaluate("history.length") == length + 1


@pytest.mark.long
def test_a_page_that_is_gone_to_is_seen_on_a_phone(page, server):
    page.set_viewport_size({"width": 390, "height": 844})
    opened(page, f"{server}/your_model", "Your own model")
    page.get_by_test_id("stExpandSidebarButton").click()
    settled(page)
    go(page, "Lessons")
    settled(page)
    card = page.get_by_role("link", name="From edges to eyes")
    card.scroll_into_view_if_needed()
    card.click(trial=True, timeout=5_000)  # nothing lies over it
