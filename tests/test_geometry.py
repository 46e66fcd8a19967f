"""The poke finds maps that lie as the picture does, and no others."""

import pytest
import torch
from torch import nn

from vizcore.networks import geometry


def maps(squares=geometry.EVERY):
    """What a small CNN's layer changes by, (squares, 16, 16)."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU())
    with torch.no_grad():
        found = [net(geometry.poked((3, 64, 64), squares, seed)) for seed in range(2)]
    return torch.cat([(values[1:] - values[:1]).square().sum(1) for values in found])


def windows(change):
    """Cells in the order of 4 × 4 windows, as some networks keep their tokens."""
    return change.unflatten(1, (4, 4)).unflatten(3, (4, 4)).permute(0, 1, 3, 2, 4).reshape(change.shape)


WRONG = {
    "transposed": lambda change: change.mT,
    "upside down": lambda change: change.flip(1),
    "mirrored": lambda change: change.flip(2),
    "two cells down": lambda change: change.roll(2, 1),
    "two cells to the left": lambda change: change.roll(-2, 2),
    "in the order of windows": windows,
    "flat": torch.ones_like,
    "nothing": torch.zeros_like,
}


def test_a_map_holds():
    followed = geometry.follow(maps(), geometry.EVERY * 2)
    assert followed.reason(geometry.STRICT) == "" and min(followed.along) > 0.95
    assert geometry.follow(maps(geometry.FEW)[:4]).reason(geometry.QUICK) == ""


@pytest.mark.parametrize("name", WRONG)
def test_another_one_does_not(name):
    followed = geometry.follow(WRONG[name](maps()), geometry.EVERY * 2)
    assert followed.reason(geometry.STRICT)
    if "two cells" not in name:  # a fine map's two cells are less than few squares tell apart
        assert geometry.follow(WRONG[name](maps(geometry.FEW)[:4])).reason(geometry.QUICK)


def test_a_square_is_a_square_of_the_picture_that_is_not_one():
    pictures = geometry.poked((3, 40, 100), [(1, 2)])
    changed = (pictures[1] != pictures[0]).any(0).nonzero()
    assert changed.amin(0).tolist() == [10, 50] and changed.amax(0).tolist() == [19, 74]
    assert torch.equal(geometry.poked((3, 40, 100), [(1, 2)])[1], pictures[1])
