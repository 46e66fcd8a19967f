"""The page of two claims: what was measured, the picture at hand, links, what can be saved."""

import numpy as np
import pytest
from shared import ran

from benchmarks.whole_app import all_maps, all_words
from ui.claims.knows import Asked
from vizcore.experiments.altered import CHANGES, Given
from vizcore.studies import claims_in_words as words
from vizcore.studies.claims_on_file import PAIRS, load_measured
from vizcore.studies.knowing import Curve
from vizcore.studies.reaches import Summary
from vizcore.truth.intervals import Interval

PAIR = {"a": "texture_resnet", "b": "texture_vit", "picture": "Honeycomb in bands"}
KNOWS = PAIR | {"c_part": "Shape or texture?"}


@pytest.fixture
def page(app):
    def open_page(**link):
        at = app("pages/claims.py", **{**PAIR, **link})
        assert not at.exception, at.exception
        return at

    return open_page


def test_how_far_both_look_and_the_link_of_a_place(page, tmp_path):
    at = page(c_depth="30", x="20", y="80")
    said = all_words(at)
    assert "Its heads look **globally** in block 1" in said and "benchmarks claims --only textures" in said
    maps = [one for one in all_maps(at) if one["key"] == "c_b"]
    assert [one["name"] for one in maps] == ["0", "30"], "what all begin with, and what is asked for"
    assert maps[0]["chosen"] == "30" and "Behind patch_embed" in maps[0]["words"]
    assert len({one["id"] for one in maps}) == 2
    kept = at.session_state["kept"]
    fields = kept["Fields of Texture ViT, B"]
    assert "randomised" not in fields.code and "load_model('texture_vit', \"random\"" in fields.code
    assert len(fields.maps) == 12 and fields.draw().ndim == 3
    few = {name: one for name, one in kept.items() if "map" in one.maps}
    few["Fields"] = fields._replace(code=fields.code.replace("drawn(50, size=256)", "drawn(2, size=256)"))
    at.session_state["kept"] = {name: few[name] for name in few if name != "Fields"}
    kept = ran(at, tmp_path)
    exec(
        compile(few["Fields"].code.replace("figure.png", str(tmp_path / "f.png")), "fields", "exec"),
        found := {},
    )
    assert found["figure"].shape == fields.draw().shape
    assert len(kept) == 2 and all(one.maps["map"].shape == (64, 64) for one in kept.values())
    assert len(at.session_state["tables"]["How far Texture ViT looks, B"]) == 2 * (8 + 6)
    assert at.query_params["c_depth"] == "30" and at.query_params["x"] == "20"


def test_what_both_still_know_it_by(page, tmp_path):
    at = page(**KNOWS, c_change="shuffled", c_level="2")
    said = all_words(at)
    assert "Changed: 4 × 4 patches." in said and "n = 200: drawn" in said and "no thing's shape" in said
    assert len(at.session_state["tables"]["This picture, by level"]) == 2 * 5
    assert list(ran(at, tmp_path)) == ["The changed picture"]
    at.selectbox(key="c_change").set_value("another filling").run()
    assert not at.exception and at.query_params["c_change"] == "another filling"
    assert at.selectbox(key="c_thing").options == ["honeycombed", "banded"]
    assert len(ran(at, tmp_path)) == 1


def test_networks_that_cant_be_asked_and_changes_that_cant_be_made(page, classless):
    at = page(a=classless, weights_a="random", c_part="Shape or texture?", c_change="silhouette",
              picture="A rocket")  # fmt: skip
    assert any("has no classes" in one.value for one in at.info)
    assert any("needs a picture in which it is known where a thing is" in one.value for one in at.warning)
    assert "silhouette" not in at.selectbox(key="c_change").options


def test_a_network_that_was_not_measured_is_measured_on_a_press(page):
    at = page(a="texture_resnet", weights_a="random", b="texture_resnet", weights_b="random")
    assert "wasn't measured beforehand" in all_words(at)
    at.button(key="c_looks_a_button").click().run()
    assert not at.exception and "12 pictures" in all_words(at)


# ---------------------------------------------------------------- the file, and what is said of it


def test_the_file_is_of_both_pairs_with_their_intervals():
    found = load_measured()
    assert set(found) == set(PAIRS)
    for kind, names in PAIRS.items():
        one = found[kind]
        assert set(one.looks) == set(one.knows.networks) == set(names) and one.knows.pictures >= 50
        for name in names:
            trained = one.looks[name]["trained"]
            assert trained.pictures >= 50 and bool(trained.blocks) == (name in ("texture_vit", "photo_vit"))
            for change, curve in one.knows.networks[name].items():
                assert len(curve.right) == len(CHANGES[change].levels)
                assert all(each.low <= each.value <= each.high for each in curve.right)
        assert "another's amplitudes" in one.knows.sides


def around(one, digits=2):
    """An interval as the README has it."""
    return f"{one.value:.{digits}f} ({one.low:.{digits}f}–{one.high:.{digits}f})"


def apart(one):
    """The ViT's less the CNN's; in the file it is the other way round."""
    signed = f"{-one.value:.2f} ({-one.high:.2f} to {-one.low:.2f})"
    return signed.replace("-", "−")


def test_the_readme_states_what_was_measured():
    """Each figure of its part "Two claims", from the file that the command wrote."""
    text = " ".join(open("README.md").read().split("## Two claims")[1].split("\n## ")[0].split())
    found = load_measured()
    (cnn, vit), (effnet, photo) = (
        [found[kind].looks[name]["trained"] for name in PAIRS[kind]] for kind in ("textures", "photographs")
    )
    far, last = (lambda one, layer: one.fields[layer][1].value), (lambda one: list(one.fields)[-1])
    first = vit.fields["blocks.0"][1]
    some, all_of = found["textures"].knows, found["photographs"].knows
    by = some.networks | all_of.networks
    filled, phases = "another filling", "another's amplitudes"
    one, other = by["efficientnet_lite0"], by["photo_vit"]
    resnet, texture_vit = by["texture_resnet"], by["texture_vit"]
    wanted = [
        f"look {vit.blocks[0].value:.1f} px away in the mean of {vit.pictures} textures",
        f"{vit.even_distance:.1f} would be everywhere alike",
        f"{photo.blocks[0].value:.1f} of {photo.even_distance:.1f}",
        f"within {first.value:.1f} px behind block 1 ({first.low:.1f}–{first.high:.1f};",
        f"alike: {vit.even_radius[1]:.1f}), within {far(vit, 'blocks.4'):.1f} behind block 5 and "
        f"{far(vit, 'blocks.5'):.1f} behind the last",
        f"ResNet ends at {far(cnn, last(cnn)):.1f}, EfficientNet-Lite0 at {far(effnet, last(effnet)):.1f} of "
        f"{effnet.even_radius[1]:.1f}",
        f"begins its blocks with {far(photo, 'blocks.0'):.1f} and ends them with "
        f"{far(photo, 'blocks.3'):.1f} of {photo.even_radius[1]:.1f}",
        f"{all_of.pictures} pictures of {all_of.things} of Debian's stamps",
        f"in {around(one[filled].before)} for EfficientNet-Lite0",
        f"{around(other[filled].before)} for the Photo ViT, difference {apart(all_of.sides[filled])}",
        f"{around(one[phases].before)} and {around(other[phases].before)}, difference "
        f"{apart(all_of.sides[phases])}",
        f"({one['shuffled'].right[2].value:.2f} and {other['shuffled'].right[2].value:.2f})",
        f"EfficientNet-Lite0 names {one['silhouette'].right[1].value:.2f}",
        f"the same network, {other['silhouette'].right[1].value:.2f}",
        f"{some.pictures} textures. Shuffled in 8 × 8",
        f"Texture ResNet {around(resnet['shuffled'].right[3])} of {resnet['shuffled'].right[0].value:.2f}",
        f"{around(resnet[phases].before)} for the ResNet and "
        f"{around(texture_vit[phases].before)} for the ViT",
    ]  # fmt: skip
    assert [words for words in wanted if words not in text] == []
    shuffled = texture_vit["shuffled"].right[3]
    assert f"({shuffled.value:.2f}, {shuffled.low:.2f}–{shuffled.high:.2f})" in text


def test_fields_are_there_as_pictures_beside_random_weights():
    found = load_measured()
    for kind, names in PAIRS.items():
        for name in names:
            for weights in ("trained", "random"):
                one = found[kind].looks[name][weights]
                assert list(one.cells) == list(one.fields), "python -m benchmarks claims"
                assert all(cells.max() == 1 and cells.min() >= 0 for cells in one.cells.values())


def summary(far, near, end=70.0):
    fields = {"one": (Interval(1, 1, 1), Interval(near, near - 1, near + 1)),
              "two": (Interval(2, 2, 2), Interval(end, end - 1, end + 1))}  # fmt: skip
    blocks = [Interval(far, far - 1, far + 1)] if far else []
    return Summary(60, (128, 128), [[far]] if far else [], blocks, 66.0, fields, (50.0, 71.0))


def test_how_far_it_looks_in_words():
    said = words.looks(summary(64.0, 7.0), "one")
    assert "**globally** in block 1: **64** (63–65)" in said and "within **7.0** (6.0–8.0) pixels" in said
    assert "Both are so" in said and "From two on" in said
    local = words.looks(summary(20.0, 7.0, 30.0), "one", "a stem")
    assert "**not globally**" in local and "Both are so" not in local and "a stem, has mixed" in local
    assert "No layer's middle place depends on the picture as a whole" in local
    assert "heads" not in words.looks(summary(0, 60.0), "one") and "From one on" in words.looks(
        summary(0, 60.0), "one"
    )
    assert "its heads looked 64 pixels away" in words.began(summary(64.0, 7.0), "one")


@pytest.mark.parametrize(
    "ends, wanted",
    [((-0.2, -0.3, -0.1), "As the claim has it:"), ((0.2, 0.1, 0.3), "The other way round:"),
     ((0.02, -0.1, 0.1), "Not shown:")],
)  # fmt: skip
def test_the_verdict_is_as_the_interval_has_it(ends, wanted):
    said = words.verdict(Interval(*ends), "CNN", "ViT")
    assert said.startswith(f"**{wanted}**") and "ViT" in said and "CNN" in said


def test_where_they_stop_in_words():
    def curve(*values):
        ends = [Interval(one, one, one) for one in values]
        return Curve(ends, ends, Interval(0.6, 0.5, 0.7), 9)

    levels = ["as it is", "some", "all"]
    said = words.stops("blurred", levels, {"A": curve(1, 0.9, 0.2), "B": curve(1, 0.9, 0.8)})
    assert "A stops at “all”: **0.20**" in said and "B never names less than half" in said
    assert "as they are" in words.stops("blurred", levels, {"C": curve(0.4, 0.3, 0.1)})
    assert curve(1, 0.4, 0.6).lost is None and curve(1, 0.4, 0.3).lost == 1
    kept = words.keeps_to("another filling", {"A": curve(1, 1, 1)})
    assert "for the outline" in kept and "A in **0.60** (0.50–0.70)" in kept
    assert words.lost_points(0.9, 0.1, "cat", "dog").endswith("it says **“dog”**.")
    assert "still says so" in words.lost_points(0.9, 0.5, "cat", "cat")


def test_a_region_that_is_marked_anew_is_another_question():
    """Answers are kept by the picture's pixels, which stay as they are."""
    masks = [np.arange(64).reshape(8, 8) < cells for cells in (20, 40)]
    asked = [Asked("silhouette", 1, Given(1, mask), "cat", None) for mask in (*masks, masks[0].copy())]
    assert asked[0].key != asked[1].key and asked[0].key == asked[2].key


def test_what_is_said_of_a_kind_of_picture_that_it_never_saw_is_called_a_guess(page):
    guess = "It learnt only drawn textures, so what it says of another picture is a guess."
    assert all_words(page(**KNOWS | {"picture": "A rocket"})).count(guess) == 2
    assert "is a guess" not in all_words(page(**KNOWS))
