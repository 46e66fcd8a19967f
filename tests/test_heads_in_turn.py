"""Every head alone, for other pictures, and one after the other: beside what each is by itself."""

import numpy as np
import pytest
import torch
from shared import shared_model
from test_networks import noise

from vizcore.drawing.signed_table import signed_table
from vizcore.inside.heads_in_turn import STEPS, each_head, elsewhere, removed
from vizcore.inside.projections import heads
from vizcore.inside.switched_off import Off, means_over, switched_off
from vizcore.scores import probabilities


@pytest.fixture(scope="module")
def vit():
    model = shared_model("texture_vit")
    return model, heads(model), noise(model, 0)


def chance(model, images, index):
    with torch.no_grad():
        return float(probabilities(model.net, model.net(images))[0, index])


@pytest.mark.parametrize("by", ["zero", "mean"])
def test_every_head_alone_is_that_head_switched_off(vit, by):
    model, own, images = vit
    every = [Off("heads", name) for name in own]
    means = means_over(model, [noise(model, 1), noise(model, 2)], every, own) if by == "mean" else None
    steps = list(each_head(model, images, 3, own, means))
    assert [one.done for one in steps] == [1, 2, 3, 4, 5, 6] and np.isnan(steps[0].falls[1:]).all()
    before, last = chance(model, images, 3), steps[-1]
    assert abs(last.chance - before) < 1e-5 and last.falls.shape == (6, 3)
    for block, head in [(0, 0), (2, 1), (5, 2)]:
        off = [Off("heads", model.attention[block], (head,))]
        after = chance(switched_off(model, off, own, means), images, 3)
        assert abs(last.falls[block, head] - (before - after)) < 1e-5
    with pytest.raises(ValueError, match="class"):
        next(each_head(model, images, 99, own))


def test_elsewhere_is_the_mean_of_pictures_each_asked_for_its_own_answer(vit):
    model, own, _ = vit
    pictures = [noise(model, seed) for seed in (1, 2)]
    steps = list(elsewhere(model, pictures, own))
    assert [one.done for one in steps] == list(range(1, 13)) and {one.total for one in steps} == {12}
    assert [one.pictures for one in steps][4:7] == [0, 1, 1] and np.isnan(steps[4].falls).all()
    wanted = []
    for images in pictures:
        with torch.no_grad():
            top = int(model.net(images)[0].argmax())
        *_, one = each_head(model, images, top, own)
        wanted.append(one.falls)
    assert np.allclose(steps[-1].falls, np.mean(wanted, 0), atol=1e-6)
    assert np.array_equal(steps[6].falls, wanted[0]), "what is whole is there before the rest"


def test_heads_one_after_the_other(vit, monkeypatch):
    model, own, images = vit
    *_, tried = each_head(model, images, 3, own)
    steps = list(removed(model, images, 3, own, tried.falls))
    first, last = steps[0], steps[-1]
    assert first.by_lot is None and last.orders == 5 and last.done == last.total == 6
    assert last.counts.tolist() == list(range(19)) and STEPS >= 18
    assert abs(last.first[0] - last.by_lot[0]) < 1e-5 and abs(last.first[-1] - last.by_lot[-1]) < 1e-5
    block, head = np.unravel_index(np.argmax(tried.falls), tried.falls.shape)
    alone = switched_off(model, [Off("heads", model.attention[block], (int(head),))], own)
    assert abs(last.first[1] - chance(alone, images, 3)) < 1e-5
    monkeypatch.setattr("vizcore.inside.heads_in_turn.STEPS", 6)
    few = next(removed(model, images, 3, own, tried.falls))
    assert few.counts.tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert np.allclose(few.first, last.first[few.counts], atol=1e-5)


def test_a_table_of_signed_numbers():
    found = signed_table(
        np.array([[1.0, -1.0], [np.nan, 0.0]]), ["0", "1"], ["a", "b"], "T", ("head", "block")
    )
    assert found.dtype == np.uint8 and found.shape[2] == 3
    colours = {tuple(one) for one in found.reshape(-1, 3)}
    assert len(colours) > 4 and (214, 214, 214) in colours, "what is no number is grey"
    assert signed_table(np.zeros((12, 144)), [""] * 12, [""] * 144, "T", ("", "")).shape[1] > 800
