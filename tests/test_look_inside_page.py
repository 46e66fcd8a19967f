"""The page Look inside: what places say, and what becomes of the answer without a part."""

import numpy as np
import pytest
import torch
from PIL import Image
from shared import ran

from benchmarks.whole_app import all_maps, all_words
from ui.look_inside import before_after
from ui.look_inside.aligned import _wholly

PAIR = {"a": "texture_resnet", "b": "texture_vit", "picture": "Honeycomb in bands"}
OFF = PAIR | {"i_part": "Switch it off", "i_class": "honeycombed"}


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app("pages/look_inside.py", **{**PAIR, **link})
        assert not at.exception, at.exception
        return at

    return open_page


def seen(at, slot):
    return next(one for one in all_maps(at) if one["key"] == f"i_{slot}" and one["name"] == one["chosen"])


def test_what_places_say_block_by_block(page, tmp_path):
    at = page(i_class="honeycombed")
    blocks = [one for one in all_maps(at) if one["key"] == "i_b"]
    assert [one["name"] for one in blocks] == ["1", "2", "3", "4", "5", "6"]
    assert len({one["id"] for one in blocks}) == 6 and blocks[0]["chosen"] == "6"
    assert len({tuple(one["shared"]) for one in blocks}) == 1, "on one scale, blocks can be compared"
    assert "“honeycombed” after block 6 of 6" in all_words(at) and "Places say: " in all_words(at)
    assert "If it ended here" in blocks[0]["facts"] and "The network: " in blocks[5]["facts"]
    assert "needn't be aligned" in all_words(at) and "With random weights" not in all_words(at)
    assert "that lie wholly on “banded” or “honeycombed”" in all_words(at)
    tables = at.session_state["tables"]["Places that say the answer, Texture ViT, B"]
    assert len(tables) == 6 and {"block", "the final answer", "the thing that is there"} <= tables[0].keys()
    assert len(ran(at, tmp_path)) == 2
    raw = at.session_state["kept"]["What places say of Texture ViT, B"].maps
    assert raw["all"].shape == (6, 8, 8) and np.array_equal(raw["all"][5], raw["map"])


def test_a_link_says_the_block_the_map_and_its_look(page, tmp_path):
    at = page(i_block="2", i_show="names", i_class="banded", i_opacity="20")
    one = seen(at, "b")
    assert one["chosen"] == "2" and one["kind"] == "colours" and one["words"] == "Names, after block 2 of 6"
    assert at.query_params["i_show"] == "names" and at.query_params["i_block"] == "2"
    assert at.session_state["i_opacity"] == 20 and len(ran(at, tmp_path)) == 2
    at.segmented_control(key="i_show").set_value("one class").run()
    assert not at.exception and "i_show" not in at.query_params and seen(at, "b")["kind"] == "heat"


def test_networks_whose_places_cant_be_asked_say_why(page, small, classless):
    at = page(a="alexnet", weights_a="random", b=classless, weights_b="random")
    said = [one.value for one in at.info]
    assert any("weighs each place by where it is" in one for one in said)
    assert any("has no classes" in one for one in said) and not all_maps(at)


def test_beside_random_weights(page):
    at = page(i_random="true", weights_a="random")
    assert "With random weights **" in all_words(at) and "Its weights are random as it is" in all_words(at)
    rows = at.session_state["tables"]
    assert "the same with random weights" in rows["Places that say the answer, Texture ViT, B"][0]
    assert "the same with random weights" not in rows["Places that say the answer, Texture ResNet, A"][0]


def test_a_class_that_only_one_network_knows(page):
    at = page(a="efficientnet_lite0", i_class="honeycombed")
    assert "EfficientNet-Lite0 has no class “honeycombed”: this is for its own top class" in all_words(at)


def test_cells_wholly_on_a_thing():
    class Model:
        labels, num_classes = ("a", "b"), 2

        class preprocess:
            box = staticmethod(lambda size: (0.0, 0.0, 80.0, 80.0))

    class Asked:
        model = Model()

        class picture:
            size, masks = (80, 80), {}

    mask = np.zeros((80, 80), bool)
    mask[:, :25] = True
    Asked.picture.masks = {"a": mask, "other": ~mask}
    found = _wholly(Asked, (8, 8))
    assert list(found) == ["a"] and found["a"][:, :2].all() and not found["a"][:, 2:].any()


def test_a_head_that_is_off(page, tmp_path):
    at = page(**OFF)
    assert "nothing is off yet" in all_words(
        at
    ) and "No heads can be asked one by one. It has no attention" in all_words(at)
    before = seen(at, "b")
    at.multiselect(key="i_heads_b").set_value(["5.1", "5.2", "6.1"]).run()
    assert not at.exception and at.query_params["i_heads_b"] == ["5.1", "5.2", "6.1"]
    now = seen(at, "b")
    assert now["name"] == "zero" and now["id"] != before["id"] and "“honeycombed”" in now["facts"]
    assert [one["name"] for one in all_maps(at) if one["key"] == "i_b"] == ["as it is", "zero", "mean"]
    rows = at.session_state["tables"]["Answers before and after, Texture ViT, B"]
    asked = next(row for row in rows if row["class"] == "honeycombed")
    assert len({round(asked[way], 4) for way in ("as it is", "zero", "mean")}) == 3
    heads = at.session_state["tables"]["Without each head, Texture ViT, B"]
    assert len(heads) == 18 and any(abs(row["falls"]) > 1e-3 for row in heads)
    assert len(ran(at, tmp_path)) == 3
    again = page(**OFF, i_heads_b=["5.1", "5.2", "6.1"], i_by="mean", i_each="mean")
    assert seen(again, "b")["name"] == "mean" and len(ran(again, tmp_path)) == 3
    by_mean = again.session_state["tables"]["Without each head, Texture ViT, B"]
    assert by_mean != heads and "at its mean over 20 drawn textures" in all_words(again)
    none = page(**OFF, i_heads_b=["6.0", "6.1", "6.2"])
    assert "No map. With these weights no gradient leads" in seen(none, "b")["facts"]
    named = {name for name, one in none.session_state["kept"].items() if one.code}
    assert not any("changed" in name for name in named), "no code where there is no map"


@pytest.mark.parametrize(
    "link, words",
    [
        ({"i_kind": "blocks", "i_blocks_b": ["blocks.2"]}, "blocks.2 at zero"),
        ({"i_kind": "channels", "i_layer_a": "layer3.0", "i_channels_a": ["3", "5"]}, "channels 3, 5 of"),
        ({"i_kind": "places", "i_layer_b": "blocks.3", "i_places_b": ["1.2"]}, "places (1, 2) of blocks.3"),
        (
            {"i_kind": "another picture", "i_other": "Scales in cracks", "i_layer_b": "blocks.3",
             "i_places_b": ["first tokens", "1.2", "1.3"]},
            "2 places and its first tokens of blocks.3 from “Scales in cracks”",
        ),
    ],
)  # fmt: skip
def test_blocks_channels_places_and_another_picture(page, tmp_path, link, words):
    at = page(**OFF, **link)
    assert not at.warning
    assert {name: at.query_params[name] for name in link} == {
        name: value[0] if len(value) == 1 else value for name, value in link.items()
    }
    assert any(words in one.caption for one in at.session_state["kept"].values())
    assert len(ran(at, tmp_path)) == 2


def test_parts_of_all_kinds_are_off_together(page, tmp_path):
    link = {"i_heads_b": ["5.1"], "i_blocks_b": ["blocks.2"], "i_layer_b": "blocks.3",
            "i_channels_b": ["7", "8"], "i_places_b": ["first tokens", "1.2"]}  # fmt: skip
    at = page(**OFF, **link, i_kind="channels")
    assert not at.warning and {"i_heads_b", "i_blocks_b", "i_places_b"} <= at.query_params.keys()
    words = next(one.caption for one in at.session_state["kept"].values() if "blocks.2" in one.caption)
    assert "heads 1 of blocks.4.attn; blocks.2; channels 7, 8 of blocks.3; places (1, 2) of blocks.3" in words
    assert "Off too: 1 head, 1 block, 1 place of blocks.3." in all_words(at) and ran(at, tmp_path)
    rows = at.session_state["tables"]["Answers before and after, Texture ViT, B"]
    alone = page(**OFF, i_layer_b="blocks.3", i_channels_b=["7", "8"], i_kind="channels")
    assert rows != alone.session_state["tables"]["Answers before and after, Texture ViT, B"]
    at.button(key="i_on_b").click().run()
    assert not at.exception and "Off too" not in all_words(at) and "i_heads_b" not in at.query_params
    assert at.multiselect(key="i_channels_b").value == [] and "nothing is off yet" in all_words(at)


def test_a_click_takes_a_place_and_gives_it_back(page):
    at = page(**OFF, i_kind="places", i_layer_b="blocks.3")
    assert at.multiselect(key="i_places_b").value == []
    at.multiselect(key="i_places_b").set_value(["0.0"]).run()
    assert not at.exception and seen(at, "b")["name"] == "zero"
    assert next(one for one in all_maps(at) if one["key"] == "i_b")["kind"] == "heat"


def test_other_pictures_and_random_orders(page):
    at = page(**OFF, i_more_b="true")
    assert "Rank correlation with other pictures **" in all_words(at)
    assert "the mean of 5 random orders" in all_words(at)
    table = at.session_state["tables"]["Heads in order, Texture ViT, B"]
    assert [row["order"] for row in table].count("random") == 19


def test_many_heads_are_tried_on_a_press(page, monkeypatch):
    from ui.look_inside import every_head

    few = page(**OFF).session_state["tables"]["Without each head, Texture ViT, B"]
    monkeypatch.setattr(every_head, "AT_ONCE", 9)
    at = page(**OFF)
    assert "Without each head, Texture ViT, B" not in at.session_state["tables"]
    assert at.button(key="i_every_b_button").label == "Try all 18 heads"
    at.button(key="i_every_b_button").click().run()
    assert not at.exception and at.session_state["tables"]["Without each head, Texture ViT, B"] == few


def test_concepts(page, tmp_path):
    at = page(i_part="Concepts", i_k="3", i_class="honeycombed", i_concept="2", i_from_b="blocks.3")
    assert "13 drawn textures, all “honeycombed”" in all_words(at) and not at.warning
    maps = [one for one in all_maps(at) if one["key"] == "i_b"]
    assert [one["name"] for one in maps] == ["all", "1", "2", "3"] and maps[0]["chosen"] == "2"
    assert maps[0]["kind"] == "colours" and "is a part of its own" in maps[0]["facts"]
    assert "Without it “honeycombed”" in maps[2]["facts"]
    assert all_words(at).count("With random weights as many concepts") == 2
    rows = at.session_state["tables"]["Concepts, Texture ViT, B"]
    assert [row["concept"] for row in rows] == [1, 2, 3] and sum(
        row["share of places"] for row in rows
    ) > 0.99
    kept = at.session_state["kept"]["Concepts of Texture ViT, B"].maps
    assert kept["maps"].shape == (14, 3, 8, 8) and (kept["parts"] >= 0).all()
    assert {"i_k", "i_concept", "i_from_b", "i_part"} <= at.query_params.keys()
    assert len(ran(at, tmp_path)) == 4


@pytest.mark.long
def test_concepts_of_photographs_and_of_networks_without_classes(page, classless, tmp_path):
    at = page(a="photo_vit", b=classless, weights_b="random", picture="Chelsea the cat", i_part="Concepts")
    assert any("has no classes, so no concept" in one.value for one in at.info)
    assert "this picture whole and in parts, 14 in all" in all_words(at) and len(ran(at, tmp_path)) == 2
    at = page(
        weights_a="random", i_part="Concepts", i_set="your pictures", i_k="99", i_concept="77", i_from_b="x"
    )
    said = " ".join(one.value for one in at.warning)
    assert all(key in said for key in ("i_k", "i_concept", "i_from_b"))
    assert any("Upload pictures of one kind" in one.value for one in at.info)


HOSTILE = ["", "1e999", "nan", "<b>", "😀" * 5000, "99.99"]


@pytest.mark.parametrize("kind", ["heads", "blocks", "channels", "places", "another picture"])
def test_broken_links_end_in_sentences(page, kind):
    keys = "i_class i_show i_block i_by i_other i_heads_b i_blocks_b i_layer_b i_channels_b i_places_b"
    link = {key: HOSTILE[k % len(HOSTILE)] for k, key in enumerate(keys.split())}
    at = page(i_part="Switch it off", i_kind=kind, **link)
    told = [words for one in at.warning for words in one.value.split("\n\n")]
    assert not at.error and len(told) >= 6
    at = page(i_part="nonsense", i_kind="nonsense", **link)
    assert at.session_state["i_part"] == "What places say" and seen(at, "b")["chosen"] == "6"


def test_answers_that_are_no_numbers_are_said_to_be_none():
    from vizcore.inside import sayings

    assert "then is not a number" in sayings.changed(0.5, float("nan"), "cat", "cat", "dog")
    assert "as it is is not" in sayings.changed(float("nan"), 0.5, "cat", "cat", "dog")
    assert sayings.answered("cat", 0.51) == "It says: cat 51%." and "number" in sayings.answered(
        "", float("nan")
    )
    nothing = np.full(20, np.nan, np.float32)
    assert (
        len(before_after._likeliest(nothing)) == 0
        and len(before_after._likeliest(np.ones(20, np.float32))) == 5
    )
    row = before_after._row({"class": "cat", "as it is": 0.5, "zero": np.nan}, ["as it is", "zero"], "red")
    assert "50% · no number" in row and "nan" not in row


def test_why_there_are_no_heads_says_nothing_of_rolling_out():
    from vizcore.inside import sayings
    from vizcore.networks import rollable

    words = [rollable._NO_ATTENTION, rollable._WITHOUT_SOFTMAX, rollable._NO_MATRIX, rollable._UNMULTIPLIED]
    assert all(
        "roll" not in sayings.no_heads(one) and "so " not in sayings.no_heads(one) for one in words[:1]
    )
    assert not any("roll" in sayings.no_heads(one) for one in words)
    assert sayings.no_heads("In it heads are mixed.").endswith("one by one. In it heads are mixed.")


def test_pictures_that_a_mean_is_taken_over():
    from vizcore.pictures.quarters import with_quarters

    picture = Image.fromarray(np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3))
    found = with_quarters([picture])
    assert [one.size for one in found] == [(16, 16)] + [(8, 8)] * 4
    assert torch.equal(torch.tensor(np.asarray(found[4])), torch.tensor(np.asarray(picture)[8:, 8:]))
