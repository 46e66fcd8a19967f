"""What is saved of a map looks as its viewer shows it: opacity, colours, scale and the true region."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ui import as_seen, viewer
from ui.attention_rollout.flows import Asked, Panel
from ui.feature_maps.views import Heat, Looked
from ui.mapped import Mapped
from ui.picture_picker import Picture
from ui.saliency.looks import Look
from ui.saliency.painting import OVER
from vizcore.drawing import render

GREY = np.full((64, 64, 3), 90, np.uint8)
MASK = np.zeros((64, 64), bool)
MASK[16:48, 16:48] = True
CHOICES = {  # each of which must be seen in what is saved
    "opacity": {"opacity": 20, "opacity_a": 20},
    "colours": {"colours": "cividis"},
    "scale": {"scale": "shared"},
    "region": {"region": False},
}


def over(low: float, high: float, **how) -> viewer.Map:
    values = np.linspace(low, high, 16, dtype=np.float32).reshape(4, 4)
    return viewer.Map(values, "a map", (0, 0, 64, 64), region="banded", **how)


PICTURE = SimpleNamespace(array=GREY, size=(64, 64), masks={"banded": MASK})


def drawn(one, seen=None, **look) -> np.ndarray:
    look = viewer.LOOK | look
    return as_seen.laid(PICTURE, one, look, as_seen.ends(one, (64, 64), look, seen))


def test_own_colours_end_at_a_map_s_own_values_and_shared_ones_at_those_of_all_like_it():
    one, other = over(1, 2), over(0, 4)
    seen = {"a": (one, (64, 64)), "b": (other, (64, 64)), "c": (over(-9, 9, unit="px"), (64, 64))}
    assert as_seen.ends(one, (64, 64), viewer.LOOK, seen) == pytest.approx((1, 2))
    shared = viewer.LOOK | {"scale": "shared"}
    assert as_seen.ends(one, (64, 64), shared, seen) == pytest.approx((0, 4))
    assert as_seen.ends(one._replace(shared=(0.0, 8.0)), (64, 64), shared, seen) == (0, 8)
    assert as_seen.ends(one._replace(kind="signed"), (64, 64), shared, seen) == (-1, 1)
    half = one._replace(box=(0, 0, 64, 200))  # the picture shows a part of what the network saw
    assert as_seen.ends(half, (64, 64), viewer.LOOK)[1] < 1.5


def test_what_is_laid_follows_each_choice_and_is_as_large_as_asked():
    one = over(1, 2)
    usual, seen = drawn(one), {"a": (one, (64, 64)), "b": (over(0, 4), (64, 64))}
    for name, choice in CHOICES.items():
        assert (drawn(one, seen, **choice) != usual).any(), name
    large = as_seen.laid(PICTURE, one, viewer.LOOK, (1, 2), times=2)
    assert large.shape == (128, 128, 3)


def test_words_of_a_page_become_plain():
    assert as_seen.plainly("a **b** :material/check: :red[nothing at all]") == "a b  nothing at all"


# ---------------------------------------------------------------- each page's own function


@pytest.fixture
def kept(monkeypatch):
    """What pages keep, without a page: by figure, and by place on a slide."""
    state = {"seen": {"other": (over(-3, 3)._replace(region=""), (64, 64))}, "panels": {}}
    monkeypatch.setattr(as_seen, "state", state)
    monkeypatch.setattr(as_seen.saving, "state", state)
    monkeypatch.setattr(as_seen.answers, "top_classes", lambda *question: [(0, 0.75)])
    monkeypatch.setattr(as_seen, "class_names", lambda model: ["banded"])
    monkeypatch.setattr(viewer, "show", lambda *told, **how: None)
    return state


def model():
    layout = SimpleNamespace(channels=3)
    preprocess = SimpleNamespace(box=lambda size: (0.0, 0.0, *map(float, size)))
    return SimpleNamespace(title="Net", source="trained", weights="trained", preprocess=preprocess,
                           labels=[], layouts={"layer": layout})  # fmt: skip


def asked():
    picture = Picture("key", "Bands", Image.fromarray(GREY), GREY, {"banded": MASK})
    return SimpleNamespace(slot="a"), model(), picture, render.CNN_COLOUR


def home(look):
    from ui.home import who_is_right

    one = Mapped(*asked(), 0, "banded", "Grad-CAM", "layer", torch.linspace(1, 2, 16).reshape(4, 4))
    who_is_right.over_picture.look = lambda keys: look
    who_is_right.keep(one, over(1, 2))


def grad_cam(look):
    one = Mapped(*asked(), 0, "banded", "Grad-CAM", "layer", torch.linspace(1, 2, 16).reshape(4, 4))
    as_seen.keep_method(one, over(1, 2), look)


def rollout(look):
    from ui.attention_rollout import build_up

    one = Asked(*asked(), 0, "banded", None, (0.5, 0.5), "mean", "", {})
    panel = Panel("Rollout", "class-agnostic", np.ones((1, 4, 4), np.float32), "", shares=True)
    build_up._keep(one, panel, 1, over(1, 2, shared=(0.0, 4.0)), look)


def saliency(look):
    from ui.saliency import panels

    one = Mapped(*asked(), 0, "banded", "gradient", map=torch.linspace(0, 2, 16).reshape(4, 4))
    panels.over_picture.picture = lambda one: viewer.Picture("id", (64, 64))
    made = panels._over(one, "banded", Look(OVER, look, True, {}, {}), "about", np.zeros((1, 4, 4)))
    as_seen.keep_for_slide(one, "heading", ["words"], *made[1:])


def feature_maps(look):
    from ui.feature_maps import panel

    choice, *rest = asked()
    looked = Looked("a", choice, *rest, "layer", torch.zeros(3, 4, 4))
    panel.keep(looked, "Channels", Heat(torch.linspace(1, 2, 16).reshape(4, 4), "strength"), over(1, 2), look)


PAGES = {  # what a visitor can choose on it
    home: ("opacity", "colours", "scale"),
    grad_cam: ("opacity", "colours", "scale", "region"),
    rollout: ("opacity", "colours", "scale"),
    saliency: ("opacity", "colours", "region"),
    feature_maps: ("opacity", "colours"),
}


@pytest.mark.parametrize("page", PAGES)
def test_the_saved_picture_and_the_slide_of_a_page_follow_what_was_chosen(page, kept, monkeypatch):
    from ui import over_picture

    for name in ("look", "picture"):
        monkeypatch.setattr(over_picture, name, getattr(over_picture, name))  # put back afterwards

    def saved(**choice) -> list[np.ndarray]:
        kept.update(kept={}, panels={})
        page(viewer.LOOK | choice)
        (figure,), ((_, _), (_, make)) = kept["kept"].values(), kept["panels"].values()
        panel = make()
        assert "It says: banded 75%." in panel.words
        assert np.array_equal(panel.draw(1), figure.draw())
        return [figure.draw(), panel.draw(2)]

    usual = saved()
    for name in PAGES[page]:
        for before, after in zip(usual, saved(**CHOICES[name]), strict=True):
            assert (before != after).any(), name
