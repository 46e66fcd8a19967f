"""What the app uses of Streamlit beyond its documentation. A failure here says what a new version broke."""

import asyncio
import inspect
import threading

import pytest
from starlette.exceptions import HTTPException
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette import starlette_routes

from ui import streamlit_private, turns


def test_a_page_is_started_with_the_main_script(monkeypatch):
    monkeypatch.setattr(PagesManager, "uses_pages_directory", True)
    streamlit_private.start_with_main_script()
    assert PagesManager.uses_pages_directory is False, "a first link to a page shows its file alone"


def test_a_run_knows_whether_back_or_forward_asked_for_it():
    assert "is_history_navigation" in inspect.signature(ScriptRunContext.reset).parameters, (
        "Back to an address that was shown lately can't be told from a late click: it may do nothing"
    )
    assert not streamlit_private.came_by_history()


def test_a_widget_s_value_does_not_return_to_what_was_there_before_it():
    def script():
        import streamlit as st

        from ui import streamlit_private

        streamlit_private.drop_what_widgets_hide()
        if "begun" not in st.session_state:
            st.session_state["kept"] = st.session_state["begun"] = 1
        elif st.session_state["begun"] == 1:
            st.number_input("kept", key="kept")

    at = AppTest.from_function(script).run()
    at.run()
    at.number_input(key="kept").set_value(2).run()
    at.session_state["begun"] = 2
    at.run().run()
    assert not at.exception and "kept" not in at.session_state, "an older value comes back"


def test_elements_of_no_room_are_not_on_the_page_and_a_second_one_is_none():
    def script():
        import streamlit as st

        from ui import streamlit_private

        for words in ("one", "two"):
            with streamlit_private.of_no_room(), streamlit_private.once():
                st.text_input(words, key="the same")
        st.text("on the page")

    at = AppTest.from_function(script).run()
    assert not at.exception, at.exception
    assert [one.value for one in at.main.get("text")] == ["on the page"]
    assert not at.main.get("text_input"), "pictures for the viewer take room on the page"
    assert [one.label for one in at.get("text_input")] == ["one"], "a second one of a key is refused or drawn"


def test_every_upload_comes_by_the_function_that_is_bounded(monkeypatch):
    source = inspect.getsource(starlette_routes.create_upload_routes)
    assert "upload_mgr.add_file(" in source, "uploads are kept without a bound"
    streamlit_private.bound_uploads()
    monkeypatch.setenv("SIGHTLINES_SESSION_UPLOAD_MB", "1")
    manager = MemoryUploadedFileManager("/upload")

    def send(session, name, size):
        manager.add_file(session, UploadedFileRec(name, f"{name}\0", "image/png", bytes(size)))

    send("one", "first", 600_000)
    with pytest.raises(HTTPException, match="larger than 1 MB together") as refused:
        send("one", "second", 600_000)
    assert refused.value.status_code == 413
    send("two", "second", 600_000)  # each session has its own bound
    send("one", "first", 900_000)  # the same file anew takes its own place
    assert [file.name for file in manager.get_files("one", ["first", "second"])] == ["first"]


def test_sessions_that_have_gone_can_be_let_go():
    storage = MemorySessionStorage(ttl_seconds=0)
    assert hasattr(storage._cache, "expire"), "what a session claimed stays until another one connects"
    source = inspect.getsource(WebsocketSessionManager.__init__)
    assert "self._storage_lock" in source and "self._session_storage" in source


def test_what_a_run_says_is_told_in_bursts_in_its_order_and_at_once_at_its_end():
    parameters = inspect.signature(AppSession._handle_scriptrunner_event_on_event_loop).parameters
    assert list(parameters)[1:4] == ["sender", "event", "forward_msg"]
    streamlit_private.tell_in_bursts()
    loop, told, announced = asyncio.new_event_loop(), [], []

    class Session:
        id = "a session"
        _event_loop = loop
        _on_scriptrunner_event = AppSession._on_scriptrunner_event
        _call_soon_on_event_loop = AppSession._call_soon_on_event_loop

        def __init__(self):
            self._message_enqueued_callback = lambda: announced.append(list(told))

        def _handle_scriptrunner_event_on_event_loop(self, sender, event, forward_msg=None, *_, **__):
            told.append(forward_msg or event.name)
            if self._message_enqueued_callback:
                self._message_enqueued_callback()

    def after(seconds: float) -> list:
        # in a thread of its own: a browser's loop may be running in this one
        thread = threading.Thread(target=loop.run_until_complete, args=(asyncio.sleep(seconds),))
        thread.start()
        thread.join()
        return list(told)

    session, element = Session(), ScriptRunnerEvent.ENQUEUE_FORWARD_MSG
    session._on_scriptrunner_event(None, ScriptRunnerEvent.SCRIPT_STARTED, page_script_hash="")
    session._on_scriptrunner_event(None, element, forward_msg="one")
    assert after(0) == [] == announced
    assert after(1.5 * streamlit_private.BURST_SECONDS) == ["SCRIPT_STARTED", "one"]
    assert announced == [["SCRIPT_STARTED", "one"]]  # the browser hears of both together
    assert not turns._quiet.is_set()  # somebody waits for this session's answer
    session._on_scriptrunner_event(None, element, forward_msg="two")
    session._on_scriptrunner_event(None, element, forward_msg="three")
    session._on_scriptrunner_event(None, ScriptRunnerEvent.SCRIPT_STOPPED_WITH_SUCCESS)
    assert after(0)[2:] == ["two", "three", "SCRIPT_STOPPED_WITH_SUCCESS"]  # at its end nothing waits
    assert turns._quiet.is_set()
    after(1.5 * streamlit_private.BURST_SECONDS)
    assert len(told) == 5 and session._message_enqueued_callback
    loop.close()
