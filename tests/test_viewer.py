"""The viewer's Python side: what it sends, and what it takes from a browser."""

import io
import json

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from ui import viewer
from ui.viewer import wire
from vizcore.drawing import render

BOX = (0, 0, 64, 48)


def unpacked(data: bytes) -> tuple[dict, bytes]:
    length = int.from_bytes(data[:4], "little")
    return json.loads(data[4 : 4 + length]), data[4 + length :]


def test_a_coarse_map_goes_as_it_is_and_a_fine_one_in_a_byte_a_value():
    rng = np.random.default_rng(0)
    coarse, fine = rng.normal(size=(24, 24)).astype(np.float32), rng.normal(size=(200, 300))
    head, values = wire.map_head(viewer.Map(coarse, "", BOX), 8)
    assert (viewer.sent(coarse) == coarse).all() and len(values) == 4 * coarse.size and head["at"] == 8
    head, values = wire.map_head(viewer.Map(fine, "", BOX), 0)
    assert len(values) == fine.size and head["apart"]
    step = (fine.max() - fine.min()) / 255
    assert np.abs(viewer.sent(fine) - fine).max() <= 0.51 * step
    assert viewer.sent(fine).dtype == np.float32


@pytest.mark.parametrize("values", [np.full((100, 100), 3.0), np.array([[-3e38, 3e38]] * 600)])
def test_flat_and_enormous_maps_keep_their_values(values):
    assert np.allclose(viewer.sent(values), values, rtol=1e-6)


def test_what_is_sent_says_what_it_is_and_differs_when_what_is_drawn_does():
    values = np.arange(6.0).reshape(2, 3)
    one = viewer.Map(values, "heat", BOX, name="cat", unit="cosine")
    head, data = wire.map_head(one, 0)
    assert (np.frombuffer(data, np.float32).reshape(2, 3) == values).all()
    assert (head["rows"], head["columns"], head["channels"], head["name"]) == (2, 3, 1, "cat")
    looks = [
        one._replace(values=values + 1), one._replace(box=(0, 0, 64, 47)), one._replace(range=(0, 1)),
        one._replace(kind="signed"), one._replace(values=values.reshape(3, 2)),
    ]  # fmt: skip
    assert len({head["id"], *(wire.map_head(other, 0)[0]["id"] for other in looks)}) == 6
    assert wire.map_head(one._replace(words="else", facts="new"), 0)[0]["id"] == head["id"]


@pytest.mark.parametrize(
    "one, words",
    [
        (viewer.Map(np.zeros((3, 2, 2)), "", BOX), r"heat map can't be \(3, 2, 2\)"),
        (viewer.Map(np.zeros((2, 2)), "", BOX, "colours"), r"colours map can't be \(2, 2\)"),
        (viewer.Map(np.zeros((2, 2)), "", BOX, "cold"), "'cold' is no kind of map; there are heat, signed"),
        (viewer.Map(np.zeros((5, 5)), "", BOX, grid=(2, 3)), r"2 × 3 places can't be \(5, 5\)"),
        (viewer.Map(np.array([[np.nan]]), "", BOX), "finite"),
        (viewer.Map(np.zeros((0, 3)), "", BOX), "empty"),
    ],
)
def test_what_is_no_map_is_refused_in_words(one, words):
    with pytest.raises(ValueError, match=words):
        wire.map_head(one, 0)


def test_a_picture_and_the_edges_of_its_regions_go_without_loss():
    array = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    inside = np.zeros((48, 64), bool)
    inside[10:30, 20:40] = True
    head, body = wire.picture_files(array, {"in": inside, "out": ~inside})

    def file(place):
        return np.asarray(Image.open(io.BytesIO(body[place[0] : place[0] + place[1]])))

    assert (file(head["picture"]) == array).all()
    for name, mask in (("in", inside), ("out", ~inside)):
        edge = file(head["regions"][name])[..., None]
        drawn = np.where(edge == 128, array, edge)
        assert (drawn == render.contour(array.copy(), mask)).all()


def test_the_head_and_the_bytes_come_apart_again():
    head, body = unpacked(wire.packed({"words": "„é“", "at": 0}, b"\0\1\2"))
    assert head == {"words": "„é“", "at": 0} and body == b"\0\1\2"


@pytest.mark.parametrize(
    "said", [None, [], [1], [1, 2, 3], "ab", ["x", 1], [float("nan"), 0], {"x": 1}, [[1], 2], 7, [10**400, 0]]
)
def test_what_is_no_place_is_not_taken(said):
    assert wire.place(said) is None


def test_a_place_lies_in_the_picture():
    assert wire.place([0.25, "0.5"]) == (0.25, 0.5)
    assert wire.place([-4, float("inf")]) == (0, 0.999)


def test_only_a_whole_look_is_taken():
    assert wire.look(dict(wire.LOOK)) == wire.LOOK
    wrong = {
        "opacity": [101, -1, "70", True, None],
        "colours": ["jet", None, []],
        "scale": ["", 3],
        "region": [1],
    }
    for name, values in wrong.items():
        for value in values:
            assert wire.look({**wire.LOOK, name: value}) is None, (name, value)
    assert wire.look({}) is None and wire.look([70]) is None and wire.look({**wire.LOOK, "more": 1}) is None


def test_the_stub_that_crosses_the_wire_with_every_map_is_small():
    assert len(viewer._STUB) < 300


def test_rules_of_style_come_together_from_a_page_s_second_run_on():
    def script():
        import streamlit as st

        from ui import viewer

        viewer.load("page")
        for number in range(2 + st.session_state.get("more", 0)):
            viewer.style(f".one-{number} {{ color: red; }}")

    def rules(at):
        return [one.proto.body for one in at.get("html")]

    at = AppTest.from_function(script).run()
    assert [rule.count(".one-") for rule in rules(at)] == [0, 1, 1]
    assert [rule.count(".one-") for rule in rules(at.run())] == [2]
    at.session_state["more"] = 1
    assert [rule.count(".one-") for rule in rules(at.run())] == [2, 1]
    at.session_state["more"] = -1
    assert [rule.count(".one-") for rule in rules(at.run())] == [3] and len(rules(at.run())) == 1
