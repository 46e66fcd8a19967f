"""Weights in one file for several processes: the same numbers, laid out as they were, and nobody else's."""

import mmap

import pytest
import torch

from vizcore.networks import shared_weights
from vizcore.networks.load import load_model


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(shared_weights.FOLDER, str(tmp_path))
    monkeypatch.setattr(shared_weights, "LEAST_MB", 0.01)
    return tmp_path


def mapped_bytes(folder) -> int:
    """Of this process, in files of the folder."""
    lines = [line.split() for line in open("/proc/self/maps") if str(folder) in line]
    return sum(int(line[0].split("-")[1], 16) - int(line[0].split("-")[0], 16) for line in lines)


@pytest.mark.skipif(not hasattr(mmap, "MAP_PRIVATE"), reason="Windows")
def test_a_network_answers_as_before_from_a_file_that_is_written_once(folder, chelsea):
    kept = load_model("texture_vit", device="cpu")
    net = load_model("texture_resnet", device="cpu")
    assert len(list(folder.glob("*"))) == 2
    before = {path: path.stat().st_ino for path in folder.glob("*")}
    again = load_model("texture_resnet", device="cpu")
    assert {path: path.stat().st_ino for path in folder.glob("*")} == before
    assert all(name.endswith(".safetensors") for name in map(str, before))
    shared_weights.os.environ.pop(shared_weights.FOLDER)
    alone = load_model("texture_resnet", device="cpu")
    for name, value in alone.net.state_dict().items():
        for other in net, again:
            found = other.net.state_dict()[name]
            assert torch.equal(found, value) and found.stride() == value.stride(), name
    assert not any(one.requires_grad for model in (kept, again) for one in model.net.parameters())
    picture = alone.preprocess(chelsea)
    with torch.inference_mode():
        torch.testing.assert_close(alone.net(picture), again.net(picture), rtol=1e-5, atol=1e-5)
    if shared_weights.Path("/proc/self/maps").exists():
        assert mapped_bytes(folder) >= sum(path.stat().st_size for path in before)


def test_other_numbers_are_another_file_and_old_ones_go(folder, monkeypatch):
    nets = [torch.nn.Linear(100, 100) for _ in range(3)]
    for net in nets:
        shared_weights.share(net.requires_grad_(False))
    assert len(list(folder.glob("*"))) == 3
    values = [net.weight.clone() for net in nets]
    monkeypatch.setattr(shared_weights, "KEPT_MB", 0.05)
    shared_weights.share(torch.nn.Linear(100, 100))
    assert len(list(folder.glob("*"))) == 1
    assert all(
        torch.equal(net.weight, value) for net, value in zip(nets, values, strict=True)
    )  # mapped still


def test_tied_weights_and_a_folder_that_cannot_be_written(folder, monkeypatch):
    net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.Linear(64, 64))
    net[1].weight = net[0].weight
    picture = torch.ones(1, 64)
    before = net(picture).detach()
    shared_weights.share(net.requires_grad_(False))
    torch.testing.assert_close(net(picture), before)
    monkeypatch.setenv(shared_weights.FOLDER, str(folder / "isn't there"))
    shared_weights.share(net)
    torch.testing.assert_close(net(picture), before)
