"""A process that is told to end: it isn't well for who balances it, and lets go of pages that are at rest."""

import asyncio
import types

import pytest
from streamlit.runtime.app_session import AppSessionState

from ui import leaving, streamlit_private


def asked(path: str, kind: str = "http") -> list[dict]:
    """What the middleware says to a request; "through" where it lets it pass."""
    said = []

    async def app(scope, receive, send):
        said.append("through")

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        said.append(message)

    asyncio.run(leaving._Leaving(app)({"type": kind, "path": path}, receive, send))
    return said


def test_its_health_says_so_and_it_takes_no_new_pages(monkeypatch):
    monkeypatch.setattr(leaving, "_told", leaving.threading.Event())
    monkeypatch.setattr(leaving, "is_warm", lambda: True)
    monkeypatch.setenv("SIGHTLINES_LEAVE_SECONDS", "60")
    health, page = ("/_stcore/health",), ("/_stcore/stream", "websocket")
    assert asked(*health) == asked(*page) == ["through"]
    leaving._told.set()
    assert asked(*health)[0]["status"] == 503 and asked(*page)[0]["type"] == "websocket.close"
    assert asked("/media/a.png") == ["through"], "pages that are still there fetch their pictures"


def test_one_that_has_not_imported_all_yet_is_not_well_where_others_are(monkeypatch):
    monkeypatch.setattr(leaving, "is_warm", lambda: False)
    assert asked("/_stcore/health") == ["through"]
    monkeypatch.setenv("SIGHTLINES_LEAVE_SECONDS", "60")
    assert asked("/_stcore/health")[0]["status"] == 503


def test_only_pages_that_are_at_rest_are_let_go(monkeypatch):
    closed = []

    def open_page(name: str, state):
        async def close(code):
            closed.append((name, code))

        client = types.SimpleNamespace(_websocket=types.SimpleNamespace(close=close))
        return types.SimpleNamespace(session=types.SimpleNamespace(id=name, _state=state), client=client)

    async def main():
        loop = asyncio.get_running_loop()
        runtime = types.SimpleNamespace(
            _get_async_objs=lambda: types.SimpleNamespace(eventloop=loop),
            _session_mgr=types.SimpleNamespace(list_active_sessions=lambda: pages),
        )
        monkeypatch.setattr(streamlit_private.Runtime, "instance", lambda: runtime)
        rested: dict[str, float] = {}
        assert streamlit_private.hand_over(rested, 0.05) == 2
        await asyncio.sleep(0.1)
        assert not closed
        assert streamlit_private.hand_over(rested, 0.05) == 2
        await asyncio.sleep(0.1)

    pages = [
        open_page("rests", AppSessionState.APP_NOT_RUNNING),
        open_page("asks", AppSessionState.APP_IS_RUNNING),
    ]
    asyncio.run(main())
    assert closed == [("rests", 1012)]


@pytest.mark.parametrize("place", ["_session_mgr", "_get_async_objs"])
def test_streamlit_has_what_it_is_asked_for(place):
    import inspect

    from streamlit.runtime import runtime
    from streamlit.web.server.starlette import starlette_websocket

    assert place in inspect.getsource(runtime) and "_websocket" in inspect.getsource(starlette_websocket)
