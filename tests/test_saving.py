"""What can be taken away from a page: files that can be read back, and code that makes the same figures."""

import ast
import csv
import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from ui import code, saving
from ui.network_picker import Choice
from ui.picture_picker import Picture
from vizcore import __version__
from vizcore.drawing import render, slide

PAIR = {"a": "texture_resnet", "picture": "Honeycomb in bands"}
PLAIN = np.zeros((9, 9, 3), np.uint8)
STATES = {  # what a page is opened with, and the figures that it then offers
    "Grad-CAM": ("grad_cam", {"g_class": "banded", "g_method_b": "relevance", "g_opacity": "40"}, 2),
    "Grad-CAM, others": ("grad_cam", {"g_method_a": "LayerCAM", "g_layer_a": "layer3.0", "g_region": "false",
                                      "g_others": "true"}, 5),
    "Attention rollout": ("attention_rollout", {"r_class": "banded", "r_block": "3", "r_residual": "80"}, 4),
    "Attention rollout, a patch": (
        "attention_rollout",
        {"r_query": "the point", "x": "20", "r_head": "head 1", "r_scale": "shared", "r_colours": "grey",
         "r_method": "gradient-weighted rollout", "weights_b": "random", "seed_b": "3"}, 4),
    "Home": ("home", {"h_class": "banded"}, 2),
    "Saliency": ("saliency", {"s_class": "banded", "s_view": "greyscale"}, 2),
    "Feature maps": ("feature_maps", {"layer_a": "layer2.0", "channels_a": ["3", "7"]}, 2),
    "Feature maps, other views": (
        "feature_maps", {"view_a": "PCA colours", "view_b": "Similar places", "opacity_b": "90",
                         "picture": "Chelsea the cat", "a": "efficientnet_lite0"}, 2),
}  # fmt: skip


QUICK = "Attention rollout, a patch", "Home", "Saliency"  # python -m benchmarks long: all


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in STATES]
)
def test_show_the_code_makes_the_figures_of_the_page(app, monkeypatch, tmp_path, name):
    page, link, count = STATES[name]
    at = app(f"pages/{page}.py", **{**PAIR, **link})
    assert not at.exception and not at.error and not at.code
    at.session_state["show_code"] = True
    kept = at.run().session_state["kept"]
    shown = [block.value for block in at.code]
    written_down = [one for one in kept.values() if one.code]
    assert len(shown) == len(written_down) == count
    for one in written_down:
        assert one.code.strip() in shown and len(one.code.splitlines()) <= 30
        written = {}
        exec(
            compile(one.code.replace('"figure.png"', repr(str(tmp_path / "figure.png"))), name, "exec"),
            written,
        )
        figure, own = written["figure"], one.draw()
        assert figure.shape == own.shape and own.std() > 0
        # attention is kept in half precision, hence the little
        assert np.abs(figure.astype(int) - own.astype(int)).mean() < 0.3, one.caption
        assert np.asarray(Image.open(tmp_path / "figure.png")).shape == own.shape


def test_everything_can_be_read_back(app):
    at = app("pages/grad_cam.py", **PAIR, g_class="honeycombed")
    kept, tables = at.session_state["kept"], at.session_state["tables"]
    file = zipfile.ZipFile(io.BytesIO(saving.bundle(kept, tables)))
    assert file.testzip() is None
    figures = [name for name in file.namelist() if name.startswith("figures/")]
    assert figures == [
        "figures/grad-cam-of-texture-resnet-a.png",
        "figures/grad-cam-of-texture-vit-b.png",
        "figures/both-maps.png",
    ]
    for name, one in zip(figures, kept.values(), strict=True):
        picture = Image.open(io.BytesIO(file.read(name)))
        own = one.draw()
        assert picture.width == own.shape[1] and np.array_equal(np.asarray(picture)[: own.shape[0]], own)
        assert np.asarray(picture)[own.shape[0] :].min() < 100  # something is written below
        caption = picture.text["Description"]
        both = "Orange: Texture ResNet", "Blue: Texture ViT", "honeycombed", __version__
        facts = "Grad-CAM: Texture", "class honeycombed", "layer", "trained here", __version__
        for fact in facts if one.code else both:
            assert fact in caption
        assert caption in file.read("README.txt").decode()
    maps = np.load(io.BytesIO(file.read("maps.npz")))
    for name, one in kept.items():
        if one.maps:
            assert np.array_equal(maps[f"{saving.slug(name)}.map"], one.maps["map"])
            assert one.maps["map"].max() > 0
    rows = list(csv.DictReader(io.StringIO(file.read(file.namelist()[-2]).decode("utf-8-sig"))))
    assert len(rows) == 5 and 0 < float(rows[0]["probability"]) <= 1
    assert "figure" in file.read("code/grad-cam-of-texture-resnet-a.py").decode()


def test_a_long_caption_is_wrapped_and_a_narrow_picture_grows_down():
    picture = np.zeros((40, 200, 3), np.uint8)
    one, many = (render.captioned(picture, "word " * count) for count in (1, 40))
    assert one.shape[1] == many.shape[1] == 200 and many.shape[0] > one.shape[0] + 100
    assert np.array_equal(many[:40], picture)


@pytest.mark.parametrize("name", ['"""; import os #', "a\nimport os", "{name}", "\\", "’\u2028x"])
def test_names_from_outside_never_become_code(name):
    picture = Picture("key", name, Image.new("RGB", (20, 20)), np.zeros((20, 20, 3), np.uint8))
    choice = Choice("a", name, "checkpoint", 0, "digest")
    heat = code.heat(name, 3, name, layer=name)
    tree = ast.parse(code.script(choice, picture, heat, code.FRAMED, code.laid(1)))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    assert all(module == "numpy" or module.startswith(("PIL", "vizcore")) for module in imported)
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert name in constants


def test_files_have_plain_names():
    assert saving.slug("Grad-CAM of “x”/../y, A") == "grad-cam-of-x-y-a" and saving.slug("…") == "figure"


# ---------------------------------------------------------------- for a slide


@pytest.mark.parametrize(
    "page, link, times",
    [
        pytest.param("home", {"h_class": "banded"}, 4, marks=pytest.mark.long),
        ("grad_cam", {"g_class": "banded"}, 2),
    ],
)
def test_a_slide_has_the_maps_that_the_viewers_have(app, page, link, times):
    at = app(f"pages/{page}.py", **PAIR, **link)
    panels = at.session_state["panels"]
    assert list(panels) == ["", "a", "b"]
    made = np.asarray(Image.open(io.BytesIO(saving.slide_file(panels, times))))
    for number, slot in enumerate("ab", 1):
        panel = panels[slot][1]()
        shown = made[slide.tile(number, (384, 384), times)]
        assert np.array_equal(shown, panel.draw(times))
        name = f"Grad-CAM of {panel.title}, {slot.upper()}"
        viewers = at.session_state["kept"][name].draw()  # as the viewer draws it, of the same values
        assert np.array_equal(panel.draw(1), viewers)
        middle = shown[times // 2 :: times, times // 2 :: times].astype(int)  # the same places, but for edges
        assert np.median(np.abs(middle - viewers)) <= 2
        assert "banded" in panel.words[0] and "of the heat lies on the bands" in panel.words[1]
        assert "**" not in panel.words[1] and panel.words[2].startswith("It says: ") and panel.ends
    text = made[: slide.tile(0, (384, 384), times)[0].start]
    assert text.min() < 60  # a heading is there
    assert not at.get("download_button")  # until it is opened
    at.session_state["save"] = True
    labels = [one.label for one in at.run().get("download_button")]
    assert f"For a slide, {times} × (PNG)" in labels


def test_what_the_colours_of_a_slide_mean_is_known_for_every_colour_map():
    assert slide.ENDS.keys() == {*render.COLOUR_MAPS, "signed"}
    for name in render.COLOUR_MAPS:
        high = slide.ENDS[name][1]
        first, last = render.legend(name)[0, [0, -1]].astype(int)
        assert last.sum() > first.sum() + 200, name
        assert ("yellow" in high) == (last[0] > 200 and last[1] > 200 and last[2] < 200), name


def test_a_slide_says_whether_its_colours_can_be_compared():
    def says(*ends, colours="viridis"):
        panels = [render.Panel("", (), lambda times: PLAIN, None, pair, colours) for pair in ends]
        return " ".join(slide._legend_words([render.Panel("", (), lambda times: PLAIN), *panels]))

    assert says((0, 1), (0, 2)) == "Yellow: most; dark violet: least. Each map on its own scale."
    assert says((0, 1), (0, 1)).endswith("All maps on one scale.")
    assert says((0, 1), (0, 1), (0, 3)) == says((0, 1)) == "Yellow: most; dark violet: least."
    assert (
        says((-1, 1), (-1, 1), colours="signed") == "Orange: above zero; blue: below zero." and says() == ""
    )


def test_a_slide_s_words_are_wrapped_and_all_there():
    words = "one two three four five six seven eight nine ten " * 4
    panel = render.Panel("A", [words], lambda times: np.zeros((96 * times, 96 * times, 3), np.uint8))
    low, high = (render.slide([panel], "Head", "", times) for times in (1, 2))
    assert abs(high.shape[0] - 2 * low.shape[0]) <= 12
    assert render.slide([panel._replace(words=())], "Head", "", 1).shape[0] < low.shape[0]
