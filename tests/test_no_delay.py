"""Small answers leave at once, whichever protocol uvicorn takes."""

import importlib
import socket
import threading

import pytest

from ui import no_delay, warmup


class Transport:
    def __init__(self, own):
        self.own = own

    def get_extra_info(self, name):
        return self.own if name == "socket" else None


class Protocol:
    made: list = []

    def connection_made(self, transport):
        self.made.append(transport)


@pytest.fixture
def told(monkeypatch):
    monkeypatch.setattr(Protocol, "connection_made", Protocol.connection_made)
    monkeypatch.setattr(Protocol, "made", [])
    no_delay._told_of_connections(Protocol)
    return Protocol


def test_a_connection_waits_for_no_confirmation(told):
    with socket.socket(socket.AF_INET) as own:  # as Streamlit makes its own, without the protocol's number
        assert not own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        told().connection_made(Transport(own))
        assert own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert len(told.made) == 1


def test_what_has_no_such_delay_is_left_alone(told):
    before = told.connection_made
    no_delay._told_of_connections(told)
    assert told.connection_made is before, "told twice, it is done once"
    one, other = socket.socketpair()
    with one, other:
        told().connection_made(Transport(one))
    told().connection_made(Transport(None))
    assert len(told.made) == 2


def test_the_protocol_that_the_server_takes_is_among_them():
    no_delay.no_delay()
    config = importlib.import_module("uvicorn").Config(app=lambda *_: None)  # Streamlit brings it
    config.load()
    assert config.http_protocol_class.connection_made.without_delay


def test_what_the_first_page_needs_is_done_once_it_is_on_its_way(monkeypatch):
    for name in ("_sent", "_wanted"):
        monkeypatch.setattr(warmup, name, threading.Event())
    rehearsed = threading.Event()
    monkeypatch.setattr(warmup, "FIRST_SECONDS", 20.0)
    thread = threading.Thread(target=warmup._for_the_first_page, args=(rehearsed.set,))
    thread.start()
    assert not rehearsed.wait(0.2)
    warmup.page_sent()
    assert rehearsed.wait(5) and thread.is_alive()
    warmup._wanted.set()
    thread.join(5)
    assert not thread.is_alive()
