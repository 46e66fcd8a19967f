"""What is used of Streamlit beyond what it documents: each with the reason, and a test of its own.

Written for Streamlit 1.67. Where a later one has changed, ``tests/test_streamlit_private.py`` says which.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from contextlib import suppress
from typing import Any

from starlette.exceptions import HTTPException
from streamlit import delta_generator
from streamlit.delta_generator_singletons import get_dg_singleton_instance
from streamlit.errors import StreamlitDuplicateElementKey
from streamlit.runtime import Runtime
from streamlit.runtime.app_session import AppSession, AppSessionState
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import ScriptRunnerEvent
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx
from streamlit.runtime.state.session_state import WStates

from .limits import forget_session_seconds, session_upload_bytes, uploads_an_hour
from .turns import begins, ends, may_send

BURST_SECONDS = 0.2  # what a run says meanwhile is told together; most runs take less

# Streamlit's own list of pages closes the sidebar over a phone's page at a click; links that carry an address
# don't, nor does what is chosen in it, and nothing documented closes it.
CLOSE_SIDEBAR = """
  const sidebar = document.querySelector("[data-testid=stSidebar]");
  if (sidebar && !sidebar.dataset.closes) {
    sidebar.dataset.closes = "1";
    const close = (wait) => {
      const button = "[data-testid=stSidebarCollapseButton] button";
      if (window.innerWidth < 768) setTimeout(() => sidebar.querySelector(button)?.click(), wait);
    };
    sidebar.addEventListener("click", (event) => {
      if (event.target.closest("[data-testid=stPageLink], .st-key-reset")) close(0);
    });
    sidebar.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.role === "combobox") close(300);
    });
    document.addEventListener("pointerup", (event) => {  // a list lies outside of what it belongs to
      const chosen = event.target.closest("[role=option]");
      if (chosen && sidebar.contains(document.activeElement)) close(300);
    }, true);
  }
"""


def start_with_main_script() -> None:
    """Until ``st.navigation`` has run once on a server, a link to a page is taken for a call of its file
    alone; from here on Streamlit starts with the main script. There is no option for it."""
    PagesManager.uses_pages_directory = False


def no_use_warning() -> None:
    """Streamlit looks once, as the first element is drawn, whether it runs without a server: through all
    modules, for an eighth of a second. There is no option for it."""
    delta_generator._use_warning_has_been_displayed = True


def came_by_history() -> bool:
    """Whether the browser's Back or Forward asked for this run. The same address may also come late, from a
    click that was made before the browser had heard of the last change: nothing public tells them apart."""
    context = get_script_run_ctx()
    return context is not None and bool(context.is_history_navigation)


def drop_what_widgets_hide() -> None:
    """Forget values that were given to a key before its widget was drawn.

    Streamlit keeps them below the widget's own value, and returns to them once the widget isn't drawn any
    more: what a visitor chose on another page would be undone. What is documented forgets both.
    """
    context = get_script_run_ctx()
    if context is None:
        return
    state: Any = context.session_state._state
    drawn = state._key_id_mapper.id_key_mapping
    for widget in [one for one in drawn if one in state._old_state or one in state._new_widget_state]:
        state._old_state.pop(drawn[widget], None)


def brought_along() -> Any:
    """What a browser says of its widgets as a session begins; nothing on a first visit. A page that has lost
    its process goes on with another one, and tells what stands on it."""
    context = get_script_run_ctx()
    found: Any = context and context.session_state._state._new_widget_state.states
    return dict(found or {})


def as_brought(brought: Any, keys: Any) -> dict[str, Any]:
    """The values in it of the widgets, among these keys, that have been drawn since."""
    context, found = get_script_run_ctx(), {}
    if context is None:
        return found
    state: Any = context.session_state._state
    for key in keys:
        widget = state._key_id_mapper.get_id_from_key(key)
        if widget in brought and widget in state._new_widget_state.widget_metadata:
            own = WStates({widget: brought[widget]}, dict(state._new_widget_state.widget_metadata))
            found[key] = own[widget]
    return found


def hand_over(rested: dict[str, float], seconds: float) -> int:
    """Close the connections of sessions whose last answer is some seconds old: their pages go on elsewhere.

    ``rested`` says since when each has, by former calls. Returns how many are left.
    """
    runtime: Any = Runtime.instance()
    now, loop = time.monotonic(), runtime._get_async_objs().eventloop
    sessions = runtime._session_mgr.list_active_sessions()
    for one in sessions:
        if one.session._state == AppSessionState.APP_IS_RUNNING:
            rested.pop(one.session.id, None)
        elif now - rested.setdefault(one.session.id, now) >= seconds:
            loop.call_soon_threadsafe(lambda own=one: loop.create_task(own.client._websocket.close(1012)))
    return len(sessions)


def connected() -> set[str]:
    """The sessions whose pages are open. Nothing public lists them."""
    sessions: Any = Runtime.instance()._session_mgr if Runtime.exists() else None
    return {one.session.id for one in sessions.list_active_sessions()} if sessions else set()


def session_id() -> str:
    """Whose script this is; empty where none runs. Only what it calls its context tells it."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def of_no_room():
    """Where elements go that take no room on the page, not even a gap, such as those that bring code or
    pictures to the browser. Toasts go there; nothing documented leads to it."""
    return get_dg_singleton_instance().event_dg


def once():
    """In which an element that is on the page already is left as it is. Streamlit documents no question for
    whether a key has been used in a run, and no name for the error."""
    return suppress(StreamlitDuplicateElementKey)


def tell_in_bursts() -> None:
    """What a run says goes to the browser in bursts, and at once as it ends.

    Streamlit wakes its event loop for each of a page's 130 elements while the script runs, and the browser
    draws the page anew for every few of them: told together, both have half the work, and nothing on the page
    is stale for long. There is no option for it. The same events say whose answer is being computed.
    """
    kind: Any = AppSession
    if getattr(kind, "_bursts", False):
        return
    tell = kind._on_scriptrunner_event
    patient = ScriptRunnerEvent.ENQUEUE_FORWARD_MSG, ScriptRunnerEvent.SCRIPT_STARTED

    def hand_over(self) -> None:  # on the event loop, as all that an event does
        self._waits = False
        announce, self._message_enqueued_callback = self._message_enqueued_callback, None
        try:
            while self._held:
                self._handle_scriptrunner_event_on_event_loop(**self._held.popleft())
        finally:
            self._message_enqueued_callback = announce
        if announce:
            announce()

    def on_event(self, sender, event, **more) -> None:
        if not hasattr(self, "_held"):
            self._held, self._waits = deque(), False
        if event == ScriptRunnerEvent.SCRIPT_STARTED:
            begins(self.id)
        elif event not in patient:
            ends(self.id)
        if event in patient:
            self._held.append({"sender": sender, "event": event, **more})
            if not self._waits:
                self._waits = True
                later = self._event_loop.call_later
                self._call_soon_on_event_loop(lambda: later(BURST_SECONDS, hand_over, self))
            return
        if self._held:
            self._call_soon_on_event_loop(lambda: hand_over(self))
        tell(self, sender, event, **more)

    kind._on_scriptrunner_event, kind._bursts = on_event, True


def bound_uploads() -> None:
    """Bound the files that a session holds together, and let them go soon after it has gone.

    Streamlit bounds one file alone. Those that no widget has claimed stay until their session ends, and a
    session ends only when another one connects after it: on a quiet server, never.
    """
    kind: Any = MemoryUploadedFileManager
    if getattr(kind, "_bounded", False):
        return
    add = kind.add_file
    lock = threading.Lock()

    def add_file(self, session_id, file) -> None:
        with lock:
            others = dict(self.file_storage.get(session_id, {}))
            others.pop(file.file_id, None)
            if not may_send(session_id):
                words = (
                    f"This server takes {uploads_an_hour()} files an hour from each session: come back later."
                )
                raise HTTPException(429, words)
            bound = session_upload_bytes()
            if len(file.data) + sum(len(one.data) for one in others.values()) > bound:
                words = f"Your files are larger than {bound / 1e6:,.0f} MB together: remove one first."
                raise HTTPException(413, words)
            add(self, session_id, file._replace(name=file.name.replace("\0", "")))
            if not getattr(self, "_swept", False):
                self._swept = True
                threading.Thread(target=_sweep, args=(self, lock), daemon=True).start()

    kind.add_file, kind._bounded = add_file, True


def _sweep(manager: Any, lock: threading.Lock) -> None:
    """Until no session holds a file, drop those of sessions that can't come back."""
    gone: dict[str, float] = {}  # session -> when it was first seen to have gone
    while True:
        time.sleep(min(5.0, forget_session_seconds()))
        if not Runtime.exists():
            return
        runtime, now = Runtime.instance(), time.monotonic()
        for session_id in list(manager.file_storage):
            if runtime.is_active_session(session_id):
                gone.pop(session_id, None)
            elif now - gone.setdefault(session_id, now) >= forget_session_seconds():
                manager.remove_session_files(session_id)
                del gone[session_id]
                sessions: Any = runtime._session_mgr  # it holds what widgets have claimed
                with sessions._storage_lock:
                    sessions._session_storage._cache.expire()
        with lock:
            if not any(manager.file_storage.values()):
                manager._swept = False
                return
