"""Strangers: a queue that is fair between sessions, a door, and how much one of them may ask for."""

import subprocess
import sys
import threading
import time

import pytest
from shared import ROOT
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from ui import door, hearing, limits, streamlit_private, turns


class Silent:
    def caption(self, _words):
        pass


@pytest.fixture
def alone(monkeypatch):
    """One run computes at a time, and nobody has computed before."""
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    monkeypatch.setattr(turns, "ASIDE", 0.0)
    monkeypatch.setattr(turns, "_used", type(turns._used)(float))


def test_who_has_computed_less_goes_first_whenever_he_came(alone):
    turns._used["greedy"] = 100.0
    order, first = [], turns.turn("first", Silent())
    first.__enter__()

    def run(session: str) -> None:
        with turns.turn(session, Silent()):
            order.append(session)

    threads = []
    for session in "greedy", "greedy", "new":
        threads.append(threading.Thread(target=run, args=(session,)))
        threads[-1].start()
        time.sleep(0.05)
    first.__exit__(None, None, None)
    for thread in threads:
        thread.join(5)
    assert order == ["new", "greedy", "greedy"]


def test_a_long_run_makes_room_for_a_session_that_has_had_less(alone, monkeypatch):
    monkeypatch.setattr(turns, "SLICE", 0.0)
    order = []
    with turns.turn("long", Silent()) as own:
        own.rest()  # nobody waits
        order.append("long")

        def short() -> None:
            with turns.turn("short", Silent()):
                order.append("short")

        thread = threading.Thread(target=short)
        thread.start()
        while len(turns._queue) < 2:
            time.sleep(0.01)
        time.sleep(0.01)
        own.rest()
        order.append("long")
        thread.join(5)
        assert own.seconds > 0
    assert order == ["long", "short", "long"] and not turns._queue


def test_who_clicks_without_pause_waits_and_others_do_not(monkeypatch):
    slept = []
    monkeypatch.setattr(turns.time, "sleep", slept.append)
    for _ in range(turns.BURST):
        turns.pace("stranger")
    assert not slept
    for _ in range(3):
        turns.pace("stranger")
    turns.pace("another")
    assert len(slept) == 3 and all(0 < seconds <= 2 for seconds in slept)


def test_a_page_that_speaks_without_pause_is_heard_later_and_others_are_not(monkeypatch):
    monkeypatch.setattr(hearing, "AT_ONCE", 4)
    monkeypatch.setattr(hearing, "A_SECOND", 20)

    async def answered(socket):
        await socket.accept()
        async for message in socket.iter_text():
            await socket.send_text(message)

    def seconds(page, messages: int) -> float:
        begun = time.monotonic()
        for number in range(messages):
            page.send_text(str(number))
        assert [page.receive_text() for _ in range(messages)] == [*map(str, range(messages))]
        return time.monotonic() - begun

    app = Starlette(routes=[WebSocketRoute("/", answered)], middleware=[hearing.MIDDLEWARE])
    with TestClient(app) as client, client.websocket_connect("/") as eager:
        assert seconds(eager, 3) < 0.1, "with the one that it came by, as many as are heard at once"
        assert 0.4 < seconds(eager, 10) < 1.5
        with client.websocket_connect("/") as other:
            assert seconds(other, 3) < 0.1
        time.sleep(0.3)
        assert seconds(eager, 3) < 0.1, "who pauses is heard at once again"


def test_where_many_come_at_once_answers_are_given_in_order(monkeypatch):
    """Not more than so many compute, but for what takes long: that doesn't hold up the others for good."""
    monkeypatch.setattr(turns, "ANSWERS", 2)
    monkeypatch.setattr(turns, "ORDER_SECONDS", 0.2)
    at_work, most, order, lock = [], [], [], threading.Lock()

    def answer(session: str, seconds: float) -> None:
        turns.begins(session)
        turns.pace(session)
        with lock:
            at_work.append(session)
            most.append(len(at_work))
            order.append(session)
        time.sleep(seconds)
        with lock:
            at_work.remove(session)
        turns.ends(session)

    def come(names: list[str], seconds: float) -> list[threading.Thread]:
        threads = [threading.Thread(target=answer, args=(name, seconds)) for name in names]
        for one in threads:
            one.start()
            time.sleep(0.01)
        return threads

    names = [f"in order {k}" for k in range(8)]
    for one in come(names, 0.05):
        one.join()
    assert order == names and max(most) == 2 and not turns._line and not turns._answered
    long = come(["long", "longer"], 1.5)
    begun = time.monotonic()
    for one in come(["short"], 0.01):
        one.join()
    assert time.monotonic() - begun < 1 and at_work == ["long", "longer"]
    for one in long:
        one.join()


def test_who_asked_much_lately_lets_go_first_who_came_later(monkeypatch):
    monkeypatch.setattr(turns, "ANSWERS", 1)
    monkeypatch.setattr(turns, "ORDER_SECONDS", 5)
    monkeypatch.setattr(turns, "_clicks", {})
    for _ in range(2 * turns.FEW):
        turns.pace("eager")
    order = []

    def answer(session: str) -> None:
        turns.begins(session)
        turns.pace(session)
        order.append(session)
        turns.ends(session)

    turns.begins("at work")
    waiting = []
    for session in ("first", "eager", "later"):
        waiting.append(threading.Thread(target=answer, args=(session,)))
        waiting[-1].start()
        time.sleep(0.1)
    turns.ends("at work")
    for one in waiting:
        one.join(10)
    assert order == ["first", "later", "eager"] and not turns._line


def test_a_session_sends_so_many_files_an_hour(monkeypatch):
    streamlit_private.bound_uploads()
    monkeypatch.setenv("SIGHTLINES_SESSION_UPLOADS", "2")
    manager = MemoryUploadedFileManager("/upload")
    send = [
        lambda n=n: manager.add_file("of limits", UploadedFileRec(str(n), "a", "", b"")) for n in range(3)
    ]
    send[0](), send[1]()
    with pytest.raises(HTTPException, match="takes 2 files an hour"):
        send[2]()
    manager.add_file("another", UploadedFileRec("3", "a", "", b""))


def test_who_comes_later_waits_in_line_until_somebody_has_gone(monkeypatch):
    monkeypatch.setattr(door, "_came", {})
    here = set()

    def place(session: str, now: float) -> int:
        here.add(session)
        return door.line(session, here, 2, now)

    assert [place(session, 0.0) for session in "abcd"] == [0, 0, 1, 2]
    here.discard("a")
    assert place("c", 5.0) == 1, "it may have lost the connection for a moment"
    assert (place("d", 30.0), place("c", 30.0)) == (1, 0)
    here.discard("b")
    place("c", 31.0)
    assert (place("d", 60.0), place("a", 60.0)) == (0, 1), "it has lost its place"


def run_of_steps():
    import streamlit as st

    from ui.jobs import job

    class Step:
        def __init__(self, done):
            self.done, self.total = done, 100

    def steps():
        import time

        for done in range(1, 101):
            time.sleep(0.02)
            yield Step(done)

    st.session_state["seen"] = len(job("j", "?", steps, lambda found: None, "Run"))


def test_a_run_that_has_had_its_time_stops_says_why_and_goes_on_when_asked(monkeypatch):
    monkeypatch.setenv("SIGHTLINES_RUN_SECONDS", "0.1")
    monkeypatch.setenv("SIGHTLINES_SESSION_RUNS", "2")
    at = AppTest.from_function(run_of_steps, default_timeout=20).run()
    at.button(key="j_button").click().run()
    first = at.session_state["seen"]
    assert 0 < first < 50 and any("a run may compute for" in one.value for one in at.caption)
    assert at.button(key="j_button").label == "Go on"
    at.button(key="j_button").click().run()
    second = at.session_state["seen"]
    assert second > first
    at.button(key="j_button").click().run()
    assert at.session_state["seen"] == second and "2 long runs an hour" in at.info[0].value


def test_a_full_house_says_who_is_before_you(monkeypatch):
    def script():
        from ui import door

        if not door.closed():
            import streamlit as st

            st.write("inside")

    monkeypatch.setenv("SIGHTLINES_SESSIONS", "2")
    monkeypatch.setattr(door, "connected", set)  # AppTest has nobody who is
    monkeypatch.setattr(door, "_came", dict.fromkeys("abc", time.monotonic() + 100))
    at = AppTest.from_function(script).run()
    assert "All 2 places" in at.info[0].value and "1 person waits before you" in at.info[0].value
    monkeypatch.setattr(door, "_came", {})
    assert AppTest.from_function(script).run().markdown[0].value == "inside"


@pytest.mark.skipif(sys.platform != "linux", reason="another C library")
def test_threads_share_two_heaps():
    """So that what one run of a script has freed is there for the next."""
    code = """
import ctypes, threading
from ui.limits import few_heaps
{}
libc, together = ctypes.CDLL(None), threading.Barrier(8)
def run():
    together.wait()
    libc.free(libc.malloc(1000))
threads = [threading.Thread(target=run) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
libc.malloc_stats()"""

    def heaps(told: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", code.format(told)], capture_output=True, text=True, cwd=ROOT
        )
        return done.stderr.count("Arena")

    usual = heaps("")
    if usual == 0:
        pytest.skip("no glibc")
    assert heaps("few_heaps()") <= limits.HEAPS < usual
