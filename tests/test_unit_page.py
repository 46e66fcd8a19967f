"""A unit's card: the page, its sets of pictures, and the ways to it."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from shared import ran, shared_model

from benchmarks.whole_app import all_words
from ui import cards
from ui.picture_picker import SAMPLES, sample
from vizcore.inside import unit_sayings as say
from vizcore.inside.stored_units import NETWORKS, PHOTOGRAPHS, load_units, stored_set
from vizcore.inside.unit_groups import Group, responses
from vizcore.pictures import textures
from vizcore.pictures.images import PictureError
from vizcore.pictures.samples_of import some_of
from vizcore.studies.probe_files import weights_digest

PAIR = {"a": "texture_resnet", "b": "texture_vit", "picture": "Honeycomb in bands"}


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app("pages/unit.py", **{**PAIR, **link})
        assert not at.exception, at.exception
        return at

    return open_page


def all_html(at):
    return "".join(one.proto.body for one in at.get("html"))


def test_a_channel_of_the_stored_set(page):
    at = page(u_layer="layer3.0", u_unit="12")
    assert not at.warning and "**Channel 12 of layer3.0**" in all_words(at)
    assert all_html(at).count("<figure") == 12 and "Excite it most" in all_html(at)
    assert "90 % of the gradient's energy" in all_words(at) and "A picture's class explains" in all_words(at)
    assert "By gradient, the mean over the pictures" in all_words(at)
    kept = at.session_state["kept"]["Card of channel 12 of layer3.0"]
    assert kept.maps["most_values"].shape == (6,) and (np.diff(kept.maps["most_values"]) <= 0).all()
    tables = at.session_state["tables"]
    assert len(tables["Pictures of the card"]) == 12 and len(tables["Spread over classes"]) == 20
    assert all(row["energy in the box"] >= 0.9 for row in tables["Pictures of the card"] if row["box"])
    at.number_input(key="u_unit").set_value(13).run()
    assert not at.exception and at.query_params["u_unit"] == "13" and "**Channel 13" in all_words(at)


def test_networks_that_know_photographs_have_a_set_too(page):
    at = page(a="efficientnet_lite0", b="photo_vit", picture="A rocket", u_unit="7")
    assert at.segmented_control(key="u_data").value == "Stored pictures" and not at.warning
    assert not [one for one in at.button if one.key == "u_look_button"]
    assert (
        all_html(at).count("<figure") == 12 and len(at.session_state["tables"]["Spread over classes"]) == 24
    )
    assert "stored_set([read_picture(" in at.session_state["kept"]["Card of channel 7 of blocks.6.0"].code


def test_the_code_of_a_card_makes_it(page, tmp_path):
    at = page(u_data="Drawn textures", u_n="24", u_layer="layer2.0", u_unit="5")
    assert "Card of channel 5 of layer2.0" in ran(at, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("link", [
    {"u_of": "b", "u_kind": "heads", "u_block": "blocks.2.attn", "u_unit": "1"},
    {"u_kind": "classes", "u_class": "honeycombed"},
    {"u_of": "b", "weights_b": "random", "u_layer": "blocks.1", "u_unit": "2"},
])  # fmt: skip
def test_the_code_of_every_kind_of_card_makes_it(page, tmp_path, link):
    """A link, a saved picture, its numbers, and code that runs."""
    at = page(u_data="Drawn textures", u_n="24", **link)
    made = ran(at, tmp_path)
    assert any(name.startswith("Card of") for name in made) and set(link) <= set(at.query_params)
    assert all(one.maps for one in made.values()) and at.session_state["tables"]


def test_heads_and_classes(page):
    at = page(u_of="b", u_kind="heads", u_block="blocks.2.attn", u_unit="1")
    assert "**Head 1 of blocks.2.attn**" in all_words(at) and "A patch is a place" in all_words(at)
    assert "if it wrote twice as much" in all_words(at)
    at.segmented_control(key="u_kind").set_value("classes").run()
    at.selectbox(key="u_class").set_value("honeycombed").run()
    assert not at.exception and at.query_params["u_class"] == "honeycombed"
    assert "Highest on average for “honeycombed”" in all_words(at)
    assert not [one for one in at.button if one.key == "u_imagine_button"], "it is in the gallery"
    assert len(at.session_state["tables"]["Channels that speak for it"]) == 192


def test_random_networks_are_labelled_and_have_a_set_of_their_own(page):
    at = page(weights_a="random", u_data="The samples", u_layer="layer1.0", u_unit="3")
    assert "-badge[" in all_words(at)
    assert "Stored textures" not in at.segmented_control(key="u_data").options
    assert "“Chelsea the cat”" in all_words(at) or "No evidence" in str(at.info)


def test_what_a_link_names_in_vain_is_a_sentence(page):
    at = page(u_unit="9999", u_layer="nowhere", u_data="Mars")
    said = " ".join(one.value for one in at.warning)
    assert "u_unit is “9999”, which isn't one of 0 to 255 here" in said
    assert "u_layer is “nowhere”" in said and "u_data is “Mars”" in said
    at = page(u_of="a", u_kind="heads")
    assert "No heads can be asked one by one." in at.info[0].value
    at = page(u_of="c", u_kind="<b>", u_unit="1e999", u_n="-1", u_seed="nan")
    said = " ".join(one.value for one in at.warning)
    assert all(key in said for key in ("u_of", "u_kind", "u_unit", "u_n", "u_seed"))
    assert "**Channel 0 of layer4.0**" in all_words(at)


def test_a_new_set_waits_for_a_press(page):
    at = page(u_data="Drawn textures", u_n="48", u_layer="layer2.0", u_unit="5")
    assert [one.label for one in at.button if one.key == "u_look_button"] == ["Look through 48 pictures"]
    assert "<figure" not in all_html(at)
    at.button(key="u_look_button").click().run()
    assert not at.exception and all_html(at).count("<figure") == 12
    assert not [one for one in at.button if one.key == "u_look_button"], "it is there for everybody now"
    at.number_input(key="u_unit").set_value(6).run()
    assert all_html(at).count("<figure") == 12, "all units came from one pass"


def test_the_ways_to_a_card(app):
    at = app("pages/feature_maps.py", **PAIR, view_a="Channels", layer_a="layer3.0", channels_a=["7"])
    links = {one.proto.label: one.proto for one in at.get("page_link")}
    assert "Card of 7" in links and "Its card" in links
    assert (
        "u_unit=7" in links["Card of 7"].query_string
        and "u_layer=layer3.0" in links["Card of 7"].query_string
    )
    cards_of = cards.of_head("b", "blocks.1.attn", 2)
    for name, value in {**cards_of, cards.WANTED: True}.items():
        at.session_state[name] = value
    at.run()
    assert not at.exception and at.title[0].value == "A unit’s card"
    assert "**Head 2 of blocks.1.attn**" in all_words(at) and at.query_params["u_kind"] == "heads"


# ---------------------------------------------------------------- what is stored, what is sent


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_stored_is_of_these_weights(name):
    found, model = load_units(name), shared_model(name)
    assert found.weights == weights_digest(model), "python -m benchmarks units --store"
    for one in found.step.found.values():
        assert one.most.values.shape == one.least.pictures.shape == (len(one.lowest), 6)
        assert (one.most.values >= one.least.values[:, :1]).all() and int(one.spread.counts.sum()) == 400
    group = Group("channels", model.blocks[-1])
    photographs = {title: sample(title).image for title in SAMPLES} if name in PHOTOGRAPHS else {}
    best, again = found.step.found[group].most, stored_set(list(photographs.values()), list(photographs))
    assert len(again.names) == len(again) == 400 and again.names[:30] == (
        ("Chelsea the cat",) * 30 if photographs else textures.LABELS + textures.LABELS[:10]
    )
    for unit in (0, 12):
        images = model.preprocess(again[int(best.pictures[unit, 0])])
        value = peaks_of(model, images, group)[0, unit]
        assert abs(float(value) - float(best.values[unit, 0])) < 1e-3


def peaks_of(model, images, group):
    return responses(model, images, [group], lambda _, maps: maps.flatten(2).amax(2))[group]


def packed(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return [("yours.zip", buffer.getvalue())]


def png(shade=0, side=16):
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (shade % 256, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def test_of_a_thousand_pictures_some_are_taken_evenly():
    files = {f"{'cats' if k < 500 else 'dogs'}/{k}.png": png(k) for k in range(1000)}
    found = some_of(packed(files))
    assert len(found.pictures) == 256 and found.total == 1000
    assert found.left_out == ["744 of 1000 pictures are left out: at most 256 are taken, spread evenly."]
    assert found.names.count("cats") == 128 and found.names.count("dogs") == 128


def test_broken_pictures_are_left_out_and_one_is_enough():
    found = some_of(packed({"a/1.png": png(), "a/2.png": b"broken", "b/3.png": b"", "b/4.png": png(9)}))
    assert len(found.pictures) == 2 and len(found.left_out) == 2 and found.names == ("a", "b")
    assert some_of([("one.png", png())]).names == ()
    for files in (packed({"a.png": b"broken"}), packed({"a.txt": b""}), [("z.zip", b"no zip")]):
        with pytest.raises(PictureError):
            some_of(files)


def test_sentences_follow_from_their_facts():
    assert "0 everywhere in all 12 pictures" in say.silent("channel 3 of x", 0.0, 12)
    assert "hardly more than chance" in say.tied(0.06, 20, 400, "a", "b")
    assert "**60%**" in say.tied(0.6, 20, 400, "a", "b") and "“a”, lowest for “b”" in say.tied(
        0.6, 20, 400, "a", "b"
    )
    assert "say nothing" in say.tied(1.0, 4, 4, "a", "b") or "says nothing" in say.tied(1.0, 4, 4, "a", "b")
    assert "no class" in say.speaks(["a", "b"], [0.0, 0.0], True)
    assert "for “b” (+2) and most against “a” (-1)" in say.speaks(["a", "b"], [-1.0, 2.0], True)
    assert say.speaks(["a"], [1.0], True).endswith(say.EXACT) and say.LOCAL in say.speaks(["a"], [1.0], False)
    assert "speaks for no class and most against" in say.speaks(["a", "b"], [-1.0, 0.0], False)
    assert "**25%**" in say.heard([0.2, 0.3, float("nan")]) and "no token" in say.heard([1.0, 1.0])
    assert "one class" in say.agrees("Cat", "cat") and "need not" in say.agrees("cat", "dog")
