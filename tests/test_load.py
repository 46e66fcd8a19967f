"""Several people on one server, a server that dies, and what they share: computed once, kept in bounds."""

import gc
import os
import sys
import threading
import time
import weakref

import pytest
from playwright.sync_api import expect
from shared import settled
from test_browser import drawn

from benchmarks.load import at_once, differences, follow, one_by_one
from benchmarks.visitor import Visitor
from ui import answers, held_passes, turns
from ui import shared_networks as networks
from ui.network_picker import Choice
from ui.picture_picker import sample
from vizcore.networks.build import build, find_entry
from vizcore.networks.load import ModelError, load_model


@pytest.mark.long  # python -m benchmarks load is the whole
def test_four_at_once_see_what_each_sees_alone(strict_server):
    """Their own photographs, other models and pages; not one picture or word may differ."""
    address = strict_server.removeprefix("http://")  # nobody has been there before
    results = at_once(lambda number: follow(address, number, False, float("inf"), most=4), 4)
    alone = one_by_one(address, results, 0)
    errors = [error for steps in results + alone for step in steps for error in step["errors"]]
    assert not errors and all(len(steps) == 4 and all(step["seen"] for step in steps) for steps in results)
    assert differences(results, alone) == []
    own = [steps[1]["seen"] for steps in results[1::2]]  # two who brought a photograph
    assert own[0] != own[1]  # so a mix-up would have been seen


def test_what_is_asked_by_all_at_once_is_computed_once(monkeypatch):
    calls, real = [], networks.time.monotonic

    def load(*_args, **_kwargs):
        calls.append(real())
        time.sleep(0.3)
        return load_model("texture_vit", "random")

    monkeypatch.setattr("vizcore.networks.load.load_model", load)
    choice = Choice("", "texture_vit", "random", 4321)
    found = at_once(lambda _: [networks.network(choice, (None, None))], 30)
    assert len(calls) == 1 and len({id(one) for (one,) in found}) == 1


def test_one_network_is_held_once_whichever_of_the_two_it_is(monkeypatch):
    monkeypatch.setattr(
        "vizcore.networks.load.load_model", lambda *_, **__: load_model("texture_vit", "random")
    )
    a, b, neither = (Choice(slot, "texture_vit", "random", 4322) for slot in ("a", "b", ""))
    assert networks.network(a, (None, None)) is networks.network(b, (None, None))
    assert [one for one in networks._held if one.seed == 4322] == [neither]


def test_of_thirty_who_ask_a_dead_hub_one_waits_for_it(monkeypatch):
    calls = []

    def load(*_args, **_kwargs):
        calls.append(1)
        time.sleep(0.3)
        raise ModelError("The hub can't be reached.")

    def ask(_number):
        with pytest.raises(ModelError, match="can't be reached"):
            networks.network(choice, (None, None))

    monkeypatch.setattr("vizcore.networks.load.load_model", load)
    choice = Choice("", "resnet18", "trained", 1234)
    start = time.monotonic()
    at_once(ask, 30)
    assert len(calls) == 1 and time.monotonic() - start < 5
    monkeypatch.setattr(networks, "RETRY_SECONDS", 0)  # some time later
    ask(0)
    assert len(calls) == 2


class AsLarge:
    """As large as a network is, and nothing else of it."""

    def __init__(self, choice, _files):
        self.net = build(choice.name, find_entry(choice.name))


def test_networks_are_bounded_by_bytes(monkeypatch):
    """23 MB of a DeiT push out the ResNet that has been idle for longest, not the one that was just used."""
    monkeypatch.setenv("SIGHTLINES_MODEL_MB", "40")
    monkeypatch.setattr(networks, "_held", type(networks._held)())
    monkeypatch.setattr(networks, "_made", AsLarge)
    choices = {
        name: Choice("", name, "random", 77)
        for name in ("texture_resnet", "texture_vit", "deit_tiny_patch16_224", "efficientnet_lite0")
    }
    first, used, large, more = choices.values()
    kept = {choice: networks.network(choice, (None, None)) for choice in (first, used)}
    networks.network(large, (None, None))
    assert networks.network(used, (None, None)) is kept[used]
    assert list(networks._held) == [first, large, used] and sum(networks._held.values()) < 40e6
    networks.network(more, (None, None))
    assert first not in networks._held and networks._held[more] > 18e6
    assert networks.network(first, (None, None)) is kept[first]  # a tab still had it: no second copy
    networks.network(more, (None, None))
    networks.network(large, (None, None))
    assert first not in networks._held
    gone = weakref.ref(kept.pop(first))
    gc.collect()
    assert gone() is None  # nobody has it any more


def test_a_network_larger_than_all_that_may_be_kept_is_refused_by_its_size(monkeypatch):
    def load(*_args, **_kwargs):
        raise AssertionError("nothing is downloaded or built")

    monkeypatch.setattr("vizcore.networks.load.load_model", load)
    with pytest.raises(ModelError, match=r"takes 4,5\d\d MB of memory, and this server keeps 1,300 MB"):
        networks.network(Choice("", "vit_giant_patch14_dinov2", "trained"), (None, None))


def test_what_is_held_for_the_next_question_goes_with_its_network():
    """The weights behind the layer too, which gradients need: of VGG's 138 million they are 124."""
    model, picture = load_model("texture_resnet", device="cpu"), sample("Scales in cracks")
    choice = Choice("", "texture_resnet", "of this test")
    assert answers.top_classes(choice, picture.key, model, picture.image)
    weights = weakref.ref(model.net.fc.weight)
    assert held_passes._passes[model]
    del model
    gc.collect()
    assert weights() is None


def test_a_closed_tab_frees_its_place_in_the_queue():
    """Streamlit raises in a script that is to end, wherever it is; whoever waits behind it goes on."""
    from ui.turns import _queue, turn

    class Place:
        def caption(self, _words):
            raise KeyboardInterrupt  # what a closed tab does at the next call of ``st``

    before = len(_queue)
    turns = [turn("", Place()) for _ in range(2)]
    for one in turns:
        one.__enter__()
    with pytest.raises(KeyboardInterrupt):
        turn("", Place()).__enter__()
    assert len(_queue) == before + 2
    for one in turns:
        one.__exit__(None, None, None)
    assert len(_queue) == before


@pytest.mark.long
def test_a_link_brings_everything_back_when_the_server_was_killed(tab, server, strict_server):
    """Page, models, picture and options; only the tab's own upload and a running computation are gone.

    The server that comes in its place knows nothing of those who were there.
    """
    link = "grad_cam?picture=Scales+in+cracks&a=texture_vit&b=texture_resnet&g_class=scaly&g_over=difference"
    seen = []
    for address in server, strict_server:
        tab.goto(f"{address}/{link}")
        tab.get_by_text("Agreement: rank correlation").wait_for()
        settled(tab)
        expect(tab.get_by_role("combobox", name="Picture", exact=True)).to_have_value("Scales in cracks")
        link = tab.url.split("/", 3)[3]
        seen.append((link, [drawn(tab, key) for key in ("g_a", "g_b", "g_ab")]))
    assert seen[0] == seen[1] and len(set(seen[0][1])) == 3


def told(visitor, kind: str) -> list:
    """The components of a kind on the page, each with what it may tell."""
    return [
        (one, values)
        for one, values, _ in visitor.options()
        if getattr(one, "component_name", "") == f"sightlines.{kind}"
    ]


@pytest.mark.long
def test_a_visitor_presses_what_the_viewers_offer(strict_server):
    """A class that is picked is one message, as from a browser, and both maps and the link follow."""
    visitor = Visitor(strict_server.removeprefix("http://"))
    try:
        visitor.open()
        ((picker, values),) = told(visitor, "picker")
        assert values == [("picked", name) for name in ("Egyptian cat", "espresso", "koala", "goldfish")]
        visitor.change(picker, values[0])
        assert visitor.link["h_class"] == "Egyptian cat" and not visitor.errors()
        visitor.visit("attention_rollout")
        viewer, _ = told(visitor, "viewer")[0]
        visitor.change(viewer, ("pinned", [0.2, 0.6]))
        assert (visitor.link["x"], visitor.link["y"]) == ("20", "60") and not visitor.errors()
    finally:
        visitor.close()


def test_a_long_job_steps_aside_for_those_who_wait_but_not_for_ever(monkeypatch):
    class Place:
        def caption(self, _words):
            raise AssertionError("nobody is before it")

    monkeypatch.setattr(turns, "ASIDE", 30.0)
    for session in "job", "another", "third":
        turns.begins(session)
    with turns.turn("job", Place()):  # that it computes itself is no reason to wait
        steps = threading.Thread(target=turns.step_aside)
        steps.start()
        turns.ends("another")
        steps.join(0.1)
        assert steps.is_alive()
        turns.ends("third")
        steps.join(10)
        assert not steps.is_alive()
        turns.begins("never ends")
        monkeypatch.setattr(turns, "ASIDE", 0.05)
        turns.step_aside()
    turns.ends("never ends")


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux alone")
def test_a_long_job_is_of_less_importance_than_what_others_wait_for():
    seen = {}

    def work():
        own = threading.get_native_id()
        with turns._after_others():
            seen["long"] = os.getpriority(os.PRIO_PROCESS, own)
            seen["another"] = os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id)

    usual = os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == {"long": max(turns.NICE, usual), "another": usual}


def test_what_runs_leave_is_collected_for_all_of_them_together(monkeypatch):
    """Streamlit doesn't collect after each run any more: while it does, nobody is answered."""
    from streamlit import config

    from ui import warmup

    class Leaves:
        pass

    def run() -> weakref.ref:
        one = Leaves()
        one.itself = one  # which nothing but a collection lets go
        warmup.leaves_garbage()
        return weakref.ref(one)

    assert config.get_option("runner.postScriptGC") is False
    monkeypatch.setattr(warmup, "TIDY_SECONDS", 0.05)
    monkeypatch.setattr(warmup, "_dirty", threading.Event())
    threading.Thread(target=warmup._tidy, daemon=True).start()
    gc.disable()
    try:
        for _ in range(2):  # also after it has slept
            left = [run() for _ in range(3)]
            end = time.monotonic() + 5
            while any(one() for one in left) and time.monotonic() < end:
                time.sleep(0.01)
            assert not any(one() for one in left)
    finally:
        gc.enable()
