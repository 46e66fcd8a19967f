"""The experiments page: what it says beside figures of one's own, links that restore it, and hostile ones."""

import io
import re
from urllib.parse import parse_qsl

import numpy as np
import pytest
import torch
from PIL import Image
from shared import shared_model

from benchmarks import painting
from benchmarks.whole_app import all_maps, all_words
from ui import marks, posters, saving
from ui.experiments import bars
from ui.picture_picker import sample
from vizcore.baselines import blurred
from vizcore.experiments import cells, trick
from vizcore.methods.cam import cams, default_layer
from vizcore.truth import overlap

PAGE = "pages/experiments.py"
LONG_PAINT, LONG_FOOL = (pytest.param(part, marks=pytest.mark.long) for part in ("Paint it out", "Fool it"))
PAIR = {"picture": "A spiral on bands", "a": "texture_resnet", "b": "texture_vit"}
SPIRAL = sample(PAIR["picture"])


def corner(rows=16, columns=16) -> np.ndarray:
    mark = np.zeros((32, 32), bool)
    mark[:rows, :columns] = True
    return mark


def words(at) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.caption, *at.get("html"), *at.info] if one.value)


def html(at) -> list[str]:
    """What stands in the bars of both networks."""
    found = [one.proto.body for one in at.get("html")]
    return [one for one in found if 'class="who"' in one]


def fine(at):
    assert not at.exception and not at.error and not at.warning
    return at


def chances(name: str, array: np.ndarray) -> np.ndarray:
    model = shared_model(name)
    with torch.no_grad():
        return torch.softmax(model.net(model.preprocess(Image.fromarray(array)))[0], 0).numpy()


def by_hand(mark: np.ndarray) -> np.ndarray:
    """The picture under a blur, put together anew: cells of 12 pixels."""
    images = torch.from_numpy(SPIRAL.array.copy()).permute(2, 0, 1)[None].float()
    below = blurred(images)[0].permute(1, 2, 0).round().byte().numpy()
    return np.where(np.kron(mark, np.ones((12, 12), bool))[..., None], below, SPIRAL.array)


# ---------------------------------------------------------------- marks


def test_a_mark_is_one_short_word_of_its_picture():
    mark = np.random.default_rng(0).random((32, 32)) > 0.5
    word = marks.coded(SPIRAL, mark)
    assert len(word) <= 178 and re.fullmatch(r"[0-9a-f]{6}\.[\w-]+", word)
    assert (marks.decoded(SPIRAL, word) == mark).all()
    assert marks.decoded(sample("A rocket"), word) is None


@pytest.mark.parametrize(
    "word",
    [None, "", "x", ".", "000000.AAAA", f"{SPIRAL.key[:6]}.", f"{SPIRAL.key[:6]}.{'A' * 171}",
     f"{SPIRAL.key[:6]}.{'A' * 170}B", f"{SPIRAL.key[:6]}.{'é' * 171}", f"{SPIRAL.key[:6]}.{'/' * 171}"],
)  # fmt: skip
def test_what_marks_nothing_is_none(word):
    assert marks.decoded(SPIRAL, word) is None


def test_bars_keep_their_places():
    before, now = np.array([0.5, 0.3, 0.1, 0.05, 0.03, 0.02]), np.array([0.0, 0.1, 0.1, 0.1, 0.1, 0.6])
    assert bars.rows(before, before) == [0, 1, 2, 3, 4]
    assert bars.rows(before, now) == [0, 1, 2, 5, 3]
    assert bars.rows(before[:2], now[:2]) == [0, 1]


# ---------------------------------------------------------------- paint it out


def test_a_link_shows_the_cover_and_what_both_networks_say_of_it(app):
    mark = corner()
    at = fine(app(PAGE, **PAIR, e_cover=marks.coded(SPIRAL, mark)))
    for name, shown in zip(("texture_resnet", "texture_vit"), html(at), strict=True):
        model, now = shared_model(name), chances(name, by_hand(mark))
        before = chances(name, SPIRAL.array)
        first, top = int(before.argmax()), int(now.argmax())
        assert ("Still" in shown) == (first == top)
        for index in {first, top}:
            assert f'title="{now[index]:.2%}, was {before[index]:.2%}"><span>{model.label(index)}<' in shown
    assert at.query_params["e_cover"] == [marks.coded(SPIRAL, mark)] or at.query_params["e_cover"]


def test_what_the_map_would_have_covered_is_as_many_cells(app):
    mark = corner(8, 8)
    at = fine(app(PAGE, **PAIR, e_cover=marks.coded(SPIRAL, mark)))
    model = shared_model("texture_resnet")
    before = chances("texture_resnet", SPIRAL.array)
    index = int(before.argmax())
    images = model.preprocess(SPIRAL.image)
    heat = cams(model, images, (index,), default_layer(model), "Grad-CAM")[0, 0]
    size = SPIRAL.size
    values = cells.on_cells(heat, model.preprocess.box(size), size, (32, 32))
    order = values.flatten().argsort(descending=True)[:64]
    first = np.zeros(1024, bool)
    first[order] = True
    by_map = chances("texture_resnet", by_hand(first.reshape(32, 32)))[index]
    yours = chances("texture_resnet", by_hand(mark))[index]
    (said,) = [one for one in all_maps(at) if one["key"] == "e_map_a"]
    assert "the first 64 cells" in said["words"]
    assert f"from {before[index]:.0%} to **{by_map:.0%}** under the map’s first cells" in said["facts"]
    assert f"under as many of yours to **{yours:.0%}**" in said["facts"]


def test_the_smallest_cover_that_changes_an_answer_is_kept(app):
    whole = np.ones((32, 32), bool)
    at = fine(app(PAGE, **PAIR, e_cover=marks.coded(SPIRAL, whole)))
    changed = [slot for slot, shown in zip("ab", html(at), strict=True) if "Changed" in shown]
    assert changed, "a blurred picture has another answer"
    for slot in changed:
        assert marks.decoded(SPIRAL, at.session_state[f"e_best_{slot}"]).all()
    assert "Your smallest cover that changes its answer: **100.0%**" in words(at)
    smaller = np.ones((32, 32), bool)
    smaller[0] = False
    at.session_state["e_cover"] = marks.coded(SPIRAL, smaller)
    fine(at.run())
    assert "answer: **96.9%**" in words(at)
    at.session_state["e_cover"] = marks.coded(SPIRAL, corner(1, 1))
    fine(at.run())
    assert "answer: **96.9%**" in words(at), "it stays"
    at.button(key=f"e_show_{changed[0]}").click().run()
    assert (marks.decoded(SPIRAL, at.session_state["e_cover"]) == smaller).all()


def test_a_link_s_smallest_cover_is_asked_and_not_believed(app):
    at = fine(app(PAGE, **PAIR, e_best_a=marks.coded(SPIRAL, corner(1, 1))))
    assert words(at).count("No cover of yours has changed its answer yet.") == 2


def test_mean_colour_and_another_picture_cover_too(app):
    mark = corner(32, 32)
    link = {"e_cover": marks.coded(SPIRAL, mark)}
    mean = html(fine(app(PAGE, **PAIR, **link, e_with="mean")))[0]
    other = html(fine(app(PAGE, **PAIR, **link, e_with="picture", e_other="A rocket")))[0]
    array = np.full_like(SPIRAL.array, 0) + SPIRAL.array.mean((0, 1)).round().astype(np.uint8)
    assert f'title="{chances("texture_resnet", array).max():.2%}' in mean and mean != other


# ---------------------------------------------------------------- guess first


def test_maps_are_covered_until_somebody_has_guessed(app):
    at = fine(app(PAGE, **PAIR, e_part="Guess first"))
    assert at.button(key="e_uncover").disabled and not all_maps(at)
    at.session_state["e_guess"] = marks.coded(SPIRAL, corner())
    fine(at.run())
    assert not at.button(key="e_uncover").disabled and not all_maps(at)
    at.button(key="e_uncover").click().run()
    assert len(all_maps(fine(at))) == 2 and at.query_params["e_open"]
    at.button(key="e_again").click().run()
    assert not all_maps(fine(at)) and "e_guess" not in at.session_state


def test_what_you_share_with_a_map(app):
    mark = corner(16, 32)
    at = fine(app(PAGE, **PAIR, e_part="Guess first", e_class="spiralled", e_open="true",
                  e_guess=marks.coded(SPIRAL, mark)))  # fmt: skip
    for name, said in zip(("texture_resnet", "texture_vit"), all_maps(at), strict=True):
        model = shared_model(name)
        index = model.labels.index("spiralled")
        heat = cams(model, model.preprocess(SPIRAL.image), (index,), default_layer(model), "Grad-CAM")[0, 0]
        box = model.preprocess.box(SPIRAL.size)
        values = cells.on_cells(heat, box, SPIRAL.size, (32, 32))
        union = overlap(torch.from_numpy(mark).float(), values, 0.5)  # of as many cells each
        share = 2 * union / (1 + union)
        found = re.search(r"You share \*\*(\d+)%\*\* with its map; by chance 50%", said["facts"])
        assert int(found[1]) == pytest.approx(100 * share, abs=1.5), "but for ties, which are drawn"


# ---------------------------------------------------------------- fool it


def test_the_change_is_the_one_that_is_found_and_both_are_asked(app):
    at = fine(app(PAGE, **PAIR, e_part="Fool it", e_size="4", e_whom="b"))
    model, other = shared_model("texture_vit"), shared_model("texture_resnet")
    index = int(chances("texture_vit", SPIRAL.array).argmax())
    *_, found = trick.tricks(model, SPIRAL.array, index, 4)
    said = words(at)
    now = chances("texture_vit", found.picture)
    assert f"**Texture ViT is fooled**: it said “{model.label(index)}”" in said
    assert f"now “{model.label(int(now.argmax()))}” ({now.max():.0%}); no value" in said
    theirs = chances("texture_resnet", found.picture)
    assert f"“{other.label(int(theirs.argmax()))}” ({theirs.max():.0%})" in said.split("Texture ResNet", 1)[1]
    assert "rank correlation" in said and len(all_maps(at)) == 8


# ---------------------------------------------------------------- any networks, any link


@pytest.mark.parametrize("part", [LONG_PAINT, "Guess first", LONG_FOOL])
def test_photographs(app, part):
    cat = sample("Chelsea the cat")
    link = {"e_cover": marks.coded(cat, np.ones((21, 32), bool)), "e_open": "true"}
    link["e_guess"] = link["e_cover"]
    at = fine(app(PAGE, picture=cat.title, a="efficientnet_lite0", b="photo_vit", e_part=part, **link))
    assert len(all_maps(at)) == {"Paint it out": 2, "Guess first": 2, "Fool it": 8}[part]
    if part == "Guess first":
        assert all("share **100%** with its map; by chance 100%" in one["facts"] for one in all_maps(at))


@pytest.mark.parametrize("part", ["Paint it out", "Guess first", "Fool it"])
def test_what_is_said_of_a_kind_of_picture_that_was_never_seen_is_called_a_guess(app, part):
    rocket = sample("A rocket")
    link = {"e_guess": marks.coded(rocket, np.ones((21, 32), bool)), "e_open": "true", "e_part": part}
    at = fine(app(PAGE, picture=rocket.title, a="texture_resnet", b="texture_vit", **link))
    said = all_words(at) + " ".join(one["facts"] for one in all_maps(at))
    assert said.count("what it says of another picture is a guess") >= 2


@pytest.mark.parametrize("part", ["Paint it out", "Guess first", "Fool it"])
def test_a_network_without_classes_is_said_to_have_none(app, classless, part):
    link = {
        "e_guess": marks.coded(SPIRAL, corner()),
        "e_open": "true",
        "e_cover": marks.coded(SPIRAL, corner()),
    }
    at = fine(app(PAGE, **PAIR | {"b": classless}, weights_b="random", e_part=part, **link))
    said = words(at) + "".join(html(at))
    assert "EVA-02 Ti/14 has no classes" in said or "it has no classes to be asked for" in said


@pytest.mark.parametrize("part", ["Paint it out", "Guess first", "Fool it"])
def test_both_networks_without_classes(app, classless, part):
    at = fine(app(PAGE, picture="A rocket", a=classless, b=classless, weights_a="random", weights_b="random",
                  e_part=part))  # fmt: skip
    assert "no classes" in words(at) + "".join(html(at)) or "has classes to be asked for" in words(at)


HOSTILE = {
    "e_part": "<b>",
    "e_with": "fog",
    "e_cover": "x" * 5000,
    "e_best_a": "😀",
    "e_best_b": f"{SPIRAL.key[:6]}.{'A' * 171}",
}
PARTS = {
    "e_class": "no such class",
    "e_guess": f"000000.{'_' * 171}",
    "e_open": "true",
}
SIZES = {"e_whom": "c", "e_size": "1e999"}


@pytest.mark.parametrize(
    "link", [HOSTILE, PARTS | {"e_part": "Guess first"}, SIZES | {"e_part": "Fool it"},
             {"e_with": "picture", "e_other": "<script>"}],
)  # fmt: skip
def test_whatever_a_link_says_ends_in_a_sentence(app, link):
    at = app(PAGE, **PAIR, **link)
    assert not at.exception and not at.error
    said = "\n".join(one.value for one in at.warning)
    for key, value in link.items():
        known = value in ("Guess first", "Fool it", "picture")
        assert said.count(f"link, {key} is “") == (not known), key


def test_what_was_painted_is_of_its_picture(app):
    at = fine(app(PAGE, **PAIR, e_cover=marks.coded(SPIRAL, corner())))
    at.selectbox(key="picture").set_value("A rocket").run()
    assert "e_cover" not in fine(at).session_state and "e_cover" not in at.query_params


@pytest.mark.parametrize("part", [LONG_PAINT, "Guess first", LONG_FOOL])
def test_what_is_found_can_be_taken_away(app, part):
    link = {
        "e_cover": marks.coded(SPIRAL, corner()),
        "e_guess": marks.coded(SPIRAL, corner()),
        "e_open": "true",
    }
    at = fine(app(PAGE, **PAIR, e_part=part, **link))
    panels = dict(at.session_state["panels"])
    assert set(panels) == {"", "a", "b"} and len(at.session_state["kept"]) >= 2
    file = Image.open(io.BytesIO(saving.slide_file(panels, 1)))
    assert file.width > 3 * SPIRAL.size[0] and file.height > SPIRAL.size[1]
    page = posters.file(panels, "", "http://a.b/experiments?e_part=x", "", "png")
    assert Image.open(io.BytesIO(page)).size == (2480, 1754)


def test_a_page_that_is_left_after_many_strokes_is_as_it_was(server):
    """A stroke writes the address and draws its own part of the page alone: the sidebar's links are older."""
    visitor = painting.Painter(server.removeprefix("http://"), painting.LINK, "experiments")
    visitor.open()
    mask = np.zeros((32, 32), bool)
    for turn in range(1, 15):
        mask[turn, turn : turn + 4] = True
        assert painting.lift(visitor, mask, turn) < 60 and not visitor.errors()
    cover, shown = visitor.link["e_cover"], painting.bars(visitor)
    assert cover == marks.coded(SPIRAL, mask) and 0 < shown.count("<ol") <= 2
    for page in ("experiments", "grad_cam", "experiments"):
        (link,) = [one for one in visitor.elements("page_link") if one.page == page][:1]
        visitor.link = dict(parse_qsl(link.query_string))
        visitor.visit(page)
        assert visitor.link.get("e_cover") == cover and not visitor.errors()
    assert painting.bars(visitor) == shown
    visitor.close()
