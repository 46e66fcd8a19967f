"""The table of what an address holds: every value that a widget offers can be linked, nothing else can."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_links import BOTH, HOSTILE

from ui.address import KEYS, as_words, parse

WORDS = st.one_of(
    st.sampled_from([value for value in HOSTILE if isinstance(value, str)]),
    st.text(max_size=300),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["true", "false", "trained", "mean", "0x10", "１", "1_0", " 5", "5\n"]),
)


@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(list(KEYS)), st.lists(WORDS, min_size=1, max_size=3), max_size=20))
def test_whatever_is_written_is_a_value_or_a_sentence(words):
    values, wrong = parse(words)
    assert values.keys() | wrong.keys() == words.keys() and not values.keys() & wrong.keys()
    for name, sentence in wrong.items():
        assert f"{name} is “" in sentence and len(sentence) < 400 and "<" not in sentence
    for name, value in values.items():
        assert parse({name: as_words(value)}) == ({name: value}, {})


@pytest.mark.parametrize("name", KEYS)
def test_a_default_can_be_linked(name):
    default = KEYS[name].default
    if default is not None:
        assert parse({name: as_words(default)}) == ({name: default}, {})


@pytest.mark.parametrize(
    "page, link",
    [
        ("home", {}),
        ("feature_maps", {"view_b": "Channels"}),
        ("attention_rollout", {}),
        ("grad_cam", {"g_part": "Curves"}),
        ("grad_cam", {"g_part": "Cross-test"}),
        ("grad_cam", {"g_part": "Noise"}),
        ("saliency", {"s_view": "over the picture", "s_sheet": "true"}),
        ("activation_maximization", {"m_part": "Make your own"}),
        ("activation_maximization", {"m_part": "Make your own", "m_kind": "a channel"}),
        ("similarity", {"k_kernel": "RBF"}),
    ],
)
def test_every_value_that_a_widget_offers_can_be_linked(app, page, link):
    at = app(f"pages/{page}.py", **BOTH, **link)
    assert not at.exception and not at.warning
    offered = {one.key: one.options for kind in ("selectbox", "multiselect") for one in at.get(kind)}
    offered |= {one.key: [option.content for option in one.proto.options] for one in at.get("button_group")}
    offered |= {one.key: one.options for one in at.get("select_slider")}
    offered |= {one.key: [one.min, one.max] for kind in ("slider", "number_input") for one in at.get(kind)}
    offered |= {one.key: [True, False] for one in at.get("toggle")}
    offered = {key: options for key, options in offered.items() if key in KEYS}
    assert len(offered) > 5
    for key, options in offered.items():
        for option in options:
            values, wrong = parse({key: as_words(option)})
            found = values[key][0] if isinstance(values.get(key), list) else values.get(key)
            same = str(found) == str(option) or (not isinstance(option, str) and found == option)
            assert not wrong and same, key


def test_every_widget_that_shapes_a_view_is_in_the_table(app):
    """What a page's widgets hold can't be lost from its link: but for buttons, files and what is derived."""
    derived = ("stage_", "file", "checkpoint_", "labels_", "k_files", "s_rows_files", "k_folder")
    for page in ("feature_maps", "attention_rollout", "grad_cam", "saliency", "similarity"):
        at = app(f"pages/{page}.py", **BOTH)
        kinds = "selectbox multiselect button_group slider select_slider number_input toggle".split()
        for one in (widget for kind in kinds for widget in at.get(kind)):
            assert one.key in KEYS or (one.key or "").startswith(derived), (page, one.key)
