"""Concepts: errors fall, nothing is negative, what was planted is found, what is taken out is gone."""

import pytest
import torch
from shared import shared_model
from test_networks import noise

from vizcore.capture import capture
from vizcore.inside.concepts import (
    COLOURS,
    concepts,
    factorise,
    features_of,
    importance,
    in_colours,
    strongest,
    without_each,
)
from vizcore.scores import probabilities


def test_the_error_never_rises_and_nothing_is_negative():
    torch.manual_seed(0)
    values = torch.rand(60, 15)
    steps = list(factorise(values, 4, rounds=100))
    assert [one.done for one in steps] == list(range(10, 101, 10))
    explained = [one.explained for one in steps]
    assert all(after >= before - 1e-6 for before, after in zip(explained, explained[1:], strict=False))
    for one in steps:
        assert (one.amounts >= 0).all() and (one.parts >= 0).all()
        assert torch.allclose(one.parts.norm(dim=1), torch.ones(4), atol=1e-4)
    last = steps[-1]
    error = (values - last.amounts @ last.parts).square().sum() / values.square().sum()
    assert abs(float(1 - error) - last.explained) < 1e-4 and 0.7 < last.explained < 1
    with pytest.raises(ValueError, match="at least 0"):
        next(factorise(-values, 2))
    assert [one.explained for one in factorise(torch.zeros(5, 3), 2)][-1] == 0


def test_a_planted_factorisation_is_found():
    """Each part has channels of its own and each is alone somewhere, so that there is one answer."""
    torch.manual_seed(1)
    parts = torch.zeros(3, 12)
    for k in range(3):
        parts[k, 4 * k : 4 * k + 4] = torch.rand(4) + 0.2
    amounts = torch.rand(90, 3) * (torch.rand(90, 3) > 0.5)
    *_, last = factorise(amounts @ parts, 3, rounds=600)
    assert last.explained > 0.999
    wanted = parts / parts.norm(dim=1, keepdim=True)
    alike = wanted @ last.parts.T
    assert (alike.max(1).values > 0.99).all() and sorted(alike.argmax(1).tolist()) == [0, 1, 2]
    order = alike.argmax(1)
    assert torch.allclose(last.amounts[:, order], amounts * parts.norm(dim=1), atol=0.05)


@pytest.mark.parametrize("name, layer, split", [("texture_resnet", "layer3.0", False),
                                                ("texture_vit", "blocks.3", True)])  # fmt: skip
def test_concepts_of_a_layer(name, layer, split):
    model = shared_model(name)
    pictures = [noise(model, seed) for seed in range(3)]
    *_, found = concepts(model, pictures, layer, 4, rounds=60)
    layout = model.layouts[layer]
    assert found.maps.shape == (3, 4, *layout.grid) and found.split == split
    assert found.parts.shape == (4, layout.channels * (1 + split)) and (found.maps >= 0).all()
    means = found.maps.mean((0, 2, 3))
    assert torch.equal(means, means.sort(descending=True).values) and 0.2 < found.explained <= 1
    whole = layout.maps(capture(model.net, pictures[1], [layer]).layers[layer])[0]
    near = sum(features_of(found, 1, k) for k in range(4))
    assert (whole - near).square().sum() < whole.square().sum(), "they come nearer than nothing"
    again = list(concepts(model, pictures, layer, 4, rounds=60))[-1]
    assert torch.equal(again.maps, found.maps)
    places = strongest(found, 0)
    assert len(places) == 3 and len({picture for picture, *_ in places}) == 3
    picture, row, column = places[0]
    assert found.maps[picture, 0, row, column] == found.maps[:, 0].max()


@pytest.mark.parametrize("name, layer", [("texture_resnet", "layer3.0"), ("texture_vit", "blocks.3")])
def test_what_is_taken_out_is_gone(name, layer):
    model = shared_model(name)
    pictures = [noise(model, seed) for seed in range(2)]
    *_, found = concepts(model, pictures, layer, 3, rounds=20)
    falls = without_each(model, pictures[1], layer, found, 1, 5)
    with torch.no_grad():
        before = probabilities(model.net, model.net(pictures[1]))[0, 5]
    layout = model.layouts[layer]
    from vizcore.inside.replaced import replaced, with_maps

    def change(output):
        return with_maps(layout, output, layout.maps(output) - features_of(found, 1, 2))

    after = probabilities(model.net, replaced(model.net, pictures[1], {layer: change}))[0, 5]
    assert abs(float(falls[2]) - float(before - after)) < 1e-5 and falls.shape == (3,)
    every = importance(model, pictures, layer, found, 5)
    both = [without_each(model, one, layer, found, k, 5) for k, one in enumerate(pictures)]
    assert torch.allclose(every, torch.stack(both).mean(0))
    nothing = found._replace(maps=torch.zeros_like(found.maps))
    assert without_each(model, pictures[0], layer, nothing, 0, 5).abs().max() < 1e-5


def test_colours_are_of_the_strongest():
    maps = torch.tensor([[[1.0, 0.2]], [[0.5, 4.0]]])
    seen = in_colours(maps, torch.tensor([1.0, 4.0]))
    assert torch.allclose(seen[:, 0, 0], torch.tensor(COLOURS[0]))
    assert torch.allclose(seen[:, 0, 1], torch.tensor(COLOURS[1]))
    assert not in_colours(torch.zeros(2, 1, 2), torch.zeros(2)).any()
