"""Several generators at once, each in a thread, as the pages run both networks."""

import threading
import time

import pytest

from ui import abreast
from ui.abreast import abreast as at_once


@pytest.fixture(params=[1, 2])
def cores(request, monkeypatch):
    monkeypatch.setattr(abreast, "CORES", request.param)
    return request.param


def test_all_values_come_those_of_each_in_their_order(cores):
    found = list(at_once([lambda: iter("abc"), lambda: iter("xy"), lambda: iter("")]))
    assert [value for k, value in found if k == 0] == list("abc")
    assert [value for k, value in found if k == 1] == list("xy")
    assert len(found) == 5


def test_they_run_at_the_same_time(monkeypatch):
    monkeypatch.setattr(abreast, "CORES", 2)
    both = threading.Barrier(2, timeout=20)

    def meets():
        both.wait()  # fails unless the other one waits too
        yield threading.current_thread().name

    assert len({name for _, name in at_once([meets, meets])}) == 2


def test_who_fails_is_heard_and_the_others_end(cores):
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def fails():
        yield 2
        raise ValueError("no such class")

    with pytest.raises(ValueError, match="no such class"):
        list(at_once([endless, fails]))
    assert closed.wait(20)


def test_nobody_runs_ahead_of_who_asks(cores):
    made = [0, 0]

    def counts(k):
        for _ in range(50):
            made[k] += 1
            yield made[k]

    steps = at_once([lambda: counts(0), lambda: counts(1)])
    next(steps), next(steps)
    time.sleep(0.1)  # as a run that was stopped, to go on later
    assert max(made) <= 2
    assert len(list(steps)) == 98
