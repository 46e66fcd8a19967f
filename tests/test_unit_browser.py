"""The ways to a unit's card, by mouse: from channels, heads, patches and classes; and what it imagines."""

import pytest
from playwright.sync_api import expect
from shared import settled

PAIR = "picture=Honeycomb+in+bands&a=texture_resnet&b=texture_vit"


@pytest.mark.parametrize(
    "path, inside, name, title",
    [
        ("feature_maps", "tiles_a", "The card of", "Channel"),
        pytest.param(
            "attention_rollout?r_heads=true",
            "r_tiles_b",
            "The card of 3.1",
            "Head 1 of blocks.2.attn",
            marks=pytest.mark.long,
        ),
        ("feature_maps?view_a=Similar+places", "stMain", "Card of", "Channel"),
        pytest.param("saliency", "stMain", "Its card", "The class “honeycombed”", marks=pytest.mark.long),
        pytest.param(
            "look_inside?i_part=Switch+it+off",
            "i_sheet_b",
            "The card of 3.1",
            "Head 1 of blocks.2.attn",
            marks=pytest.mark.long,
        ),
    ],
    ids=["channel", "head", "patch", "class", "head switched off"],
)
def test_a_card_is_a_click_away(visit, path, inside, name, title):
    tab = visit(f"{path}{'&' if '?' in path else '?'}{PAIR}")
    place = tab.get_by_test_id(inside) if inside == "stMain" else tab.locator(f".st-key-{inside}")
    place.get_by_role("link" if inside == "stMain" else "button", name=name).first.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("A unit’s card")
    expect(tab.locator("strong", has_text=title).first).to_be_visible()
    expect(tab.locator("figure img")).to_have_count(12)


def test_what_a_channel_imagines_is_made_on_a_press_and_can_be_stopped(visit):
    tab = visit(f"unit?{PAIR}&u_layer=layer2.0&u_unit=5")
    button = tab.locator(".st-key-u_imagine_button button")
    button.click()
    expect(button).to_contain_text("Stop")
    expect(tab.get_by_alt_text("imagines for channel 5")).to_be_visible()
    button.click()  # it goes on, is stopped, or was finished by then: what it made stays
    settled(tab)
    expect(tab.get_by_alt_text("imagines for channel 5")).to_be_visible()
