"""Rooms of a class: what counts, what doesn't, and a whole room with a teacher and thirty phones."""

import re
import time
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from benchmarks.load import at_once
from benchmarks.visitor import Visitor
from ui import guide
from ui.classrooms import HOURS, LETTERS, MOST, SEATS, Rooms, read_code, wait
from ui.lessons import LESSONS
from ui.room import seat as seats
from vizcore.experiments.verdicts import class_chose, class_marked

LESSON, COUNT = "paint", 30


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "file"])
def kept(request, tmp_path):
    """Rooms as one process has them, and as another has them that shares the file."""
    file = str(tmp_path / "rooms.db") if request.param == "file" else ":memory:"
    clock = Clock()
    one = Rooms(file, clock)
    return one, Rooms(file, clock) if request.param == "file" else one, clock


def test_each_seat_counts_once(kept):
    one, other, _ = kept
    code, desk = one.open("truth")
    assert len(code) == 6 and set(code) <= set(LETTERS) and one.is_desk(code, desk)
    assert not one.is_desk(code, "") and not one.is_desk(code, desk + "x") and not one.is_desk("", desk)
    taken = [other.join(code) for _ in range(30)]
    assert len(set(taken)) == 30 and all(one.has_seat(code, word) for word in taken)

    def guess(number: int) -> list[bool]:
        return [(one, other)[k % 2].guess(code, 1, taken[number], str(number % 3)) for k in range(5)]

    assert [sum(counted) for counted in at_once(guess, 30)] == [1] * 30
    assert not any(one.guess(code, 1, taken[0], str(k)) for k in range(1000)), "from one seat"
    assert one.guesses(code, 1) == {"0": 10, "1": 10, "2": 10}
    assert not one.guess(code, 2, taken[0], "0"), "that isn't asked now"
    assert not one.guess(code, 1, "nobody", "0") and not one.guess("ABCDEF", 1, taken[0], "0")
    late = one.join(code)
    assert not one.guess(code, 1, late, "x" * 201)
    one.reveal(code, 1)
    assert other.find(code).revealed and not other.guess(code, 1, late, "0")
    one.ask(code, 2)
    assert not other.find(code).revealed and other.guess(code, 2, late, "0")
    one.ask(code, 1)
    assert other.find(code).revealed and one.seats(code) == 31 and one.guessed(code, 2, late) == "0"


def test_a_room_ends(kept):
    one, other, clock = kept
    code, desk = one.open("truth")
    word = one.join(code)
    clock.now += 3600 * HOURS - 1
    assert other.find(code) and other.guess(code, 1, word, "0")
    clock.now += 1
    assert other.find(code) is None and not one.is_desk(code, desk)
    one.open("truth")
    assert one.guesses(code, 1) == {} and one.join(code) is None, "nothing is left of it"


def test_rooms_are_bounded_in_number_and_size():
    clock = Clock()
    rooms = Rooms(now=clock)
    first, _ = rooms.open("truth")
    assert sum(rooms.join(first) is not None for _ in range(SEATS + 5)) == SEATS
    second, _ = rooms.open("truth")
    for _ in range(2 * MOST):
        clock.now += 1
        assert rooms.open("truth")
    assert rooms.find(first) and not rooms.find(second), "that to which nobody came makes room"
    for (code,) in rooms._do("select code from rooms"):
        rooms.join(code)
    assert rooms.open("truth") is None


def test_ten_wrong_codes_then_a_growing_wait():
    assert [wait(wrong, 5.0, 5.0) for wrong in (0, 9)] == [0, 0]
    pauses = [wait(wrong, 5.0, 5.0) for wrong in range(10, 30)]
    assert pauses[:3] == [2, 4, 8] and pauses == sorted(pauses) and pauses[-1] <= 600
    assert wait(10, 5.0, 7.0) == 0


@pytest.mark.parametrize("typed", ["abc 23d", "ABC-23D", "abc23d\n"])
def test_a_code_is_read_as_it_is_typed(typed):
    assert read_code(typed) == "ABC23D"


def test_what_is_said_of_a_class():
    assert class_chose(19, 30, 4) == "**19 of 30** guessed right (63%); by lot it would be 25%."
    assert class_chose(0, 0, 3) == "Nobody has guessed."
    theirs = {"A": 0.44, "B": 0.56}
    said = class_marked("spiralled", 0.88, theirs, 0.35)
    assert "the class marked **88%** lies on “spiralled”, of the map of A 44%, of the map of B 56%" in said
    assert class_marked("spiralled", None, theirs, 0.35).startswith("Nobody has marked anything.")


# ---------------------------------------------------------------- on the pages


def page_words(at) -> str:
    return "\n".join(one.value for one in [*at.markdown, *at.info, *at.success, *at.caption])


def test_wrong_codes_end_in_a_sentence_and_a_wait(app, monkeypatch):
    rooms = Rooms()
    monkeypatch.setattr(seats, "rooms", lambda: rooms)
    at = app("pages/room.py", room="<b>💥" * 9)
    assert not at.exception and "No room has the code" in page_words(at)
    for k in range(11):
        at.text_input(key="room_code").set_value(f"WRN{k:03d}")
        next(one for one in at.button if one.label == "Come in").click().run()
        assert not at.exception and ("No room has the code" if k < 9 else "wrong codes") in page_words(at), k


# ---------------------------------------------------------------- thirty phones


def words(visitor: Visitor) -> str:
    found = [getattr(one, "body", "") for one in visitor.elements("markdown", "alert", "heading")]
    return "\n".join([*found, *(one.text for one in visitor.elements("progress"))])


def look(visitor: Visitor) -> str:
    """What a page says after it has looked at the room again, as its browser makes it every two seconds."""
    shown = [(getattr(one, "body", ""), place) for _, one, place in visitor.shown.values()]
    fragment = next(place for body, place in shown if "have guessed" in body or body.startswith("Room "))
    visitor._ask(fragment=fragment)
    assert not visitor.errors()
    return words(visitor)


def button(visitor: Visitor, label: str):
    """A button and the fragment that it belongs to."""
    return next((e, f) for kind, e, f in visitor.shown.values() if kind == "button" and label in e.label)


def say(visitor: Visitor, label: str) -> str:
    """Press a button, and what the page then says."""
    found = next((e, f) for kind, e, f in visitor.shown.values() if kind == "button" and label in e.label)
    visitor.change(found[0], True, found[1])
    assert not visitor.errors()
    return words(visitor)


def flood(visitor: Visitor, label: str, times: int) -> str:
    """Press a button many times without waiting for an answer, whether it can be pressed or not; what the
    page says once all is answered."""
    element, fragment = button(visitor, label)
    ask = BackMsg()
    pressed = WidgetState(id=element.id, trigger_value=True)
    ask.rerun_script.widget_states.widgets.extend([*visitor.set.values(), pressed])
    ask.rerun_script.query_string = urlencode(visitor.link)
    ask.rerun_script.fragment_id = fragment
    ask.rerun_script.page_script_hash = visitor.pages.get(visitor.page, "")
    for _ in range(times):
        visitor.socket.send(ask.SerializeToString())
    with suppress(TimeoutError):  # what it answers meanwhile: a whole run brings all of it anew
        while True:
            visitor.socket.recv(timeout=3)
    visitor._ask()
    assert not visitor.errors()
    return words(visitor)


def present(desk: Visitor, number: int) -> None:
    step = LESSONS[LESSON].steps[number - 1]
    query = guide.query_of(LESSON, number) | {"l_present": "true"}
    desk.link = {name: value if isinstance(value, str) else value[0] for name, value in query.items()}
    desk.visit(step.page.removeprefix("pages/").removesuffix(".py"))
    assert not desk.errors() and step.question in words(desk)


@pytest.fixture
def room(server):
    """A desk at the first step of a lesson, and thirty seats."""
    address = server.removeprefix("http://")
    desk = Visitor(address, page="lessons")
    desk.open()
    (picker,) = [e for e in desk.elements("selectbox") if e.label == "Lesson"]
    desk.change(picker, LESSONS[LESSON].title)
    say(desk, "Open a room")
    present(desk, 2)
    code = re.search(r"Join with the code \*\*(\w{6})", words(desk))[1]
    phones = [Visitor(address, f"room={code}", "room") for _ in range(COUNT)]
    at_once(lambda number: [phones[number].open()], COUNT)
    yield desk, phones, code
    for one in (desk, *phones):
        one.close()


def test_a_class_of_thirty_and_three_questions(room):
    desk, phones, _code = room
    letters = "ABC"
    for number in (2, 3, 4):
        step = LESSONS[LESSON].steps[number - 1]
        if number > 2:
            present(desk, number)
        assert f"**0** of {COUNT} have guessed" in look(desk)
        assert all(step.question in said for said in map(look, phones)), "the phones follow"
        come = COUNT - (number == 4)  # one is late

        def guess(k: int, step=step) -> list:
            said = say(phones[k], f"**{letters[k % len(step.options)]}**")
            return [said, time.monotonic()]

        told = at_once(guess, come)
        assert all("counts once" in said for said, _ in told)
        last = max(when for _, when in told)
        while f"**{come}** of {COUNT} have guessed" not in look(desk):
            assert time.monotonic() - last < 4
            time.sleep(0.2)
        again = flood(phones[0], "**B**", 150) if number == 2 else say(phones[0], "**B**")
        assert "counts once" in again
        assert f"**{come}** of {COUNT} have guessed" in look(desk)
        right = len(range(step.right, come, len(step.options)))
        said = say(desk, "Show the answer")
        assert f"**{right} of {come}** guessed right" in said and step.answer in said
        assert step.answer in look(phones[number])
    assert "Too late" in say(phones[-1], "**B**"), "on a phone that hasn't heard of it"


def test_a_room_s_page_asks_for_no_network(app):
    at = app("pages/room.py")
    assert not at.exception and not at.selectbox and "Code" in [one.label for one in at.text_input]
