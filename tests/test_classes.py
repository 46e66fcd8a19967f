"""Names of classes: each unlike any other, and what is said where two networks call theirs differently."""

import pytest
from shared import shared_model

from benchmarks.whole_app import all_maps
from ui.classes import NOTHING, TOP, _names, class_names
from vizcore import judgements


@pytest.mark.parametrize(
    "labels, names",
    [
        (("cat", "dog, hound"), ("cat", "dog")),
        (("crane", "crane"), ("crane (0)", "crane (1)")),
        (("a", "a", "a (0)"), ("a (0) (0)", "a (1)", "a (0)")),
        (("cardigan", "Cardigan, Cardigan Welsh corgi"), ("cardigan", "Cardigan (Cardigan Welsh corgi)")),
        (("cat, x", "Cat, x"), ("cat (0)", "Cat (1)")),
        (("", " , puss", "\t"), ("class 0", "puss", "class 2")),
        (("class 1", ""), ("class 1 (0)", "class 1 (1)")),
        ((NOTHING, TOP, "Nothing"), ("nothing (0)", "top class (1)", "Nothing (2)")),
    ],
)
def test_no_two_classes_have_one_name_and_none_that_of_another_choice(labels, names):
    assert _names(labels, len(labels)) == names
    assert len({name.casefold() for name in (*names, NOTHING, TOP)}) == len(names) + 2


def test_the_pair_for_photographs_calls_alike_what_is_the_same():
    cnn, vit = (shared_model(name) for name in ("efficientnet_lite0", "photo_vit"))
    mine, theirs = class_names(cnn), class_names(vit)
    assert cnn.labels[mine.index("cardigan")] == vit.labels[theirs.index("cardigan")] == "cardigan"
    assert {name for name in theirs if name not in mine} == {"crane"}, "of which the other has two"


@pytest.mark.parametrize("page, key", [("grad_cam", "g_class"), ("home", "h_class"), ("saliency", "s_class")])
def test_a_network_with_two_classes_of_a_name_is_not_said_to_have_none(app, page, key):
    at = app(f"pages/{page}.py", v="3", b="photo_vit", **{key: "crane"})
    assert not at.exception and at.session_state[key] == "crane"
    said = [one["facts"] for one in all_maps(at)] + [one.value for one in (*at.caption, *at.markdown)]
    assert any("EfficientNet-Lite0 has several classes called “crane”" in words for words in said)
    assert not any("EfficientNet-Lite0 has no class" in words for words in said)


def test_what_is_said_of_a_name_that_two_classes_have():
    a = judgements.Network("A", knows=False, several=True)
    assert "A has several classes called “crane”." in judgements.verdict(
        "crane", "unknown", a, a._replace(title="B", several=False)
    )
    assert (
        judgements.verdict("crane", "unknown", a, a) == "Both networks have several classes called “crane”."
    )
