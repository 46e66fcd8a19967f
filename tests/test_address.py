"""The table of what an address holds: every value that a widget offers can be linked, nothing else can."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_links import BOTH, HOSTILE

from ui import viewer
from ui.address import changes, in_words, keys
from ui.address.kinds import as_words
from ui.address.words import parse
from vizcore.drawing.render import COLOUR_MAPS

NOW = {"v": [str(changes.version())]}  # in an address of today
NAMES = st.sampled_from(list(keys.keys()))
WORDS = st.one_of(
    st.sampled_from([value for value in HOSTILE if isinstance(value, str)]),
    st.text(max_size=300),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["true", "false", "trained", "mean", "0x10", "１", "1_0", " 5", "5\n"]),
)


@settings(max_examples=100)
@given(st.dictionaries(NAMES, st.lists(WORDS, min_size=1, max_size=3), max_size=20))
def test_whatever_is_written_is_a_value_or_a_sentence(words):
    values, wrong = parse(NOW | words)
    assert values.keys() | wrong.keys() == words.keys() and not values.keys() & wrong.keys()
    for name, sentence in wrong.items():
        assert f"{name} is “" in sentence and len(sentence) < 400 and "<" not in sentence
    for name, value in values.items():
        assert parse(NOW | {name: as_words(value)}) == ({name: value}, {})


@pytest.mark.parametrize("name", keys.keys())
def test_a_default_can_be_linked(name):
    default = keys.key(name).default
    if default is not None:
        assert parse(NOW | {name: as_words(default)}) == ({name: default}, {})


def test_a_link_of_an_older_version_keeps_its_meaning(monkeypatch):
    """Twice a key or a value was called otherwise; what is written now says of which version it is."""
    assert in_words({"r_residual": 20}) == {"r_residual": ["20"]} | NOW and in_words({}) == {}
    first = changes.Change(names={"r_left": "r_kept"}, words={"r_fusion": {"middle": "median"}})
    second = changes.Change(names={"r_kept": "r_residual"}, words={"r_fusion": {"median": "mean"}})
    monkeypatch.setattr(changes, "CHANGES", [first, second])
    meant = {"r_residual": 20, "r_fusion": "mean"}
    for old in (
        {"r_left": ["20"], "r_fusion": ["middle"]},
        {"v": ["1"], "r_left": ["20"], "r_fusion": ["middle"]},
        {"v": ["2"], "r_kept": ["20"], "r_fusion": ["median"]},
        {"v": ["3"], "r_residual": ["20"], "r_fusion": ["mean"]},
        {"v": ["4"], "r_residual": ["20"], "r_fusion": ["mean"]},
        in_words(meant),
    ):
        assert parse(old) == (meant, {}), old
    assert in_words(meant)["v"] == ["3"] and in_words({}) == {}
    values, wrong = parse({"v": ["3"], "r_residual": ["20"], "r_fusion": ["median"]})
    assert values == {"r_residual": 20} and "r_fusion is “median”" in wrong["r_fusion"]
    for hostile in ([""], ["nan"], ["2", "3"], ["9" * 5000], ["-1"], []):
        assert parse({"v": hostile, "r_residual": ["20"]})[0] == {"r_residual": 20}


@pytest.mark.parametrize(
    "words, opens",
    [
        ({}, {}),  # the page, and no view of it
        ({"utm_source": ["elsewhere"]}, {}),
        ({"g_opacity": ["40"]}, {"picture": "A spiral on bands", "g_opacity": 40}),
        ({"v": ["2"], "g_opacity": ["40"]}, {"picture": "Four with an astronaut", "g_opacity": 40}),
        ({"v": ["3"], "picture": ["Four photographs"]}, {"picture": "Four with an astronaut"}),
        ({"v": ["4"], "picture": ["Four photographs"]}, {"picture": "Four photographs"}),
        ({"v": ["4"], "g_opacity": ["40"]}, {"g_opacity": 40}),
        ({"v": ["3"], "k_n": ["64"]}, {"k_n": 64}),
        ({"v": ["3"], "k_n": ["64"], "m_look": ["scaly"]}, {"k_n": 64, "m_look": "scaly"}),
        ({"v": ["3"], "k_n": ["64"], "g_opacity": ["40"]},
         {"k_n": 64, "g_opacity": 40, "picture": "Four with an astronaut"}),
        ({"v": ["3"], "m_look": ["scaly"]}, {"m_look": "scaly", "a": "texture_resnet", "b": "texture_vit"}),
        ({"v": ["3"], "m_look": ["bee"], "a": ["resnet18"]}, {"m_look": "bee", "a": "resnet18"}),
        ({"lesson": ["truth.3"]}, {"picture": "A spiral on bands"}),
        ({"picture": ["A rocket"]}, {"picture": "A rocket"}),
        ({"v": ["2"], "g_class": ["cardigan (474)"]},
         {"picture": "Four with an astronaut", "g_class": "cardigan"}),
        ({"v": ["3"], "a": ["resnet18"]}, {"picture": "Four with an astronaut", "a": "resnet18"}),
        ({"picture": ["Four photographs"], "a": ["resnet50"], "g_class": ["cup"]},
         {"picture": "Four with an astronaut", "a": "resnet50", "g_class": "cup",
          "r_class": "top class", "s_class": "top class"}),
    ],
)  # fmt: skip
def test_what_former_versions_opened_is_what_their_links_leave_out(words, opens):
    assert parse(words) == (opens, {})


def test_a_link_of_an_older_version_opens_its_view(app, monkeypatch):
    monkeypatch.setattr(changes, "CHANGES", [changes.Change(names={"r_left": "r_residual"})])
    at = app("pages/attention_rollout.py", **BOTH, r_left="20")
    assert at.slider(key="r_residual").value == 20 and not at.warning and not at.exception
    at.slider(key="r_residual").set_value(30).run()
    assert (at.query_params["r_residual"], at.query_params["v"]) == ("30", "2")
    assert "r_left" not in at.query_params


IN_BROWSER: dict[str, dict] = {  # what the viewer offers there, by the key under which the address holds it
    "grad_cam": {"g_over": viewer.MODES, "g_opacity": range(101), "g_region": [True, False]},
    "saliency": {"s_opacity": range(101), "s_region": [True, False]},
    "feature_maps": {"opacity_a": range(101), "opacity_b": range(101)},
    "attention_rollout": {
        "r_opacity": range(101),
        "r_colours": list(COLOUR_MAPS),
        "r_scale": ["own", "shared"],
    },
    "look_inside": {"i_each": ["zero", "mean"]},  # called otherwise there
    "unit": {"u_of": ["a", "b"], "u_kind": ["channels", "heads", "classes"]},  # called otherwise there
}


@pytest.mark.parametrize(
    "page, link",
    [
        ("home", {"picture": "A rocket", "a": "efficientnet_lite0"}),
        ("feature_maps", {"view_b": "Channels"}),
        ("attention_rollout", {}),
        ("grad_cam", {"g_part": "Curves"}),
        ("grad_cam", {"g_part": "Cross-test"}),
        ("grad_cam", {"g_part": "Noise"}),
        ("saliency", {"s_view": "over the picture", "s_sheet": "true"}),
        ("activation_maximization", {"m_part": "Make your own"}),
        ("activation_maximization", {"m_part": "Make your own", "m_kind": "a channel"}),
        ("look_inside", {}),
        ("look_inside", {"i_part": "Switch it off"}),
        ("look_inside", {"i_part": "Switch it off", "i_kind": "another picture"}),
        ("unit", {"u_data": "Drawn textures", "u_n": "8"}),
        ("claims", {"c_part": "Shape or texture?", "c_change": "another filling"}),
        ("similarity", {"k_kernel": "RBF"}),
    ],
)
def test_every_value_that_a_widget_offers_can_be_linked(app, page, link):
    at = app(f"pages/{page}.py", **(BOTH | link))
    assert not at.exception and not at.warning
    offered = {one.key: one.options for kind in ("selectbox", "multiselect") for one in at.get(kind)}
    offered |= {one.key: [option.content for option in one.proto.options] for one in at.get("button_group")}
    offered |= {one.key: one.options for one in at.get("select_slider")}
    offered |= {one.key: [one.min, one.max] for kind in ("slider", "number_input") for one in at.get(kind)}
    offered |= {one.key: [True, False] for one in at.get("toggle")}
    offered = {key: options for key, options in offered.items() if keys.known([key])}
    offered |= IN_BROWSER.get(page, {})
    assert len(offered) > 5
    for key, options in offered.items():
        for option in options:
            values, wrong = parse({key: as_words(option)} | NOW)
            found = values[key][0] if isinstance(values.get(key), list) else values.get(key)
            same = str(found) == str(option) or (not isinstance(option, str) and found == option)
            assert not wrong and same, key


def test_every_widget_that_shapes_a_view_is_in_the_table(app):
    """What a page's widgets hold can't be lost from its link: but for buttons, files and what is derived."""
    derived = ("stage_", "file", "checkpoint_", "labels_", "k_files", "s_rows_files", "k_folder")
    pages = "feature_maps attention_rollout grad_cam saliency look_inside unit claims similarity"
    for page in pages.split():
        at = app(f"pages/{page}.py", **BOTH)
        kinds = "selectbox multiselect button_group slider select_slider number_input toggle".split()
        for one in (widget for kind in kinds for widget in at.get(kind)):
            assert keys.known([one.key]) or (one.key or "").startswith(derived), (page, one.key)
