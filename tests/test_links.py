"""Links of every kind: whatever an address says, a page opens, and what it says in vain is named."""

import pytest

from benchmarks.links import differing, recorded, shown
from benchmarks.whole_app import whole_app
from ui.address.words import parse
from ui.lessons import LESSONS
from ui.network_picker import PHOTOGRAPHED
from ui.picture_picker import OPENING

BOTH = {"picture": "A spiral on bands", "a": "texture_resnet", "b": "texture_vit"}
HOSTILE = ["", "1e999", "-1", "nan", "<b>", "😀" * 5000, ["2", "3"]]
OWN = {  # the keys that a page reads, but for the picture and the names of the networks
    "pages/home.py": "h_class weights_a weights_b seed_a seed_b",
    "pages/feature_maps.py": "x y opacity_a opacity_b layer_a layer_b view_a view_b order_b sheet_a "
    "channels_b query_b head_b",
    "pages/attention_rollout.py": "x y r_class r_query r_residual r_discard r_fusion r_prefix r_head "
    "r_method r_opacity r_colours r_scale r_block r_proof r_heads",
    "pages/grad_cam.py": "g_class g_not g_over g_opacity g_region g_five g_others g_part g_baseline g_steps "
    "g_left g_depth g_noise g_method_a g_method_b g_layer_a g_layer_b",
    "pages/saliency.py": "s_class s_not s_view s_opacity s_region s_baseline s_steps s_rule s_noise s_draws "
    "s_window s_sheet s_first s_part s_method_a s_method_b s_rows s_rows_model",
    "pages/activation_maximization.py": "m_who m_kind m_class m_recipe m_paint m_objective m_seed m_parts "
    "m_steps m_views m_l2 m_tv m_stop m_real m_layer_a m_channel_a m_place_a",
    "pages/look_inside.py": "i_part i_class i_show i_block i_random i_opacity i_scale",
    "pages/unit.py": "u_of u_kind u_layer u_unit u_data u_n u_seed",
    "pages/claims.py": "c_part c_depth c_opacity c_colours x y",
    "pages/similarity.py": "k_data k_n k_seed k_layers k_features k_kernel k_bandwidth k_control k_biased",
}
SEVERAL = {"channels_b", "m_class", "m_parts", "m_channel_a", "s_rows"}
# only looked up where they are drawn: below what is closed, or where attention or channels are shown
ELSEWHERE = {"m_layer_a", "m_channel_a", "s_rows", "s_rows_model", "query_b", "head_b", "channels_b"}
OPENS = {"pages/activation_maximization.py": {"m_part": "Make your own"}}


RECORDED = recorded()  # links that people have, with what they showed when they were made
LONGEST = {page: max((one for one in RECORDED if one["page"] == page), key=lambda one: len(one["link"]))
           for page in dict.fromkeys(one["page"] for one in RECORDED)}  # fmt: skip


def complaints(at) -> str:
    return "\n".join(block.value for block in at.warning)


def test_links_that_people_have_are_read_as_they_were():
    assert len(RECORDED) >= 60
    for one in RECORDED:
        words = {name: [value] if isinstance(value, str) else value for name, value in one["link"].items()}
        values, wrong = parse(words)
        assert wrong == {} and values.keys() >= words.keys(), one["link"]
        options = one["shows"]["options"]
        assert values.items() >= {name: options[name] for name in words}.items(), one["link"]
        assert values["picture"] == options["picture"], one["link"]


def test_what_is_wrong_with_a_link_stays_said_where_a_page_runs_twice(app):
    """As where a run has come to its end: code has changed what it then shows, and no visitor has."""
    at = app(
        "pages/experiments.py", **(BOTH | {"picture": "Scales in cracks", "e_part": "Fool it", "e_whom": "c"})
    )
    assert not at.exception and complaints(at).count("e_whom is “c”") == 1


@pytest.mark.parametrize("page", LONGEST)
def test_a_link_that_people_have_shows_what_it_showed(page):
    """One of each page; ``python -m benchmarks links`` opens them all."""
    one = LONGEST[page]
    with whole_app() as visit:
        assert differing(one["shows"], shown(visit, page, one["link"])) == []


@pytest.mark.parametrize("page", ["home", "similarity"])
def test_a_link_of_before_shows_the_picture_with_which_the_app_opened(page):
    for one in RECORDED:
        if one["page"] == page and "picture" not in one["link"]:
            with whole_app() as visit:
                assert differing(one["shows"], shown(visit, page, one["link"])) == [], one["link"]


@pytest.mark.parametrize("shift", [0, 3])
@pytest.mark.parametrize("page", OWN)
def test_every_key_of_a_page_may_hold_anything(app, page, shift):
    keys = OWN[page].split()
    link = {key: HOSTILE[(place + shift) % len(HOSTILE)] for place, key in enumerate(keys)}
    at = app(page, **BOTH, **OPENS.get(page, {}), **link)
    assert not at.exception and not at.error
    said = complaints(at)
    for key, value in link.items():
        if key not in ELSEWHERE and not (key in SEVERAL and value == ""):
            assert said.count(f"link, {key} is “") == 1, key
    assert len(max(said.splitlines(), key=len)) < 400


@pytest.mark.parametrize(
    "page, key, value",
    [
        ("pages/feature_maps.py", "view_a", ""),
        ("pages/feature_maps.py", "view_b", ""),
        ("pages/feature_maps.py", "sheet_a", "1e999"),
        ("pages/feature_maps.py", "x", "1e999"),
        ("pages/feature_maps.py", "y", "1e999"),
        ("pages/attention_rollout.py", "r_fusion", ""),
        ("pages/grad_cam.py", "g_part", ""),
        ("pages/saliency.py", "s_part", ""),
        ("pages/saliency.py", "s_view", ""),
        ("pages/similarity.py", "k_data", ""),
        ("pages/similarity.py", "k_n", "1e999"),
        ("pages/similarity.py", "k_seed", "1e999"),
    ],
)
def test_a_value_that_is_none_gives_the_default_and_one_sentence(app, page, key, value):
    at = app(page, **BOTH, **{key: value})
    assert not at.exception
    assert complaints(at).count(f"{key} is “{value}”") == 1 and len(at.warning) == 1
    at.run()  # and it stays until something is changed
    assert complaints(at).count(f"{key} is “{value}”") == 1


@pytest.mark.parametrize("key", ["a", "b", "lesson", "start"])
@pytest.mark.parametrize("value", ["", "😀" * 5000, "truth." + "1" * 5000])
def test_no_network_and_no_step_of_such_a_name(app, key, value):
    at = app("pages/your_model.py", **{key: value})
    assert not at.exception and f"{key} is “" in complaints(at)


def test_a_picture_that_does_not_exist(app):
    at = app("pages/home.py", **BOTH | {"picture": "Nope"})
    assert at.selectbox(key="picture").value == OPENING
    assert "picture is “Nope”, which is the name of no picture here" in complaints(at)
    at.selectbox(key="picture").set_value("A rocket").run()
    assert not at.warning


def test_a_class_or_a_layer_that_the_network_does_not_have(app):
    at = app("pages/grad_cam.py", **BOTH, g_class="tabby", g_layer_a="blocks.9")
    assert "g_class is “tabby”" in complaints(at) and "g_layer_a is “blocks.9”" in complaints(at)
    assert at.selectbox(key="g_class").value == "top class" and not at.exception


def test_another_network_drops_what_it_does_not_have_without_a_word(app):
    at = app("pages/grad_cam.py", **BOTH, g_class="banded", g_layer_a="layer1.0")
    assert at.selectbox(key="g_layer_a").value == "layer1.0" and not at.warning
    at.selectbox(key="a").set_value("efficientnet_lite0").run()
    assert at.selectbox(key="g_layer_a").value != "layer1.0" and not at.warning and not at.exception
    assert "g_layer_a" not in at.query_params


def test_the_address_holds_what_differs_from_the_defaults(app):
    at = app("pages/attention_rollout.py", **BOTH)
    at.slider(key="r_residual").set_value(20).run()
    at.toggle(key="r_prefix").set_value(False).run()
    assert (at.query_params["r_residual"], at.query_params["r_prefix"]) == ("20", "false")
    at.slider(key="r_residual").set_value(50).run()
    assert "r_residual" not in at.query_params and at.query_params["r_prefix"] == "false"


def test_an_address_wins_over_what_the_session_had(app):
    at = app("pages/attention_rollout.py", **BOTH, r_residual="20", r_fusion="max")
    at.query_params = BOTH | {"r_fusion": "min"}
    at.run()
    assert (at.slider(key="r_residual").value, at.session_state["r_fusion"]) == (50, "min")


def test_options_survive_other_pages(app):
    at = app("pages/attention_rollout.py", **BOTH, r_residual="20")
    at.slider(key="r_discard").set_value(30).run()
    at.switch_page("pages/your_model.py").run()
    at.switch_page("pages/attention_rollout.py").run()
    assert (at.slider(key="r_residual").value, at.slider(key="r_discard").value) == (20, 30)
    assert at.query_params["r_discard"] == "30"


def test_what_is_chosen_on_another_page_than_the_link_s_survives(app):
    at = app("pages/grad_cam.py", **BOTH, r_residual="20", s_view="greyscale")
    at.switch_page("pages/attention_rollout.py").run()
    at.slider(key="r_residual").set_value(30).run()
    for page in ("grad_cam", "feature_maps", "attention_rollout"):
        at.switch_page(f"pages/{page}.py").run()
        assert at.query_params["r_residual"] == "30", page
    assert at.slider(key="r_residual").value == 30 and at.query_params["s_view"] == "greyscale"


def test_the_class_of_one_picture_is_not_asked_about_the_next_one(app):
    at = app("pages/home.py", v="4", picture=OPENING, b="photo_vit")
    assert at.session_state["h_class"] == "koala", "of the mosaic"
    at.selectbox(key="picture").set_value("A rocket").run()
    for page in ("your_model", "lessons", "home"):
        at.switch_page(f"pages/{page}.py").run()
        assert "h_class" not in at.query_params, page
    assert at.selectbox(key="h_class").value == "top class"


def test_a_page_that_ends_early_writes_its_address_too(app):
    at = app("pages/activation_maximization.py", **BOTH)
    at.selectbox(key="m_look").set_value("banded").run()
    assert at.query_params["m_look"] == "banded"


def test_leaving_a_lesson_gives_back_what_was_there(app):
    before = {"picture": "A rocket", "a": "efficientnet_lite0", "weights_b": "random", "seed_b": "3"}
    page = LESSONS["truth"].steps[-1].page
    at = app(page, **before, g_opacity="40")
    at.query_params = {"start": "truth.5"}
    at.run()
    assert at.session_state["weights_a"] == "random"
    assert at.selectbox(key="picture").value == "Honeycomb in bands"
    at.switch_page("pages/feature_maps.py").run()
    assert at.selectbox(key="picture").value == "A rocket" and at.selectbox(key="a").value == before["a"]
    assert (at.session_state["weights_a"], at.session_state["weights_b"]) == ("trained", "random")
    assert at.number_input(key="seed_b").value == 3 and "lesson" not in at.query_params
    at.switch_page(page).run()
    assert at.session_state["g_opacity"] == 40


def test_reset(app):
    at = app("pages/attention_rollout.py", weights_b="random", r_residual="20", r_head="head 1")
    buttons = [button for button in at.button if button.label == "Reset"]
    assert buttons
    buttons[0].click().run()
    assert at.selectbox(key="picture").value == OPENING
    assert at.slider(key="r_residual").value == 50
    assert (at.selectbox(key="a").value, at.session_state["weights_b"]) == (PHOTOGRAPHED["a"], "trained")
    assert at.selectbox(key="r_head").value == "mean" and not at.query_params and not at.exception
